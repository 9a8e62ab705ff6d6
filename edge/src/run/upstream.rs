//! Starting the task that drives the way upstream, and the ways to and from it.

use std::sync::Arc;

use bytesize::ByteSize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use trunkline_edge_core::upstream::{Upstream, UpstreamConfig};
use trunkline_link::{LinkClient, LinkTls};
use trunkline_process::{Clock, draw_incarnation, draw_seed};
use trunkline_shared::rules::Rules;

use crate::ask::Ask;
use crate::config::EdgeConfig;
use crate::error::EdgeError;
use crate::health::Readiness;
use crate::upstream_task::{Command, Inboxes, Outlets, UpstreamTask};
use crate::worker_thread::{Said, ToThread};

/// The ways to and from the task that drives the way upstream.
pub(super) struct Ways {
    pub(super) said: mpsc::UnboundedSender<Said>,
    pub(super) asks: mpsc::UnboundedSender<Ask>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) rules: watch::Receiver<Option<Arc<Rules>>>,
    pub(super) readiness: watch::Receiver<Readiness>,
    /// The task itself.
    pub(super) task: JoinHandle<()>,
}

impl Ways {
    /// Begins to dial, and starts the task.
    ///
    /// # Errors
    /// When no UDP socket can be bound, or the system has no randomness.
    pub(super) fn start(
        config: &EdgeConfig,
        clock: Clock,
        workers: Vec<mpsc::UnboundedSender<ToThread>>,
        tls: &LinkTls,
    ) -> Result<Self, EdgeError> {
        let client = LinkClient::bind(tls, Arc::new(config.link.clone()))
            .map_err(EdgeError::io("link endpoint"))?;
        let machine = Upstream::new(
            upstream_config(config),
            draw_incarnation()?,
            draw_seed()?,
            clock.now(),
        );
        let (said, said_inbox) = mpsc::unbounded_channel();
        let (asks, asks_inbox) = mpsc::unbounded_channel();
        let (commands, commands_inbox) = mpsc::unbounded_channel();
        let (rules_sender, rules) = watch::channel(None);
        let (readiness_sender, readiness) =
            watch::channel(Readiness::new(vec!["starting".to_owned()], false));
        let outlets = Outlets {
            workers,
            rules: rules_sender,
            readiness: readiness_sender,
        };
        let inboxes = Inboxes {
            said: said_inbox,
            asks: asks_inbox,
            commands: commands_inbox,
        };
        let (task, links) = UpstreamTask::new(machine, clock, client, outlets);
        Ok(Self {
            said,
            asks,
            commands,
            rules,
            readiness,
            task: tokio::spawn(task.run(inboxes, links)),
        })
    }
}

fn upstream_config(config: &EdgeConfig) -> UpstreamConfig {
    UpstreamConfig {
        contacts: config.edge.backbones.iter().map(Into::into).collect(),
        follow_view: config.edge.follow_view,
        ring_publications_max: config.edge.ring_publications_max,
        ring_bytes_max: bytes(config.edge.ring_bytes_max),
        rings_bytes_max: bytes(config.edge.rings_bytes_max),
        linger: config.edge.linger,
        isolation_tolerance: config.edge.isolation_tolerance,
        close_when_isolated: config.edge.close_when_isolated,
        epoch_spread: config.client.epoch_spread,
        ..UpstreamConfig::default()
    }
}

fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}
