//! Values of a link as people write them.

use std::num::NonZeroU64;
use std::time::Duration;

use bytesize::ByteSize;
use humantime_serde::re::humantime;

use super::path::IN_FLIGHT_BYTES_MAX;

/// The longest round trip and jitter: with more any link of ours has long given up.
const DURATION_MAX: Duration = Duration::from_secs(60);

/// Bits per second of each unit of a rate, the longest name first, since each ends as `bit` does.
const RATE_UNITS: [(&str, f64); 4] = [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1.0)];

/// Reads `80ms` or `1s`, at most a minute.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|_| "no duration, as in 80ms".to_owned())?;
    if duration > DURATION_MAX {
        return Err(format!(
            "more than {}",
            humantime::format_duration(DURATION_MAX)
        ));
    }
    Ok(duration)
}

/// Reads a share: `0.01` or `1%`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number
        .parse::<f64>()
        .map_err(|_| "no share, as in 0.01 or 1%".to_owned())?
        / whole;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("not between 0 and 1, or 0% and 100%".to_owned())
    }
}

/// Reads bits per second, in thousands: `50mbit`; `none` is without limit.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn rate(text: &str) -> Result<Option<NonZeroU64>, String> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || "no rate, as in 50mbit (bit, kbit, mbit, gbit, or none)".to_owned();
    let bits = RATE_UNITS
        .iter()
        .find_map(|(unit, bits)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * bits));
    NonZeroU64::new(bits.ok_or_else(wrong)? as u64)
        .map(Some)
        .ok_or_else(wrong)
}

/// Reads `256KiB`, at most what a path keeps in flight.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let size = text
        .parse::<ByteSize>()
        .map_err(|_| "no size, as in 256KiB".to_owned())?;
    match size.as_u64() {
        bytes if bytes <= IN_FLIGHT_BYTES_MAX as u64 => Ok(bytes),
        _ => Err(format!(
            "more than {}",
            ByteSize(IN_FLIGHT_BYTES_MAX as u64)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_their_units() {
        assert_eq!(duration("80ms"), Ok(Duration::from_millis(80)));
        assert_eq!(share("1%"), Ok(0.01));
        assert_eq!(share("0.01"), Ok(0.01));
        assert_eq!(rate("50mbit"), Ok(NonZeroU64::new(50_000_000)));
        assert_eq!(rate("1.5kbit"), Ok(NonZeroU64::new(1500)));
        assert_eq!(rate("9bit"), Ok(NonZeroU64::new(9)));
        assert_eq!(rate("none"), Ok(None));
        assert_eq!(size("256KiB"), Ok(256 << 10));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in ["", "80", "2m", "-1ms", "ms"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "%", "101%", "-0.1", "1.1", "NaN", "x"] {
            assert!(share(text).is_err(), "{text}");
        }
        for text in ["", "mbit", "50", "0mbit", "-1mbit", "NaNbit", "50Mbit"] {
            assert!(rate(text).is_err(), "{text}");
        }
        for text in ["", "KiB", "-1", "65MiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
