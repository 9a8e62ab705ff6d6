//! Numbers without a sign in columns that have one.

use super::error::Fault;

/// A number with an order; the greatest of the column stands for all above it.
pub(super) fn ordered(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number in a column with an order.
pub(super) fn from_ordered(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Data(format!("{number} in a row makes no sense")))
}

/// A number that only names something, bit by bit.
pub(super) const fn name(number: u64) -> i64 {
    number.cast_signed()
}

/// The number in a column that only names something.
pub(super) const fn from_name(number: i64) -> u64 {
    number.cast_unsigned()
}

/// A count as SQL has it.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_bit_by_bit_and_ordered_numbers_keep_their_order() {
        for number in [0, 1, 1 << 63, u64::MAX] {
            assert_eq!(from_name(name(number)), number);
        }
        assert!(ordered(7) < ordered(u64::MAX));
        assert_eq!(from_ordered(ordered(7)), Ok(7));
        assert!(from_ordered(-1).is_err());
    }
}
