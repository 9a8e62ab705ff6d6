//! What a check found.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warn,
    /// The process wouldn't start, or wouldn't be believed.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    what: String,
    detail: String,
}

impl Finding {
    pub(super) fn ok(what: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::new(Verdict::Ok, what, detail)
    }

    pub(super) fn warn(what: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::new(Verdict::Warn, what, detail)
    }

    pub(super) fn fail(what: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::new(Verdict::Fail, what, detail)
    }

    /// Takes the outcome of something that may fail.
    pub(super) fn of<T: fmt::Display, E: fmt::Display>(
        what: impl Into<String>,
        outcome: Result<T, E>,
    ) -> Self {
        match outcome {
            Ok(detail) => Self::ok(what, detail),
            Err(detail) => Self::fail(what, detail),
        }
    }

    fn new(verdict: Verdict, what: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self {
            verdict,
            what: what.into(),
            detail: detail.to_string(),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("three texts")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        write!(f, "{verdict:<4}  {:<24}  {}", self.what, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_for_people_and_one_for_scripts() {
        let finding = Finding::warn("open files", "1024");
        assert_eq!(finding.to_string(), "warn  open files                1024");
        assert_eq!(
            finding.json(),
            r#"{"verdict":"warn","what":"open files","detail":"1024"}"#
        );
    }
}
