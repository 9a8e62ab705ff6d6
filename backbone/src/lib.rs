//! The backbone process: links, store, admin.
//!
//! A thin shell: the machines of `trunkline-backbone-core` decide, this crate carries values between them, the links
//! and the store.

mod accept;
mod admin;
mod carriers;
mod command;
mod config;
mod control_task;
mod doubles;
mod error;
mod health;
mod membership;
mod metrics;
mod observer;
mod ring_page;
mod run;
mod settling;
mod shard_task;
mod sink;
mod store;
mod store_driver;

pub use command::run_with;
pub use config::{
    BackboneConfig, BackboneSection, PostgresSection, ShardSection, StoreKind, StoreSection,
};
pub use error::RunError;
pub use ring_page::{Ring, RingLink, RingMember, RingNode, RingPage, RingState};
pub use run::run;
pub use trunkline_backbone_core::membership::{
    Change, MovePlan, Ownership, PlanError, PlannedNode,
};
