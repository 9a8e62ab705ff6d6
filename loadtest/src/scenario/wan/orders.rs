//! What a line on standard input changes.

use crate::wan::{LinkProfile, ProfileError, WanConfig};

/// The link as ordered so far.
#[derive(Debug)]
pub(super) struct Orders {
    profile: LinkProfile,
    cut: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The link has changed.
    Change,
    /// Tell what was carried so far.
    Counts,
}

/// Why a line isn't followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OrderError {
    /// It isn't an order.
    #[error("{line:?} is none of cut, heal, counts, or a key and its value, as in rtt 80ms")]
    Unknown {
        /// The line.
        line: String,
    },
    /// It changes what there isn't, or to what can't be.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Orders {
    pub(super) const fn new(profile: LinkProfile) -> Self {
        Self {
            profile,
            cut: false,
        }
    }

    /// Follows a line: `cut`, `heal`, `counts`, or a key of the link and its value.
    ///
    /// # Errors
    /// When it is none of these; nothing has changed then.
    pub(super) fn take(&mut self, line: &str) -> Result<Order, OrderError> {
        match *line.split_whitespace().collect::<Vec<_>>() {
            ["cut"] => self.cut = true,
            ["heal"] => self.cut = false,
            ["counts"] => return Ok(Order::Counts),
            [key, value] => self.profile.set(key, value)?,
            _ => {
                let line = line.to_owned();
                return Err(OrderError::Unknown { line });
            }
        }
        Ok(Order::Change)
    }

    pub(super) fn config(&self) -> WanConfig {
        let mut config = self.profile.config();
        config.up.cut = self.cut;
        config.down.cut = self.cut;
        config
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn orders() -> Orders {
        Orders::new(LinkProfile::new(Duration::from_millis(80)))
    }

    #[test]
    fn a_cut_keeps_through_changes_until_healed() {
        let mut orders = orders();
        for line in ["cut", " rtt  200ms ", "loss 2%"] {
            assert_eq!(orders.take(line), Ok(Order::Change), "{line}");
        }
        let config = orders.config();
        assert!(config.up.cut && config.down.cut);
        assert_eq!(config.up.delay, Duration::from_millis(100));
        orders.take("heal").expect("it is an order");
        assert!(!orders.config().up.cut);
    }

    #[test]
    fn a_line_that_is_no_order_is_named_and_changes_nothing() {
        let mut orders = orders();
        let before = orders.config();
        for line in ["", "cuts", "rtt", "rtt 1ms 2ms", "rtt soon", "speed 9"] {
            let error = orders.take(line).expect_err("it is none").to_string();
            let word = line.split_whitespace().next().unwrap_or("\"\"");
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(orders.config(), before);
        assert_eq!(orders.take("counts"), Ok(Order::Counts));
    }
}
