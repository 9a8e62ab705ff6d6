//! Publishing by the clock, on a thread of its own, so that a busy reader doesn't delay it.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;
use trunkline_protocol::message::PublishRequest;
use trunkline_protocol::{ReplyBody, Request};

use crate::api::Api;
use crate::args::{MeshArgs, Road};
use crate::client::Client;
use crate::latency::Latency;
use crate::pace::Pace;
use crate::payload;
use crate::thread;

/// What to publish.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) mesh: MeshArgs,
    pub(crate) channel: String,
    pub(crate) bytes: usize,
    pub(crate) pace: Pace,
    pub(crate) road: Road,
}

/// Publishes all that the plan says; returns how late the batches were.
///
/// # Errors
/// When a publish fails.
pub(crate) async fn run(plan: Plan) -> Result<Latency> {
    thread::run("publisher", move |runtime| publish_all(&plan, runtime)).await
}

fn publish_all(plan: &Plan, runtime: &Runtime) -> Result<Latency> {
    let mut publisher = runtime.block_on(Publisher::connect(plan))?;
    let mut lateness = Latency::new();
    let start = Instant::now();
    for batch in 0..plan.pace.batches {
        // Not by the runtime's timer, which is a millisecond coarse: nothing else runs here.
        let due = plan.pace.wait(start, batch, &mut lateness);
        runtime.block_on(publisher.publish(plan, due))?;
    }
    Ok(lateness)
}

/// Connections to publish on.
enum Publisher {
    Api(Vec<Api>),
    Ws(Box<Client>),
}

impl Publisher {
    async fn connect(plan: &Plan) -> Result<Self> {
        match plan.road {
            Road::Api => {
                let connections = (0..plan.pace.burst).map(|_| Api::connect(&plan.mesh));
                Ok(Self::Api(try_join_all(connections).await?))
            }
            Road::Ws => {
                let client = Client::connect(&plan.mesh.url, None).await?;
                Ok(Self::Ws(Box::new(client)))
            }
        }
    }

    /// Publishes one batch, which was due at `due`, and waits for the answers.
    async fn publish(&mut self, plan: &Plan, due: u64) -> Result<()> {
        let payload = payload::sent_at(due, plan.bytes);
        match self {
            Self::Api(connections) => {
                let calls = connections
                    .iter_mut()
                    .map(|api| api.publish(&plan.channel, &payload));
                try_join_all(calls).await?;
                Ok(())
            }
            Self::Ws(client) => {
                let payload = Bytes::from(payload);
                let requests = (0..plan.pace.burst).map(|_| request(&plan.channel, &payload));
                publish_together(client, requests).await
            }
        }
    }
}

/// Publishes sent in one frame, below what an edge takes of a connection at once.
pub(crate) const TOGETHER: usize = 128;

/// Sends publishes in one frame, at most [`TOGETHER`], and waits for their answers.
///
/// # Errors
/// When one isn't taken.
pub(crate) async fn publish_together(
    client: &mut Client,
    requests: impl IntoIterator<Item = Request>,
) -> Result<()> {
    let mut unanswered = client.send_all(requests).await?.len();
    while unanswered > 0 {
        for reply in client.replies().await? {
            is_published(&reply.body)?;
            unanswered -= 1;
        }
    }
    Ok(())
}

/// A publish into a channel.
pub(crate) fn request(channel: &str, payload: &Bytes) -> Request {
    Request::Publish(PublishRequest {
        channel: channel.to_owned(),
        data: payload.clone(),
        ..PublishRequest::default()
    })
}

/// # Errors
/// When it is an error, or the answer to something else.
pub(crate) fn is_published(reply: &ReplyBody) -> Result<()> {
    ensure!(
        matches!(reply, ReplyBody::Publish),
        "publish was answered with {reply:?}"
    );
    Ok(())
}
