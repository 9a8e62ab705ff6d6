//! The checker on recorded traces: each a few lines of strace 6.1 over `store/tests/acks.rs`, the journal's data cut.

use super::strace::check::{Unkept, check, told};
use super::strace::trace::parse;

/// What the checker says about the acknowledgements in a trace.
fn verdict(lines: &str) -> Result<Vec<usize>, Unkept> {
    let calls = parse(lines);
    let acks = told(&calls);
    assert!(!acks.is_empty(), "a trace of this file has some");
    check(&calls, &acks)
}

fn not_synced(message: &str) -> Result<Vec<usize>, Unkept> {
    Err(Unkept::NotSynced {
        message: message.to_owned(),
    })
}

#[test]
fn acks_after_the_sync_of_their_messages_are_kept() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f\0\0\0\25<channel 7, message 1>+\244<channel 0, message 1>9\0", 52) = 52 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = 0 (DELAYED) <0.002217>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
9232  1795508052.346602 write(1</dev/null>, "acked: <channel 0, message 1>\n", 30 <unfinished ...>
9229  1795508052.346639 write(5</t/data/0.jnl>, "\1\f\0\0\0\r<channel 1, message 1>\3\177", 30 <unfinished ...>
9232  1795508052.346660 <... write resumed>) = 30 <0.000049>
9229  1795508052.346702 <... write resumed>) = 30 <0.000055>
9229  1795508052.346756 fdatasync(5</t/data/0.jnl> <unfinished ...>
9240  1795508052.346800 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=1} ---
9229  1795508052.348964 <... fdatasync resumed>) = 0 (DELAYED) <0.002203>
9233  1795508052.349081 write(1</dev/null>, "acked: <channel 1, message 1>\n", 30) = 30 <0.000020>
9229  1795508052.349172 +++ exited with 0 +++
"#;
    assert_eq!(verdict(lines.trim_start()), Ok(vec![0, 0, 1]));
}

#[test]
fn an_ack_without_a_sync_is_found_out() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn an_ack_before_its_sync_returned_is_found_out() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl> <unfinished ...>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
9229  1795508052.346601 <... fdatasync resumed>) = 0 <0.002488>
"#;
    let late = Unkept::SyncedLater {
        message: "<channel 7, message 1>".to_owned(),
        late_by: 120,
    };
    assert_eq!(verdict(lines.trim_start()), Err(late));
}

#[test]
fn a_sync_that_began_before_the_message_was_written_does_not_count() {
    let lines = r#"
9229  1795508052.343800 fdatasync(5</t/data/0.jnl> <unfinished ...>
9230  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 <... fdatasync resumed>) = 0 <0.000313>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn neither_a_sync_that_failed_nor_one_after_it_counts() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = -1 EIO (Input/output error) <0.000217>
9229  1795508052.344613 fdatasync(5</t/data/0.jnl>) = 0 <0.000217>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn a_sync_that_the_kernel_was_not_asked_for_does_not_count() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = 0 (INJECTED) <0.000017>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn after_a_sync_failed_that_of_a_copy_counts_for_what_is_in_the_copy() {
    let lines = r#"
9229  1795508052.342942 write(5</t/data/0.jnl>, "\1\f<channel 3, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.343113 fdatasync(5</t/data/0.jnl>) = 0 <0.000217>
9238  1795508052.343481 write(1</dev/null>, "acked: <channel 3, message 1>\n", 30) = 30 <0.000023>
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = -1 EIO (Input/output error) <0.000217>
9229  1795508052.344513 write(6</t/data/0.copy>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344613 fsync(6</t/data/0.copy>) = 0 <0.000217>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(verdict(lines.trim_start()), Ok(vec![0, 1]));
}

#[test]
fn a_sync_that_the_process_died_in_does_not_count() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl> <unfinished ...>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
9229  1795508052.346601 <... fdatasync resumed>) = ?
9229  1795508052.346620 +++ killed by SIGKILL +++
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn a_sync_of_another_file_does_not_count() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 1>\0", 26) = 26 <0.000031>
9229  1795508052.344113 fdatasync(6</t/data/1.jnl>) = 0 <0.000217>
9229  1795508052.344413 fsync(7</t/data/keyspaces/0/v1>) = 0 <0.000206>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    assert_eq!(
        verdict(lines.trim_start()),
        not_synced("<channel 7, message 1>")
    );
}

#[test]
fn a_message_in_two_writes_is_written_by_the_second() {
    let begin = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, mess", 19) = 19 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = 0 <0.000217>
9229  1795508052.344513 write(5</t/data/0.jnl>, "age 1>\"\0", 8) = 8 <0.000011>
"#;
    let sync = "9229  1795508052.344613 fsync(5</t/data/0.jnl>) = 0 <0.000217>\n";
    let ack = "9239  1795508052.346481 write(1</dev/null>, \"acked: <channel 7, message 1>\\n\", 30) = 30 <0.000023>\n";
    assert_eq!(
        verdict(&format!("{}{ack}", begin.trim_start())),
        not_synced("<channel 7, message 1>")
    );
    assert_eq!(
        verdict(&format!("{}{sync}{ack}", begin.trim_start())),
        Ok(vec![1])
    );
}

#[test]
fn an_ack_of_a_message_in_no_journal_is_found_out() {
    let lines = r#"
9229  1795508052.343942 write(5</t/data/0.jnl>, "\1\f<channel 7, message 11>\0", 27) = 27 <0.000031>
9229  1795508052.344113 fdatasync(5</t/data/0.jnl>) = 0 <0.000217>
9239  1795508052.346481 write(1</dev/null>, "acked: <channel 7, message 1>\n", 30) = 30 <0.000023>
"#;
    let message = "<channel 7, message 1>".to_owned();
    assert_eq!(
        verdict(lines.trim_start()),
        Err(Unkept::NotWritten { message })
    );
}
