//! Words of the mesh: ids, slots, positions, publications, the ring view, link frames and limits.
//!
//! A type lives here only if it is on a wire or if two crates name it. Nothing here does I/O or reads a clock.

pub mod channel;
pub mod config;
pub mod frame;
pub mod id;
pub mod idempotency;
pub mod limits;
pub mod position;
pub mod publication;
pub mod queue;
pub mod rules;
pub mod slot;
pub mod stream;
pub mod time;
pub mod view;

pub use channel::{Channel, ChannelError};
pub use id::{EdgeId, IdError, Incarnation, NodeId, PublishId, Region, RequestId};
pub use idempotency::{IdempotencyKey, IdempotencyKeyError};
pub use position::{Epoch, Offset, Position};
pub use publication::{ClientInfo, Payload, Publication, Tags, Trace};
pub use slot::Slot;
pub use stream::{LinkId, StreamId};
pub use time::{Instant, Now, UnixMillis};
pub use view::{Member, RingView, ViewVersion};
