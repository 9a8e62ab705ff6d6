//! Codes that applications choose, checked where they enter.

use std::ops::RangeInclusive;

use serde::de::IgnoredAny;
use thiserror::Error;

/// Bytes of a reason, at most: a close frame holds 125, of which the code takes 2.
const REASON_BYTES_MAX: usize = 123;

/// A code and a reason of an application, known to be fit for SDKs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomCode {
    code: u16,
    reason: String,
}

/// Why a code or its reason can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidCode {
    /// The number is of another kind of code, or not legal in a close frame.
    #[error("code {code} is not within {first} to {last}")]
    OutOfRange {
        /// The number.
        code: u32,
        /// The lowest allowed.
        first: u16,
        /// The highest allowed.
        last: u16,
    },
    /// There is no reason; SDKs would ignore the code.
    #[error("reason is empty")]
    NoReason,
    /// The reason doesn't fit a close frame.
    #[error("reason of {length} bytes, at most {REASON_BYTES_MAX} fit")]
    ReasonTooLong {
        /// Its bytes.
        length: usize,
    },
    /// The reason is JSON; the JS SDK would look for an older protocol's fields in it.
    #[error("reason is JSON")]
    ReasonIsJson,
}

impl CustomCode {
    pub(super) fn new(
        code: u32,
        range: RangeInclusive<u16>,
        reason: &str,
    ) -> Result<Self, InvalidCode> {
        let (first, last) = (*range.start(), *range.end());
        let code = u16::try_from(code)
            .ok()
            .filter(|code| range.contains(code))
            .ok_or(InvalidCode::OutOfRange { code, first, last })?;
        check_reason(reason)?;
        Ok(Self {
            code,
            reason: reason.to_owned(),
        })
    }

    pub(super) const fn entry(&self) -> (u16, &str) {
        (self.code, self.reason.as_str())
    }
}

fn check_reason(reason: &str) -> Result<(), InvalidCode> {
    if reason.is_empty() {
        return Err(InvalidCode::NoReason);
    }
    if reason.len() > REASON_BYTES_MAX {
        return Err(InvalidCode::ReasonTooLong {
            length: reason.len(),
        });
    }
    match serde_json::from_str::<IgnoredAny>(reason) {
        Ok(_) => Err(InvalidCode::ReasonIsJson),
        Err(_) => Ok(()),
    }
}
