//! `trunkline pub`: publishes one message, or each line of standard input.

mod lines;
mod publisher;

use bytes::Bytes;
use clap::Args;
use trunkline_process::Failure;
use trunkline_protocol::json_without_newlines;

use super::block_on;
use crate::client::ClientArgs;
use lines::{Line, Lines};
use publisher::Publisher;

/// Flags of `trunkline pub`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The channel to publish into.
    channel: String,
    /// The message, JSON; `-` publishes each line of standard input, one after the other.
    #[arg(allow_hyphen_values = true)]
    data: String,
    #[command(flatten)]
    client: ClientArgs,
}

/// Publishes; every message has been acknowledged when it returns well.
pub(crate) fn run(args: &PublishArgs) -> Result<(), Failure> {
    if args.data == "-" {
        return block_on(publish_lines(args));
    }
    let data = json(&args.data).ok_or_else(|| {
        Failure::Configuration(format!(
            "DATA is not JSON: {}; a text is written with quotes inside of the shell's: '\"hello\"'",
            args.data
        ))
    })?;
    block_on(publish_one(args, data))
}

/// The text as a payload, where it is one JSON value.
fn json(text: &str) -> Option<Bytes> {
    json_without_newlines(&Bytes::copy_from_slice(text.as_bytes()))
}

async fn publish_one(args: &PublishArgs, data: Bytes) -> Result<(), Failure> {
    let mut publisher = Publisher::connect(&args.channel, &args.client).await?;
    publisher.publish(data).await?;
    publisher.close().await;
    Ok(())
}

async fn publish_lines(args: &PublishArgs) -> Result<(), Failure> {
    let mut publisher = Publisher::connect(&args.channel, &args.client).await?;
    let mut lines = Lines::of_stdin()?;
    loop {
        let line = tokio::select! {
            biased;
            // First: what comes on a connection that is known to be lost waits for the next one.
            () = publisher.idle() => continue,
            line = lines.next() => line?,
        };
        let Some(line) = line else { break };
        publish_line(&mut publisher, line).await?;
    }
    publisher.close().await;
    Ok(())
}

async fn publish_line(publisher: &mut Publisher<'_>, line: Line) -> Result<(), Failure> {
    let Line { number, text } = line;
    if text.trim().is_empty() {
        return Ok(());
    }
    let data = json(&text)
        .ok_or_else(|| Failure::Configuration(format!("line {number} is not JSON: {text}")))?;
    let published = publisher.publish(data).await;
    published.map_err(|error| Failure::Run(format!("line {number}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_quotes_is_not_json() {
        for (text, expected) in [
            ("hello", false),
            ("", false),
            ("{} {}", false),
            ("\"hello\"", true),
            ("-1", true),
            ("{\"a\":\n[1]}", true),
        ] {
            assert_eq!(json(text).is_some(), expected, "{text}");
        }
    }
}
