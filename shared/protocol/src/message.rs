//! The messages inside commands, replies and pushes: one set of types for both encodings.
//!
//! Made from `proto/client.proto`. The envelopes (`Command`, `Reply`, `Push`) of the wire can hold any
//! combination of messages; they stay inside this crate, which gives out [`crate::Command`],
//! [`crate::Reply`] and [`crate::Push`], that hold exactly one.

pub use wire::{
    ClientInfo, ConnectRequest, ConnectResult, Disconnect, EmulationRequest, Error, FilterNode,
    HistoryRequest, HistoryResult, Join, Leave, Message, PingRequest, PingResult, PresenceRequest,
    PresenceResult, PresenceStatsRequest, PresenceStatsResult, Publication, PublishRequest,
    PublishResult, Refresh, RefreshRequest, RefreshResult, RpcRequest, RpcResult, SendRequest,
    StreamPosition, SubRefreshRequest, SubRefreshResult, Subscribe, SubscribeRequest,
    SubscribeResult, Unsubscribe, UnsubscribeRequest, UnsubscribeResult,
};

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::use_self,
    reason = "generated code; its comments come from the proto file"
)]
pub(crate) mod wire {
    include!("generated/client.rs");
}
