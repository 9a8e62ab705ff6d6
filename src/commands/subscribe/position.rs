//! A place in a channel, as a person writes it.

use std::fmt;
use std::str::FromStr;

/// Everything up to and with an offset has been seen; without an epoch, of whatever numbering there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) offset: u64,
    /// Empty where it isn't known.
    pub(super) epoch: String,
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (offset, epoch) = text.split_once(':').unwrap_or((text, ""));
        let offset = offset
            .parse()
            .map_err(|_| format!("{offset:?} is not an offset, a number from 0"))?;
        Ok(Self {
            offset,
            epoch: epoch.to_owned(),
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch.is_empty() {
            write!(f, "{}", self.offset)
        } else {
            write!(f, "{}:{}", self.offset, self.epoch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_as_it_is_written() {
        for text in ["0", "17", "17:AbCd"] {
            let position: Position = text.parse().expect("a position");
            assert_eq!(position.to_string(), text);
        }
    }

    #[test]
    fn an_epoch_alone_is_no_position() {
        for text in ["", ":AbCd", "-1", "AbCd"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
