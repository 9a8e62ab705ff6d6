//! Heads that go: those that were long untouched and have no message left. Their slot's mark stays.

use trunkline_shared::{Offset, UnixMillis};

use super::claim::both;
use super::{Harness, Sample, make};
use crate::message::Head;
use crate::request::{AppendOutcome, ClaimRequest, Claimed, FloorRequest, Refused};
use crate::traits::MessageStore;

const AT_5: Head = Head::at_mark(Offset(5));

/// A moment after everything that was done so far.
async fn later<H: Harness>(harness: &H) -> UnixMillis {
    let done = harness.clock().await;
    loop {
        let now = harness.clock().await;
        if now > done {
            return now;
        }
    }
}

/// Lets everything go that may, messages included.
pub(super) async fn forget_all<H: Harness>(harness: &H) {
    let now = later(harness).await;
    harness.forget_heads(now).await;
}

/// A store whose slot 5 had `chat:1` with three and `chat:2` with five messages, and has neither any more.
async fn with_mark<H: Harness>() -> (H, Claimed) {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 3).await;
    sample.append(claimed, "chat:2", 0, 5).await;
    forget_all(&harness).await;
    (harness, claimed)
}

async fn outcome<H: Harness>(
    harness: &H,
    claimed: Claimed,
    channel: &str,
    follows: u64,
) -> AppendOutcome {
    let part = make::part(claimed, vec![make::messages(channel, follows, 1)]);
    harness.store().append(vec![part]).await
}

fn refused(claimed: Claimed) -> AppendOutcome {
    AppendOutcome::Committed {
        refused: vec![(claimed.slot, Refused::Head)],
    }
}

/// The mark is the highest offset of those gone, and a slot's own.
pub async fn an_untouched_head_goes_and_its_slot_keeps_the_mark<H: Harness>() {
    let (harness, _) = with_mark::<H>().await;
    let sample = Sample(harness.store());
    for channel in ["chat:1", "chat:2", "chat:3"] {
        assert_eq!(sample.head(5, channel).await, AT_5, "{channel}");
    }
    assert_eq!(sample.head(6, "chat:1").await, Head::default());
    let all = make::offsets(make::slot(5), "chat:2", 1, u64::MAX);
    assert_eq!(sample.read(all).await, [0; 0]);
}

/// However long ago it was touched.
pub async fn a_head_with_a_message_left_stays<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let now = later(&harness).await;
    let mut append = make::messages("chat:1", 0, 2);
    for message in &mut append.messages {
        message.publication.time = UnixMillis(now.0 + 60_000);
    }
    sample
        .0
        .append(vec![make::part(claimed, vec![append])])
        .await;
    sample.append(claimed, "chat:2", 0, 1).await;
    forget_all(&harness).await;
    let head = Head {
        offset: Offset(2),
        floor: Offset(0),
    };
    assert_eq!(sample.head(5, "chat:1").await, head);
    let all = make::offsets(claimed.slot, "chat:1", 1, u64::MAX);
    assert_eq!(sample.read(all).await, [1, 2]);
    let gone = sample.head(5, "chat:2").await;
    assert_eq!(gone, Head::at_mark(Offset(1)), "another one went meanwhile");
}

/// An append and a floor touch it.
pub async fn a_head_touched_meanwhile_stays<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    for channel in ["chat:1", "chat:2", "chat:3"] {
        sample.append(claimed, channel, 0, 4).await;
    }
    let since = later(&harness).await;
    sample.append(claimed, "chat:1", 4, 1).await;
    let raised = raise_floor(&harness, claimed, "chat:2", 2).await;
    harness.forget_heads(since).await;
    assert_eq!(sample.head(5, "chat:1").await.offset, Offset(5));
    assert_eq!(sample.head(5, "chat:2").await, raised);
    assert_eq!(sample.head(5, "chat:3").await, Head::at_mark(Offset(4)));
}

/// No offset is given twice, and what lies before isn't read.
pub async fn a_channel_without_a_head_goes_on_after_the_mark<H: Harness>() {
    let (harness, claimed) = with_mark::<H>().await;
    let sample = Sample(harness.store());
    for follows in [0, 3, 4, 6] {
        for channel in ["chat:1", "chat:new"] {
            let outcome = outcome(&harness, claimed, channel, follows).await;
            assert_eq!(outcome, refused(claimed), "{channel} after {follows}");
        }
    }
    for channel in ["chat:1", "chat:new"] {
        sample.append(claimed, channel, 5, 2).await;
        let head = Head {
            offset: Offset(7),
            floor: Offset(5),
        };
        assert_eq!(sample.head(5, channel).await, head);
        let all = make::offsets(claimed.slot, channel, 1, u64::MAX);
        assert_eq!(sample.read(all).await, [6, 7]);
        sample.append(claimed, channel, 7, 1).await;
    }
    let found = sample.find(vec![(claimed.slot, make::id(8))]).await;
    assert_eq!(found[0].offset, Offset(8));
    assert_eq!(sample.head(5, "chat:2").await, AT_5);
}

/// A lower head that goes later leaves it; a higher one raises it.
pub async fn a_mark_never_sinks<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 5).await;
    let since = later(&harness).await;
    sample.append(claimed, "chat:2", 0, 3).await;
    sample.append(claimed, "chat:3", 0, 9).await;
    harness.forget_heads(since).await;
    assert_eq!(sample.head(5, "chat:1").await, AT_5);
    let since = later(&harness).await;
    sample.append(claimed, "chat:3", 9, 1).await;
    harness.forget_heads(since).await;
    assert_eq!(sample.head(5, "chat:2").await, AT_5);
    forget_all(&harness).await;
    let at_10 = Head::at_mark(Offset(10));
    assert_eq!(sample.head(5, "chat:1").await, at_10);
}

/// It is the slot's, whoever owns it.
pub async fn claims_and_new_epochs_keep_the_mark<H: Harness>() {
    let (harness, _) = with_mark::<H>().await;
    let sample = Sample(harness.store());
    for new_epoch in [false, true] {
        let request = ClaimRequest {
            view: make::view(1),
            slots: vec![(make::slot(5), new_epoch)],
        };
        sample.0.claim(request).await.expect("a good claim");
        assert_eq!(sample.head(5, "chat:1").await, AT_5);
    }
}

/// Whoever removes the history of names at random fills no table.
pub async fn a_floor_makes_no_head_and_is_at_the_mark_where_there_is_none<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let none = raise_floor(&harness, claimed, "chat:1", 9).await;
    assert_eq!(none, Head::default());
    sample.append(claimed, "chat:2", 0, 5).await;
    forget_all(&harness).await;
    assert_eq!(raise_floor(&harness, claimed, "chat:1", 9).await, AT_5);
    sample.append(claimed, "chat:2", 5, 2).await;
    forget_all(&harness).await;
    let at_7 = Head::at_mark(Offset(7));
    assert_eq!(sample.head(5, "chat:1").await, at_7, "it had no head");
}

/// Both at the same time: what was committed is there and its head with it, or the append met a channel without a head.
pub async fn a_head_goes_before_an_append_or_after_it<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:far", 0, 100).await;
    forget_all(&harness).await;
    for turn in 0..20 {
        let channel = format!("chat:{turn}");
        let mark = sample.head(5, &channel).await.offset.0;
        // Below the next mark, so that an append which comes after the removal is refused.
        sample.append(claimed, &channel, mark, 1).await;
        sample.append(claimed, "chat:far", mark, 3).await;
        let since = later(&harness).await;
        let append = outcome(&harness, claimed, &channel, mark + 1);
        let (outcome, ()) = both(append, harness.forget_heads(since)).await;
        let head = sample.head(5, &channel).await;
        let all = make::offsets(claimed.slot, &channel, 1, u64::MAX);
        let read = sample.read(all).await;
        if outcome == refused(claimed) {
            assert_eq!(head, Head::at_mark(Offset(mark + 3)), "turn {turn}");
            assert_eq!(read, [0; 0], "turn {turn}");
        } else {
            assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
            assert_eq!(head.offset, Offset(mark + 2), "turn {turn}");
            assert_eq!(read.last(), Some(&(mark + 2)), "turn {turn}");
        }
    }
}

/// It is as durable as what it stands for.
pub async fn a_mark_survives_restarts_and_crashes<H: Harness>() {
    let (harness, claimed) = with_mark::<H>().await;
    let harness = harness.reopen().await;
    let head = Sample(harness.store()).head(5, "chat:1").await;
    assert_eq!(head, AT_5);
    let outcome = outcome(&harness, claimed, "chat:1", 0).await;
    assert_eq!(outcome, refused(claimed));
    let harness = harness.crash().await;
    let sample = Sample(harness.store());
    assert_eq!(sample.head(5, "chat:2").await, AT_5);
    sample.append(claimed, "chat:2", 5, 1).await;
}

async fn raise_floor<H: Harness>(harness: &H, claimed: Claimed, channel: &str, floor: u64) -> Head {
    let request = FloorRequest {
        slot: claimed.slot,
        generation: claimed.generation,
        channel: make::channel(channel),
        floor: Offset(floor),
    };
    let raised = harness.store().raise_floor(request).await;
    raised.expect("its own generation")
}
