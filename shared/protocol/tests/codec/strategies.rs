//! Arbitrary messages, for round trips and for bytes that are nearly right.

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use trunkline_protocol::message::*;
use trunkline_protocol::{Command, Encoding, Push, Reply, ReplyBody, Request};

/// A payload that a client of the encoding can send.
fn payload(encoding: Encoding) -> BoxedStrategy<Bytes> {
    match encoding {
        Encoding::Json => prop_oneof![
            Just(Bytes::new()),
            any::<i64>().prop_map(|number| Bytes::from(number.to_string())),
            any::<String>().prop_map(|text| Bytes::from(serde_json::to_vec(&text).unwrap())),
            Just(Bytes::from_static(
                br#"{"a": [null, true, {"b": "\n\u00e9"}]}"#
            )),
        ]
        .boxed(),
        Encoding::Protobuf => vec(any::<u8>(), 0..64).prop_map(Bytes::from).boxed(),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), ".{1,12}", "[a-z:#$]{1,40}"]
}

fn flags() -> impl Strategy<Value = (bool, bool, bool, bool)> {
    any::<(bool, bool, bool, bool)>()
}

fn filter() -> impl Strategy<Value = FilterNode> {
    let leaf =
        (text(), text(), text(), vec(text(), 0..3)).prop_map(|(key, cmp, val, vals)| FilterNode {
            key,
            cmp,
            val,
            vals,
            ..FilterNode::default()
        });
    leaf.prop_recursive(4, 16, 3, |inner| {
        (text(), vec(inner, 0..3)).prop_map(|(op, nodes)| FilterNode {
            op,
            nodes,
            ..FilterNode::default()
        })
    })
}

fn subscribe_request(encoding: Encoding) -> impl Strategy<Value = SubscribeRequest> {
    let texts = (text(), text(), text(), text());
    let numbers = (any::<u64>(), any::<i64>(), any::<i32>());
    (
        texts,
        flags(),
        numbers,
        payload(encoding),
        option::of(filter()),
    )
        .prop_map(
            |(texts, flags, (offset, flag, kind), data, tf)| SubscribeRequest {
                channel: texts.0,
                token: texts.1,
                epoch: texts.2,
                delta: texts.3,
                recover: flags.0,
                positioned: flags.1,
                recoverable: flags.2,
                join_leave: flags.3,
                offset,
                flag,
                r#type: kind,
                data,
                tf,
            },
        )
}

fn connect_request(encoding: Encoding) -> impl Strategy<Value = ConnectRequest> {
    let subs = btree_map(text(), subscribe_request(encoding), 0..3);
    let headers = btree_map(text(), text(), 0..3);
    (
        text(),
        payload(encoding),
        subs,
        text(),
        text(),
        headers,
        any::<i64>(),
    )
        .prop_map(
            |(token, data, subs, name, version, headers, flag)| ConnectRequest {
                token,
                data,
                subs,
                name,
                version,
                headers,
                flag,
            },
        )
}

fn history_request() -> impl Strategy<Value = HistoryRequest> {
    let since = (any::<u64>(), text()).prop_map(|(offset, epoch)| StreamPosition { offset, epoch });
    (text(), any::<i32>(), option::of(since), any::<bool>()).prop_map(
        |(channel, limit, since, reverse)| HistoryRequest {
            channel,
            limit,
            since,
            reverse,
        },
    )
}

fn request(encoding: Encoding) -> impl Strategy<Value = Request> {
    prop_oneof![
        connect_request(encoding).prop_map(Request::Connect),
        subscribe_request(encoding).prop_map(Request::Subscribe),
        text().prop_map(|channel| Request::Unsubscribe(UnsubscribeRequest { channel })),
        (text(), payload(encoding), any::<i32>()).prop_map(|(channel, data, kind)| {
            Request::Publish(PublishRequest {
                channel,
                data,
                r#type: kind,
            })
        }),
        text().prop_map(|channel| Request::Presence(PresenceRequest { channel })),
        text().prop_map(|channel| Request::PresenceStats(PresenceStatsRequest { channel })),
        history_request().prop_map(Request::History),
        (payload(encoding), text())
            .prop_map(|(data, method)| Request::Rpc(RpcRequest { data, method })),
        payload(encoding).prop_map(|data| Request::Send(SendRequest { data })),
        text().prop_map(|token| Request::Refresh(RefreshRequest { token })),
        (text(), text(), any::<i32>()).prop_map(|(channel, token, kind)| {
            Request::SubRefresh(SubRefreshRequest {
                channel,
                token,
                r#type: kind,
            })
        }),
        Just(Request::Ping),
        Just(Request::None),
    ]
}

/// Any command.
pub(crate) fn command(encoding: Encoding) -> impl Strategy<Value = Command> {
    (any::<u32>(), request(encoding)).prop_map(|(id, request)| Command { id, request })
}

fn client_info(encoding: Encoding) -> impl Strategy<Value = ClientInfo> {
    (text(), text(), payload(encoding), payload(encoding)).prop_map(
        |(user, client, conn_info, chan_info)| ClientInfo {
            user,
            client,
            conn_info,
            chan_info,
        },
    )
}

fn publication(encoding: Encoding) -> impl Strategy<Value = Publication> {
    let info = option::of(client_info(encoding));
    let tags = btree_map(text(), text(), 0..3);
    (
        payload(encoding),
        info,
        any::<u64>(),
        tags,
        any::<bool>(),
        any::<i64>(),
    )
        .prop_map(|(data, info, offset, tags, delta, time)| Publication {
            data,
            info,
            offset,
            tags,
            delta,
            time,
        })
}

fn subscribe_result(encoding: Encoding) -> impl Strategy<Value = SubscribeResult> {
    let numbers = (any::<u32>(), any::<u64>(), any::<bool>(), any::<bool>());
    let publications = vec(publication(encoding), 0..4);
    (flags(), numbers, text(), publications, payload(encoding)).prop_map(
        |(flags, numbers, epoch, publications, data)| SubscribeResult {
            expires: flags.0,
            recoverable: flags.1,
            recovered: flags.2,
            positioned: flags.3,
            ttl: numbers.0,
            offset: numbers.1,
            was_recovering: numbers.2,
            delta: numbers.3,
            epoch,
            publications,
            data,
        },
    )
}

fn connect_result(encoding: Encoding) -> impl Strategy<Value = ConnectResult> {
    let texts = (text(), text(), text(), text());
    let numbers = (
        any::<u32>(),
        any::<u32>(),
        any::<i64>(),
        any::<bool>(),
        any::<bool>(),
    );
    let subs = btree_map(text(), subscribe_result(encoding), 0..3);
    (texts, numbers, payload(encoding), subs).prop_map(|(texts, numbers, data, subs)| {
        ConnectResult {
            client: texts.0,
            version: texts.1,
            session: texts.2,
            node: texts.3,
            ttl: numbers.0,
            ping: numbers.1,
            time: numbers.2,
            expires: numbers.3,
            pong: numbers.4,
            data,
            subs,
        }
    })
}

fn body(encoding: Encoding) -> impl Strategy<Value = ReplyBody> {
    let presence = btree_map(text(), client_info(encoding), 0..4);
    prop_oneof![
        (any::<u32>(), text(), any::<bool>()).prop_map(|(code, message, temporary)| {
            ReplyBody::Error(Error {
                code,
                message,
                temporary,
            })
        }),
        connect_result(encoding).prop_map(ReplyBody::Connect),
        subscribe_result(encoding).prop_map(ReplyBody::Subscribe),
        Just(ReplyBody::Unsubscribe),
        Just(ReplyBody::Publish),
        presence.prop_map(|presence| ReplyBody::Presence(PresenceResult { presence })),
        any::<(u32, u32)>().prop_map(|(num_clients, num_users)| {
            ReplyBody::PresenceStats(PresenceStatsResult {
                num_clients,
                num_users,
            })
        }),
        (vec(publication(encoding), 0..4), text(), any::<u64>()).prop_map(
            |(publications, epoch, offset)| {
                ReplyBody::History(HistoryResult {
                    publications,
                    epoch,
                    offset,
                })
            }
        ),
        Just(ReplyBody::Ping),
        payload(encoding).prop_map(|data| ReplyBody::Rpc(RpcResult { data })),
        (text(), text(), any::<bool>(), any::<u32>()).prop_map(
            |(client, version, expires, ttl)| {
                ReplyBody::Refresh(RefreshResult {
                    client,
                    version,
                    expires,
                    ttl,
                })
            }
        ),
        any::<(bool, u32)>().prop_map(|(expires, ttl)| {
            ReplyBody::SubRefresh(SubRefreshResult { expires, ttl })
        }),
    ]
}

/// Any reply.
pub(crate) fn reply(encoding: Encoding) -> impl Strategy<Value = Reply> {
    (1..=u32::MAX, body(encoding)).prop_map(|(id, body)| Reply { id, body })
}

/// Any push and its channel.
pub(crate) fn push(encoding: Encoding) -> impl Strategy<Value = (String, Push)> {
    let info = || option::of(client_info(encoding));
    let push = prop_oneof![
        publication(encoding).prop_map(Push::Publication),
        info().prop_map(|info| Push::Join(Join { info })),
        info().prop_map(|info| Push::Leave(Leave { info })),
        (any::<u32>(), text())
            .prop_map(|(code, reason)| Push::Unsubscribe(Unsubscribe { code, reason })),
        payload(encoding).prop_map(|data| Push::Message(Message { data })),
        (any::<(bool, bool, u64)>(), text(), payload(encoding)).prop_map(
            |((recoverable, positioned, offset), epoch, data)| {
                Push::Subscribe(Subscribe {
                    recoverable,
                    epoch,
                    offset,
                    positioned,
                    data,
                })
            }
        ),
        (any::<(u32, bool)>(), text()).prop_map(|((code, reconnect), reason)| {
            Push::Disconnect(Disconnect {
                code,
                reason,
                reconnect,
            })
        }),
        any::<(bool, u32)>().prop_map(|(expires, ttl)| Push::Refresh(Refresh { expires, ttl })),
    ];
    (text(), push)
}
