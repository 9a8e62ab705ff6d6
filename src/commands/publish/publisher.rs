//! A connection that publishes into one channel, and comes back when it was lost between two messages.

use bytes::Bytes;
use trunkline_protocol::Request;
use trunkline_protocol::message::PublishRequest;

use crate::client::{Client, ClientArgs, ClientError};

/// Publishes one message after the other.
pub(super) struct Publisher<'a> {
    channel: &'a str,
    target: &'a ClientArgs,
    /// Absent after a loss, until there is something to say.
    client: Option<Client>,
}

/// Why a message isn't known to be published.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
    /// The edge could not be reached or refused: it isn't published.
    #[error("{0}")]
    Refused(#[from] ClientError),
    /// The connection ended before the answer.
    #[error("{0}; whether it was published is not known")]
    Unknown(ClientError),
}

impl From<PublishError> for trunkline_process::Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(error) => error.into(),
            PublishError::Unknown(_) => Self::Run(error.to_string()),
        }
    }
}

impl<'a> Publisher<'a> {
    pub(super) async fn connect(
        channel: &'a str,
        target: &'a ClientArgs,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            channel,
            target,
            client: Some(Client::connect(target).await?),
        })
    }

    /// Publishes one message, JSON, and waits until it is acknowledged.
    ///
    /// It is never sent a second time: the first may have been published.
    pub(super) async fn publish(&mut self, data: Bytes) -> Result<(), PublishError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.target).await?,
        };
        let request = Request::Publish(PublishRequest {
            channel: self.channel.to_owned(),
            data,
            ..PublishRequest::default()
        });
        match client.call(self.channel, request).await {
            Ok(_) => {
                self.client = Some(client);
                Ok(())
            }
            Err(error @ ClientError::Refused { .. }) => Err(PublishError::Refused(error)),
            Err(error) => Err(PublishError::Unknown(error)),
        }
    }

    /// Keeps the connection alive while there is nothing to say; returns when it is lost.
    pub(super) async fn idle(&mut self) {
        let Some(client) = &mut self.client else {
            return std::future::pending().await;
        };
        while client.next_push().await.is_ok() {}
        self.client = None;
    }

    pub(super) async fn close(self) {
        if let Some(client) = self.client {
            client.close().await;
        }
    }
}
