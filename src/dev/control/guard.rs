//! Keeps pages of other sites from controlling a mesh on the machine of whoever looks at them.
//!
//! Such a page can send requests to loopback addresses, but not with a header of its own unless the server agrees, which
//! ours never does; and under a name that its owner lets point here it would be the same site, so only names of this
//! machine are answered.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use trunkline_edge::is_this_machine;

use super::message::Refusal;

/// The header that a request which changes something must have, and its value.
pub(crate) const HEADER: (&str, &str) = ("x-trunkline-dev", "1");

/// Lets through what comes under a name of this machine, and, where it changes something, with the header.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers()) {
        Some(error) => Refusal::new(StatusCode::FORBIDDEN, error).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(method: &Method, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if !is_this_machine(host) {
        let host = host.unwrap_or_default();
        return Some(format!("Host {host:?} is no name of this machine"));
    }
    let (name, value) = HEADER;
    let reads = method.is_safe();
    let has_it = headers.get(name).is_some_and(|given| given == value);
    (!reads && !has_it).then(|| "the header X-Trunkline-Dev: 1 is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, host: Option<&str>, header: Option<&str>, passes: bool) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(HOST, host.parse().expect("a header value"));
        }
        if let Some(header) = header {
            headers.insert(HEADER.0, header.parse().expect("a header value"));
        }
        let refusal = refusal(method, &headers);
        assert_eq!(
            refusal.is_none(),
            passes,
            "{host:?} {header:?}: {refusal:?}"
        );
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        check(&Method::GET, Some("localhost:8000"), None, true);
        for host in [Some("evil.example"), Some("10.0.0.1:8000"), None] {
            check(&Method::GET, host, None, false);
            check(&Method::POST, host, Some("1"), false);
        }
    }

    #[test]
    fn what_changes_something_needs_the_header() {
        check(&Method::POST, Some("localhost"), None, false);
        check(&Method::POST, Some("localhost"), Some("0"), false);
        check(&Method::POST, Some("localhost"), Some("1"), true);
        check(&Method::GET, Some("localhost"), None, true);
    }
}
