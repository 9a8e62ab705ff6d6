//! A journal that was damaged and cut: who saw what was cut off is told, though others have its offsets by then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::backup::{text, tool};
use crate::client::Client;
use crate::harness::own_ip;
use crate::harness::papers::make_certificates;
use crate::{edge, node, publish, recover};

fn journal(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir.join("store/data")).expect("a database");
    let mut paths = files.flatten().map(|file| file.path());
    paths
        .find(|path| path.extension().is_some_and(|end| end == "jnl"))
        .expect("a journal")
}

/// Bytes of the journal without the room made ahead.
fn used(dir: &Path) -> usize {
    let bytes = fs::read(journal(dir)).expect("a journal");
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.expect("something is in it") + 1
}

/// Changes a byte of the first commit behind `place`.
fn damage_behind(dir: &Path, place: usize) {
    let path = journal(dir);
    let mut bytes = fs::read(&path).expect("a journal");
    bytes[place + 20] ^= 0xff;
    fs::write(path, bytes).expect("written");
}

#[test]
fn who_saw_what_was_cut_off_a_journal_is_told_after_others_have_its_offsets() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    make_certificates(dir, &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir, &format!("{}:0", own_ip()));
    let link = first.address("link");
    let witness = edge(dir, &link);
    (1..=3).for_each(|number| assert_eq!(publish(&witness, "chat:1", number)["offset"], number));
    first.kill();
    let kept = used(dir);
    let second = node(dir, &link);
    publish(&witness, "chat:1", 4);
    let seen = publish(&witness, "chat:1", 5);
    assert_eq!(seen["offset"], 5);
    // With the edge goes the last process that knows of the two.
    second.kill();
    witness.kill();
    damage_behind(dir, kept);

    let cut = tool(&["cut", "store"], dir, Stdio::null());
    let said = text(&cut.stderr);
    let expected = format!("cut at byte {kept}, new epochs begun");
    assert!(cut.status.success() && said.contains(&expected), "{said}");

    let _third = node(dir, &link);
    let edge = edge(dir, &link);
    for number in 4..=18 {
        assert_eq!(publish(&edge, "chat:1", number)["offset"], number);
    }
    let mut client = Client::connect(&edge.address("listen"));
    let subscribed = recover(&mut client, 5, &seen["epoch"]);
    assert_ne!(subscribed["recovered"], true, "{subscribed}");
}
