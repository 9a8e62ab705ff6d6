//! What pages hold and where they lead.

use super::*;

#[tokio::test]
async fn walking_back_while_more_is_published_meets_each_message_once() {
    let owner = Owner::with(420);
    let pages = pages(&owner);
    let mut seen = Vec::new();
    let mut address = String::new();
    loop {
        let page = get(&pages, &format!("open:1/messages{address}"), &[]).await;
        assert_eq!(page.status, StatusCode::OK);
        seen.extend(page.offsets());
        owner.head.fetch_add(7, Ordering::SeqCst);
        match page.json()["next"].as_str() {
            Some(next) => address = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=420).rev().collect::<Vec<u64>>());
}

#[tokio::test]
async fn catching_up_leads_to_the_top_and_then_waits_there() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    let mut seen = Vec::new();
    let mut address = "?after=3".to_owned();
    loop {
        let page = get(&pages, &format!("open:1/messages{address}"), &[]).await;
        seen.extend(page.offsets().into_iter().rev());
        match page.json()["prev"].as_str() {
            Some(prev) => address = prev.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, (4..=120).collect::<Vec<u64>>());
    owner.head.store(121, Ordering::SeqCst);
    let more = get(&pages, &format!("open:1/messages{address}"), &[]).await;
    assert_eq!(more.offsets().first(), Some(&121));
}

#[tokio::test]
async fn a_channel_without_messages_has_one_empty_page() {
    let pages = pages(&Owner::with(0));
    let page = get(&pages, "open:1/messages", &[]).await;
    let expected = serde_json::json!({
        "channel": "open:1", "epoch": "0000000000000007", "messages": [], "next": null, "prev": null
    });
    assert_eq!(page.json(), expected);
}

#[tokio::test]
async fn names_are_decoded_and_nonsense_is_refused_with_a_reason() {
    let pages = pages(&Owner::with(3));
    let page = get(&pages, "open%3Aa%2Fb%23c/messages", &[]).await;
    assert_eq!(page.json()["channel"], "open:a/b#c");
    let long = format!("{}/messages", "x".repeat(256));
    let nonsense = [
        "%FF/messages",
        "%C3%A9/messages",
        &long,
        "open:1/messages?limit=-1",
        "open:1/messages?before=99999999999999999999",
        "open:1/messages?before=3&after=1",
    ];
    for rest in nonsense {
        let page = get(&pages, rest, &[]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{rest}");
        assert!(page.json()["error"].is_string(), "{rest}");
    }
    let far = get(&pages, "open:1/messages?before=18446744073709551615", &[]).await;
    assert_eq!(far.offsets(), [3, 2, 1]);
}

#[tokio::test]
async fn another_epoch_is_not_found_also_when_its_pages_are_kept() {
    let owner = Owner::with(120);
    let pages = pages(&owner);
    let old = "open:1/messages?before=51&epoch=0000000000000007";
    assert_eq!(get(&pages, old, &[]).await.status, StatusCode::OK);
    owner.epoch.store(8, Ordering::SeqCst);
    get(&pages, "open:1/messages", &[]).await;
    let gone = get(&pages, old, &[]).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(
        gone.json()["error"]
            .as_str()
            .is_some_and(|why| why.contains("epoch"))
    );
    let foreign = get(&pages, "open:1/messages?epoch=_", &[]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_an_owner_it_is_to_be_tried_again() {
    let away = |_| Answer::Refused(RefusedBecause::Temporary);
    let no_owner = pages_by(Some(rules()), &client(), away);
    let no_rules = pages_by(None, &client(), away);
    for pages in [no_owner, no_rules] {
        let page = get(&pages, "open:1/messages", &[]).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(page.header("retry-after"), "1");
    }
}
