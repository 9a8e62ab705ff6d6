//! The pages over their router, with a scripted owner.

mod caching;
mod entry;
mod walking;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower_service::Service;
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_edge_core::worker::{ClientConfig, TokenConfig};
use trunkline_process::Clock;
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Epoch, Offset, Payload, Position, Publication, Trace, UnixMillis};

use super::HistoryPages;
use crate::ask::scripted;

const SECRET: &str = "secret";

/// As it was published some seconds ago.
pub(super) fn publication(offset: u64) -> Publication {
    let now = Clock::start().now().unix;
    Publication {
        offset: Offset(offset),
        data: Payload::new(format!(r#"{{"number":{offset}}}"#).into()),
        is_json: true,
        info: None,
        tags: Vec::new(),
        // Whole minutes: the same message has the same time each time that it is read.
        time: UnixMillis(now.0 / 60_000 * 60_000),
        origin: Default::default(),
        trace: Trace::default(),
    }
}

/// An owner of one channel.
#[derive(Debug)]
struct Owner {
    epoch: AtomicU64,
    from: AtomicU64,
    head: AtomicU64,
    floor: AtomicU64,
    /// Questions for messages, and where the channel stands.
    asked: Mutex<Vec<HistoryQuery>>,
}

impl Owner {
    fn with(head: u64) -> Arc<Self> {
        Arc::new(Self {
            epoch: 7.into(),
            from: 1.into(),
            head: head.into(),
            floor: 0.into(),
            asked: Mutex::default(),
        })
    }

    fn hear(&self, message: &ToUpstream) -> Answer {
        let ToUpstream::History { query, .. } = message else {
            panic!("only history is asked: {message:?}")
        };
        self.answer(*query)
    }

    fn answer(&self, query: HistoryQuery) -> Answer {
        self.lock().push(query);
        let now = |number: &AtomicU64| number.load(Ordering::SeqCst);
        let (from, head) = (now(&self.from), now(&self.head));
        let offsets: Vec<u64> = match query {
            HistoryQuery::Position | HistoryQuery::Newest { .. } => Vec::new(),
            HistoryQuery::Forward { after, limit } => (from..=head)
                .filter(|offset| *offset > after.0)
                .take(limit as usize)
                .collect(),
            HistoryQuery::Backward { before, limit } => (from..=head)
                .rev()
                .filter(|offset| before.is_none_or(|before| *offset < before.0))
                .take(limit as usize)
                .collect(),
        };
        Answer::History {
            head: Position {
                epoch: Epoch::new(now(&self.epoch)),
                offset: Offset(head),
            },
            floor: Offset(now(&self.floor)),
            publications: offsets.into_iter().map(publication).collect(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<HistoryQuery>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Questions for messages since the last call.
    fn pages_asked(&self) -> usize {
        let asked = std::mem::take(&mut *self.lock());
        let pages = asked
            .iter()
            .filter(|query| **query != HistoryQuery::Position);
        pages.count()
    }
}

fn rules() -> Rules {
    let kept = |name: &str| Namespace {
        name: name.to_owned(),
        history_size: 1000,
        history_ttl: Duration::from_secs(3600),
        allow_history_for_client: true,
        ..Namespace::default()
    };
    let public = Namespace {
        allow_history_for_anonymous: true,
        ..kept("open")
    };
    let subscribers = Namespace {
        allow_history_for_client: false,
        allow_history_for_subscriber: true,
        ..kept("sub")
    };
    let plain = Namespace {
        name: "plain".to_owned(),
        ..Namespace::default()
    };
    let nameless = Namespace {
        name: String::new(),
        ..public.clone()
    };
    Rules::new(1, vec![kept("chat"), public, subscribers, plain, nameless]).expect("good rules")
}

fn client() -> ClientConfig {
    ClientConfig {
        token: TokenConfig {
            hmac_secret_key: SECRET.to_owned(),
        },
        allow_anonymous_connect_without_token: true,
        allowed_origins: vec!["https://*.example.com".to_owned()],
        ..ClientConfig::default()
    }
}

/// Pages over a way upstream that answers by `script`.
fn pages_by(
    rules: Option<Rules>,
    client: &ClientConfig,
    script: impl Fn(ToUpstream) -> Answer + Send + 'static,
) -> Arc<HistoryPages> {
    let asker = scripted(rules, script);
    Arc::new(HistoryPages::new(asker, client, 1 << 20))
}

fn pages(owner: &Arc<Owner>) -> Arc<HistoryPages> {
    let owner = Arc::clone(owner);
    pages_by(Some(rules()), &client(), move |message| {
        owner.hear(&message)
    })
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn offsets(&self) -> Vec<u64> {
        let body = self.json();
        let messages = body["messages"].as_array().expect("a list");
        let offsets = messages.iter().map(|message| message["offset"].as_u64());
        offsets.map(|offset| offset.expect("a number")).collect()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.map_or("", |value| value.expect("ASCII"))
    }
}

async fn send(pages: &Arc<HistoryPages>, request: Request<Body>) -> Reply {
    let response = Arc::clone(pages)
        .routes()
        .call(request)
        .await
        .expect("routers don't fail");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body")
        .to_vec();
    Reply {
        status,
        headers,
        body,
    }
}

async fn get(pages: &Arc<HistoryPages>, rest: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(format!("/v1/channels/{rest}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(pages, request.body(Body::empty()).expect("a request")).await
}
