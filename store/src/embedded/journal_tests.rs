//! Journals made by the database itself, then cut, overwritten and flipped.

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use tempfile::TempDir;

use super::*;

/// A journal with some commits, without the room ahead, and the ends of its batches.
fn written(commits: u8) -> (Vec<u8>, Vec<usize>) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("data");
    let database = Database::builder(&path).open().expect("a database");
    let rows = database
        .keyspace("rows", KeyspaceCreateOptions::default)
        .expect("a keyspace");
    for number in 0..commits {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(&rows, [number], vec![number; 40]);
        // Compresses well.
        batch.insert(&rows, [number, 1], vec![7; 5000]);
        batch.remove(&rows, [number, 2]);
        batch.commit().expect("committed");
    }
    drop((rows, database));
    let journal = journals(&path)
        .expect("a directory")
        .pop()
        .expect("a journal");
    let bytes = fs::read(journal).expect("a journal");
    let bytes = without_room_ahead(&bytes).to_vec();
    let mut ends = vec![0];
    while let Ok(batch) = batch(&bytes, *ends.last().expect("a place")) {
        ends.push(batch.end);
    }
    assert_eq!(ends.last(), Some(&bytes.len()), "every batch is understood");
    (bytes, ends)
}

#[test]
fn journals_are_ordered_by_their_number_and_nothing_else_is_one() {
    let directory = TempDir::new().expect("a temporary directory");
    assert!(journals(directory.path()).expect("a directory").is_empty());
    for name in ["9.jnl", "10.jnl", "11.copy", "x.jnl", "lock"] {
        fs::write(directory.path().join(name), "").expect("a file");
    }
    let expected = ["9.jnl", "10.jnl"].map(|name| directory.path().join(name));
    assert_eq!(journals(directory.path()).expect("a directory"), expected);
}

#[test]
fn a_whole_journal_is_good_with_and_without_room_ahead() {
    let (mut bytes, ends) = written(3);
    assert!(ends.len() > 3);
    assert_eq!(check(&bytes, false), Ok(()));
    bytes.resize(1 << 20, 0);
    assert_eq!(check(&bytes, false), Ok(()));
    assert_eq!(check(&[0; 4096], true), Ok(()));
    assert_eq!(check(&[], true), Ok(()));
}

#[test]
fn an_end_cut_short_is_what_a_crash_leaves_but_not_in_an_older_journal() {
    let (bytes, ends) = written(3);
    for cut in 0..bytes.len() {
        let whole = ends.contains(&cut);
        assert_eq!(check(&bytes[..cut], true), Ok(()), "cut at {cut}");
        assert_eq!(check(&bytes[..cut], false).is_ok(), whole, "cut at {cut}");
    }
}

#[test]
fn sectors_of_the_last_commit_that_were_never_written_are_what_a_power_cut_leaves() {
    let (mut bytes, ends) = written(3);
    let last = ends[ends.len() - 2].div_ceil(SECTOR) * SECTOR;
    if last + 2 * SECTOR < bytes.len() {
        bytes[last..last + SECTOR].fill(0);
    }
    bytes.truncate(bytes.len() - 1);
    assert_eq!(check(&bytes, true), Ok(()));
}

#[test]
fn every_flipped_byte_is_found_at_its_batch() {
    let (bytes, ends) = written(3);
    for place in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[place] ^= flip;
            let Err(found) = check(&flipped, true) else {
                assert!(
                    is_harmless(&bytes, &ends, place),
                    "byte {place} ^ {flip:#x}"
                );
                continue;
            };
            let damaged = ends
                .iter()
                .rposition(|end| *end <= place)
                .expect("0 is one");
            // A sequence number that is too high is noticed at the next batch.
            assert!(
                found == ends[damaged] || found == ends[damaged + 1],
                "byte {place}: found at {found}"
            );
        }
    }
}

/// A sequence number that is still in order changes nothing; of the last batch's last byte, turned to zero, nobody can
/// tell that it was written.
fn is_harmless(bytes: &[u8], ends: &[usize], place: usize) -> bool {
    let damaged = ends
        .iter()
        .rposition(|end| *end <= place)
        .expect("0 is one");
    let is_sequence = (5..13).contains(&(place - ends[damaged]));
    is_sequence || (place + 1 == bytes.len() && bytes[place] == 0)
}
