//! What must go on while the store is away: ephemeral messages and presence.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use trunkline_protocol::Push;
use trunkline_protocol::client::ServerMessage;

use super::config::{API_KEY, EPHEMERAL};
use super::mesh::Mesh;
use super::stored::ask;
use crate::api::Api;
use crate::client::{Client, PATIENCE};
use crate::payload::{Numbered, now};

/// Time in which a message comes, before another one is sent: one alone may be lost.
const COMES_WITHIN: Duration = Duration::from_millis(500);

/// A client on the first edge that listens for what is sent by the second.
#[derive(Debug)]
pub(super) struct Probe {
    client: Client,
    channel: String,
}

impl Probe {
    /// Subscribes it.
    ///
    /// # Errors
    /// When the edge can't be reached or refuses.
    pub(super) async fn start(mesh: &Mesh<'_>) -> Result<Self> {
        let channel = format!("{EPHEMERAL}:probe");
        let mut client = Client::connect(&mesh.sockets()?[0], None).await?;
        client.subscribe(&channel).await?;
        Ok(Self { client, channel })
    }

    /// Sends an ephemeral message across the mesh until one comes, and asks who is there.
    ///
    /// # Errors
    /// When none comes, or presence is wrong.
    pub(super) async fn goes_on(&mut self, mesh: &Mesh<'_>) -> Result<()> {
        let across = &mesh.apis()?[1];
        let mut api = Api::connect_to(across, API_KEY).await?;
        let (since, payload) = (Instant::now(), payload());
        loop {
            let published = api.publish(&self.channel, &payload).await;
            published.context("an ephemeral message")?;
            if let Ok(came) = timeout(COMES_WITHIN, self.message()).await {
                came?;
                break;
            }
            if since.elapsed() > PATIENCE {
                bail!("no ephemeral message came");
            }
        }
        let body = format!(r#"{{"channel":"{}"}}"#, self.channel);
        let answer = ask(across, "presence", &body).await?;
        let answer: Value = serde_json::from_slice(&answer).context("presence")?;
        let there = answer["result"]["presence"].as_object();
        ensure!(
            there.is_some_and(|clients| clients.len() == 1),
            "presence: {answer}"
        );
        Ok(())
    }

    async fn message(&mut self) -> Result<()> {
        loop {
            let is_message = |message: &ServerMessage| {
                let ServerMessage::Push { push, .. } = message else {
                    return false;
                };
                matches!(push, Push::Publication(_))
            };
            if self.client.messages().await?.iter().any(is_message) {
                return Ok(());
            }
        }
    }
}

fn payload() -> Vec<u8> {
    let message = Numbered {
        time: now(),
        number: 0,
    };
    message.encode(0)
}
