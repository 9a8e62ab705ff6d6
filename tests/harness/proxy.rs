//! A TCP proxy that can drop all of its connections: a client's network going away.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes connections on to one address until they are cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// Starts a proxy in front of `target`; its thread ends with the process.
    pub(crate) fn start(target: &str) -> Self {
        let target: SocketAddr = target.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let open = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(target) {
                    pass_both_ways(&client, &server, &accepted);
                }
            }
        });
        Self { address, open }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops every connection; new ones are accepted. Returns how many were dropped.
    pub(crate) fn cut(&self) -> usize {
        let streams: Vec<_> = self
            .open
            .lock()
            .expect("no panics while held")
            .drain(..)
            .collect();
        streams
            .iter()
            .for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        streams.len() / 2
    }
}

fn pass_both_ways(client: &TcpStream, server: &TcpStream, open: &Mutex<Vec<TcpStream>>) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    open.lock()
        .expect("no panics while held")
        .extend([clone(client), clone(server)]);
    for (from, to) in [(client, server), (server, client)] {
        let (from, to) = (clone(from), clone(to));
        thread::spawn(move || pass(from, to));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
