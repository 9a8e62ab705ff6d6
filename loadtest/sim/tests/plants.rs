//! Bugs planted outside of the machines: each is found, by the check that is there for it, within 200 seeds.

use trunkline_sim::{Options, Plant, run};

fn found(plant: Plant, check: &str) {
    let finds = |seed: &u64| {
        let report = run(
            *seed,
            Options {
                plant: Some(plant),
                ..Options::default()
            },
        );
        report.failures.iter().any(|failure| failure.check == check)
    };
    let first = (0..200).find(finds);
    eprintln!("{plant:?}: {check}, seed {first:?}");
    assert!(first.is_some(), "{plant:?} was never found by {check}");
}

macro_rules! plants {
    ($($name:ident: $plant:ident by $check:literal),* $(,)?) => {
        $(#[test]
        fn $name() {
            found(Plant::$plant, $check);
        })*
    };
}

plants! {
    a_mark_taken_off_a_repeat_is_found: RepeatUnmarked by "no_double",
    a_repeat_under_another_id_is_found: RepeatRenamed by "no_double",
    an_old_answer_under_a_new_id_is_found: OldAnswerNewId by "acked_is_kept",
    an_epoch_kept_over_lost_data_is_found: EpochKept by "epoch_honest",
    a_buffered_epoch_used_twice_is_found: SeedReused by "epoch_honest",
    an_ack_before_its_commit_is_found: AckBeforeCommit by "acked_is_kept",
    an_unknown_outcome_told_as_committed_is_found: UnknownAsCommitted by "acked_is_kept",
    a_generation_not_checked_is_found: GenerationUnchecked by "no_double",
    a_head_not_checked_is_found: HeadUnchecked by "epoch_honest",
    a_store_that_finds_no_id_is_found: FindBlind by "no_double",
    a_publication_lost_on_the_way_is_found: PushSwallowed by "no_silent_gap",
    a_publication_lost_from_a_recovery_is_found: RecoverySwallowed by "no_silent_gap",
    a_publication_that_comes_twice_is_found: PushTwice by "no_double",
    publications_that_change_places_are_found: PushesSwapped by "one_order",
    an_ephemeral_publication_that_comes_twice_is_found: EphemeralTwice by "ephemeral_at_most_once",
    a_leave_that_is_lost_is_found: LeavesSwallowed by "presence_is_right",
    a_reply_that_is_lost_is_found: RepliesSwallowed by "answered_in_time",
    a_resubscribe_that_is_lost_is_found: ResubscribesSwallowed by "healed",
    a_ring_kept_across_epochs_is_found: RingAcrossEpochs by "epoch_honest",
    a_ring_that_answers_beyond_the_history_size_is_found: RingBeyondSize by "within_history",
    a_recovery_that_was_none_is_found: UnrecoveredAsRecovered by "no_silent_gap",
    a_floor_that_the_store_forgets_is_found: FloorForgotten by "removed_is_gone",
    a_ring_that_keeps_what_was_removed_is_found: RingBelowFloor by "removed_is_gone",
    a_key_that_is_ignored_is_found: KeyIgnored by "one_for_a_key",
    a_key_that_only_memory_is_asked_for_is_found: KeyOnlyInMemory by "one_for_a_key",
    a_key_that_does_not_wait_for_the_first_is_found: KeyPendingUnseen by "one_for_a_key",
    a_key_that_is_looked_up_before_the_claim_is_found: KeySoughtBeforeClaim by "one_for_a_key",
    a_key_answered_with_another_place_is_found: KeyMisplaced by "one_for_a_key",
    a_store_without_a_fence_is_found: NoFence by "one_owner",
    two_views_of_one_version_are_found: TwoViews by "healed",
    a_mixed_append_of_which_nothing_is_taken_is_found: MixedBatchDropped by "acked_is_kept",
    a_late_claim_under_an_old_view_is_found: LateClaimTaken by "one_owner",
    an_id_that_is_looked_up_before_the_claim_is_found: SoughtBeforeClaim by "no_double",
    a_buffered_repeat_whose_first_sending_was_forgotten_is_found: AnsweredForgotten by "no_double",
}
