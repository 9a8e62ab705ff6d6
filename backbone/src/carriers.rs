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
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, RingView};
use trunkline_store_core::MessageStore;

use crate::control_task::{ControlMessage, ControlTask};
use crate::doubles::Doubles;
use crate::health::Health;
use crate::membership::MembershipMessage;
use crate::shard_task::{ShardMessage, ShardTask};
use crate::sink::{Machines, Queue};
use crate::store_driver::StoreDriver;

/// Time for appends in flight to end when the node stops; edges go on publishing meanwhile.
const STORE_PATIENCE: Duration = Duration::from_millis(500);

/// Everything that runs between links and store.
pub(crate) struct Carriers {
    pub(crate) machines: Machines,
    pub(crate) health: Arc<Health>,
    tasks: JoinSet<()>,
    /// Requests to the store under way.
    requests: TaskTracker,
}

impl Carriers {
    /// Starts the machines of a node, but its membership, whose inbox it returns; its links end after `idle_timeout` of silence.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn start<S: MessageStore>(
        store: &Arc<S>,
        clock: Clock,
        shards: u8,
        idle_timeout: Duration,
        life: Incarnation,
    ) -> Result<(Self, UnboundedReceiver<MembershipMessage>), getrandom::Error> {
        let (machines, inboxes) = queues(shards);
        let (mut tasks, requests) = (JoinSet::new(), TaskTracker::new());
        let health = Arc::new(Health::new(machines.control.clone()));
        let driver = Arc::new(StoreDriver::new(Arc::clone(store), Arc::clone(&health)));
        for (index, inbox) in inboxes.shards.into_iter().enumerate() {
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
                membership: machines.membership.clone(),
            };
            tasks.spawn(task.run());
        }
        let doubles = Doubles::new(idle_timeout * 2);
        tasks.spawn(control_task(clock, inboxes.control, &machines, doubles, life).run());
        let carriers = Self {
            machines,
            health,
            tasks,
            requests,
        };
        Ok((carriers, inboxes.membership))
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
    /// Tells the machines which view the node holds, and which life of it this is; the shards claim what it gives to that.
    pub(crate) fn hold(&self, view: &Arc<RingView>, me: Incarnation) {
        for shard in &self.shards {
            let view = Arc::clone(view);
            shard.say(ShardMessage::Input(Input::View { view, me }));
        }
        let view = Arc::clone(view);
        self.control
            .say(ControlMessage::Input(ControlInput::View(view)));
    }

    /// Tells the machines by which rules they work.
    pub(crate) fn rule(&self, rules: Rules) {
        let rules = Arc::new(rules);
        for shard in &self.shards {
            shard.say(ShardMessage::Input(Input::Rules(Arc::clone(&rules))));
        }
        self.control
            .say(ControlMessage::Input(ControlInput::Rules(rules)));
    }

    /// Tells the machines whether the node may write.
    pub(crate) fn lease(&self, held: bool) {
        for shard in &self.shards {
            shard.say(ShardMessage::Input(Input::Lease { held }));
        }
    }
}

/// Where the machines are told things.
struct Inboxes {
    shards: Vec<UnboundedReceiver<ShardMessage>>,
    control: UnboundedReceiver<ControlMessage>,
    membership: UnboundedReceiver<MembershipMessage>,
}

fn queues(count: u8) -> (Machines, Inboxes) {
    let (shards, shard_inboxes) = (0..count).map(|_| queue()).unzip();
    let (control, control_inbox) = queue();
    let (membership, membership_inbox) = queue();
    let machines = Machines {
        shards,
        control,
        membership,
    };
    let inboxes = Inboxes {
        shards: shard_inboxes,
        control: control_inbox,
        membership: membership_inbox,
    };
    (machines, inboxes)
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
    life: Incarnation,
) -> ControlTask {
    let control = Control::new(ControlConfig::default(), 0, clock.now());
    ControlTask {
        control,
        clock,
        inbox,
        taken: Arc::clone(&machines.control.inbox),
        links: HashMap::new(),
        doubles,
        membership: machines.membership.clone(),
        life,
        broken: 0,
    }
}
