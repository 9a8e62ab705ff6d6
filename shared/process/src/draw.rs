//! Names and seeds that a process draws at its start.

use trunkline_shared::Incarnation;

/// Draws the process's life: 128 bits from the system's randomness.
///
/// # Errors
/// When the system has none.
pub fn draw_incarnation() -> Result<Incarnation, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(Incarnation(bytes))
}

/// Draws the seed of a machine's own randomness.
///
/// # Errors
/// When the system has none.
pub fn draw_seed() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}
