//! Planted bugs of the way of idempotency keys to their owner.

use trunkline_shared::frame::Publish;
use trunkline_shared::rules::Class;

use crate::plant::{Plant, disguise};
use crate::scenario::CHANNELS;

/// Does to a publish's key what the planted bug does; `number` is drawn once for each publish.
pub(super) fn tamper(plant: Plant, publish: &mut Publish, number: u64) {
    if plant == Plant::KeyIgnored {
        publish.key = None;
    }
    if plant == Plant::KeyPendingUnseen
        && is_durable(publish)
        && let Some(key) = &mut publish.key
    {
        disguise(key, number);
    }
}

fn is_durable(publish: &Publish) -> bool {
    let mut plans = CHANNELS.iter();
    let plan = plans.find(|plan| plan.name == publish.channel.as_str());
    plan.is_some_and(|plan| plan.class == Class::Durable)
}
