//! What is kept, where, and how often the owner is asked.

use std::io::Read as _;

use flate2::read::GzDecoder;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::ask::{Ask, Asker};

const COMPLETE: &str = "open:1/messages?before=51&epoch=0000000000000007";

#[tokio::test]
async fn only_complete_pages_under_their_epoch_are_immutable() {
    let pages = pages(&Owner::with(120));
    let control = async |rest: &str| {
        let page = get(&pages, rest, &[]).await;
        page.header("cache-control").to_owned()
    };
    let immutable = control(COMPLETE).await;
    let seconds = immutable
        .strip_prefix("public, max-age=")
        .and_then(|rest| rest.strip_suffix(", immutable"))
        .and_then(|seconds| seconds.parse::<u64>().ok())
        .expect("a time");
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    for rest in [
        "open:1/messages",
        "open:1/messages?epoch=0000000000000007",
        "open:1/messages?before=51",
        "open:1/messages?before=200&epoch=0000000000000007",
        "open:1/messages?after=100&epoch=0000000000000007",
    ] {
        assert_eq!(control(rest).await, "public, no-cache", "{rest}");
    }
}

#[tokio::test]
async fn who_has_a_page_is_not_sent_it_again() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    let first = get(&pages, "open:1/messages", &[]).await;
    let etag = first.header("etag").to_owned();
    let both = format!("\"other\", W/{etag}");
    for known in [etag.as_str(), both.as_str(), "*"] {
        let again = get(&pages, "open:1/messages", &[("if-none-match", known)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.header("etag"), etag);
        assert!(again.body.is_empty());
    }
    owner.head.store(121, Ordering::SeqCst);
    let changed = get(&pages, "open:1/messages", &[("if-none-match", &etag)]).await;
    assert_eq!(
        (changed.status, changed.offsets()[0]),
        (StatusCode::OK, 121)
    );
}

#[tokio::test]
async fn who_takes_gzip_gets_the_same_compressed() {
    let pages = pages(&Owner::with(120));
    let plain = get(&pages, COMPLETE, &[("accept-encoding", "br, gzip;q=0")]).await;
    assert_eq!(plain.header("content-encoding"), "");
    let gzip = get(&pages, COMPLETE, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut body = Vec::new();
    GzDecoder::new(&*gzip.body)
        .read_to_end(&mut body)
        .expect("gzip");
    assert_eq!(body, plain.body);
    assert!(gzip.body.len() < body.len());
    assert_eq!(gzip.header("vary"), "Origin, Accept-Encoding");
    // Whoever has one of the forms keeps it, whichever it takes now.
    let tags = [plain.header("etag"), gzip.header("etag")];
    assert_ne!(tags[0], tags[1]);
    for tag in tags {
        for accepted in ["gzip", "br"] {
            let headers = [("accept-encoding", accepted), ("if-none-match", tag)];
            let again = get(&pages, COMPLETE, &headers).await;
            assert_eq!(
                (again.status, again.header("etag")),
                (StatusCode::NOT_MODIFIED, tag)
            );
        }
    }
}

#[tokio::test]
async fn two_hundred_readers_at_once_cost_one_question_for_messages() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    let readers = (0..200).map(|_| get(&pages, "open:1/messages", &[]));
    let replies = futures_util::future::join_all(readers).await;
    assert!(replies.iter().all(|page| page.offsets().len() == 45));
    assert_eq!(owner.pages_asked(), 1);
    let report = pages.report();
    assert!(report.positions <= 3, "{report:?}");
    assert_eq!((report.statuses[2], report.pages), (200, 1));
    assert!(report.bytes > 0);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_request_is_on_its_newest_page() {
    let owner = Owner::with(1);
    let pages = pages(&owner);
    for head in 2..100 {
        owner.head.store(head, Ordering::SeqCst);
        let page = get(&pages, "open:1/messages", &[]).await;
        assert_eq!(page.offsets().first(), Some(&head));
    }
}

#[tokio::test]
async fn pages_are_read_once_however_far_the_channel_goes_on() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    get(&pages, COMPLETE, &[]).await;
    assert_eq!(owner.pages_asked(), 1);
    owner.head.store(900, Ordering::SeqCst);
    get(&pages, "open:1/messages?before=51", &[]).await;
    get(&pages, COMPLETE, &[]).await;
    assert_eq!(owner.pages_asked(), 0);
}

#[tokio::test]
async fn what_has_left_the_history_is_not_served_from_the_cache() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    get(&pages, COMPLETE, &[]).await;
    // Removed up to 20, of which the edge learns by any answer.
    owner.floor.store(20, Ordering::SeqCst);
    owner.from.store(21, Ordering::SeqCst);
    get(&pages, "open:1/messages", &[]).await;
    let rest = get(&pages, COMPLETE, &[]).await;
    assert_eq!(rest.offsets(), (21..=50).rev().collect::<Vec<u64>>());
    assert_eq!(rest.json()["next"], Value::Null);
    assert_eq!(rest.header("cache-control"), "public, no-cache");
    // Of a thousand that are kept, none of these is left.
    owner.from.store(1001, Ordering::SeqCst);
    owner.head.store(2000, Ordering::SeqCst);
    get(&pages, "open:1/messages", &[]).await;
    assert!(get(&pages, COMPLETE, &[]).await.offsets().is_empty());
}

/// The next question of a way upstream that is answered by hand.
async fn next_ask(
    asks: &mut mpsc::UnboundedReceiver<Ask>,
) -> (HistoryQuery, oneshot::Sender<Answer>) {
    let Ask { message, reply, .. } = asks.recv().await.expect("a question");
    let ToUpstream::History { query, .. } = message else {
        panic!("only history is asked: {message:?}")
    };
    (query, reply)
}

#[tokio::test]
async fn who_knows_of_a_removal_is_not_served_what_another_asked_for_before_it() {
    let owner = Owner::with(120);
    let (sender, mut asks) = mpsc::unbounded_channel();
    let rules = tokio::sync::watch::Sender::new(Some(Arc::new(rules()))).subscribe();
    let asker = Asker::new(sender, rules, Clock::start(), Duration::from_secs(4));
    let pages = Arc::new(HistoryPages::new(asker, &client(), 1 << 20));
    let ask = || {
        let pages = Arc::clone(&pages);
        tokio::spawn(async move { get(&pages, "open:1/messages?before=51", &[]).await })
    };
    let early = ask();
    let (query, position) = next_ask(&mut asks).await;
    position.send(owner.answer(query)).expect("somebody waits");
    let (query, messages) = next_ask(&mut asks).await;
    let before = owner.answer(query);
    owner.floor.store(20, Ordering::SeqCst);
    owner.from.store(21, Ordering::SeqCst);
    let late = ask();
    let (query, position) = next_ask(&mut asks).await;
    position.send(owner.answer(query)).expect("somebody waits");
    while pages.report().waits == 0 {
        tokio::task::yield_now().await;
    }
    messages.send(before).expect("both wait");
    let (query, messages) = next_ask(&mut asks).await;
    messages.send(owner.answer(query)).expect("one waits");
    assert_eq!(early.await.expect("a page").offsets().last(), Some(&1));
    assert_eq!(late.await.expect("a page").offsets().last(), Some(&21));
}

#[tokio::test]
async fn a_shared_cache_may_keep_only_what_anybody_may_read() {
    let pages = pages(&Owner::with(120));
    let token = entry::token(&serde_json::json!({ "sub": "ann" }));
    let address = "chat:1/messages?before=51&epoch=0000000000000007";
    let own = get(&pages, address, &[("authorization", &token)]).await;
    assert!(own.header("cache-control").starts_with("private, max-age="));
    assert!(own.header("vary").contains("Authorization"));
}
