//! What tokens prove: who connects, and who may subscribe to a channel (`client-protocol.md` §5, §7.2).

use trunkline_protocol::{DisconnectCode, ErrorCode};
use trunkline_shared::{Channel, UnixMillis};

use super::config::ClientConfig;
use super::permission::Access;
use super::plan::Grant;
use super::refusal::{Denied, RefusedConnect};
use super::session::Failure;
use crate::auth::{ConnectionToken, SubscriptionToken, TokenError, TokenVerifier};

/// Who is there: what a connection token says, or nobody without one if that is allowed.
///
/// # Errors
/// Why not, and what the client is told.
pub(super) fn identify(
    config: &ClientConfig,
    verifier: &TokenVerifier,
    unix: UnixMillis,
    token: &str,
) -> Result<ConnectionToken, (RefusedConnect, Failure)> {
    if token.is_empty() {
        return if config.allow_anonymous_connect_without_token {
            Ok(ConnectionToken::default())
        } else {
            Err((RefusedConnect::NoToken, DisconnectCode::BadRequest.into()))
        };
    }
    let token = verifier
        .connection(token, unix)
        .map_err(|error| match error {
            TokenError::Expired => (RefusedConnect::ExpiredToken, ErrorCode::TokenExpired.into()),
            TokenError::Invalid => (
                RefusedConnect::InvalidToken,
                DisconnectCode::InvalidToken.into(),
            ),
        })?;
    if token.user.is_empty() && config.disallow_anonymous_connection_tokens {
        let code = DisconnectCode::PermissionDenied;
        return Err((RefusedConnect::NobodysToken, code.into()));
    }
    if token.expire_at.is_some_and(|at| at <= unix) {
        return Err((RefusedConnect::ExpiredToken, ErrorCode::Expired.into()));
    }
    Ok(token)
}

/// Who may subscribe, first match wins; `client` is the connection's id.
///
/// # Errors
/// Why not.
pub(super) fn authorize(
    access: Access<'_>,
    client: &str,
    verifier: &TokenVerifier,
    unix: UnixMillis,
    token: &str,
) -> Result<Grant, Failure> {
    let Access { channel, user, .. } = access;
    if channel.is_private() && token.is_empty() {
        return Err(Denied::NoSubscriptionToken.into());
    }
    access.check_owner()?;
    if token.is_empty() {
        access.check_subscribe()?;
        return Ok(Grant::default());
    }
    let token = verifier
        .subscription(token, unix)
        .map_err(|error| match error {
            TokenError::Expired => Failure::Error(ErrorCode::TokenExpired),
            TokenError::Invalid => Failure::Denied(Denied::InvalidSubscriptionToken),
        })?;
    check_owner(&token, user, client, channel)?;
    Ok(Grant {
        info: token.info,
        data: token.data,
        expire_at: token.expire_at,
    })
}

/// Whether a subscription token is for this channel, user and connection; another one's closes the connection.
///
/// # Errors
/// When it is another one's.
pub(super) fn check_owner(
    token: &SubscriptionToken,
    user: &str,
    client: &str,
    channel: &Channel,
) -> Result<(), DisconnectCode> {
    let is_clients = token.client.is_empty() || token.client == client;
    if is_clients && token.user == user && token.channel == channel.as_str() {
        return Ok(());
    }
    Err(DisconnectCode::InvalidToken)
}
