//! Datagrams to an echo and back: the least that any relay between them adds to.

use std::net::{SocketAddr, UdpSocket};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::latency::Latency;
use crate::wan::bind_udp;

/// Larger than any datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Silence after which a datagram that hasn't come back is lost.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes of the time that a datagram carries.
const TIME_BYTES: usize = size_of::<u64>();

/// A thread that sends each datagram back, until it gets an empty one.
#[derive(Debug)]
pub(super) struct Echo {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn start() -> Result<Self> {
        let socket = bind_udp(any_port())?;
        let address = socket.local_addr()?;
        Ok(Self {
            address,
            thread: Some(std::thread::spawn(move || echo(&socket))),
        })
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let stopped =
            UdpSocket::bind(any_port()).and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(thread)) = (stopped, self.thread.take()) {
            // It has ended by a panic at worst, which it has told itself.
            let _ = thread.join();
        }
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn echo(socket: &UdpSocket) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((0, _)) => return,
            // What can't be sent back is missing at its sender.
            Ok((count, from)) => _ = socket.send_to(&buffer[..count], from),
            Err(_) => {}
        }
    }
}

/// A run of datagrams to an echo and back.
#[derive(Debug)]
pub(super) struct Trip {
    /// Datagrams sent.
    pub(super) sent: u64,
    /// Datagrams per second that were sent.
    pub(super) rate: f64,
    /// From sending to coming back, of those that came.
    pub(super) latency: Latency,
}

impl Trip {
    /// Sends datagrams of `bytes` bytes at a rate per second and waits for them to come back.
    ///
    /// # Errors
    /// When the system refuses a socket or a datagram.
    pub(super) fn run(to: SocketAddr, rate: f64, seconds: f64, bytes: usize) -> Result<Self> {
        let count = (rate * seconds).round().max(1.0) as u64;
        let socket = bind_udp(any_port())?;
        socket.set_read_timeout(Some(SILENCE))?;
        let start = Instant::now();
        std::thread::scope(|scope| {
            let receiver = scope.spawn(|| receive(&socket, count, start));
            let sent = send(&socket, to, count, rate, bytes, start);
            let latency = receiver.join().ok().context("the receiver has died")?;
            Ok(Self {
                sent: count,
                rate: count as f64 / sent?.as_secs_f64(),
                latency,
            })
        })
    }
}

/// Sends at a rate, each with its time; how long that took.
fn send(
    socket: &UdpSocket,
    to: SocketAddr,
    count: u64,
    rate: f64,
    bytes: usize,
    start: Instant,
) -> Result<Duration> {
    let mut datagram = vec![0; bytes.max(TIME_BYTES)];
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let time = u64::try_from(start.elapsed().as_nanos())?;
        datagram[..TIME_BYTES].copy_from_slice(&time.to_be_bytes());
        socket.send_to(&datagram, to)?;
    }
    Ok(start.elapsed())
}

/// Receives what comes back until that is all of it or nothing comes any more.
fn receive(socket: &UdpSocket, count: u64, start: Instant) -> Latency {
    let mut latency = Latency::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    while latency.count() < count
        && let Ok(received) = socket.recv(&mut buffer)
    {
        let now = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some(time) = buffer[..received].first_chunk() {
            latency.record_nanos(now.saturating_sub(u64::from_be_bytes(*time)));
        }
    }
    latency
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back_from_an_echo() {
        let echo = Echo::start().expect("a free port");
        let trip = Trip::run(echo.address(), 1000.0, 0.05, 100).expect("it is sent");
        assert_eq!((trip.sent, trip.latency.count()), (50, 50));
    }

    #[test]
    fn what_does_not_come_back_is_missing() {
        let silent = UdpSocket::bind(any_port()).expect("a free port");
        let address = silent.local_addr().expect("it is bound");
        let trip = Trip::run(address, 1000.0, 0.01, 100).expect("it is sent");
        assert_eq!((trip.sent, trip.latency.count()), (10, 0));
    }
}
