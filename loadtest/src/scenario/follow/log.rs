//! What a subscriber got in one channel, and where it was told that something is missing.

/// A message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) number: u64,
    /// Where the mesh says it stands in its channel.
    pub(crate) offset: u64,
    /// When it was due, in the clock of payloads.
    pub(crate) due: u64,
    /// When it came, in the same.
    pub(crate) came: u64,
}

/// Messages in the order in which they came, and the places between them of which the subscriber was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) got: Vec<Got>,
    /// Lengths of `got` at which a recovery was answered with `recovered: false`.
    unrecovered: Vec<usize>,
    /// Whether it was told 2500 and hasn't been subscribed again.
    unsubscribed: bool,
}

impl Log {
    /// Notes a message.
    pub(crate) fn on_message(&mut self, got: Got) {
        self.got.push(got);
    }

    /// The subscription was ended for want of a position (2500).
    pub(crate) const fn on_unsubscribed(&mut self) {
        self.unsubscribed = true;
    }

    /// Everything after the position is there: a 2500 before has mended.
    pub(crate) const fn on_recovered(&mut self) {
        self.unsubscribed = false;
    }

    /// What came after the position can't be had (`recovered: false`).
    pub(crate) fn on_unrecovered(&mut self) {
        self.unsubscribed = false;
        self.unrecovered.push(self.got.len());
    }

    /// Whether the subscriber was told that something may be missing before the message at this place.
    pub(crate) fn is_told(&self, place: usize) -> bool {
        let is_open = self.unsubscribed && place == self.got.len();
        is_open || self.unrecovered.contains(&place)
    }

    /// What came after it was first told that something may be missing, with what it was told then; nothing where it wasn't.
    pub(crate) fn since_told(&self) -> Option<Self> {
        let open = self.unsubscribed.then_some(self.got.len());
        let first = *self.unrecovered.iter().chain(&open).min()?;
        let later = self.unrecovered.iter().map(|place| place - first);
        Some(Self {
            got: self.got[first..].to_vec(),
            unrecovered: later.collect(),
            unsubscribed: self.unsubscribed,
        })
    }

    /// Times that it was told so.
    pub(crate) fn times_told(&self) -> usize {
        self.unrecovered.len() + usize::from(self.unsubscribed)
    }

    /// Whether a message has come.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.got.iter().rev().any(|got| got.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(number: u64) -> Got {
        Got {
            number,
            offset: number,
            due: 0,
            came: 0,
        }
    }

    #[test]
    fn what_came_since_it_was_told_begins_with_being_told() {
        let mut log = Log::default();
        log.on_message(got(1));
        assert_eq!(log.since_told(), None);
        log.on_unrecovered();
        log.on_message(got(2));
        log.on_unrecovered();
        log.on_message(got(3));
        let since = log.since_told().expect("it was told");
        assert_eq!(since.got, [got(2), got(3)]);
        assert_eq!((since.is_told(0), since.is_told(1)), (true, true));
        assert_eq!(since.times_told(), 2);
    }

    #[test]
    fn an_unsubscribe_without_more_is_being_told_too() {
        let mut log = Log::default();
        log.on_message(got(1));
        log.on_unsubscribed();
        let since = log.since_told().expect("it was told");
        assert!(since.got.is_empty() && since.is_told(0));
    }
}
