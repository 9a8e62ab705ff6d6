//! Group R: what a client that comes back gets.

use serde_json::{Value, json};

use super::api::{Api, publications};
use super::checks::error;
use super::mesh::Edge;
use super::stage::Stage;

/// Fills a channel of the row with `count` publications; returns its name and epoch.
fn filled(stage: Stage, namespace: &str, row: &str, count: u64) -> (String, String) {
    let channel = stage.channel(namespace, row);
    let epoch = Api::of(Edge::Fast).fill(&channel, count);
    (channel, epoch)
}

fn recover(channel: &str, epoch: &str, offset: u64) -> Value {
    json!({ "subscribe": { "channel": channel, "recover": true, "epoch": epoch, "offset": offset } })
}

/// The reply of a recovery from `from` that brings everything up to `to`.
fn recovered(epoch: &str, from: u64, to: u64) -> Value {
    let mut result = json!({
        "recoverable": true, "positioned": true, "epoch": epoch, "offset": from,
        "recovered": true, "was_recovering": true,
    });
    if to > from {
        result["publications"] = publications(from + 1..=to);
    }
    json!({ "subscribe": result })
}

/// The reply of a recovery that can't be: where the channel stands.
fn unrecovered(epoch: &str, top: u64) -> Value {
    json!({ "subscribe": {
        "recoverable": true, "positioned": true, "epoch": epoch, "offset": top, "was_recovering": true,
    } })
}

/// An epoch of the same form that isn't it.
fn another(epoch: &str) -> String {
    let last = if epoch.ends_with('a') { 'b' } else { 'a' };
    let kept = &epoch[..epoch.len() - 1];
    format!("{kept}{last}")
}

#[test]
fn r_01_what_was_missed_comes_ascending_with_the_offset_asked() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-01", 3);
        let reply = stage.ask(recover(&channel, &epoch, 1));
        assert_eq!(reply, recovered(&epoch, 1, 3), "{stage:?}");
    }
}

#[test]
fn r_02_nothing_missed_is_recovered_without_publications() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-02", 3);
        let reply = stage.ask(recover(&channel, &epoch, 3));
        assert_eq!(reply, recovered(&epoch, 3, 3), "{stage:?}");
    }
}

#[test]
fn r_03_another_epoch_is_told_the_present_one_and_the_top() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-03", 3);
        let reply = stage.ask(recover(&channel, &another(&epoch), 1));
        assert_eq!(reply, unrecovered(&epoch, 3), "{stage:?}");
    }
}

#[test]
fn r_04_a_client_that_wants_all_or_nothing_gets_error_112() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-04", 3);
        let mut request = recover(&channel, &another(&epoch), 1);
        request["subscribe"]["flag"] = 2.into();
        let mut client = stage.user();
        assert_eq!(client.ask(request), error(112, "unrecoverable position"));
        let reply = client.ask(recover(&channel, &epoch, 1));
        assert_eq!(reply, recovered(&epoch, 1, 3), "it isn't subscribed yet");
    }
}

#[test]
fn r_05_what_was_trimmed_is_not_recovered() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "small", "r-05", 5);
        let reply = stage.ask(recover(&channel, &epoch, 1));
        assert_eq!(reply, unrecovered(&epoch, 5), "{stage:?}");
        let reply = stage.ask(recover(&channel, &epoch, 3));
        assert_eq!(reply, recovered(&epoch, 3, 5), "{stage:?}");
    }
}

#[test]
fn r_06_more_than_the_limit_is_not_recovered_in_part() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-06", 12);
        let reply = stage.ask(recover(&channel, &epoch, 1));
        assert_eq!(reply, unrecovered(&epoch, 12), "{stage:?}");
        let reply = stage.ask(recover(&channel, &epoch, 2));
        assert_eq!(reply, recovered(&epoch, 2, 12), "{stage:?}");
    }
}

#[test]
fn r_07_an_offset_above_the_top_is_not_recovered() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-07", 3);
        for above in [4, 1 << 40] {
            let reply = stage.ask(recover(&channel, &epoch, above));
            assert_eq!(reply, unrecovered(&epoch, 3), "{stage:?} {above}");
        }
    }
}

#[test]
fn r_09_the_epoch_that_sdks_invalidate_with_is_not_recovered() {
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-09", 3);
        let reply = stage.ask(recover(&channel, "_", 3));
        assert_eq!(reply, unrecovered(&epoch, 3), "{stage:?}");
    }
}

#[test]
fn r_11_what_was_removed_is_not_recovered_and_the_numbering_goes_on() {
    let api = Api::of(Edge::Fast);
    for stage in Stage::all() {
        let (channel, epoch) = filled(stage, "rec", "r-11", 3);
        let body = json!({ "channel": channel });
        assert_eq!(api.call("history_remove", &body), json!({ "result": {} }));
        let reply = stage.ask(recover(&channel, &epoch, 1));
        assert_eq!(reply, unrecovered(&epoch, 3), "{stage:?}");
        let reply = stage.ask(recover(&channel, &epoch, 3));
        assert_eq!(reply, recovered(&epoch, 3, 3), "{stage:?}");
        assert_eq!(api.publish(&channel, 4), epoch, "{stage:?}");
        let reply = stage.ask(recover(&channel, &epoch, 3));
        assert_eq!(reply, recovered(&epoch, 3, 4), "{stage:?}");
    }
}
