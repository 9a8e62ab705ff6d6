//! A node's life: open the store, take its place, carry, stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tracing::info;
use trunkline_backbone_core::io::Input;
use trunkline_backbone_core::{Control, ControlConfig, ControlInput, Shard, ShardConfig};
use trunkline_link::{Inbox, Introduction, LinkServer, LinkTls, PeerIdentity, TlsError};
use trunkline_process::{Clock, Ready, Shutdown, draw_incarnation, draw_seed, serve_admin};
use trunkline_shared::limits::INBOX_BYTES_MAX;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, Member, NodeId};
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::{OpenError, Options};

use crate::accept::accept_links;
use crate::admin;
use crate::config::BackboneConfig;
use crate::control_task::{ControlMessage, ControlTask};
use crate::membership::{JoinError, Joined, join};
use crate::metrics::Observer;
use crate::shard_task::{ShardMessage, ShardTask};
use crate::sink::{Machines, Queue};
use crate::store_driver::StoreDriver;

/// Why a node can't run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Certificates are missing or wrong.
    #[error("certificates: {0}")]
    Tls(#[from] TlsError),
    /// The certificate isn't a node's.
    #[error("link.certificate_file names {0}, which is not a backbone node")]
    NotANode(PeerIdentity),
    /// The store can't be opened.
    #[error("message store {path}: {error}")]
    Store {
        /// Its directory.
        path: String,
        /// Why.
        error: OpenError,
    },
    /// The node can't take its place.
    #[error("joining: {0}")]
    Join(#[from] JoinError),
    /// An address can't be bound or a file written.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The link endpoint has failed under a running node.
    #[error("link endpoint lost")]
    EndpointLost,
    /// The system has no randomness.
    #[error("randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl RunError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// Time for appends in flight to end when the node stops; edges go on publishing meanwhile.
const STORE_PATIENCE: Duration = Duration::from_millis(500);

/// Runs a node until `shutdown` asks it to stop.
///
/// # Errors
/// When it can't start: store, certificates, addresses.
pub async fn run(config: BackboneConfig, shutdown: Shutdown) -> Result<(), RunError> {
    info!(backbone = ?config.backbone, store = ?config.store, link = ?config.link, admin = ?config.admin, "configuration");
    let tls = LinkTls::from_files(&config.link)?;
    let PeerIdentity::Backbone { node } = tls.identity().clone() else {
        return Err(RunError::NotANode(tls.identity().clone()));
    };
    let incarnation = draw_incarnation()?;
    let store = Arc::new(open_store(&config)?);
    let (machines, inboxes, control_inbox) = queues(config.backbone.shard_count());
    let link_config = Arc::new(config.link.clone());
    let introduce = move || Introduction {
        incarnation,
        view: trunkline_shared::ViewVersion::default(),
    };
    let (mut server, link) =
        LinkServer::bind(config.backbone.listen, &tls, link_config, introduce).map_err(
            RunError::io(format!("link endpoint {}", config.backbone.listen)),
        )?;
    let member = member(&config, &node, incarnation, link);
    let clock = Clock::start();
    let joined = join(store.as_ref(), member, clock.now().unix).await?;
    info!(node = %node, incarnation = %incarnation, version = %joined.view.version, "joined, all slots claimed");

    let mut tasks = JoinSet::new();
    let requests = TaskTracker::new();
    let driver = Arc::new(StoreDriver::new(
        Arc::clone(&store),
        machines.control.clone(),
    ));
    for (index, inbox) in inboxes.into_iter().enumerate() {
        let shard = ShardConfig {
            index,
            shards: machines.shards.len(),
            ..ShardConfig::default()
        };
        let task = ShardTask {
            shard: Shard::new(shard, draw_seed()?, clock.now()),
            clock,
            store: Arc::clone(&driver),
            inbox,
            queue: machines.shards[index].clone(),
            requests: requests.clone(),
            links: HashMap::new(),
        };
        tasks.spawn(task.run());
    }
    drop(driver);
    tasks.spawn(control_task(clock, control_inbox, &machines).run());
    instruct(&machines, &joined, &config);

    let observer = Observer::new(machines.clone(), Arc::downgrade(&store), server.observer());
    let admin = serve_admin(&config.admin, admin::router(observer), shutdown.clone())
        .await
        .map_err(RunError::io(format!(
            "admin listener {}",
            config.admin.listen
        )))?;
    if let Some(path) = &config.ready_file {
        let ready = Ready {
            name: node.to_string(),
            pid: std::process::id(),
            listen: None,
            admin,
            link: Some(link),
        };
        ready
            .write(path)
            .map_err(RunError::io(path.display().to_string()))?;
    }
    info!(link = %link, admin = %admin, "ready");
    let lost = tokio::select! {
        () = accept_links(&mut server, &machines) => true,
        () = shutdown.drain() => false,
    };
    tokio::select! {
        () = stop(&mut server, &machines, &requests, tasks) => {
            // The store's end waits for its threads, which no worker of the runtime may do.
            let _ = tokio::task::spawn_blocking(move || drop(store)).await;
        }
        // Its threads end with the process; what they have not committed was not acknowledged.
        () = shutdown.at_once() => std::mem::forget(store),
    }
    if lost {
        return Err(RunError::EndpointLost);
    }
    info!("stopped");
    Ok(())
}

fn open_store(config: &BackboneConfig) -> Result<EmbeddedStore, RunError> {
    let path = &config.store.path;
    EmbeddedStore::open(path, Options::default()).map_err(|error| RunError::Store {
        path: path.display().to_string(),
        error,
    })
}

type Inboxes = Vec<UnboundedReceiver<ShardMessage>>;

fn queues(shards: u8) -> (Machines, Inboxes, UnboundedReceiver<ControlMessage>) {
    let (shards, inboxes) = (0..shards).map(|_| queue()).unzip();
    let (control, control_inbox) = queue();
    (Machines { shards, control }, inboxes, control_inbox)
}

fn queue<M>() -> (Queue<M>, UnboundedReceiver<M>) {
    let (sender, receiver) = unbounded_channel();
    (
        Queue {
            sender,
            inbox: Arc::new(Inbox::new(INBOX_BYTES_MAX)),
        },
        receiver,
    )
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

fn control_task(
    clock: Clock,
    inbox: UnboundedReceiver<ControlMessage>,
    machines: &Machines,
) -> ControlTask {
    let control = Control::new(ControlConfig::default(), 0, clock.now());
    ControlTask {
        control,
        clock,
        inbox,
        taken: Arc::clone(&machines.control.inbox),
        links: HashMap::new(),
    }
}

/// Tells the machines what they own and by which rules, before any link is accepted.
fn instruct(machines: &Machines, joined: &Joined, config: &BackboneConfig) {
    let rules = Rules::new(joined.view.rules_version, config.namespaces.clone());
    let rules = Arc::new(rules.expect("the configuration was checked when it was loaded"));
    for shard in &machines.shards {
        shard.say(ShardMessage::Input(Input::Rules(Arc::clone(&rules))));
        let own = Input::Own {
            view: Arc::clone(&joined.view),
            slots: Arc::clone(&joined.slots),
        };
        shard.say(ShardMessage::Input(own));
    }
    machines
        .control
        .say(ControlMessage::Input(ControlInput::View(Arc::clone(
            &joined.view,
        ))));
    machines
        .control
        .say(ControlMessage::Input(ControlInput::Rules(rules)));
}

/// Lets appends in flight end and their answers leave, then says goodbye on all links.
///
/// What is acknowledged is kept either way; this spares clients the repeat of what was committed and not answered.
async fn stop(
    server: &mut LinkServer,
    machines: &Machines,
    requests: &TaskTracker,
    mut tasks: JoinSet<()>,
) {
    requests.close();
    let _ = tokio::time::timeout(STORE_PATIENCE, requests.wait()).await;
    for shard in &machines.shards {
        // A shard answers in order: what the store has said before is on its way to the edges by then.
        let (ask, answer) = oneshot::channel();
        shard.say(ShardMessage::Observe(ask));
        let _ = answer.await;
    }
    let (said, goodbye) = oneshot::channel();
    machines.control.say(ControlMessage::Goodbye(said));
    let _ = goodbye.await;
    server.close().await;
    tasks.shutdown().await;
}
