//! Every statement goes by index, as the server itself tells.

use smol_str::SmolStr;
use trunkline_shared::{Incarnation, Member, NodeId, Offset, UnixMillis};
use trunkline_store::PostgresStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    Beat, Claimed, FindRequest, FloorRequest, Head, JoinRequest, LastSeenStore, MemberStore,
    MessageStore, RangeRequest, ViewChange,
};

use super::support::{COMMITTED, Outsider, block_on, new_store, own_server};

const EXPLAIN: [&str; 4] = [
    "shared_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_nested_statements=on",
    "log_line_prefix=",
];

/// A table of ours that is read from its first row to its last.
fn scans(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| {
            line.contains("Seq Scan on")
                && [
                    "message",
                    "idempotency_key",
                    "head",
                    "slot",
                    "view",
                    "member",
                    "last_seen",
                ]
                .iter()
                .any(|table| line.contains(&format!("Seq Scan on {table}")))
        })
        .collect()
}

#[test]
fn every_statement_goes_by_index() {
    let Some(server) = own_server(&EXPLAIN) else {
        return;
    };
    block_on(async {
        let (store, database) = new_store(&server).await;
        let before = server.log().len();
        make_all_calls(&store).await;
        forget_heads(&store, &Outsider::connect(&server, &database).await).await;
        // A scan that must be found, so that the test can't be blind.
        server.sql(
            &database,
            "SELECT count(*) FROM trunkline.message WHERE weight > 0",
        );
        server.sql(&database, "SELECT 'the end'");
        let log = server.log();
        let (ours, marker) = log[before..]
            .split_once("weight > 0")
            .expect("it is logged");
        assert_eq!(scans(ours), [""; 0]);
        assert!(!scans(marker).is_empty(), "{marker}");
        for index in [
            "slot_channel_message_offset_idx",
            "slot_edge_counter_idx",
            "slot_channel_key_idx",
            "head_pkey",
            "slot_pkey",
            "view_pkey",
            "member_pkey",
            "last_seen_pkey",
            "slot_mark_pkey",
        ] {
            assert!(ours.contains(index), "{index} is not used");
        }
    });
}

async fn make_all_calls(store: &PostgresStore) {
    let sample = Sample(store);
    let claimed = sample.claim(5).await;
    for follows in (0..500).step_by(100) {
        sample.append(claimed, "chat:1", follows, 100).await;
    }
    refuse(store, claimed).await;
    let all = make::offsets(claimed.slot, "chat:1", 200, 400);
    let newest = RangeRequest {
        descending: true,
        not_before: UnixMillis(1300),
        ..all.clone()
    };
    assert_eq!(sample.read(all).await.len(), 201);
    assert_eq!(sample.read(newest).await.len(), 101);
    let keyed = make::keyed("chat:1", 500, b"once");
    let part = make::part(claimed, vec![keyed]);
    assert_eq!(store.append(vec![part]).await, COMMITTED);
    let ids = (1..=3).map(|counter| (claimed.slot, make::id(counter)));
    let asked = FindRequest {
        ids: ids.collect(),
        ..make::keys_of(claimed.slot, "chat:1", &[b"once"])
    };
    let found = store.find(asked).await.unwrap();
    assert_eq!((found.ids.len(), found.keys.len()), (3, 1));
    assert_eq!(sample.head(5, "chat:1").await.offset, Offset(501));
    let floor = FloorRequest {
        slot: claimed.slot,
        generation: claimed.generation,
        channel: make::channel("chat:1"),
        floor: Offset(7),
    };
    store.raise_floor(floor).await.unwrap();
    for (expected, number) in [(None, 1), (Some(make::view(1)), 2)] {
        let view = make::ring_view(number);
        let change = ViewChange {
            expected,
            view,
            rules: Some("rules".into()),
        };
        assert_eq!(store.change_view(change).await, Ok(true));
    }
    assert!(store.view().await.unwrap().is_some());
    let names = ["chat", "live", ""].map(SmolStr::new);
    let found = store.have_heads(names.to_vec()).await;
    assert_eq!(found, Ok(vec![true, false, false]));
    make_calls_of_nodes(store).await;
}

async fn make_calls_of_nodes(store: &PostgresStore) {
    let member = |number| Member {
        name: NodeId::parse("backbone-1").unwrap(),
        incarnation: Incarnation([number; 16]),
        address: "127.0.0.1:7443".into(),
    };
    let (first, second) = (member(1), member(2));
    let begun = Beat {
        incarnation: first.incarnation,
        counter: 0,
    };
    for (member, expected) in [(first, None), (second.clone(), Some(begun))] {
        let request = JoinRequest { member, expected };
        assert_eq!(store.join(request).await, Ok(true));
    }
    let Member {
        name, incarnation, ..
    } = second;
    let rows = store.heartbeat(name.clone(), incarnation).await.unwrap();
    assert_eq!(store.members().await, Ok(rows));
    assert_eq!(store.leave(name, incarnation).await, Ok(true));
    let users = ["ann", "bob"].map(SmolStr::new);
    let seen = users.iter().cloned().map(|user| (user, UnixMillis(1)));
    assert_eq!(store.saw(seen.collect()).await, Ok(()));
    let seen = store.last_seen(users.to_vec()).await;
    assert_eq!(seen, Ok(vec![Some(UnixMillis(1)); 2]));
}

/// What a node's maintenance asks: a head with no message goes, one that has some is passed by.
async fn forget_heads(store: &PostgresStore, outsider: &Outsider) {
    let sample = Sample(store);
    let claimed = sample.claim(7).await;
    sample.append(claimed, "chat:left", 0, 1).await;
    let forget = "SET search_path = trunkline, pg_catalog; \
        INSERT INTO head (slot, channel, head_offset, touched) VALUES (7, 'chat:gone', 3, to_timestamp(0)); \
        SELECT forget_heads(-1, '', 1000, now() + interval '1 hour')";
    outsider.0.batch_execute(forget).await.unwrap();
    assert_eq!(sample.head(7, "chat:left").await.offset, Offset(1));
    assert_eq!(sample.head(7, "chat:gone").await, Head::at_mark(Offset(3)));
    sample.append(claimed, "chat:gone", 3, 1).await;
}

/// The longer way through the append function.
async fn refuse(store: &PostgresStore, claimed: Claimed) {
    let part = make::part(claimed, vec![make::messages("chat:1", 7, 1)]);
    assert_ne!(store.append(vec![part]).await, COMMITTED);
}
