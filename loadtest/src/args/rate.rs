//! Messages per second on the command line.

/// The lowest that is taken: a message in a hundred seconds.
const RATE_MIN: f64 = 0.01;

/// The highest that is taken: far above what a mesh delivers, and a message still has a time of its own.
const RATE_MAX: f64 = 1e7;

/// Reads `200` or `0.5`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "no number, as in 200 or 0.5".to_owned())?;
    if (RATE_MIN..=RATE_MAX).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("not between {RATE_MIN} and {RATE_MAX} per second"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_whole_or_in_parts() {
        assert_eq!(rate("200"), Ok(200.0));
        assert_eq!(rate("0.01"), Ok(0.01));
        assert_eq!(rate("1e7"), Ok(1e7));
    }

    #[test]
    fn a_rate_whose_messages_no_clock_can_tell_apart_is_refused() {
        for text in [
            "", "0", "-1", "1e-300", "0.009", "1e8", "inf", "nan", "10/s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
