//! A store with the calls that most tests make, short to write.

use super::make;
use crate::message::{Head, StoredMessage};
use trunkline_shared::{PublishId, Slot};

use crate::request::{AppendOutcome, ClaimRequest, Claimed, FindRequest, Found, RangeRequest};
use crate::traits::MessageStore;

/// Makes requests for one store and expects that they succeed.
#[derive(Debug)]
pub struct Sample<'a, S>(pub &'a S);

impl<S: MessageStore> Sample<'_, S> {
    /// Claims one slot under view 1.
    pub async fn claim(&self, slot: u16) -> Claimed {
        let request = ClaimRequest {
            view: make::view(1),
            slots: vec![(make::slot(slot), false)],
        };
        let claimed = self
            .0
            .claim(request)
            .await
            .expect("nobody claimed under a later view");
        *claimed.first().expect("a claim answers each slot")
    }

    /// Appends to one channel and expects that it is taken.
    pub async fn append(&self, claimed: Claimed, channel: &str, follows: u64, count: u64) {
        let part = make::part(claimed, vec![make::messages(channel, follows, count)]);
        let outcome = self.0.append(vec![part]).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
    }

    /// A channel's head.
    pub async fn head(&self, slot: u16, channel: &str) -> Head {
        let heads = self
            .0
            .heads(vec![(make::slot(slot), make::channel(channel))])
            .await;
        *heads
            .expect("the store is there")
            .first()
            .expect("one head for each channel")
    }

    /// What is found of publish ids.
    pub async fn find(&self, ids: Vec<(Slot, PublishId)>) -> Vec<Found> {
        let found = self.0.find(FindRequest::ids(ids)).await;
        found.expect("the store is there").ids
    }

    /// The offsets of the messages with the keys asked for, of those found.
    pub async fn find_keys(&self, request: FindRequest) -> Vec<u64> {
        let found = self.0.find(request).await.expect("the store is there");
        found.keys.iter().map(|found| found.offset.0).collect()
    }

    /// The answer to a range request.
    pub async fn range(&self, request: RangeRequest) -> Vec<StoredMessage> {
        self.0.range(request).await.expect("the store is there")
    }

    /// The offsets in the answer to a range request.
    pub async fn read(&self, request: RangeRequest) -> Vec<u64> {
        self.range(request)
            .await
            .iter()
            .map(|message| message.publication.offset.0)
            .collect()
    }
}
