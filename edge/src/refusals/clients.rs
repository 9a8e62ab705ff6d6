//! Lines about clients.

use std::time::Duration;

use http::HeaderMap;
use http::header::ORIGIN;
use tracing::warn;
use trunkline_edge_core::worker::{Deed, Denied, Refusal, RefusedConnect};
use trunkline_protocol::ErrorCode;
use trunkline_shared::limits::PAYLOAD_BYTES_MAX;

use super::{Reason, Refusals};

impl Refusals {
    /// A page's origin isn't allowed.
    pub(crate) fn origin(&self, headers: &HeaderMap) {
        self.tell(Reason::Origin, |left_out| {
            let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
            warn!(
                origin,
                left_out, "page refused with 403: its origin is not in client.allowed_origins"
            );
        });
    }

    /// There are too many WebSockets.
    pub(crate) fn too_many_sockets(&self, limit: usize) {
        self.tell(Reason::Sockets, |left_out| {
            warn!(
                limit,
                left_out, "WebSocket refused with 503: edge.connection_limit is reached"
            );
        });
    }

    /// There are too many connections that are no WebSockets.
    pub(crate) fn too_many_http(&self, limit: usize) {
        self.tell(Reason::Http, |left_out| {
            warn!(
                limit,
                left_out, "connection refused with 503: edge.http_connection_limit is reached"
            );
        });
    }

    /// The worker comes late.
    pub(crate) fn late(&self, lag: Duration) {
        self.tell(Reason::Late, |left_out| {
            warn!(
                ?lag,
                left_out, "WebSocket refused with 503: a worker is later than edge.accept_lag_max"
            );
        });
    }

    /// A request of the WebSocket path isn't a handshake.
    pub(crate) fn handshake(&self) {
        self.tell(Reason::Handshake, |left_out| {
            warn!(
                left_out,
                "request refused with 400: no WebSocket handshake; proxies must pass Upgrade and Connection on"
            );
        });
    }

    /// A client of a listener with TLS speaks none.
    pub(crate) fn not_tls(&self) {
        self.tell(Reason::NotTls, |left_out| {
            warn!(
                left_out,
                "connection closed: no TLS, but edge.tls is set; clients need wss:// or https://"
            );
        });
    }

    /// A message is too big.
    pub(crate) fn too_big(&self) {
        self.tell(Reason::TooBig, |left_out| {
            warn!(
                bytes_max = PAYLOAD_BYTES_MAX,
                left_out, "connection closed with 1009: a message of more than bytes_max"
            );
        });
    }

    /// A connect or a command is refused.
    pub(crate) fn client(&self, refusal: &Refusal) {
        match refusal {
            Refusal::Connect(why) => self.connect(*why),
            Refusal::SubscriptionToken => self.tell(Reason::SubscriptionToken, |left_out| {
                warn!(
                    left_out,
                    "command refused with 3500: a subscription token for another user, client or channel, or not signed with client.token.hmac_secret_key"
                );
            }),
            Refusal::Denied {
                deed,
                why,
                namespace,
            } => self.denied(*deed, *why, namespace),
            Refusal::Command {
                deed,
                code,
                namespace,
            } => self.command(*deed, *code, namespace),
        }
    }

    fn connect(&self, why: RefusedConnect) {
        match why {
            RefusedConnect::NoToken => self.tell(Reason::NoToken, |left_out| {
                warn!(
                    left_out,
                    "connect refused with 3501: no token, and client.allow_anonymous_connect_without_token is off"
                );
            }),
            RefusedConnect::InvalidToken => self.tell(Reason::InvalidToken, |left_out| {
                warn!(
                    left_out,
                    "connect refused with 3500: the token is malformed or not signed with client.token.hmac_secret_key"
                );
            }),
            RefusedConnect::ExpiredToken => self.tell(Reason::ExpiredToken, |left_out| {
                warn!(
                    left_out,
                    "connect refused with 109: the token has expired, or isn't valid yet"
                );
            }),
            RefusedConnect::NobodysToken => self.tell(Reason::NobodysToken, |left_out| {
                warn!(
                    left_out,
                    "connect refused with 3507: the token has no sub, and client.disallow_anonymous_connection_tokens is on"
                );
            }),
            RefusedConnect::NamesChannels => self.tell(Reason::NamesChannels, |left_out| {
                warn!(
                    left_out,
                    "connect refused with 108: the token names channels, which is not available yet"
                );
            }),
        }
    }

    fn denied(&self, deed: Deed, why: Denied, namespace: &str) {
        let deed = deed.name();
        match why {
            Denied::NotAllowed => self.tell(Reason::NotAllowed, |left_out| {
                let key = format!("allow_{deed}_for_client");
                warn!(
                    deed,
                    namespace,
                    key,
                    left_out,
                    "command refused with 103: the namespace doesn't allow it to this client"
                );
            }),
            Denied::OtherUsersChannel => self.tell(Reason::OtherUsersChannel, |left_out| {
                warn!(
                    deed,
                    namespace,
                    left_out,
                    "command refused with 103: the channel's name says behind its # that it is for other users"
                );
            }),
            Denied::NoSubscriptionToken => self.tell(Reason::NoSubscriptionToken, |left_out| {
                warn!(
                    deed,
                    namespace,
                    left_out,
                    "command refused with 103: a channel that begins with $ needs a subscription token"
                );
            }),
            Denied::InvalidSubscriptionToken => {
                self.tell(Reason::InvalidSubscriptionToken, |left_out| {
                    warn!(
                        deed,
                        namespace,
                        left_out,
                        "command refused with 103: the subscription token is malformed or not signed with client.token.hmac_secret_key"
                    );
                });
            }
            Denied::NotSubscribed => self.tell(Reason::NotSubscribed, |left_out| {
                warn!(
                    deed,
                    namespace,
                    left_out,
                    "command refused with 103: a subscription was to be refreshed that isn't there"
                );
            }),
        }
    }

    fn command(&self, deed: Deed, code: ErrorCode, namespace: &str) {
        let deed = deed.name();
        if code == ErrorCode::UnknownChannel {
            self.tell(Reason::UnknownNamespace, |left_out| {
                warn!(
                    deed,
                    namespace,
                    left_out,
                    "command refused with 102: the node's rules have no [[namespace]] of this name"
                );
            });
        } else {
            let (code, error) = (code.code(), code.message());
            self.tell(Reason::Command, |left_out| {
                warn!(deed, namespace, code, error, left_out, "command refused");
            });
        }
    }
}
