//! The store's share of what happens.

use trunkline_backbone_core::io::{StoreAnswer, StoreRequest};

use super::event::Event;
use super::{Covered, Mesh};
use crate::disk::{Asker, Later};

impl Mesh {
    /// Asks the store.
    pub(super) fn ask_store(&mut self, asker: Asker, request: StoreRequest) {
        if self.disk.is_away(self.now) {
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
                self.store_answered(asker, answer);
            }
            Later::RaiseFloor { asker, raise, told } => {
                let answer = self.disk.raise_floor(raise, told);
                self.store_answered(asker, answer);
            }
            Later::Work(call) => {
                self.disk
                    .work(call, self.now, &self.scenario.tuning, &mut self.coverage)
            }
            Later::Settle => self.disk.settle(),
        }
        self.plan_store();
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
