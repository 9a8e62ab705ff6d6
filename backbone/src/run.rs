//! A node's life: open the store, take its place, carry, stop.

use std::sync::Arc;

use smol_str::SmolStr;
use tracing::info;
use trunkline_link::{Introduction, LinkServer, LinkTls, PeerIdentity};
use trunkline_process::{Clock, Port, Ready, Shutdown, draw_incarnation, serve_admin};
use trunkline_shared::{Incarnation, Member, NodeId, ViewVersion};

use crate::accept::accept_links;
use crate::admin;
use crate::carriers::Carriers;
use crate::config::BackboneConfig;
use crate::error::RunError;
use crate::membership::join;
use crate::metrics::Observer;
use crate::place::Place;
use crate::store::Store;

/// Runs a node until `shutdown` asks it to stop.
///
/// # Errors
/// When it can't start (store, certificates, addresses), or loses its link endpoint.
pub async fn run(config: BackboneConfig, shutdown: Shutdown) -> Result<(), RunError> {
    info!(backbone = ?config.backbone, store = ?config.store, link = ?config.link, admin = ?config.admin, "configuration");
    let mut node = Node::start(config, &shutdown).await?;
    let lost = tokio::select! {
        () = accept_links(&mut node.server, &node.carriers.machines) => true,
        () = shutdown.drain() => false,
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
    if lost {
        Err(RunError::EndpointLost)
    } else {
        Ok(())
    }
}

/// A node that runs.
struct Node {
    store: Arc<Store>,
    server: LinkServer,
    carriers: Carriers,
}

impl Node {
    async fn start(config: BackboneConfig, shutdown: &Shutdown) -> Result<Self, RunError> {
        let (tls, name) = identity(&config)?;
        let incarnation = draw_incarnation()?;
        let store = Arc::new(Store::open(&config.store, &config.namespaces).await?);
        // From here on, so that one in the middle of the start isn't missed.
        let renewals = store.renewals();
        let introduce = move || Introduction {
            incarnation,
            view: ViewVersion::default(),
        };
        let listen = config.backbone.listen;
        let (server, link) =
            LinkServer::bind(listen, &tls, Arc::new(config.link.clone()), introduce)
                .map_err(|error| Port::udp(listen).explain(error))
                .map_err(RunError::io(format!("backbone.listen {listen}")))?;
        let clock = Clock::start();
        let member = member(&config, &name, incarnation, link);
        let view = join(store.as_ref(), member.clone(), clock.now().unix).await?;
        info!(node = %name, incarnation = %incarnation, version = %view.version, "joined");
        let (mut carriers, mut settling) = Carriers::start(
            &store,
            clock,
            config.backbone.shard_count(),
            config.link.idle_timeout,
        )?;
        carriers
            .machines
            .instruct(&view, incarnation, config.namespaces.clone());
        tokio::select! {
            () = settling.reach(view.version) => info!("all slots claimed"),
            () = shutdown.drain() => {}
        }
        if let Some(renewals) = renewals {
            let place = Place {
                store: Arc::clone(&store),
                member,
                namespaces: config.namespaces,
                clock,
                machines: carriers.machines.clone(),
                settling,
            };
            carriers.carry(place.follow(renewals));
        }
        let observer = Observer::new(
            carriers.machines.clone(),
            Arc::downgrade(&store),
            server.observer(),
        );
        let admin = serve_admin(&config.admin, admin::router(observer), shutdown.clone())
            .await
            .map_err(RunError::io(format!(
                "admin.listen {}",
                config.admin.listen
            )))?;
        if let Some(path) = &config.ready_file {
            let (name, pid) = (name.to_string(), std::process::id());
            let ready = Ready {
                name,
                pid,
                listen: None,
                admin,
                link: Some(link),
            };
            ready
                .write(path)
                .map_err(RunError::io(path.display().to_string()))?;
        }
        info!(link = %link, admin = %admin, "ready");
        Ok(Self {
            store,
            server,
            carriers,
        })
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

fn member(
    config: &BackboneConfig,
    node: &NodeId,
    incarnation: Incarnation,
    link: std::net::SocketAddr,
) -> Member {
    let advertise = &config.backbone.advertise;
    let address = if advertise.is_empty() {
        link.to_string().into()
    } else {
        SmolStr::new(advertise)
    };
    Member {
        name: node.clone(),
        incarnation,
        address,
    }
}
