//! Names of this machine: what dev mode answers under.
//!
//! A web page of another site can't read what a loopback address answers, unless its own name is made to point there;
//! then the page is of that address's site. Its requests still name the name.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Whether a `Host` header, `None` for one that isn't there or isn't text, names `localhost` or an address from which only
/// this machine is reached.
pub fn is_this_machine(host: Option<&str>) -> bool {
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Lets through what comes under a name of this machine.
pub(crate) async fn only_here(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST);
    if is_this_machine(host.and_then(|host| host.to_str().ok())) {
        return next.run(request).await;
    }
    let why = "dev mode answers under localhost and loopback addresses only; Host names another";
    (StatusCode::FORBIDDEN, why).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_this_machine_are_its_own() {
        let own = [
            "localhost",
            "LocalHost:8000",
            "127.0.0.1:8000",
            "127.9.9.9",
            "[::1]:1",
        ];
        let others = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8000",
            "10.0.0.1:8000",
            "a@localhost.x",
            "",
        ];
        for host in own {
            assert!(is_this_machine(Some(host)), "{host}");
        }
        for host in others {
            assert!(!is_this_machine(Some(host)), "{host}");
        }
        assert!(!is_this_machine(None));
    }
}
