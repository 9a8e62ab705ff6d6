//! A subscriber that does what SDKs do: it holds a position in each channel, subscribes again from there when it is told to
//! or was disconnected, and notes what it got and what it was told. It keeps its positions itself: nothing that the mesh
//! counts is believed.

mod log;
mod machine;
mod session;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::client::PATIENCE;
use crate::target::Target;

pub(crate) use log::{Got, Log};
use machine::Machine;
use session::Session;

/// How often it is looked whether a message has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Time after the last expected message in which one too many is still noticed.
const SETTLE: Duration = Duration::from_millis(200);

/// Pause before a new connection after a lost one.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);

/// A subscriber at work; it ends with the runtime, or when it is stopped.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    machine: Rc<RefCell<Machine>>,
    work: AbortHandle,
}

impl Follower {
    /// Connects and follows the channels from now on; returns once it is subscribed to all of them.
    ///
    /// # Errors
    /// When the edge can't be reached or refuses.
    pub(crate) async fn start(url: &Target, channels: &[String]) -> Result<Self> {
        Self::start_at(vec![url.clone()], channels).await
    }

    /// As [`start`](Self::start) at the first of several edges; after the end of a connection it tries the next, and after
    /// the last the first.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn start_at(edges: Vec<Target>, channels: &[String]) -> Result<Self> {
        let first = edges.first().context("no edge")?;
        let machine = Rc::new(RefCell::new(Machine::new(channels)));
        let mut session = Session::open(first, &machine).await?;
        while !machine.borrow().is_subscribed() {
            let waited = tokio::time::timeout(PATIENCE, session.turn());
            waited.await.context("no answer to a subscribe")??;
        }
        let work = follow(edges, session, Rc::clone(&machine));
        let work = tokio::task::spawn_local(work).abort_handle();
        Ok(Self { machine, work })
    }

    /// What it got in a channel, and what it was told.
    pub(crate) fn log<T>(&self, channel: usize, read: impl FnOnce(&Log) -> T) -> T {
        read(self.machine.borrow().log(channel))
    }

    /// What it got in all channels.
    pub(crate) fn logs(&self) -> Vec<Log> {
        self.machine.borrow().logs().cloned().collect()
    }

    /// Ends its connection; what it got stays.
    pub(crate) fn stop(&self) {
        self.work.abort();
    }

    fn count(&self) -> usize {
        self.machine.borrow().logs().map(|log| log.got.len()).sum()
    }

    /// Why its connections ended, one by one.
    pub(crate) fn ends(&self) -> Vec<String> {
        self.machine.borrow().ends().to_vec()
    }
}

/// Waits until `has_all` is true, as long as anything comes, and then a moment for one too many.
///
/// It returns, too, when nothing has come for [`PATIENCE`]: what is missing is found by whoever looks at the logs.
pub(crate) async fn settle(followers: &[Follower], has_all: impl Fn() -> bool) {
    let count = || followers.iter().map(Follower::count).sum::<usize>();
    let (mut seen, mut since) = (count(), Instant::now());
    while !has_all() && since.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if count() != seen {
            (seen, since) = (count(), Instant::now());
        }
    }
    tokio::time::sleep(SETTLE).await;
}

async fn follow(edges: Vec<Target>, mut session: Session, machine: Rc<RefCell<Machine>>) {
    let mut edges = edges.iter().cycle().skip(1);
    loop {
        let Err(error) = session.turn().await else {
            continue;
        };
        machine.borrow_mut().on_end(format!("{error:#}"));
        session = open_again(&mut edges, &machine).await;
    }
}

async fn open_again(
    edges: &mut impl Iterator<Item = &Target>,
    machine: &Rc<RefCell<Machine>>,
) -> Session {
    loop {
        tokio::time::sleep(RECONNECT_AFTER).await;
        let edge = edges.next().expect("edges are tried in turn for ever");
        if let Ok(session) = Session::open(edge, machine).await {
            return session;
        }
    }
}
