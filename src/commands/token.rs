//! `trunkline token`: signs a token as a backend would, to try a mesh out.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Deserialize, Serialize};
use trunkline_process::{Failure, ProcessArgs};

use super::output;

/// Flags of `trunkline token`.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The user that the token names; "" for an anonymous one.
    #[arg(long, value_name = "USER")]
    user: String,
    /// Makes a subscription token, for this channel only.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// How long it is valid: 30s, 1h, 7d; 0 for ever.
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = duration)]
    ttl: Duration,
    /// The edges' `client.token.hmac_secret_key`; other users of this machine see flags, but not variables.
    #[arg(
        long,
        env = "TRUNKLINE_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    secret: Option<String>,
    /// An edge's configuration, to take the secret from.
    #[arg(long, env = "TRUNKLINE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What the token says (`client-protocol.md` §11).
#[derive(Debug, PartialEq, Serialize)]
struct Claims<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
}

/// Signs and prints.
pub(crate) fn run(args: &TokenArgs) -> Result<(), Failure> {
    let secret = secret(args)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.map_err(|_| Failure::Run("the clock shows a time before 1970".to_owned()))?;
    let claims = claims(args, now.as_secs());
    let key = EncodingKey::from_secret(secret.as_bytes());
    let token = encode(&Header::default(), &claims, &key)
        .map_err(|error| Failure::Run(format!("the token can't be signed: {error}")))?;
    output::print_line(&token)
}

fn claims(args: &TokenArgs, now: u64) -> Claims<'_> {
    Claims {
        sub: &args.user,
        channel: args.channel.as_deref(),
        iat: now,
        exp: (!args.ttl.is_zero()).then(|| now.saturating_add(args.ttl.as_secs())),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime_serde::re::humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// The secret given, or the configuration's.
fn secret(args: &TokenArgs) -> Result<String, Failure> {
    let wanted = "no secret: set TRUNKLINE_SECRET, or give --config FILE of an edge";
    let secret = match (&args.secret, &args.config) {
        (Some(secret), _) => secret.clone(),
        (None, Some(_)) => configured(args)?,
        (None, None) => return Err(Failure::Configuration(wanted.to_owned())),
    };
    if secret.is_empty() {
        return Err(Failure::Configuration("the secret is empty".to_owned()));
    }
    Ok(secret)
}

/// The part of `[client]` that matters here; the rest is for the edge to judge.
#[derive(Default, Deserialize, Serialize)]
struct ClientSection {
    #[serde(default)]
    token: TokenSection,
}

#[derive(Default, Deserialize, Serialize)]
struct TokenSection {
    #[serde(default)]
    hmac_secret_key: String,
}

fn configured(args: &TokenArgs) -> Result<String, Failure> {
    let process = ProcessArgs {
        config: args.config.clone(),
        ..ProcessArgs::default()
    };
    let client: ClientSection = process.source()?.section("client");
    if client.token.hmac_secret_key.is_empty() {
        let file = args.config.as_deref().unwrap_or_else(|| "".as_ref());
        return Err(Failure::Configuration(format!(
            "{}: client.token.hmac_secret_key is not set",
            file.display()
        )));
    }
    Ok(client.token.hmac_secret_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(channel: Option<&str>, ttl: &str) -> TokenArgs {
        TokenArgs {
            user: "ann".to_owned(),
            channel: channel.map(ToOwned::to_owned),
            ttl: duration(ttl).expect("a time"),
            secret: None,
            config: None,
        }
    }

    #[test]
    fn a_ttl_of_0_is_no_end() {
        assert_eq!(claims(&args(None, "0"), 100).exp, None);
        assert_eq!(claims(&args(None, "1h"), 100).exp, Some(3700));
    }

    #[test]
    fn a_subscription_token_names_its_channel() {
        assert_eq!(
            claims(&args(Some("chat:1"), "0"), 100).channel,
            Some("chat:1")
        );
    }

    #[test]
    fn a_secret_is_needed() {
        let failure = secret(&args(None, "1h")).expect_err("there is none");
        assert_eq!(failure.exit_code(), 2);
        assert!(
            failure.to_string().contains("TRUNKLINE_SECRET"),
            "{failure}"
        );
    }
}
