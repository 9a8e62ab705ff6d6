//! Who may read a channel's history without a connection: the rules of sockets, applied to one request over HTTP.

use trunkline_protocol::ErrorCode;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Channel, UnixMillis};

use super::admission::{authorize, identify};
use super::channel_name;
use super::config::ClientConfig;
use super::permission::Access;
use super::refusal::RefusedConnect;
use super::session::Failure;
use crate::auth::TokenVerifier;

/// Decides whether a request may read history.
///
/// It is let in where a socket would be that connects with its connection token, subscribes (with its subscription token,
/// if it has one) and asks. A subscription token that names a connection is never its own.
pub struct HistoryGate {
    config: ClientConfig,
    verifier: TokenVerifier,
}

/// The tokens of a request; empty where it has none.
#[derive(Clone, Copy, Default)]
pub struct Tokens<'a> {
    /// Who asks.
    pub connection: &'a str,
    /// What the application lets them subscribe to.
    pub subscription: &'a str,
}

/// A request that may read.
#[derive(Clone, Copy, Debug)]
pub struct Admitted<'a> {
    /// The channel's rules.
    pub namespace: &'a Namespace,
    /// Whether anybody may, also without a token.
    pub is_public: bool,
}

/// Why a request may not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryRefused {
    /// Nothing is known yet, which passes.
    #[error("the edge has no rules yet")]
    NoRules,
    /// Clients name channels in ASCII.
    #[error("channel has characters beyond ASCII")]
    ChannelName,
    /// A token is needed, and there is none.
    #[error("a connection token is needed: Authorization: Bearer TOKEN")]
    NoToken,
    /// The connection token is malformed or not signed by us.
    #[error("connection token is invalid")]
    InvalidToken,
    /// One of the tokens isn't valid any more, or not yet.
    #[error("token is expired")]
    ExpiredToken,
    /// The channel's namespace doesn't exist.
    #[error("namespace of the channel is unknown")]
    UnknownNamespace,
    /// The channel's namespace keeps nothing.
    #[error("namespace of the channel keeps no history")]
    NoHistory,
    /// The rules, or the subscription token, don't let this user read it.
    #[error("history of the channel is not permitted")]
    NotPermitted,
}

impl HistoryGate {
    /// Takes the settings of clients.
    pub fn new(config: ClientConfig) -> Self {
        let verifier = TokenVerifier::new(&config.token.hmac_secret_key);
        Self { config, verifier }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// Why not.
    pub fn admit<'a>(
        &self,
        rules: Option<&'a Rules>,
        channel: &Channel,
        tokens: Tokens<'_>,
        now: UnixMillis,
    ) -> Result<Admitted<'a>, HistoryRefused> {
        let user = identify(&self.config, &self.verifier, now, tokens.connection)
            .map_err(|(why, _)| of_connect(why))?
            .user;
        let namespace = channel_name::namespace(rules, channel).map_err(of_code)?;
        if !namespace.has_history() {
            return Err(HistoryRefused::NoHistory);
        }
        let access = Access {
            namespace,
            channel,
            user: &user,
            is_subscriber: false,
        };
        if self.may_read(access, tokens.subscription, now)? {
            let is_public = self.is_public(namespace, channel, now);
            return Ok(Admitted {
                namespace,
                is_public,
            });
        }
        Err(if tokens.connection.is_empty() {
            HistoryRefused::NoToken
        } else {
            HistoryRefused::NotPermitted
        })
    }

    fn may_read(
        &self,
        access: Access<'_>,
        token: &str,
        now: UnixMillis,
    ) -> Result<bool, HistoryRefused> {
        let subscribing = Access {
            is_subscriber: true,
            ..access
        };
        let is_subscriber = match authorize(subscribing, "", &self.verifier, now, token) {
            Ok(grant) if grant.expire_at.is_some_and(|at| at <= now) => {
                return Err(HistoryRefused::ExpiredToken);
            }
            Ok(_) => true,
            Err(_) if token.is_empty() => false,
            Err(Failure::Error(code)) => return Err(of_code(code)),
            Err(Failure::Denied(_) | Failure::Close(_)) => {
                return Err(HistoryRefused::NotPermitted);
            }
        };
        let access = Access {
            is_subscriber,
            ..access
        };
        Ok(access.may_read_history())
    }

    fn is_public(&self, namespace: &Namespace, channel: &Channel, now: UnixMillis) -> bool {
        let nobody = Access {
            namespace,
            channel,
            user: "",
            is_subscriber: false,
        };
        self.config.allow_anonymous_connect_without_token
            && self.may_read(nobody, "", now) == Ok(true)
    }
}

/// Shows no secret.
impl std::fmt::Debug for HistoryGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HistoryGate").finish_non_exhaustive()
    }
}

const fn of_connect(why: RefusedConnect) -> HistoryRefused {
    match why {
        RefusedConnect::NoToken => HistoryRefused::NoToken,
        RefusedConnect::InvalidToken => HistoryRefused::InvalidToken,
        RefusedConnect::ExpiredToken => HistoryRefused::ExpiredToken,
        RefusedConnect::NobodysToken | RefusedConnect::NamesChannels => {
            HistoryRefused::NotPermitted
        }
    }
}

fn of_code(code: ErrorCode) -> HistoryRefused {
    if code == ErrorCode::Internal {
        HistoryRefused::NoRules
    } else if code == ErrorCode::UnknownChannel {
        HistoryRefused::UnknownNamespace
    } else if code == ErrorCode::BadRequest {
        HistoryRefused::ChannelName
    } else if code == ErrorCode::TokenExpired {
        HistoryRefused::ExpiredToken
    } else {
        HistoryRefused::NotPermitted
    }
}
