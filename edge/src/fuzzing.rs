//! What fuzz targets, and the replay of their corpora, call of the server API. Not a public interface.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tower_service::Service;
use trunkline_edge_core::exchange::{Answer, RefusedBecause, ToUpstream};
use trunkline_process::Clock;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Epoch, Offset, Position};

use crate::api::Api;
use crate::ask::{Ask, Asker};
use crate::config::ApiSection;

/// The server API over a way upstream that takes every publish and refuses everything else.
pub struct ApiUnderTest {
    api: Arc<Api>,
    runtime: Runtime,
}

impl ApiUnderTest {
    /// Makes one that anybody may call.
    ///
    /// # Panics
    /// When the system gives no runtime.
    pub fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        let (asks, mut inbox) = mpsc::unbounded_channel::<Ask>();
        runtime.spawn(async move {
            while let Some(ask) = inbox.recv().await {
                let _ = ask.reply.send(answer(&ask.message));
            }
        });
        let rules = watch::Sender::new(Some(Arc::new(rules()))).subscribe();
        let asker = Asker::new(asks, rules, Clock::start(), Duration::from_secs(4));
        let section = ApiSection {
            insecure: true,
            ..ApiSection::default()
        };
        let api = Arc::new(Api::new(asker, section, Duration::from_secs(10)));
        Self { api, runtime }
    }

    /// Calls a method with a body; returns the status and the answer.
    ///
    /// # Panics
    /// When the method's name can't stand in a path.
    pub fn call(&self, method: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let request = Request::post(format!("/api/{method}"));
        let request = request.body(Body::from(body.to_vec()));
        let mut routes = Arc::clone(&self.api).routes();
        self.runtime.block_on(async {
            let response = routes.call(request.expect("a request")).await;
            let response = response.expect("routers don't fail");
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
            (status, body.expect("a body in memory").to_vec())
        })
    }
}

impl Default for ApiUnderTest {
    fn default() -> Self {
        Self::new()
    }
}

fn rules() -> Rules {
    let kept = |name: &str| Namespace {
        name: name.to_owned(),
        history_size: 10,
        history_ttl: Duration::from_secs(60),
        presence: true,
        ..Namespace::default()
    };
    Rules::new(1, vec![kept(""), kept("chat")]).expect("good rules")
}

fn answer(message: &ToUpstream) -> Answer {
    let position = Position {
        epoch: Epoch::new(7),
        offset: Offset(1),
    };
    if matches!(message, ToUpstream::Publish { .. }) {
        Answer::Published {
            position: Some(position),
        }
    } else {
        Answer::Refused(RefusedBecause::Temporary)
    }
}
