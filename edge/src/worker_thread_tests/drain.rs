//! How a worker's thread ends.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::sync::Semaphore;

use super::client::Client;
use super::fixture::{Thread, config, gate, within};

/// Longer than a test waits for anything.
const LONG: Duration = Duration::from_hours(1);

/// A request that is answered when the test says so.
#[derive(Clone)]
struct Held {
    begun: Arc<Semaphore>,
    answered: Arc<Semaphore>,
}

impl Held {
    fn new() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self {
            begun: none(),
            answered: none(),
        }
    }

    fn router(&self) -> Router {
        let held = self.clone();
        let handler = move || async move {
            held.begun.add_permits(1);
            drop(held.answered.acquire().await);
            "{}"
        };
        Router::new().route("/held", get(handler))
    }

    /// Sends the request, and waits until it is being worked on.
    async fn begin(&self, thread: &Thread) -> Client {
        let mut client = Client::new(thread.address).await;
        client.send(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
        within(self.begun.acquire())
            .await
            .expect("it is never closed")
            .forget();
        client
    }
}

#[tokio::test]
async fn a_drain_closes_all_with_3001_and_ends_the_thread() {
    let thread = Thread::start(config());
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::connected(thread.address).await);
    }
    let mut idle = Client::new(thread.address).await;
    idle.request("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    thread.drain(Duration::from_millis(100));
    for client in &mut clients {
        assert_eq!(client.close().await, (3001, "shutdown".to_owned()));
        client.answer_close().await;
    }
    idle.end().await;
    thread.ended().await;
}

#[tokio::test]
async fn a_drain_waits_for_no_request_of_another_worker() {
    let (held, gate) = (Held::new(), gate(&config()));
    let start = || Thread::start_with(config(), Arc::clone(&gate), held.router());
    let (idle, busy) = (start(), start());
    let mut client = held.begin(&busy).await;
    idle.drain(LONG);
    idle.ended().await;
    held.answered.add_permits(1);
    assert!(client.response().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_drain_ends_with_the_last_request_of_its_worker() {
    let held = Held::new();
    let thread = Thread::start_with(config(), gate(&config()), held.router());
    let mut client = held.begin(&thread).await;
    thread.drain(LONG);
    // A thread with nothing left to wait for ends after one of these, and answers none.
    for _ in 0..20 {
        thread.report().await;
    }
    held.answered.add_permits(1);
    assert!(client.response().await.starts_with("HTTP/1.1 200"));
    thread.ended().await;
}

#[tokio::test]
async fn a_drain_that_nothing_holds_up_ends_at_once() {
    let thread = Thread::start(config());
    thread.drain(LONG);
    thread.ended().await;
}
