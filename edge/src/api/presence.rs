//! `presence` and `presence_stats`: who, or how many, are present in a channel.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_shared::{Channel, ClientInfo};

use super::answer::ClientBody;
use super::error::ApiError;
use super::publish::Target;
use crate::ask::Asker;

/// Who is present, by connection.
pub(super) struct PresenceBody(Vec<ClientInfo>);

/// How many are present.
#[derive(Serialize)]
pub(super) struct StatsBody {
    num_clients: u32,
    num_users: u32,
}

/// Asks who is present.
pub(super) async fn presence(asker: &Asker, target: Target) -> Result<PresenceBody, ApiError> {
    let (deadline, channel) = (asker.deadline(), resolve(asker, &target)?);
    let answer = asker
        .ask(|ticket| ToUpstream::Presence {
            ticket,
            deadline,
            channel,
        })
        .await;
    match answer {
        Answer::Presence(clients) => Ok(PresenceBody(clients)),
        Answer::Subscribed { .. }
        | Answer::Published { .. }
        | Answer::History { .. }
        | Answer::HistoryRemoved { .. }
        | Answer::PresenceStats { .. }
        | Answer::Info(_)
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}

/// Asks how many are present.
pub(super) async fn stats(asker: &Asker, target: Target) -> Result<StatsBody, ApiError> {
    let (deadline, channel) = (asker.deadline(), resolve(asker, &target)?);
    let answer = asker
        .ask(|ticket| ToUpstream::PresenceStats {
            ticket,
            deadline,
            channel,
        })
        .await;
    match answer {
        Answer::PresenceStats { clients, users } => Ok(StatsBody {
            num_clients: clients,
            num_users: users,
        }),
        Answer::Subscribed { .. }
        | Answer::Published { .. }
        | Answer::History { .. }
        | Answer::HistoryRemoved { .. }
        | Answer::Presence(_)
        | Answer::Info(_)
        | Answer::Refused(_) => Err(ApiError::of(&answer)),
    }
}

fn resolve(asker: &Asker, target: &Target) -> Result<Channel, ApiError> {
    let (channel, namespace) = target.resolve(asker)?;
    if namespace.presence {
        Ok(channel)
    } else {
        Err(ApiError::NotAvailable)
    }
}

impl Serialize for PresenceBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let clients = self
            .0
            .iter()
            .map(|info| (info.client.as_str(), ClientBody::new(info)));
        let mut object = serializer.serialize_struct("Presence", 1)?;
        object.serialize_field("presence", &clients.collect::<BTreeMap<_, _>>())?;
        object.end()
    }
}
