//! The tasks that carry a node's machines.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use trunkline_backbone_core::io::Input;
use trunkline_backbone_core::{Control, ControlConfig, ControlInput, Shard, ShardConfig};
use trunkline_link::Inbox;
use trunkline_process::{Clock, draw_seed};
use trunkline_shared::limits::INBOX_BYTES_MAX;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Incarnation, RingView};
use trunkline_store_core::MessageStore;

use crate::control_task::{ControlMessage, ControlTask};
use crate::doubles::Doubles;
use crate::settling::Settling;
use crate::shard_task::{ShardMessage, ShardTask};
use crate::sink::{Machines, Queue};
use crate::store_driver::StoreDriver;

/// Time for appends in flight to end when the node stops; edges go on publishing meanwhile.
const STORE_PATIENCE: Duration = Duration::from_millis(500);

/// Everything that runs between links and store.
pub(crate) struct Carriers {
    pub(crate) machines: Machines,
    tasks: JoinSet<()>,
    /// Requests to the store under way.
    requests: TaskTracker,
}

impl Carriers {
    /// Starts the machines of a node, and what tells how far they are with a view; its links end after `idle_timeout` of
    /// silence.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn start<S: MessageStore>(
        store: &Arc<S>,
        clock: Clock,
        shards: u8,
        idle_timeout: Duration,
    ) -> Result<(Self, Settling), getrandom::Error> {
        let (machines, inboxes, control_inbox) = queues(shards);
        let (view_news, settling) = Settling::new(machines.shards.len());
        let (mut tasks, requests) = (JoinSet::new(), TaskTracker::new());
        let driver = Arc::new(StoreDriver::new(
            Arc::clone(store),
            machines.control.clone(),
        ));
        for (index, inbox) in inboxes.into_iter().enumerate() {
            let config = ShardConfig {
                index,
                shards: machines.shards.len(),
                ..ShardConfig::default()
            };
            let task = ShardTask {
                index,
                shard: Shard::new(config, draw_seed()?, clock.now()),
                clock,
                store: Arc::clone(&driver),
                inbox,
                queue: machines.shards[index].clone(),
                requests: requests.clone(),
                links: HashMap::new(),
                view_news: view_news.clone(),
            };
            tasks.spawn(task.run());
        }
        let doubles = Doubles::new(idle_timeout * 2);
        tasks.spawn(control_task(clock, control_inbox, &machines, doubles).run());
        let carriers = Self {
            machines,
            tasks,
            requests,
        };
        Ok((carriers, settling))
    }

    /// Runs something else until the node stops.
    pub(crate) fn carry(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Lets appends in flight end and their answers leave, then says goodbye on all links.
    ///
    /// What is acknowledged is kept either way; this spares clients the repeat of what was committed and not answered.
    pub(crate) async fn say_goodbye(&self) {
        self.requests.close();
        let _ = tokio::time::timeout(STORE_PATIENCE, self.requests.wait()).await;
        for shard in &self.machines.shards {
            // A shard answers in order: what the store has said before is on its way to the edges by then.
            let (ask, answer) = oneshot::channel();
            shard.say(ShardMessage::Observe(ask));
            let _ = answer.await;
        }
        let (said, goodbye) = oneshot::channel();
        self.machines.control.say(ControlMessage::Goodbye(said));
        let _ = goodbye.await;
    }

    /// Ends the tasks, and with them their hold on the store.
    pub(crate) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Machines {
    /// Tells the machines by which view and rules they work: before any link is accepted, and whenever the node has taken
    /// its place again. The shards claim what the view gives to the node's life `me`.
    pub(crate) fn instruct(
        &self,
        view: &Arc<RingView>,
        me: Incarnation,
        namespaces: Vec<Namespace>,
    ) {
        let rules = Rules::new(view.rules_version, namespaces);
        let rules = Arc::new(rules.expect("the configuration was checked when it was loaded"));
        for shard in &self.shards {
            shard.say(ShardMessage::Input(Input::Rules(Arc::clone(&rules))));
            let view = Arc::clone(view);
            shard.say(ShardMessage::Input(Input::View { view, me }));
        }
        self.control
            .say(ControlMessage::Input(ControlInput::View(Arc::clone(view))));
        self.control
            .say(ControlMessage::Input(ControlInput::Rules(rules)));
    }
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

fn control_task(
    clock: Clock,
    inbox: UnboundedReceiver<ControlMessage>,
    machines: &Machines,
    doubles: Doubles,
) -> ControlTask {
    let control = Control::new(ControlConfig::default(), 0, clock.now());
    ControlTask {
        control,
        clock,
        inbox,
        taken: Arc::clone(&machines.control.inbox),
        links: HashMap::new(),
        doubles,
        broken: 0,
    }
}
