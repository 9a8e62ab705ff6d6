//! A node's life: open the store, take its place, carry, stop.

use std::path::PathBuf;
use std::sync::Arc;

use smol_str::SmolStr;
use tokio::sync::{oneshot, watch};
use tracing::info;
use trunkline_backbone_core::membership::io::{MembershipConfig, OwnRules};
use trunkline_link::{Introduction, LinkServer, LinkTls, PeerIdentity};
use trunkline_process::{Clock, Port, Ready, Shutdown, draw_incarnation, serve_admin};
use trunkline_shared::rules::Rules;
use trunkline_shared::{NodeId, ViewVersion};

use crate::accept::accept_links;
use crate::admin;
use crate::carriers::Carriers;
use crate::config::{BackboneConfig, StoreKind};
use crate::error::RunError;
use crate::membership::{MembershipTask, StoreNews, Surroundings};
use crate::observer::Observer;
use crate::store::Store;

/// Runs a node until `shutdown` asks it to stop: it hands its slots over first.
///
/// # Errors
/// When it can't start (store, certificates, addresses), when another process has its name, or when it loses its link
/// endpoint.
pub async fn run(config: BackboneConfig, shutdown: Shutdown) -> Result<(), RunError> {
    info!(backbone = ?config.backbone, store = ?config.store, link = ?config.link, admin = ?config.admin, "configuration");
    let mut node = Node::start(config, &shutdown).await?;
    let result = tokio::select! {
        result = node.live() => result,
        () = shutdown.at_once() => Ok(()),
    };
    // Held here, so that a stop that is cut short doesn't wait for the store's threads.
    let store = Arc::clone(&node.store);
    tokio::select! {
        () = node.stop() => {
            // The store's end waits for its threads, which no worker of the runtime may do.
            let _ = tokio::task::spawn_blocking(move || drop(store)).await;
        }
        // Its threads end with the process; what they have not committed was not acknowledged.
        () = shutdown.at_once() => std::mem::forget(store),
    }
    info!("stopped");
    result
}

/// A node that runs.
struct Node {
    store: Arc<Store>,
    server: LinkServer,
    carriers: Carriers,
    /// How the membership ends.
    ending: oneshot::Receiver<Result<(), RunError>>,
    is_ready: watch::Receiver<bool>,
    ready_file: Option<PathBuf>,
    ready: Ready,
}

impl Node {
    async fn start(config: BackboneConfig, shutdown: &Shutdown) -> Result<Self, RunError> {
        let (tls, name) = identity(&config)?;
        let life = watch::Sender::new(draw_incarnation()?);
        let store = Arc::new(Store::open(&config.store, &config.namespaces).await?);
        let introduced = life.subscribe();
        let introduce = move || Introduction {
            incarnation: *introduced.borrow(),
            view: ViewVersion::default(),
        };
        let listen = config.backbone.listen;
        let (server, link) =
            LinkServer::bind(listen, &tls, Arc::new(config.link.clone()), introduce)
                .map_err(|error| Port::udp(listen).explain(error))
                .map_err(RunError::io(format!("backbone.listen {listen}")))?;
        let clock = Clock::start();
        let (mut carriers, inbox) = Carriers::start(
            &store,
            clock,
            config.backbone.shard_count(),
            config.link.idle_timeout,
            *life.borrow(),
        )?;
        let is_ready = watch::Sender::new(false);
        let when_ready = is_ready.subscribe();
        let membership = membership_config(&config, &name, link);
        let (keeper, section) = (Arc::clone(&store), config.store.clone());
        let around = Surroundings {
            news: StoreNews {
                renewals: store.renewals(),
                view_changes: store.view_changes(),
            },
            store: Arc::clone(&store),
            clock,
            machines: carriers.machines.clone(),
            health: Arc::clone(&carriers.health),
            follow: Box::new(move |rules| keeper.follow(&section, rules)),
            life,
            is_ready,
        };
        let membership = MembershipTask::new(membership, around, inbox)?;
        let (ended, ending) = oneshot::channel();
        let until = shutdown.clone();
        carriers.carry(async move { drop(ended.send(membership.run(until).await)) });
        let observer = Observer::new(
            carriers.machines.clone(),
            Arc::downgrade(&store),
            server.observer(),
        );
        let router = admin::router(observer, when_ready.clone());
        let admin = serve_admin(&config.admin, router, shutdown.clone())
            .await
            .map_err(RunError::io(format!(
                "admin.listen {}",
                config.admin.listen
            )))?;
        Ok(Self {
            store,
            server,
            carriers,
            ending,
            is_ready: when_ready,
            ready_file: config.ready_file,
            ready: Ready {
                name: name.to_string(),
                pid: std::process::id(),
                listen: None,
                admin,
                link: Some(link),
            },
        })
    }

    /// Carries until the membership ends or the link endpoint is lost. Links wait until the first slots are claimed.
    async fn live(&mut self) -> Result<(), RunError> {
        let serve = async {
            if self.is_ready.wait_for(|ready| *ready).await.is_err() {
                // The membership has ended, which says why.
                std::future::pending::<()>().await;
            }
            if let Some(path) = &self.ready_file {
                self.ready
                    .write(path)
                    .map_err(RunError::io(path.display().to_string()))?;
            }
            info!(link = ?self.ready.link, admin = ?self.ready.admin, "ready");
            accept_links(&mut self.server, &self.carriers.machines).await;
            Err(RunError::EndpointLost)
        };
        tokio::select! {
            ended = &mut self.ending => ended.expect("the membership says how it ends"),
            result = serve => result,
        }
    }

    async fn stop(mut self) {
        self.carriers.say_goodbye().await;
        self.server.close().await;
        self.carriers.end().await;
    }
}

fn identity(config: &BackboneConfig) -> Result<(LinkTls, NodeId), RunError> {
    let tls = LinkTls::from_files(&config.link)?;
    match tls.identity().clone() {
        PeerIdentity::Backbone { node } => Ok((tls, node)),
        other @ PeerIdentity::Edge { .. } => Err(RunError::NotANode(other)),
    }
}

fn membership_config(
    config: &BackboneConfig,
    node: &NodeId,
    link: std::net::SocketAddr,
) -> MembershipConfig {
    let advertise = &config.backbone.advertise;
    let address = if advertise.is_empty() {
        link.to_string().into()
    } else {
        SmolStr::new(advertise)
    };
    MembershipConfig {
        // Its lock is the lease of its only member.
        alone: config.store.kind == StoreKind::Embedded,
        rules: OwnRules::Configured(
            Rules::new(0, config.namespaces.clone())
                .expect("the configuration was checked when it was loaded"),
        ),
        ..MembershipConfig::new(node.clone(), address)
    }
}
