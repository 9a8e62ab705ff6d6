//! The QUIC link between an edge and a backbone node.
//!
//! An edge dials with a [`LinkClient`] (or a [`Dialer`], which never gives up); a node accepts with a [`LinkServer`].
//! Both get a [`Link`] to a peer that its certificate names and whose hello has been answered. Starting it with a
//! [`LinkSink`] gives a [`LinkSender`]; frames that come are handed to the sink. Nothing here decides what is said:
//! cores do that, shells carry it to and fro.
//!
//! The wire, in the order in which things happen (`design.md` §4):
//! 1. QUIC handshake, TLS 1.3, ALPN `trunkline/1`, both sides with a certificate of the mesh's authority.
//! 2. The edge opens all streams, each begun by two bytes that name it: control, the lanes, the two ephemeral ones
//!    (one per direction: its other half tells how much was read, so that the sender knows how far behind it is).
//! 3. Hello of the edge, first on the control stream; the node closes an older link of the same life, waits for its
//!    end, and answers with its own.
//! 4. Frames of the version settled, both ways, until one side closes the connection with a code and a reason.

mod alert;
mod assemble;
mod backoff;
mod client;
mod config;
mod connect_error;
mod counters;
mod credit;
mod dialer;
mod end;
mod ending;
mod frames;
mod hello;
mod identity;
mod inbox;
mod join;
mod link;
mod link_core;
mod lives;
mod own_certificate;
mod queue;
mod quiet;
mod reader;
mod reset;
mod sender;
mod server;
mod streams;
mod tasks;
mod tls;
mod tls_error;
mod transport;
mod welcome;
mod writer;

pub use backoff::Backoff;
pub use client::LinkClient;
pub use config::{Congestion, LinkConfig};
pub use connect_error::ConnectError;
pub use counters::{LinkCounters, ServerCounters};
pub use dialer::{DialEvent, Dialer};
pub use end::{CloseCode, LinkEnd};
pub use frames::{LinkFrame, Outgoing};
pub use hello::Introduction;
pub use identity::{IdentityError, PeerIdentity};
pub use inbox::Inbox;
pub use link::{EdgeLink, Link, LinkSink, NodeLink};
pub use sender::{LinkSender, Sent};
pub use server::{LinkServer, ServerObserver};
pub use tls::LinkTls;
pub use tls_error::{PemFile, TlsError};

/// The protocol name of the TLS handshake; it changes only if the hello itself must.
pub const ALPN: &[u8] = b"trunkline/1";

/// The name that every node's certificate carries and every edge asks for.
pub const NODE_DNS_NAME: &str = "backbone.trunkline.internal";
