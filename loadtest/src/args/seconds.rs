//! A number of seconds on the command line.

use std::time::Duration;

/// The longest that is taken: a day.
const SECONDS_MAX: f64 = 86_400.0;

/// Reads `10` or `0.5`, at most a day.
///
/// # Errors
/// What is wrong with it.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "no number of seconds, as in 10 or 0.5".to_owned())?;
    if (0.0..=SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("not between 0 and {SECONDS_MAX} seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_whole_or_in_parts() {
        assert_eq!(seconds("10"), Ok(Duration::from_secs(10)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_no_clock_can_wait_for_is_refused() {
        for text in ["", "-1", "nan", "inf", "1e300", "86401", "10s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
