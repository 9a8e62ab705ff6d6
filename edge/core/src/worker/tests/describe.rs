//! What a client has received, in a line each.

use trunkline_protocol::client::ServerMessage;
use trunkline_protocol::message::{ClientInfo, Publication, SubscribeResult};
use trunkline_protocol::{Push, ReplyBody};
use trunkline_shared::Epoch;

/// A server's message as tests compare it.
pub(super) fn describe(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Reply(reply) => format!("{} {}", reply.id, body(&reply.body)),
        ServerMessage::Push { channel, push } => format!("{channel} {}", pushed(push)),
        ServerMessage::Ping => "ping".to_owned(),
        ServerMessage::Unknown { id } => format!("unknown {id}"),
    }
}

fn body(body: &ReplyBody) -> String {
    match body {
        ReplyBody::Error(error) => format!("error {}", error.code),
        ReplyBody::Connect(result) => {
            let expires = expires(result.expires, result.ttl);
            format!("connect ping={} pong={}{expires}", result.ping, result.pong)
        }
        ReplyBody::Subscribe(result) => subscribe(result),
        ReplyBody::Unsubscribe => "unsubscribe".to_owned(),
        ReplyBody::Publish => "publish".to_owned(),
        ReplyBody::Presence(result) => {
            let users: Vec<&str> = result.presence.values().map(|info| &*info.user).collect();
            format!("presence {users:?}")
        }
        ReplyBody::PresenceStats(stats) => {
            format!("presence_stats {} {}", stats.num_clients, stats.num_users)
        }
        ReplyBody::History(result) => {
            let (offsets, epoch) = (offsets(&result.publications), epoch(&result.epoch));
            format!("history {offsets:?} {epoch}@{}", result.offset)
        }
        ReplyBody::Ping => "ping".to_owned(),
        ReplyBody::Rpc(_) => "rpc".to_owned(),
        ReplyBody::Refresh(result) => format!("refresh{}", expires(result.expires, result.ttl)),
        ReplyBody::SubRefresh(result) => {
            format!("sub_refresh{}", expires(result.expires, result.ttl))
        }
    }
}

fn subscribe(result: &SubscribeResult) -> String {
    let mut text = format!("subscribe{}", expires(result.expires, result.ttl));
    if !result.epoch.is_empty() || result.offset > 0 {
        text += &format!(" {}@{}", epoch(&result.epoch), result.offset);
    }
    let flags = [
        (result.positioned, " positioned"),
        (result.recoverable, " recoverable"),
        (result.was_recovering, " was_recovering"),
        (result.recovered, " recovered"),
        (result.delta, " delta"),
    ];
    flags
        .iter()
        .filter(|(is_set, _)| *is_set)
        .for_each(|(_, name)| text += name);
    if !result.publications.is_empty() {
        text += &format!(" {:?}", offsets(&result.publications));
    }
    text
}

fn pushed(push: &Push) -> String {
    match push {
        Push::Publication(publication) => format!("pub {}", publication.offset),
        Push::Join(join) => format!("join {}", user(join.info.as_ref())),
        Push::Leave(leave) => format!("leave {}", user(leave.info.as_ref())),
        Push::Unsubscribe(unsubscribe) => format!("unsubscribe {}", unsubscribe.code),
        Push::Message(_) => "message".to_owned(),
        Push::Subscribe(_) => "subscribe".to_owned(),
        Push::Disconnect(disconnect) => format!("disconnect {}", disconnect.code),
        Push::Refresh(_) => "refresh".to_owned(),
    }
}

fn user(info: Option<&ClientInfo>) -> String {
    info.map_or_else(|| "without info".to_owned(), |info| info.user.clone())
}

fn expires(expires: bool, ttl: u32) -> String {
    if expires {
        format!(" ttl={ttl}")
    } else {
        String::new()
    }
}

fn offsets(publications: &[Publication]) -> Vec<u64> {
    publications
        .iter()
        .map(|publication| publication.offset)
        .collect()
}

fn epoch(text: &str) -> String {
    Epoch::parse(text).map_or_else(|| format!("{text:?}"), |epoch| format!("e{}", epoch.id))
}
