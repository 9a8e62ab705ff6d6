//! What begins anew when a database may have lost what was acknowledged: its server was taken over by one that was behind,
//! or a backup was put back.

/// How often new epochs had to begin since a store was opened, in all its databases.
///
/// After each the slots have to be claimed again: their rows have new generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewals {
    /// Another server has taken over that may lack commits; 0 where replication is synchronous.
    pub fail_overs: u64,
    /// Somebody has begun new epochs: a backup was put back.
    pub births: u64,
}

/// The database's clock, in Unix milliseconds.
pub(super) const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::int8";

/// What a slot's row is set to. A slot that was never claimed stays nobody's.
///
/// The clock leads the generation: claims may be among what was lost, and a living owner must have none of the generations to
/// come. Claims alone raise it by far less than one in a millisecond.
pub(super) fn of_slot() -> String {
    format!(
        "epoch = hashtextextended(gen_random_uuid()::text, 0), \
         generation = CASE WHEN generation = 0 THEN 0 ELSE greatest(generation + 1, {CLOCK}) END"
    )
}
