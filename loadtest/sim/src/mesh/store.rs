//! The store's share of what happens.

use trunkline_backbone_core::io::{StoreAnswer, StoreRequest};
use trunkline_backbone_core::membership::io::MembershipInput;

use super::event::Event;
use super::{Covered, Mesh};
use crate::disk::{Asker, Later};

impl Mesh {
    /// Asks the store.
    pub(super) fn ask_store(&mut self, asker: Asker, request: StoreRequest) {
        if self.disk.is_away(self.now, asker) {
            self.coverage.count(Covered::StoreAway);
        }
        self.disk
            .ask(self.now, &self.scenario.tuning, asker, request);
        self.plan_store();
    }

    /// The store does what it said that it would.
    pub(super) fn store_later(&mut self, later: Later) {
        match later {
            Later::Answer(asker, answer) => self.store_answered(asker, answer),
            Later::Read(asker, request) => {
                let answer = self.disk.read(&request);
                self.answer_soon(asker, answer);
            }
            Later::RaiseFloor { asker, raise, told } => {
                let answer = self.disk.raise_floor(raise, told);
                self.answer_soon(asker, answer);
            }
            Later::Work { writer, call } => self.disk.work(
                (writer, call),
                self.now,
                &self.scenario.tuning,
                &mut self.coverage,
            ),
            Later::Settle => self.disk.settle(),
            Later::Perform {
                member,
                request,
                back,
            } => {
                let tuning = &self.scenario.tuning;
                self.disk.perform(self.now, tuning, member, *request, back);
            }
            Later::Tell(member, answer) => self.member_answered(&member, *answer),
            Later::Notify { node } => self.tell_membership(node, MembershipInput::Notified),
        }
        self.plan_store();
    }

    /// Answers now, or when the node that asked lives again.
    fn answer_soon(&mut self, asker: Asker, answer: StoreAnswer) {
        self.handle(Event::Store(Later::Answer(asker, answer)));
    }

    pub(super) fn plan_store(&mut self) {
        for (after, later) in self.disk.take_later() {
            self.plan(after, Event::Store(later));
        }
    }

    fn store_answered(&mut self, asker: Asker, answer: StoreAnswer) {
        self.note(|| format!("store → {asker:?}: {answer:?}"));
        if let StoreAnswer::Found(Ok(found)) = &answer {
            let keys = u64::try_from(found.keys.len()).expect("few keys");
            self.coverage.add(Covered::KeyInStore, keys);
        }
        match asker {
            Asker::Shard { .. } => self.shard_answered(asker, answer),
            Asker::Foreign => {}
        }
    }
}
