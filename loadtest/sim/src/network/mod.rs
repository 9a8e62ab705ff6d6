//! The network between edges and the node, and between clients and edges: delays, losses, breaks, full buffers.

mod direction;
mod link;
mod socket;

pub(crate) use direction::{Direction, Written};
pub(crate) use link::{Link, Side};
pub(crate) use socket::{Socket, SocketId};
