//! The worker by its inputs and outputs: clients speak in encoded frames, upstream is scripted, time is virtual.

mod closing;
mod connect;
mod delivery;
mod describe;
mod dispatch;
mod epoch;
mod expiry;
mod heartbeat;
mod history;
mod order;
mod presence;
mod publish;
mod queue;
mod recovery;
mod refusals;
mod requests;
mod rig;
mod rpc;
mod rules;
mod subscribe;
mod tokens;
