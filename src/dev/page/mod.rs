//! The page that each edge shows at `/` in dev mode: a chat between regions, and how to do the same with an SDK.
//!
//! Its files are part of the executable and load nothing from anywhere else, so that it works without a network.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

macro_rules! files {
    ($($name:literal)+) => {
        &[$(File { name: $name, text: include_str!($name) }),+]
    };
}

struct File {
    name: &'static str,
    text: &'static str,
}

const INDEX: File = File {
    name: "index.html",
    text: include_str!("index.html"),
};

/// What the page is made of, served under `/app/`.
const FILES: &[File] = files![
    "backoff.js" "chat.css" "client.js" "composer.js" "developers.css" "developers.html" "developers.js" "dom.js"
    "events.js" "history.js" "icon.svg" "latency.js" "log.js" "main.js" "mesh.css" "mesh.js" "message.js" "offline.js"
    "outbox.js" "palette.js" "picture.js" "presence.js" "regions.js" "settings.js" "socket.js" "status.js" "style.css"
    "subscription.js" "text.js" "typing.js"
];

/// What each edge of dev mode serves besides its own.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(index))
        .route("/app/{name}", get(file))
}

async fn index(headers: HeaderMap) -> Response {
    response(&INDEX, &headers)
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => response(file, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn response(file: &File, request: &HeaderMap) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type(file.name).to_owned()),
        (CONTENT_SECURITY_POLICY, policy(request)),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // The next build of the executable may bring another page.
        (CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (headers, file.text).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// What the page may load and whom it may talk to: this edge. It is named, since not every browser takes `'self'` to
/// mean WebSockets too.
fn policy(request: &HeaderMap) -> String {
    let host = request.get(HOST).and_then(|host| host.to_str().ok());
    let sockets = match host.filter(|host| host.bytes().all(is_of_host)) {
        Some(host) => format!(" ws://{host} wss://{host}"),
        None => String::new(),
    };
    format!(
        "default-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Whether a byte can't end the host's part of the policy.
const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/dev/page");
        let mut there: Vec<_> = std::fs::read_dir(dir)
            .expect("the page's files")
            .map(|entry| entry.expect("an entry").file_name())
            .filter_map(|name| name.into_string().ok())
            .filter(|name| !name.ends_with(".rs") && name != INDEX.name)
            .collect();
        there.sort();
        let served: Vec<_> = FILES.iter().map(|file| file.name).collect();
        assert_eq!(served, there);
    }

    #[test]
    fn every_file_has_a_type_that_browsers_take() {
        for file in FILES {
            assert_ne!(
                content_type(file.name),
                "application/octet-stream",
                "{}",
                file.name
            );
        }
    }

    fn policy_for(host: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        policy(&headers)
    }

    #[test]
    fn the_policy_names_the_edge_and_nothing_that_a_request_adds() {
        assert!(
            policy_for("127.0.0.1:8000")
                .contains("connect-src 'self' ws://127.0.0.1:8000 wss://127.0.0.1:8000; ")
        );
        assert!(policy_for("[::1]:8000").contains("ws://[::1]:8000 "));
        for host in ["a; script-src *", "a *", "a,b"] {
            assert!(policy_for(host).contains("connect-src 'self'; "), "{host}");
        }
    }
}
