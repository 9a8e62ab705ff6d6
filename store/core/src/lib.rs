//! The message store's contract: trait, requests and answers, memory store, behaviour suite.
//!
//! The owner numbers, the store checks: an append names each slot's generation and each channel's head, and the store
//! takes a slot's part whole or refuses it whole (`design.md` §6). Fencing is here and nowhere else.

pub mod check;
pub mod last_seen;
pub mod members;
pub mod memory;
pub mod message;
pub mod request;
mod select;
pub mod suite;
mod traits;

pub use last_seen::LastSeenStore;
pub use members::{Beat, HeartbeatError, JoinRequest, MemberRow, MemberStore};
pub use memory::{MemoryState, MemoryStore};
pub use message::{Head, StoredMessage};
pub use request::{
    AllFound, AppendOutcome, ChannelAppend, ChannelKey, ClaimError, ClaimRequest, Claimed,
    FindRequest, FloorError, FloorRequest, Found, FoundKey, Generation, RangeRequest, Refused,
    SlotPart, ViewChange, ViewRow,
};
pub use traits::{MessageStore, StoreError};
