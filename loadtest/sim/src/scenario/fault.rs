//! What goes wrong in a run, and when.

mod menu;

use std::time::Duration;

pub(super) use menu::{faults, of_several};

/// One thing that goes wrong, or merely happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An edge's link breaks; one side sees it at once, the other after the idle time-out.
    HalfOpen {
        /// Whose link.
        edge: usize,
        /// To which node, counted round and round.
        node: usize,
        /// The edge sees it at once.
        edge_first: bool,
    },
    /// Nothing passes between an edge and a node for a while.
    Freeze {
        /// Whose link.
        edge: usize,
        /// To which node, counted round and round.
        node: usize,
        /// For how long.
        lasts: Duration,
    },
    /// A backbone process dies and comes back.
    NodeCrash {
        /// Which node, counted round and round.
        node: usize,
        /// For how long it is gone.
        lasts: Duration,
        /// Edges see their links end at once.
        reset: bool,
    },
    /// All backbone processes die and come back.
    AllCrash {
        /// For how long they are gone.
        lasts: Duration,
    },
    /// A node leaves on purpose and comes back.
    NodeLeave {
        /// Which node.
        node: usize,
        /// The next one leaves as well.
        both: bool,
        /// After how long it comes back when it has left.
        lasts: Duration,
    },
    /// A backbone process meets nothing for longer than its lease, and goes on with what it had.
    Zombie {
        /// Which node.
        node: usize,
        /// For how long.
        lasts: Duration,
    },
    /// A node can't reach the store.
    StoreCut {
        /// Which node.
        node: usize,
        /// Its membership can.
        but_members: bool,
        /// For how long.
        lasts: Duration,
    },
    /// What a node's membership asks the store takes its time.
    SlowHeartbeats {
        /// Which node.
        node: usize,
        /// For how long.
        lasts: Duration,
    },
    /// Nothing passes between a node and some edges.
    EdgesCut {
        /// Which node.
        node: usize,
        /// How many edges, at least one is left.
        edges: usize,
        /// For how long.
        lasts: Duration,
    },
    /// An edge dies and comes back.
    EdgeCrash {
        /// Which edge.
        edge: usize,
        /// For how long it is gone.
        lasts: Duration,
        /// It said goodbye before.
        goodbye: bool,
    },
    /// The store can't be reached.
    StoreAway {
        /// For how long.
        lasts: Duration,
    },
    /// The next append calls stay without an outcome.
    Unknown {
        /// How many.
        calls: u64,
    },
    /// Another database server takes over, and nothing is lost: the view is written anew, and slots are claimed under it.
    FailOver,
    /// Somebody else claims all slots, as `store new-epoch` does.
    ForeignClaim {
        /// With new epochs.
        new_epochs: bool,
    },
    /// A client publishes many messages at once.
    Storm {
        /// Which client.
        client: usize,
        /// Which channel.
        channel: usize,
        /// How many.
        messages: u64,
    },
    /// All clients publish at once to one channel.
    Crowd {
        /// Which channel.
        channel: usize,
        /// How many messages each.
        messages: u64,
    },
    /// A client's connection breaks.
    Drop {
        /// Which client.
        client: usize,
        /// Where it comes back.
        edge: usize,
        /// The edge isn't told.
        silent: bool,
    },
    /// A client reads slowly for a while.
    Slow {
        /// Which client.
        client: usize,
        /// For how long.
        lasts: Duration,
    },
    /// A client ends a subscription and comes back to it.
    Leave {
        /// Which client.
        client: usize,
        /// Which channel.
        channel: usize,
        /// After how long it is back.
        lasts: Duration,
    },
    /// A channel's history is removed through the server API.
    RemoveHistory {
        /// At which edge.
        edge: usize,
        /// Which channel.
        channel: usize,
    },
}
