//! A worker's thread between real sockets and a scripted way upstream.

mod client;
mod fixture;
mod handshake;
mod limits;
mod traffic;
