//! What becomes of a process's calls when it dies.

use trunkline_store_core::SlotPart;
use trunkline_store_core::memory::AppendTicket;

use super::writer::Current;
use super::{Asker, Disk, Hanging, Later};

impl Disk {
    /// A node's process died: what waited in it is gone; the call under way arrives whole, in part or not at all, at once or
    /// while others go on.
    pub(crate) fn crash(&mut self, node: usize) {
        self.bury_current(node);
        self.look_before_claim();
        let writer = &mut self.writers[node];
        writer.queue.clear();
        writer.calls += 1;
        if let Some(Current::Append(ticket, mut parts)) = writer.current.take() {
            match self.dice.between(0, 3) {
                0 => drop(self.take(ticket, &parts)),
                1 => self.state.drop_append(ticket),
                2 => {
                    self.state.drop_append(ticket);
                    parts.truncate(self.dice.index(parts.len()));
                    let bare = parts.iter().map(|(_, part)| part.clone()).collect();
                    let torn = self.state.begin_append(bare);
                    drop(self.take(torn, &parts));
                }
                _ => self.hang(ticket, parts),
            }
        }
        self.lose_synced();
        self.miss_earlier_lives();
    }

    /// Lets an append end later, when nobody knows.
    pub(super) fn hang(&mut self, ticket: AppendTicket, parts: Vec<(Asker, SlotPart)>) {
        self.hanging.push(Hanging { ticket, parts });
        let settles = self.dice.millis(0, 1_500);
        self.later.push((settles, Later::Settle));
    }

    /// Ends appends whose outcome stayed unknown: each is taken or not.
    pub(crate) fn settle(&mut self) {
        for Hanging { ticket, parts } in std::mem::take(&mut self.hanging) {
            if self.dice.permille(500) {
                drop(self.take(ticket, &parts));
            } else {
                self.state.drop_append(ticket);
            }
        }
    }
}
