//! A UDP relay between edges and a node that can stop passing datagrams on: a link cut while both of its ends live.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

/// Larger than any datagram of a link.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// What stands between a node and its edges: the node advertises its address, so that all of them come by it.
pub(crate) struct Relay {
    address: SocketAddr,
    target: Arc<OnceLock<SocketAddr>>,
    ways: Arc<Mutex<Vec<Arc<Way>>>>,
}

/// Which datagrams of an edge are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Those of the node: it goes on taking what the edge sends, and its answers don't come.
    Answers,
    /// All.
    Both,
}

/// One edge's way through the relay.
struct Way {
    edge: SocketAddr,
    socket: UdpSocket,
    up_cut: AtomicBool,
    down_cut: AtomicBool,
}

impl Relay {
    /// Starts a relay that drops everything until it is given a target; its threads end with the process.
    pub(crate) fn start(ip: IpAddr) -> Self {
        let front = UdpSocket::bind((ip, 0)).expect("a free port");
        let relay = Self {
            address: front.local_addr().expect("an address"),
            target: Arc::default(),
            ways: Arc::default(),
        };
        let (target, ways) = (Arc::clone(&relay.target), Arc::clone(&relay.ways));
        thread::spawn(move || pass_up(&front, &target, &ways));
        relay
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says where the node listens, once.
    pub(crate) fn forward_to(&self, target: &str) {
        self.target
            .set(target.parse().expect("an address"))
            .expect("a target is given once");
    }

    /// Edges seen, in the order of their first datagrams.
    pub(crate) fn edges(&self) -> usize {
        self.ways.lock().expect("no panics while held").len()
    }

    /// Loses datagrams of one edge, by its place in that order, until healed.
    pub(crate) fn cut(&self, edge: usize, cut: Cut) {
        let up = match cut {
            Cut::Answers => false,
            Cut::Both => true,
        };
        self.set(edge, up, true);
    }

    /// Passes everything on again.
    pub(crate) fn heal(&self, edge: usize) {
        self.set(edge, false, false);
    }

    fn set(&self, edge: usize, up: bool, down: bool) {
        let way = Arc::clone(&self.ways.lock().expect("no panics while held")[edge]);
        way.up_cut.store(up, Ordering::SeqCst);
        way.down_cut.store(down, Ordering::SeqCst);
    }
}

fn pass_up(front: &UdpSocket, target: &OnceLock<SocketAddr>, ways: &Mutex<Vec<Arc<Way>>>) {
    let mut known: BTreeMap<SocketAddr, Arc<Way>> = BTreeMap::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let Ok((count, edge)) = front.recv_from(&mut buffer) else {
            continue;
        };
        let Some(target) = target.get() else { continue };
        let way = known.entry(edge).or_insert_with(|| {
            let way = open(edge, *target, front);
            ways.lock()
                .expect("no panics while held")
                .push(Arc::clone(&way));
            way
        });
        if !way.up_cut.load(Ordering::SeqCst) {
            // A node that isn't there refuses: as good as lost.
            let _ = way.socket.send(&buffer[..count]);
        }
    }
}

fn open(edge: SocketAddr, target: SocketAddr, front: &UdpSocket) -> Arc<Way> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(target).expect("an address of this machine");
    let way = Arc::new(Way {
        edge,
        socket,
        up_cut: AtomicBool::new(false),
        down_cut: AtomicBool::new(false),
    });
    let (back, front) = (
        Arc::clone(&way),
        front.try_clone().expect("a second handle"),
    );
    thread::spawn(move || pass_down(&back, &front));
    way
}

fn pass_down(way: &Way, front: &UdpSocket) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let Ok(count) = way.socket.recv(&mut buffer) else {
            continue;
        };
        if !way.down_cut.load(Ordering::SeqCst) {
            let _ = front.send_to(&buffer[..count], way.edge);
        }
    }
}
