//! What every store must do, as one list of tests that each implementation runs.
//!
//! An implementation gives a [`Harness`] and a runner of futures; [`store_suite!`](crate::store_suite) turns the list into
//! `#[test]`s:
//! ```text
//! trunkline_store_core::store_suite!(MyHarness, trunkline_store_core::suite::ready);
//! ```

mod append;
mod claim;
mod content;
mod forget;
mod keep;
mod keys;
mod last_seen;
pub mod make;
mod members;
mod range;
mod sample;
mod together;
mod view;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use trunkline_shared::UnixMillis;

pub use self::append::*;
pub use self::claim::*;
pub use self::content::*;
pub use self::forget::*;
pub use self::keep::*;
pub use self::keys::*;
pub use self::last_seen::*;
pub use self::members::*;
pub use self::range::*;
pub use self::sample::Sample;
pub use self::together::*;
pub use self::view::*;
use crate::last_seen::LastSeenStore;
use crate::members::MemberStore;
use crate::traits::MessageStore;

/// Opens the store under test.
pub trait Harness: Sized {
    /// The implementation.
    type Store: MessageStore + MemberStore + LastSeenStore;

    /// Makes a new, empty store.
    fn open() -> impl Future<Output = Self>;

    /// The store, open.
    fn store(&self) -> &Self::Store;

    /// Closes the store and opens its data again.
    fn reopen(self) -> impl Future<Output = Self>;

    /// Opens what a crash at this moment would leave: nothing is closed, synced or said goodbye to.
    fn crash(self) -> impl Future<Output = Self>;

    /// What the clock shows by which the store says when a head was touched.
    fn clock(&self) -> impl Future<Output = UnixMillis>;

    /// Lets the store's background work go round once: messages of before `untouched_since` have expired, heads that weren't
    /// touched since then may go.
    fn forget_heads(&self, untouched_since: UnixMillis) -> impl Future<Output = ()>;
}

/// Runs a future that never waits, such as one of the memory store.
///
/// # Panics
/// When it waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future of the memory store waits"),
    }
}

/// Makes a `#[test]` of each behaviour, given a harness and a function that runs a future to its end.
#[macro_export]
macro_rules! store_suite {
    ($harness:ty, $run:path) => {
        $crate::store_suite! { @tests $harness, $run,
            messages_follow_their_head
            an_append_after_another_head_is_refused
            a_slots_part_is_refused_whole_while_others_commit
            an_append_of_an_older_generation_is_refused
            a_slot_that_was_never_claimed_takes_nothing
            an_append_that_makes_no_sense_fails
            an_append_of_nothing_is_committed
            a_claim_raises_generations_by_one
            all_slots_are_claimed_in_one_call
            a_claim_waits_for_the_append_in_flight
            a_claim_under_an_older_view_changes_nothing
            a_claim_that_names_a_slot_twice_fails
            an_epoch_stays_until_a_new_one_is_asked_for
            a_range_is_read_both_ways
            a_range_ends_at_its_bytes_but_gives_one_message
            expired_messages_are_not_read
            a_clock_that_stepped_back_makes_no_hole
            nothing_at_or_below_the_floor_is_read
            a_floor_never_sinks_and_never_passes_the_head
            a_floor_of_an_older_generation_is_refused
            a_message_comes_back_as_it_was_given
            names_of_any_utf8_are_kept_apart
            one_channel_in_two_slots_is_two_channels
            a_channel_never_written_to_has_the_default_head
            a_publish_id_is_found_where_its_message_is
            the_id_of_a_refused_message_is_not_found
            a_key_is_found_in_its_channel_only
            a_key_is_forgotten_by_the_time_of_its_message
            a_key_taken_again_names_the_newer_message
            keys_of_any_bytes_are_kept_apart
            keys_and_ids_are_found_in_one_call
            the_key_of_a_refused_message_is_not_found
            a_key_of_no_message_fails
            a_view_is_replaced_at_the_version_expected
            rules_change_with_the_view_or_not_at_all
            a_view_without_new_rules_leaves_the_old_ones
            rules_survive_restarts_and_crashes
            a_namespace_has_heads_where_one_of_its_channels_does
            channels_without_a_namespace_have_heads_of_their_own
            a_heartbeat_raises_ones_own_counter_and_reads_all
            a_name_is_taken_over_only_where_its_counter_stands_still
            a_life_that_was_replaced_moves_nothing
            a_member_that_left_is_gone
            a_name_is_had_again_after_a_crash
            users_are_seen_at_their_times
            a_user_is_never_seen_earlier_than_before
            users_of_any_text_are_kept_apart
            last_seen_survives_restarts_and_crashes
            a_bad_part_stops_nobody_else
            an_unknown_append_is_settled_by_a_claim
            an_append_cut_by_a_crash_is_whole_or_absent
            what_was_acknowledged_survives_reopening
            what_was_acknowledged_survives_a_crash
            keys_survive_with_their_messages
            an_untouched_head_goes_and_its_slot_keeps_the_mark
            a_head_with_a_message_left_stays
            a_head_touched_meanwhile_stays
            a_channel_without_a_head_goes_on_after_the_mark
            a_mark_never_sinks
            claims_and_new_epochs_keep_the_mark
            a_floor_makes_no_head_and_is_at_the_mark_where_there_is_none
            a_head_goes_before_an_append_or_after_it
            a_mark_survives_restarts_and_crashes
            keys_cut_by_a_crash_are_there_with_their_messages_or_not_at_all
        }
    };
    (@tests $harness:ty, $run:path, $($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                $run($crate::suite::$name::<$harness>());
            }
        )+
    };
}
