//! What a client publishes by itself.

use super::{Around, Client};

impl Client {
    /// Publishes when it is time and the window allows it.
    pub(super) fn publish_due(&mut self, around: &mut Around<'_>) {
        if !self.busy || self.next_publish > around.now {
            return;
        }
        let pace = u64::try_from(self.plan.pace.as_micros()).expect("less than a second");
        self.next_publish = around.now + self.dice.micros(pace / 4, pace * 2);
        if self.unanswered() < self.plan.window {
            let channel = self.plan.publishes[self.dice.index(self.plan.publishes.len())];
            self.publish(around, channel, 1, self.plan.ballast);
        }
    }
}
