//! The client protocol and the server API to the letter, over the wire, against one mesh of real processes.
//!
//! Each function is a row of the conformance table and begins with its id; whole replies are compared. Here are the rows
//! without which an SDK breaks, of the groups H, F, D, C, P, S, R, U, M and T, and of A the first ones. Rows run in both
//! encodings; those about numbered channels also in a buffered and a durable namespace. Of the profile "fast" the options
//! that the rows need are set; what waits for its feature isn't here: C-07, C-09, R-16, R-18.
//!
//! Time-outs have only lower bounds here, since a busy machine comes late. They are checked exactly, by a virtual clock, in
//! `edge/core/src/worker/tests`:
//!
//! | row | test |
//! |---|---|
//! | C-03 | `connect::a_token_that_expires_is_told_with_the_time_left` |
//! | C-10, F-07 | `connect::a_socket_that_never_connects_is_closed_as_stale` |
//! | C-04 | `connect::a_failed_connect_that_sends_nothing_more_is_closed_as_stale` |
//! | P-01 | `heartbeat::pings_come_at_the_interval_after_a_random_first_one` |
//! | P-02 | `heartbeat::a_missing_pong_closes_exactly_at_its_timeout_whatever_else_is_sent` |
//! | S-16 | `expiry::a_subscription_that_does_not_refresh_ends_with_2501_at_the_tick_after_the_delay` |
//! | S-17 | `tokens::a_good_sub_refresh_prolongs_the_subscription` |
//! | T-01 | `tokens::a_good_refresh_prolongs_the_connection` |
//! | T-02 | `expiry::a_connection_that_does_not_refresh_is_closed_exactly_after_the_delay` |
//!
//! want a publication to be lost on its way, which no process does on demand; the machines are made to lose it:
//!
//! | row | test of `edge-core` |
//! |---|---|
//! | R-15, between the edge's ring and a session | `worker::tests::delivery::a_lost_publication_ends_a_positioned_subscription_with_2500` |
//! | R-15, before the ring | `upstream::tests::lag::a_hole_is_pulled_and_nothing_beyond_it_given` |
//! | R-17, between the ring and a session | `worker::tests::expiry::a_subscription_behind_its_worker_ends_at_the_tick_after_the_check_delay` |
//! | R-17, before the ring | `upstream::tests::lag::a_check_finds_what_was_lost_without_a_trace` |

mod harness;

/// The rows, by group, and what they share.
mod conformance {
    mod api;
    mod checks;
    mod client;
    mod connect;
    mod dispatch;
    mod frame;
    mod framing;
    mod handshake;
    mod heartbeat;
    mod mesh;
    mod messages;
    mod order;
    mod publisher;
    mod recovery;
    mod refresh;
    mod server_api;
    mod socket;
    mod stage;
    mod subscribe;
    mod token;
    mod unsubscribe;
    mod wire;
}
