//! The whole mesh on one thread from one seed.
//!
//! Real machines (`Worker`, `Upstream`, `Membership`, `Shard`, `Control`, `MemoryState`) of one to four nodes and some edges
//! run under a virtual clock, over a network that delays, loses and breaks, before clients that behave like the SDKs. Nodes
//! come, go, die, stand still and lose their way to the store. Everything but the machines is made here, and none of it knows
//! a rule of the mesh. A seed decides everything: the same one always gives the same run.
//!
//! Checks look at what clients observed, by publisher and sequence in the payload (`check`); only who owned what is looked at
//! where it is granted and used. Bugs planted outside of the machines ([`Plant`]) show that the checks find what they should.
//!
//! # Replaying a seed
//! A failure prints its seed. `TRUNKLINE_SEED=17 cargo test -p trunkline-sim --test seeds one_seed -- --nocapture` runs
//! seed 17 alone and prints its trace; `TRUNKLINE_SEEDS=5000 cargo test -p trunkline-sim` runs more seeds than usual.

mod agenda;
mod check;
mod client;
mod clock;
mod coverage;
mod dice;
mod disk;
mod mesh;
mod network;
mod options;
mod plant;
mod publisher;
mod record;
mod report;
mod scenario;
mod tamper;
mod trace;

pub use coverage::{Coverage, Event};
pub use options::Options;
pub use plant::Plant;
pub use report::{Failure, Report, run};
