//! A bare server: one prebuilt frame per message, one vectored write per socket and batch, nothing else. No server that
//! gives each client a socket of its own can deliver for less.

use std::io::{BufRead, IoSlice, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::fanout::{cpu_of, per_delivery};
use super::subscribers::{Received, follow_bare};
use crate::args::{FanoutArgs, FloorArgs};
use crate::frame;
use crate::latency::Latency;
use crate::pace::Pace;
use crate::payload;
use crate::process::{CpuWatch, Watched};
use crate::report::Report;
use crate::socket::Socket;

/// From the line that starts a run to its first message, so that all threads begin together.
const START_DELAY: Duration = Duration::from_millis(20);

/// Takes connections, then writes a run to them for each line of standard input, until that ends.
///
/// # Errors
/// When the address is taken or a connection breaks.
pub(crate) fn run(args: &FloorArgs) -> Result<()> {
    let listener = TcpListener::bind(args.listen).with_context(|| args.listen.to_string())?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    let threads = start_threads(args, accept(&listener, args.connections)?)?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now() + START_DELAY;
        for thread in &threads {
            thread.send(start).context("a thread has died")?;
        }
    }
    Ok(())
}

fn accept(listener: &TcpListener, count: usize) -> Result<Vec<TcpStream>> {
    (0..count)
        .map(|_| {
            let (socket, _) = listener.accept()?;
            socket.set_nodelay(true)?;
            Ok(socket)
        })
        .collect()
}

/// Shares the sockets among threads; each is told when a run starts.
fn start_threads(args: &FloorArgs, sockets: Vec<TcpStream>) -> Result<Vec<mpsc::Sender<Instant>>> {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let count = if args.threads == 0 {
        processors
    } else {
        args.threads
    };
    let mut shares: Vec<Vec<TcpStream>> = (0..count).map(|_| Vec::new()).collect();
    for (number, socket) in sockets.into_iter().enumerate() {
        shares[number % count].push(socket);
    }
    let (pace, bytes) = (Pace::new(args.pace), args.bytes);
    let start = |share: Vec<TcpStream>| {
        let (sender, starts) = mpsc::channel();
        std::thread::Builder::new()
            .name("floor".to_owned())
            .spawn(move || {
                for start in starts {
                    if let Err(error) = write_run(&share, pace, bytes, start) {
                        return eprintln!("loadtest: floor: {error:#}");
                    }
                }
            })?;
        Ok(sender)
    };
    shares.into_iter().map(start).collect()
}

fn write_run(sockets: &[TcpStream], pace: Pace, bytes: usize, start: Instant) -> Result<()> {
    let mut lateness = Latency::new();
    for batch in 0..pace.batches {
        let due = pace.wait(start, batch, &mut lateness);
        let mut message = Vec::new();
        frame::push_server_text(&payload::sent_at(due, bytes), &mut message);
        let messages = vec![IoSlice::new(&message); pace.burst];
        for socket in sockets {
            write_all(socket, &message, &messages)?;
        }
    }
    Ok(())
}

/// Writes the same message several times; almost always one call of the system.
fn write_all(mut socket: &TcpStream, message: &[u8], messages: &[IoSlice<'_>]) -> Result<()> {
    let whole = message.len() * messages.len();
    let mut taken = socket.write_vectored(messages)?;
    while taken < whole {
        let rest = &message[taken % message.len()..];
        socket.write_all(rest)?;
        taken += rest.len();
    }
    Ok(())
}

/// A bare server in a process of its own, with its subscribers in this one. It ends with this process.
#[derive(Debug)]
pub(super) struct FloorServer {
    process: Watched,
    stdin: ChildStdin,
    received: Rc<Received>,
    messages: u64,
    _child: Child,
}

impl FloorServer {
    /// Starts it with as many connections, the same pace, and frames of `bytes` bytes.
    ///
    /// # Errors
    /// When it can't be started or reached.
    pub(super) async fn start(args: &FanoutArgs, bytes: usize) -> Result<Self> {
        let pace = args.pace;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("floor")
            .args(["--connections", &args.subscribers.to_string()])
            .args(["--rate", &pace.rate.to_string()])
            .args(["--burst", &pace.burst.to_string()])
            .args(["--seconds", &pace.seconds.to_string()])
            .args(["--bytes", &bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the floor can't be started")?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stdin = child.stdin.take().context("no standard input")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = lines.next_line().await?.context("the floor has ended")?;
        let address: SocketAddr = address.parse().context("no address")?;
        let received = Received::new();
        for _ in 0..args.subscribers {
            follow_bare(Socket::connect(address, None).await?, &received);
        }
        Ok(Self {
            process: Watched::new("floor", child.id().context("the floor has ended")?),
            stdin,
            received,
            messages: Pace::new(pace).messages(),
            _child: child,
        })
    }

    /// One run.
    ///
    /// # Errors
    /// When a delivery is missing or doubled.
    pub(super) async fn measure(&mut self, report: &mut Report) -> Result<()> {
        self.received.clear();
        let watched = [self.process.clone()];
        let watch = CpuWatch::start(&watched)?;
        self.stdin.write_all(b"\n").await?;
        let deliveries = self.received.wait_for(self.messages).await?;
        for (name, cpu) in watch.used()? {
            report.add(cpu_of(name), "us", per_delivery(cpu, deliveries));
        }
        report.add("floor latency p50", "us", self.received.micros(50.0));
        report.add("floor latency p99", "us", self.received.micros(99.0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn each_socket_gets_each_message_of_a_batch() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut clients = [(); 3].map(|()| TcpStream::connect(address).expect("it listens"));
        let servers = accept(&listener, 3).expect("they come");
        let pace = Pace::new(crate::args::PaceArgs {
            rate: 8000.0,
            burst: 8,
            seconds: 0.002,
        });
        write_run(&servers, pace, 100, Instant::now()).expect("they read");
        drop(servers);
        for client in &mut clients {
            let mut bytes = Vec::new();
            client.read_to_end(&mut bytes).expect("it reads");
            assert_eq!(bytes.len(), 16 * 102);
        }
    }
}
