//! One example of every frame, which together are the fixture of version 2.

use bytes::Bytes;
use trunkline_shared::frame::{
    Behind, ChannelHead, EdgeReport, EdgeStats, Floor, Hello, History, HistoryPiece, HistoryQuery,
    PresenceChange, PresenceChanges, PresenceEvent, PresencePiece, PresenceSnapshot, Publish, Pull,
    Pulled, Push, Refusal, RemoveHistory, Subscribe, Subscribed, ToEdge, ToNode, VersionRange,
};
use trunkline_shared::{
    Channel, ClientInfo, EdgeId, Epoch, Incarnation, Member, NodeId, Offset, Position, Publication,
    Region, RequestId, RingView, Slot, Trace, UnixMillis, ViewVersion,
};

const LIFE: Incarnation = Incarnation([0xa5; 16]);
const VERSION: ViewVersion = ViewVersion {
    birth: UnixMillis(1_700_000_000_000),
    timeline: 3,
    number: 9,
};

pub(crate) fn hello() -> Hello {
    Hello {
        versions: VersionRange { min: 1, max: 2 },
        incarnation: LIFE,
        view: VERSION,
        lanes: 16,
    }
}

pub(crate) fn publish(data: Bytes) -> ToNode {
    ToNode::Publish(Publish {
        request: request(1),
        slot: slot(),
        channel: channel(),
        view: VERSION,
        repeat: true,
        oldest_unanswered: request(1),
        time_left_ms: 4000,
        key: None,
        publication: Publication {
            data: data.into(),
            ..publication()
        },
    })
}

/// A publish whose publisher gave it a name.
fn keyed_publish(data: Bytes) -> ToNode {
    let ToNode::Publish(publish) = publish(data) else {
        unreachable!("a publish was made")
    };
    ToNode::Publish(Publish {
        key: Some(b"order 7\xff".to_vec()),
        ..publish
    })
}

pub(crate) fn to_node() -> Vec<ToNode> {
    let queries = [
        HistoryQuery::Position,
        HistoryQuery::Forward {
            after: Offset(1),
            limit: 2,
        },
        HistoryQuery::Backward {
            before: None,
            limit: 3,
        },
        HistoryQuery::Backward {
            before: Some(Offset(4)),
            limit: 3,
        },
        HistoryQuery::Newest {
            after: Offset(5),
            limit: 300,
        },
    ];
    let history = |query| {
        ToNode::History(History {
            request: request(4),
            slot: slot(),
            channel: channel(),
            query,
            bytes_max: 65_536,
        })
    };
    let mut frames = vec![
        ToNode::ShowView(view()),
        ToNode::Stats(stats()),
        ToNode::Info {
            request: request(9),
        },
        ToNode::Goodbye,
        publish(Bytes::from_static(b"{\"a\":1}")),
        keyed_publish(Bytes::from_static(b"{\"a\":1}")),
        ToNode::Subscribe(Subscribe {
            request: request(2),
            slot: slot(),
            channel: channel(),
            view: VERSION,
            at: Some(position()),
        }),
        ToNode::Unsubscribe {
            slot: slot(),
            channel: channel(),
        },
        ToNode::Pull(Pull {
            request: request(3),
            slot: slot(),
            channel: channel(),
            after: position(),
        }),
        ToNode::Presence {
            request: request(5),
            slot: slot(),
            channel: channel(),
        },
        ToNode::PresenceStats {
            request: request(6),
            slot: slot(),
            channel: channel(),
        },
        ToNode::PresenceChanges(PresenceChanges {
            slot: slot(),
            changes: vec![PresenceChange {
                channel: channel(),
                client: client(),
                joined: true,
            }],
        }),
        ToNode::PresenceSnapshot(PresenceSnapshot {
            slot: slot(),
            first: true,
            last: false,
            entries: vec![(channel(), client())],
        }),
        ToNode::CheckPositions {
            request: request(7),
            channels: vec![(slot(), channel())],
        },
    ];
    frames.extend(queries.map(history));
    frames.push(ToNode::RemoveHistory(RemoveHistory {
        request: request(8),
        slot: slot(),
        channel: channel(),
        time_left_ms: 4000,
    }));
    let ToNode::Publish(publish) = keyed_publish(Bytes::from_static(b"{\"a\":1}")) else {
        unreachable!("a publish was made")
    };
    frames.push(ToNode::PublishUnkept(publish));
    frames
}

pub(crate) fn to_edge() -> Vec<ToEdge> {
    let refusals = [
        Refusal::Moved { version: VERSION },
        Refusal::StaleView,
        Refusal::Busy,
        Refusal::StoreAway,
        Refusal::WrongSlot,
        Refusal::UnknownChannel,
        Refusal::NotAvailable,
    ];
    let refused = |refusal| ToEdge::Refused {
        request: request(1),
        slot: slot(),
        refusal,
    };
    let mut frames = vec![
        ToEdge::View(view()),
        ToEdge::Rules(Bytes::from_static(b"{}").into()),
        ToEdge::Store { away: true },
        ToEdge::Info {
            request: request(9),
            edges: vec![EdgeReport {
                incarnation: LIFE,
                edge: EdgeId::parse("edge-eu-west").expect("a valid name"),
                region: Region::parse("eu-west").expect("a valid name"),
                stats: stats(),
            }],
        },
        ToEdge::Goodbye {
            reason: "shutdown".into(),
        },
        ToEdge::Published {
            request: request(1),
            slot: slot(),
            position: position(),
        },
        ToEdge::Subscribed(Subscribed {
            request: request(2),
            slot: slot(),
            head: Some(position()),
            floor: Offset(3),
            lagging: true,
        }),
        ToEdge::Pulled(Pulled {
            request: request(3),
            slot: slot(),
            head: position(),
            floor: Offset(0),
            publications: vec![publication(), publication()],
            reached_head: true,
        }),
        ToEdge::History(HistoryPiece {
            request: request(4),
            slot: slot(),
            head: position(),
            floor: Offset(0),
            publications: vec![publication()],
            last: true,
        }),
        ToEdge::Presence(PresencePiece {
            request: request(5),
            slot: slot(),
            clients: vec![client()],
            last: true,
        }),
        ToEdge::PresenceStats {
            request: request(6),
            slot: slot(),
            clients: 2,
            users: 1,
        },
        ToEdge::Positions {
            request: request(7),
            slot: slot(),
            heads: vec![ChannelHead {
                channel: channel(),
                head: Some(position()),
            }],
        },
        ToEdge::Push(Push {
            slot: slot(),
            channel: channel(),
            epoch: Some(Epoch::new(7)),
            publication: publication(),
        }),
        ToEdge::Behind(Behind {
            slot: slot(),
            channel: channel(),
            head: position(),
            floor: Offset(0),
        }),
        ToEdge::PresenceEvents {
            slot: slot(),
            channel: channel(),
            events: vec![PresenceEvent {
                client: client(),
                joined: false,
            }],
        },
        ToEdge::Reset { slot: slot() },
    ];
    frames.extend(refusals.map(refused));
    frames.extend([
        ToEdge::HistoryRemoved {
            request: request(8),
            slot: slot(),
            epoch: position().epoch,
            floor: Offset(41),
        },
        ToEdge::Floor(Floor {
            slot: slot(),
            channel: channel(),
            epoch: position().epoch,
            floor: Offset(41),
        }),
    ]);
    frames
}

fn view() -> RingView {
    let member = Member {
        name: NodeId::parse("backbone-1").expect("a valid name"),
        incarnation: LIFE,
        address: "127.0.0.1:7443".into(),
    };
    RingView::of_one(VERSION, 2, member)
}

fn stats() -> EdgeStats {
    EdgeStats {
        clients: 5,
        users: 4,
        channels: 3,
        subscriptions: 2,
        uptime_secs: 1,
    }
}

fn request(id: u64) -> RequestId {
    RequestId(id)
}

fn slot() -> Slot {
    channel().slot(0)
}

fn channel() -> Channel {
    Channel::parse("chat:42").expect("a valid name")
}

fn position() -> Position {
    Position {
        epoch: Epoch {
            timeline: 3,
            id: 0x0123_4567_89ab_cdef,
        },
        offset: Offset(41),
    }
}

fn client() -> ClientInfo {
    ClientInfo {
        user: "42".into(),
        client: "8fb7c9de-0000-4000-8000-000000000001".into(),
        conn_info: Bytes::from_static(b"{\"name\":\"Ada\"}").into(),
        chan_info: Bytes::new().into(),
    }
}

fn publication() -> Publication {
    Publication {
        offset: Offset(42),
        data: Bytes::from_static(b"{\"text\":\"hello\"}").into(),
        is_json: true,
        info: Some(client()),
        tags: vec![("kind".into(), "text".into())],
        time: UnixMillis(1_700_000_000_123),
        origin: "eu-west".into(),
        trace: Trace {
            entered_micros: 1,
            left_owner_micros: 2,
            context: Some(([1; 16], [2; 8], 1)),
        },
    }
}
