//! What the rows of an export keep to, beyond what each says by itself: their order, and the slots of their channels.

use trunkline_shared::{Channel, Slot};

use super::line::Nonsense;

/// A kind of rows, in the order of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Slot,
    Head,
    Message,
    Key,
}

/// The row before.
#[derive(Debug, Default)]
pub(super) struct Expected(Option<(Kind, Vec<u8>)>);

impl Expected {
    /// Rows come in the order of their keys, so one that stands twice is found without remembering all.
    pub(super) fn in_order(&mut self, kind: Kind, key: &[u8]) -> Result<(), Nonsense> {
        let this = (kind, key.to_vec());
        if self.0.as_ref().is_some_and(|before| *before >= this) {
            return Err(Nonsense::Order);
        }
        self.0 = Some(this);
        Ok(())
    }
}

/// A channel's slot follows from its name and its namespace's `routing_segments`. An export doesn't tell that number, and it may
/// have been another one when the row was written: any that gives the slot will do.
pub(super) fn in_its_slot(slot: Slot, channel: &Channel) -> Result<(), Nonsense> {
    let colons = channel.as_str().matches(':').count();
    // From the number of its parts on the whole name counts, as with 0.
    let mut segments = (0..=u8::MAX).take(colons + 1);
    if segments.any(|segments| channel.slot(segments) == slot) {
        Ok(())
    } else {
        Err(Nonsense::OtherSlot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_store_core::suite::make::channel;

    #[test]
    fn a_slot_that_no_routing_gives_is_refused() {
        let channel = channel("chat:1:a");
        let known = [0, 1, 2].map(|segments| channel.slot(segments));
        for slot in Slot::all() {
            let is_good = in_its_slot(slot, &channel).is_ok();
            assert_eq!(is_good, known.contains(&slot), "{slot:?}");
        }
    }

    #[test]
    fn rows_that_stand_twice_or_out_of_order_are_refused() {
        let mut expected = Expected::default();
        let rows = [
            (Kind::Slot, &b"b"[..], true),
            (Kind::Slot, b"b", false),
            (Kind::Head, b"a", true),
            (Kind::Slot, b"c", false),
            (Kind::Key, b"a", true),
        ];
        for (kind, key, good) in rows {
            assert_eq!(expected.in_order(kind, key).is_ok(), good, "{kind:?}");
        }
    }
}
