//! HTTP on a worker's thread: the WebSocket endpoint by hand, everything else through one router.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Router, middleware};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::api::Api;
use crate::dev::{self, DevConfig};
use crate::health::{self, Readiness};
use crate::history_pages::HistoryPages;
use crate::origin::AllowedOrigins;
use crate::socket::ClientStream;
use crate::this_machine::only_here;
use crate::upgrade;
use crate::worker_thread::WorkerThread;

/// Where WebSockets are opened.
const WEBSOCKET_PATH: &str = "/connection/websocket";

/// Bytes of a request's header.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// What a worker needs to serve HTTP.
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) origins: AllowedOrigins,
    /// Ends TLS on clients' connections; `None`: they come without.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Time for TLS and a connection's first header together.
    pub(crate) header_timeout: Duration,
    pub(crate) accept_lag_max: Duration,
    pub(crate) ping_interval: Duration,
    pub(crate) pong_timeout: Duration,
}

/// Health, the server API, history pages, and in dev mode tokens and what `trunkline dev` adds; all of it is answered only
/// under names of this machine then.
pub(crate) fn router(
    api: Arc<Api>,
    history: Arc<HistoryPages>,
    readiness: watch::Receiver<Readiness>,
    dev: Option<&DevConfig>,
    hmac_secret_key: &str,
) -> Router {
    let ready = move || std::future::ready(health::ready(&readiness));
    let router = Router::new()
        .route("/health", get(health::live))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(ready))
        .merge(api.routes())
        .merge(history.routes());
    match dev {
        Some(dev) => router
            .merge(dev::routes(dev, hmac_secret_key))
            .layer(middleware::from_fn(only_here)),
        None => router,
    }
}

/// Serves one connection until it ends, is upgraded, or `stop` comes and its request is answered.
///
/// Its first header must be there by `deadline`; what was left of the time until then is what each later one gets.
///
/// # Errors
/// When the client breaks the protocol, is too slow, or goes away.
pub(crate) async fn serve(
    stream: ClientStream,
    deadline: Instant,
    thread: Rc<WorkerThread>,
    site: Rc<Site>,
    stop: CancellationToken,
) -> hyper::Result<()> {
    let timeout = deadline.saturating_duration_since(Instant::now());
    let service = service_fn(move |request| respond(request, Rc::clone(&thread), Rc::clone(&site)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return result,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

async fn respond(
    request: Request<Incoming>,
    thread: Rc<WorkerThread>,
    site: Rc<Site>,
) -> Result<Response<Body>, Infallible> {
    if request.uri().path() == WEBSOCKET_PATH {
        return Ok(upgrade::upgrade(request, &thread, &site));
    }
    site.router.clone().call(request).await
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use trunkline_edge_core::worker::ClientConfig;

    use super::*;
    use crate::ask::Asker;
    use crate::config::ApiSection;

    fn router_of(readiness: Readiness, dev: Option<&DevConfig>) -> Router {
        let (_, rules) = watch::channel(None);
        let (asks, _) = tokio::sync::mpsc::unbounded_channel();
        let second = Duration::from_secs(1);
        let asker = Asker::new(asks, rules, trunkline_process::Clock::start(), second);
        let history = HistoryPages::new(asker.clone(), &ClientConfig::default(), 0);
        let api = Arc::new(Api::new(asker, ApiSection::default(), second));
        let readiness = watch::channel(readiness).1;
        router(api, Arc::new(history), readiness, dev, "dev")
    }

    async fn answer(mut router: Router, request: Request<Body>) -> (StatusCode, String) {
        let response = router.call(request).await.expect("routers don't fail");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    async fn get_text(readiness: Readiness, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        answer(router_of(readiness, None), request).await
    }

    #[tokio::test]
    async fn readiness_is_a_status_with_its_reasons() {
        let not_yet = || Readiness::new(vec!["no rules".to_owned()], false);
        let body = r#"{"ready":false,"reasons":["no rules"]}"#.to_owned();
        let unavailable = (StatusCode::SERVICE_UNAVAILABLE, body);
        assert_eq!(get_text(not_yet(), "/health/ready").await, unavailable);
        let ready = get_text(Readiness::new(Vec::new(), false), "/health/ready").await;
        assert_eq!(ready, (StatusCode::OK, r#"{"ready":true}"#.to_owned()));
        for path in ["/health", "/health/live"] {
            assert_eq!(
                get_text(not_yet(), path).await,
                (StatusCode::OK, "{}".to_owned())
            );
        }
    }

    #[tokio::test]
    async fn outside_of_dev_mode_nobody_signs_tokens() {
        let (status, _) = get_text(Readiness::default(), "/dev/token?user=ann").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }

    /// The status of a request to an edge in dev mode, which comes under the name `host`.
    async fn status_in_dev_mode(method: &str, path: &str, host: Option<&str>) -> StatusCode {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(host) = host {
            request = request.header(http::header::HOST, host);
        }
        let request = request.body(Body::empty()).expect("a request");
        let router = router_of(Readiness::default(), Some(&DevConfig::default()));
        answer(router, request).await.0
    }

    #[tokio::test]
    async fn in_dev_mode_a_name_that_was_made_to_point_here_gets_nothing() {
        let (token, publish) = ("/dev/token?user=ann", "/api/publish");
        for host in [None, Some("evil.example:8000"), Some("10.0.0.1:8000")] {
            for (method, path) in [("GET", token), ("POST", publish), ("GET", "/nothing")] {
                let status = status_in_dev_mode(method, path, host).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{path} under {host:?}");
            }
        }
        for host in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
            let status = status_in_dev_mode("GET", token, Some(host)).await;
            assert_eq!(status, StatusCode::OK, "{host}");
            let status = status_in_dev_mode("POST", publish, Some(host)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{host}");
        }
    }
}
