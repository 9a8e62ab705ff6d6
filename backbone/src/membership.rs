//! Drives a node's membership: carries what its machine asks to the store and its views to shards and edges, and begins another
//! life where the mesh has gone on without this one.

mod requests;

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};
use trunkline_backbone_core::Membership;
use trunkline_backbone_core::membership::io::{
    Life, MembershipAnswer, MembershipConfig, MembershipInput, MembershipOutput, MembershipRequest,
    MembershipTicket, OwnRules, StoreIdentity,
};
use trunkline_backbone_core::membership::{KeptRules, MembershipCounters, MembershipGauges};
use trunkline_process::{Clock, Shutdown, draw_incarnation, draw_seed};
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, NodeId, RingView, ViewVersion};
use trunkline_store::postgres::Renewals;
use trunkline_store_core::{MemberStore, MessageStore};

use crate::control_task::ControlMessage;
use crate::error::RunError;
use crate::health::Health;
use crate::settling::Settling;
use crate::shard_task::sleep_until;
use crate::sink::Machines;
use requests::Requests;

/// What the membership is told.
pub(crate) enum MembershipMessage {
    /// The store has answered a life's request.
    Answer(Incarnation, MembershipTicket, MembershipAnswer),
    /// An edge has shown a newer view.
    Shown(Box<RingView>),
    /// A shard's slots are as the view of this version says.
    Settled {
        /// Which shard.
        shard: usize,
        version: ViewVersion,
    },
    /// Somebody has a view of this version, later than the node's.
    Needed(ViewVersion),
    /// Asks for what pages of the admin listener show.
    Observe(oneshot::Sender<MembershipObserved>),
}

/// What the membership counts and holds.
#[derive(Clone, Debug)]
pub(crate) struct MembershipObserved {
    pub(crate) name: NodeId,
    /// The present life.
    pub(crate) life: Incarnation,
    /// The view that shards and edges have; the former life's until this one is in one.
    pub(crate) view: Option<Arc<RingView>>,
    /// Of all lives of the process.
    pub(crate) counters: MembershipCounters,
    pub(crate) gauges: MembershipGauges,
    /// Lives that the mesh has gone on without.
    pub(crate) rejoins: u64,
}

/// What the store says by itself; nothing where nobody else uses it.
pub(crate) struct StoreNews {
    pub(crate) renewals: Option<watch::Receiver<Renewals>>,
    pub(crate) view_changes: Option<watch::Receiver<u64>>,
}

/// What a membership works with.
pub(crate) struct Surroundings<S> {
    pub(crate) store: Arc<S>,
    pub(crate) news: StoreNews,
    pub(crate) clock: Clock,
    pub(crate) machines: Machines,
    pub(crate) health: Arc<Health>,
    /// What else follows the rules of the mesh.
    pub(crate) follow: Box<dyn Fn(&Rules) + Send>,
    /// The present life, which hellos name.
    pub(crate) life: watch::Sender<Incarnation>,
    /// Whether the node is in the view and has claimed what that gave it first.
    pub(crate) is_ready: watch::Sender<bool>,
}

/// One node's membership through all of its lives.
pub(crate) struct MembershipTask<S> {
    machine: Membership,
    config: MembershipConfig,
    around: Surroundings<S>,
    requests: Requests<S>,
    inbox: UnboundedReceiver<MembershipMessage>,
    settling: Settling,
    view: Option<Arc<RingView>>,
    /// What former lives have counted.
    past: MembershipCounters,
    rejoins: u64,
}

impl<S: MessageStore + MemberStore> MembershipTask<S> {
    /// Makes the membership of a process whose first life the surroundings name.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn new(
        config: MembershipConfig,
        around: Surroundings<S>,
        inbox: UnboundedReceiver<MembershipMessage>,
    ) -> Result<Self, getrandom::Error> {
        let life = Life {
            incarnation: *around.life.borrow(),
            former: None,
            seen: None,
            store: identity(around.store.as_ref()),
        };
        let now = around.clock.now();
        Ok(Self {
            machine: Membership::new(config.clone(), life, draw_seed()?, now),
            requests: Requests::new(
                Arc::clone(&around.store),
                config.name.clone(),
                around.machines.membership.clone(),
            ),
            settling: Settling::new(around.machines.shards.len()),
            config,
            around,
            inbox,
            view: None,
            past: MembershipCounters::default(),
            rejoins: 0,
        })
    }

    /// Runs until the node has left, which `shutdown` asks for.
    ///
    /// # Errors
    /// When another process has the name, when the configuration can't become the rules of the mesh, or the system has no
    /// randomness.
    pub(crate) async fn run(mut self, shutdown: Shutdown) -> Result<(), RunError> {
        let asked = shutdown.drain();
        tokio::pin!(asked);
        let mut is_leaving = false;
        loop {
            let wake = self.machine.poll_timeout();
            let wake = wake.map(|(instant, _)| self.around.clock.to_tokio(instant));
            tokio::select! {
                Some(message) = self.inbox.recv() => self.take(message),
                () = heard(&mut self.around.news.renewals) => {
                    let identity = identity(self.around.store.as_ref());
                    self.input(MembershipInput::Store(identity));
                }
                () = heard(&mut self.around.news.view_changes) => {
                    self.input(MembershipInput::Notified);
                }
                () = &mut asked, if !is_leaving => {
                    is_leaving = true;
                    self.input(MembershipInput::Leave);
                }
                () = sleep_until(wake) => self.machine.handle_timeout(self.around.clock.now()),
            }
            while let Some(output) = self.machine.poll_output() {
                match output {
                    MembershipOutput::Ask(ticket, request) => self.ask(ticket, request),
                    MembershipOutput::Rules(kept) => self.rule(kept),
                    MembershipOutput::View(view) => self.hold(view),
                    MembershipOutput::Lease { held } => {
                        self.around.machines.lease(held);
                        self.around.health.note_lease(held);
                    }
                    MembershipOutput::Ready => {
                        info!(node = %self.config.name, "in the view, its slots claimed");
                        self.around.is_ready.send_replace(true);
                    }
                    MembershipOutput::Rejoin => self.begin_again()?,
                    MembershipOutput::NameTaken(line) => return Err(RunError::NameTaken(line)),
                    MembershipOutput::RulesRefused(lines) => {
                        return Err(RunError::RulesRefused(lines));
                    }
                    MembershipOutput::Left => return Ok(()),
                }
            }
        }
    }

    fn take(&mut self, message: MembershipMessage) {
        match message {
            MembershipMessage::Answer(life, ticket, answer) => {
                // Tickets are a life's own.
                if life == self.me() {
                    self.input(MembershipInput::Answer(ticket, answer));
                }
            }
            MembershipMessage::Shown(view) => self.input(MembershipInput::ViewShown(view)),
            MembershipMessage::Settled { shard, version } => {
                let all = self.settling.note(shard, version);
                self.input(MembershipInput::Settled(all));
            }
            MembershipMessage::Needed(version) => self.input(MembershipInput::NeedView(version)),
            MembershipMessage::Observe(answer) => drop(answer.send(MembershipObserved {
                name: self.config.name.clone(),
                life: self.me(),
                view: self.view.clone(),
                counters: self.past.plus(*self.machine.counters()),
                gauges: self.machine.gauges(),
                rejoins: self.rejoins,
            })),
        }
    }

    fn input(&mut self, input: MembershipInput) {
        self.machine.handle_input(self.around.clock.now(), input);
    }

    fn ask(&self, ticket: MembershipTicket, request: MembershipRequest) {
        self.requests.ask(self.me(), ticket, request);
    }

    fn me(&self) -> Incarnation {
        *self.around.life.borrow()
    }

    /// Follows the mesh's rules; a later life of this process does from its beginning.
    fn rule(&mut self, kept: Arc<KeptRules>) {
        let rules = kept.rules();
        let namespaces = rules.iter().count();
        info!(version = rules.version, namespaces, "rules of the mesh");
        (self.around.follow)(rules);
        self.around.machines.rule(rules.clone());
        self.config.rules = OwnRules::Held(kept);
    }

    fn hold(&mut self, view: Arc<RingView>) {
        let me = self.me();
        let slots = view.slots_of(me).count();
        info!(
            version = %view.version,
            members = view.members.len(),
            joining = view.joining.len(),
            leaving = view.leaving.len(),
            slots,
            "ring view"
        );
        self.around.machines.hold(&view, me);
        self.view = Some(view);
    }

    /// Drops every slot and link of this life, and joins as another one.
    fn begin_again(&mut self) -> Result<(), RunError> {
        let former = self.me();
        let life = Life {
            incarnation: draw_incarnation()?,
            former: Some(former),
            seen: self.view.as_ref().map(|view| view.version),
            store: identity(self.around.store.as_ref()),
        };
        warn!(former = %former, incarnation = %life.incarnation, "the mesh has gone on without this node: it joins again");
        self.rejoins += 1;
        self.past = self.past.plus(*self.machine.counters());
        self.around.is_ready.send_replace(false);
        // Hellos first: a link that is closed now comes back at once.
        self.around.life.send_replace(life.incarnation);
        let reborn = ControlMessage::Reborn(life.incarnation);
        self.around.machines.control.say(reborn);
        if let Some(view) = &self.view {
            self.around.machines.hold(view, life.incarnation);
        }
        let now = self.around.clock.now();
        self.machine = Membership::new(self.config.clone(), life, draw_seed()?, now);
        Ok(())
    }
}

fn identity(store: &impl MessageStore) -> StoreIdentity {
    StoreIdentity {
        birth: store.birth(),
        timeline: store.timeline(),
    }
}

/// Resolves when something has been said; never where nothing is.
async fn heard<T>(news: &mut Option<watch::Receiver<T>>) {
    if let Some(news) = news
        && news.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
