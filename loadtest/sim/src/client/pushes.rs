//! What a client does with what its edge says unasked.

use trunkline_protocol::Push;
use trunkline_protocol::message;

use super::{Around, Client, State};
use crate::coverage::Event;
use crate::record::Seen;
use crate::scenario::CHANNELS;

impl Client {
    pub(super) fn on_push(&mut self, around: &mut Around<'_>, name: &str, push: Push) {
        let Some(channel) = CHANNELS.iter().position(|plan| plan.name == name) else {
            return self.odd(around, &format!("a push of channel {name:?}"));
        };
        match push {
            Push::Publication(publication) => self.on_publication(around, channel, &publication),
            Push::Unsubscribe(unsubscribe) => {
                self.on_unsubscribed(around, channel, unsubscribe.code)
            }
            Push::Join(_) | Push::Leave(_) => around.coverage.count(Event::PresenceEvent),
            Push::Message(_) | Push::Subscribe(_) | Push::Disconnect(_) | Push::Refresh(_) => {
                self.odd(around, &format!("unexpected push {push:?}"));
            }
        }
    }

    fn on_publication(
        &mut self,
        around: &mut Around<'_>,
        channel: usize,
        publication: &message::Publication,
    ) {
        let Some(message) = self.read(around, publication) else {
            return;
        };
        let Some(subscription) = self.subscriptions.get_mut(&channel) else {
            return self.odd(
                around,
                &format!("a publication of channel {channel}, never asked for"),
            );
        };
        if subscription.leaving == 0 {
            subscription.on_offset(message.offset);
            around
                .record
                .see(around.now, self.number, channel, Seen::Publication(message));
        }
        let sent = around
            .record
            .publishes
            .get(&message.label)
            .map(|publish| publish.channel);
        if sent != Some(channel) {
            self.odd(
                around,
                &format!("{:?} in channel {channel}, sent to {sent:?}", message.label),
            );
        }
        self.probes.insert(channel, message.label);
    }

    fn on_unsubscribed(&mut self, around: &mut Around<'_>, channel: usize, code: u32) {
        if code == 2500 {
            around.coverage.count(Event::Unsubscribed2500);
        } else {
            self.odd(around, &format!("an unsubscribe with code {code}"));
        }
        let Some(subscription) = self.subscriptions.get_mut(&channel) else {
            return;
        };
        if subscription.leaving > 0 {
            return;
        }
        around.record.see(
            around.now,
            self.number,
            channel,
            Seen::Unsubscribed { code },
        );
        if subscription.state == State::Live {
            subscription.state = State::Wanted { at: around.now };
            self.subscribe_wanted(around);
        }
    }
}
