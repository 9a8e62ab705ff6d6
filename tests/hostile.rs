//! Whatever strangers send, damaged disks and second processes included: the answer is the protocol's code or one clear
//! line, and the process goes on, or refuses to start and says why.

mod harness;

#[path = "hostile/clients.rs"]
mod clients;
#[path = "hostile/http.rs"]
mod http;
#[path = "hostile/links.rs"]
mod links;
#[path = "hostile/logs.rs"]
mod logs;
#[path = "hostile/peer.rs"]
mod peer;
#[path = "hostile/rig.rs"]
mod rig;
#[path = "hostile/stores.rs"]
mod stores;
