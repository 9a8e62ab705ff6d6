//! A store that a backup was put back into: who saw what is lost is told, never left waiting in silence.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::harness::papers::make_certificates;
use crate::harness::process::Process;
use crate::harness::{own_ip, trunkline, wait_until};
use crate::onlooker::Onlooker;
use crate::{edge, node, publish};

/// A mesh whose backup holds three messages and whose client has seen five.
struct Loss {
    dir: tempfile::TempDir,
    link: String,
    edge: Process,
    onlooker: Onlooker,
}

impl Loss {
    /// Makes it; the node is stopped then, and the backup put back.
    fn play() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
        let (store, backup) = (dir.path().join("store"), dir.path().join("backup"));
        let first = node(dir.path(), &format!("{}:0", own_ip()));
        let link = first.address("link");
        let edge = edge(dir.path(), &link);
        (1..=3).for_each(|number| assert_eq!(publish(&edge, "chat:1", number)["offset"], number));
        first.kill();
        copy(&store, &backup);
        let second = node(dir.path(), &link);
        publish(&edge, "chat:1", 4);
        let onlooker = Onlooker::of(&edge, "chat:1", &publish(&edge, "chat:1", 5));
        second.kill();
        fs::remove_dir_all(&store).expect("it is there");
        copy(&backup, &store);
        Self {
            dir,
            link,
            edge,
            onlooker,
        }
    }

    /// Starts the node again; the client that was there all the time must be told.
    fn expect_told(mut self) {
        let _third = node(self.dir.path(), &self.link);
        let epoch = self.onlooker.expect_told();
        let next = wait_until("a publish", || {
            Some(publish(&self.edge, "chat:1", 6)).filter(|result| result["offset"].is_u64())
        });
        assert_eq!((&next["offset"], &next["epoch"]), (&4.into(), &epoch));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a place for a copy");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

pub(crate) fn tool(arguments: &[&str], dir: &Path, input: Stdio) -> Output {
    trunkline()
        .arg("store")
        .args(arguments)
        .current_dir(dir)
        .stdin(input)
        .output()
        .expect("trunkline starts")
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn new_epochs_tell_clients_what_a_backup_lost() {
    let loss = Loss::play();
    let begun = tool(&["new-epoch", "store"], loss.dir.path(), Stdio::null());
    assert_eq!(text(&begun.stderr), "new epochs in 4096 slots\n");
    loss.expect_told();
}

#[test]
fn an_owner_begins_a_new_epoch_where_an_edge_has_seen_what_a_backup_lost() {
    Loss::play().expect_told();
}

#[test]
fn a_store_is_checked_moved_and_refused_while_a_node_has_it() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir.path(), &format!("{}:0", own_ip()));
    let link = first.address("link");
    let edge = edge(dir.path(), &link);
    let before = publish(&edge, "chat:1", 1);
    for command in ["check", "export", "new-epoch"] {
        let refused = tool(&[command, "store"], dir.path(), Stdio::null());
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stderr);
        assert!(said.contains("is used by another process (pid "), "{said}");
        assert!(refused.stdout.is_empty());
    }
    first.kill();
    let arguments = ["check", "--config", "backbone-1.toml"];
    let checked = tool(&arguments, dir.path(), Stdio::null());
    assert_eq!(
        text(&checked.stdout),
        "4096 slots, 1 channels, 1 messages, 1 publish ids, 0 idempotency keys, 0 users seen; 0 damaged\n"
    );
    let of_an_edge = tool(
        &["check", "--config", "edge-1.toml"],
        dir.path(),
        Stdio::null(),
    );
    assert_eq!(of_an_edge.status.code(), Some(2));
    let said = text(&of_an_edge.stderr);
    assert!(said.contains("edge-1.toml: not a node's file"), "{said}");
    let exported = tool(&["export", "store"], dir.path(), Stdio::null());
    assert!(exported.status.success());
    fs::write(dir.path().join("export"), &exported.stdout).expect("written");
    fs::rename(dir.path().join("store"), dir.path().join("old")).expect("it is there");
    let export = fs::File::open(dir.path().join("export")).expect("it is there");
    let imported = tool(&["import", "store"], dir.path(), export.into());
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let _second = node(dir.path(), &link);
    let after = wait_until("a publish", || {
        Some(publish(&edge, "chat:1", 2)).filter(|result| result["offset"].is_u64())
    });
    assert_eq!(after["offset"], 2);
    assert_ne!(after["epoch"], before["epoch"]);
}
