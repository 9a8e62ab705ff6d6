//! What a request for a page asks: `before` or `after`, `limit`, `epoch`.

use trunkline_shared::Offset;

/// Messages of a page where the request doesn't say.
const LIMIT_DEFAULT: u32 = 50;

/// Messages of a page at most.
pub(super) const LIMIT_MAX: u32 = 300;

/// Where a page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// At the top of the channel.
    Newest,
    /// Right below this message.
    Before(Offset),
    /// Right above this message.
    After(Offset),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageQuery {
    pub(super) place: Place,
    /// Messages at most.
    pub(super) limit: u32,
    /// The numbering that the place belongs to, as its text; `None` for whichever it is.
    pub(super) epoch: Option<String>,
}

/// Why a query makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("before and after exclude each other")]
    BeforeAndAfter,
    #[error("{0} is {1:?}, which is no offset")]
    Offset(&'static str, String),
    #[error("before is 0, and nothing comes before the first message, 1")]
    BeforeFirst,
    #[error("limit is {0:?}; it must be a number from 1 to {LIMIT_MAX}")]
    Limit(String),
}

impl PageQuery {
    /// Reads the pairs of a query; unknown names are ignored.
    ///
    /// # Errors
    /// At the first mistake.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, QueryError> {
        let before = offset(pairs, "before")?;
        let after = offset(pairs, "after")?;
        let place = match (before, after) {
            (Some(_), Some(_)) => return Err(QueryError::BeforeAndAfter),
            (Some(Offset::ZERO), None) => return Err(QueryError::BeforeFirst),
            (Some(before), None) => Place::Before(before),
            (None, Some(after)) => Place::After(after),
            (None, None) => Place::Newest,
        };
        Ok(Self {
            place,
            limit: limit(pairs)?,
            epoch: one(pairs, "epoch")?.map(str::to_owned),
        })
    }
}

fn one<'a>(
    pairs: &'a [(String, String)],
    name: &'static str,
) -> Result<Option<&'a str>, QueryError> {
    let mut values = pairs.iter().filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| value.as_str());
    if values.next().is_some() {
        return Err(QueryError::Twice(name));
    }
    Ok(first)
}

fn offset(pairs: &[(String, String)], name: &'static str) -> Result<Option<Offset>, QueryError> {
    let text = one(pairs, name)?;
    let offset = text.map(|text| match number(text) {
        Some(offset) => Ok(Offset(offset)),
        None => Err(QueryError::Offset(name, shown(text))),
    });
    offset.transpose()
}

fn limit(pairs: &[(String, String)]) -> Result<u32, QueryError> {
    let Some(text) = one(pairs, "limit")? else {
        return Ok(LIMIT_DEFAULT);
    };
    number(text)
        .and_then(|limit| u32::try_from(limit).ok())
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| QueryError::Limit(shown(text)))
}

/// Digits only: `parse` would take a sign as well.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// As much of a value as an error message needs.
fn shown(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &[(&str, &str)]) -> Result<PageQuery, QueryError> {
        let pairs: Vec<(String, String)> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        PageQuery::parse(&pairs)
    }

    #[test]
    fn nothing_asks_for_fifty_of_the_newest() {
        let newest = PageQuery {
            place: Place::Newest,
            limit: 50,
            epoch: None,
        };
        assert_eq!(parse(&[]), Ok(newest.clone()));
        assert_eq!(parse(&[("utm", "x")]), Ok(newest));
    }

    #[test]
    fn a_place_a_limit_and_an_epoch_are_read() {
        let before = PageQuery {
            place: Place::Before(Offset(51)),
            limit: 300,
            epoch: Some("07".to_owned()),
        };
        let query = [("before", "51"), ("limit", "300"), ("epoch", "07")];
        assert_eq!(parse(&query), Ok(before));
        let after = parse(&[("after", "0")]).expect("good");
        assert_eq!(after.place, Place::After(Offset(0)));
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for limit in ["0", "301", "-1", "+5", "4294967297", "", "1e2"] {
            let refused = Err(QueryError::Limit(limit.to_owned()));
            assert_eq!(parse(&[("limit", limit)]), refused);
        }
        for offset in ["-1", "18446744073709551616", "", "x", " 1"] {
            let refused = Err(QueryError::Offset("after", offset.to_owned()));
            assert_eq!(parse(&[("after", offset)]), refused);
        }
        assert_eq!(parse(&[("before", "0")]), Err(QueryError::BeforeFirst));
        assert!(parse(&[("before", "18446744073709551615")]).is_ok());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let both = parse(&[("before", "5"), ("after", "3")]);
        assert_eq!(both, Err(QueryError::BeforeAndAfter));
        let twice = parse(&[("limit", "5"), ("limit", "3")]);
        assert_eq!(twice, Err(QueryError::Twice("limit")));
    }
}
