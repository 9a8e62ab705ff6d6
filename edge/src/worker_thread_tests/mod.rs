//! A worker's thread between real sockets and a scripted way upstream.

mod client;
mod drain;
mod fixture;
mod handshake;
mod limits;
mod pings;
mod tls;
mod traffic;
mod users;
