//! Who may call the server API: whoever shows the key, in one of three places.

use axum::http::{HeaderMap, header};

use crate::config::ApiSection;
use crate::refusals::RefusedCall;

/// Whether a call shows the key, or needs none.
///
/// In order: the header `X-API-Key`; else `Authorization: apikey KEY`; if neither holds, the query's `api_key`.
///
/// # Errors
/// Why it isn't let in.
pub(super) fn authorize(
    section: &ApiSection,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<(), RefusedCall> {
    let query = query.unwrap_or_default();
    if section.insecure || by_header(section, headers) || by_query(section, query) {
        return Ok(());
    }
    let shown = headers.contains_key("x-api-key")
        || headers.contains_key(header::AUTHORIZATION)
        || key_of(query).is_some();
    Err(match (section.key.is_empty(), shown) {
        (true, _) => RefusedCall::NotSet,
        (false, false) => RefusedCall::NoKey,
        (false, true) => RefusedCall::WrongKey,
    })
}

fn by_header(section: &ApiSection, headers: &HeaderMap) -> bool {
    if let Some(key) = headers.get("x-api-key") {
        return section.key.matches(key.as_bytes());
    }
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let words: Vec<&str> = value.unwrap_or_default().split_whitespace().collect();
    match words.as_slice() {
        [scheme, key] => {
            scheme.eq_ignore_ascii_case("apikey") && section.key.matches(key.as_bytes())
        }
        _ => false,
    }
}

fn by_query(section: &ApiSection, query: &str) -> bool {
    key_of(query).is_some_and(|key| section.key.matches(&percent_decoded(key)))
}

fn key_of(query: &str) -> Option<&str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("api_key="))
}

/// Undoes the encoding of a query's value; what isn't well encoded stays as it is.
fn percent_decoded(value: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match (first, hex_pair(tail)) {
            (b'%', Some(byte)) => {
                rest = &tail[2..];
                byte
            }
            (b'+', _) => b' ',
            (byte, _) => *byte,
        });
    }
    decoded
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(bytes.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16)
        .ok()
        .filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[track_caller]
    fn check(
        key: &str,
        headers: &[(&'static str, &'static str)],
        query: Option<&str>,
        expected: bool,
    ) {
        let section = ApiSection {
            key: Secret::new(key),
            ..ApiSection::default()
        };
        let pairs = headers.iter().map(|(name, value)| {
            (
                header::HeaderName::from_static(name),
                header::HeaderValue::from_static(value),
            )
        });
        assert_eq!(
            authorize(&section, &pairs.collect(), query).is_ok(),
            expected,
            "{headers:?} {query:?}"
        );
    }

    #[test]
    fn the_key_may_be_in_three_places() {
        check("k y", &[("x-api-key", "k y")], None, true);
        check("key", &[("authorization", "apikey key")], None, true);
        check("key", &[("authorization", "ApiKey key")], None, true);
        check("k y", &[], Some("a=b&api_key=k%20y"), true);
        check("k y", &[], Some("api_key=k+y"), true);
        check("key", &[], None, false);
    }

    #[test]
    fn a_wrong_key_header_hides_the_authorization_but_not_the_query() {
        let both = [("x-api-key", "no"), ("authorization", "apikey key")];
        check("key", &both, None, false);
        check("key", &both, Some("api_key=key"), true);
    }

    #[test]
    fn an_authorization_has_exactly_two_words() {
        check("key", &[("authorization", "apikey key more")], None, false);
        check("key", &[("authorization", "key")], None, false);
        check("key", &[("authorization", "bearer key")], None, false);
    }

    #[test]
    fn without_a_key_in_the_configuration_nobody_is_let_in() {
        check("", &[("x-api-key", "")], None, false);
        check("", &[], Some("api_key="), false);
        let insecure = ApiSection {
            insecure: true,
            ..ApiSection::default()
        };
        assert!(authorize(&insecure, &HeaderMap::new(), None).is_ok());
    }

    #[test]
    fn why_a_call_is_not_let_in_is_told() {
        let (unset, mut headers) = (ApiSection::default(), HeaderMap::new());
        let keyed = ApiSection {
            key: Secret::new("key"),
            ..ApiSection::default()
        };
        let why = |section, headers: &HeaderMap| authorize(section, headers, None).err();
        assert_eq!(why(&unset, &headers), Some(RefusedCall::NotSet));
        assert_eq!(why(&keyed, &headers), Some(RefusedCall::NoKey));
        headers.insert("x-api-key", header::HeaderValue::from_static("no"));
        assert_eq!(why(&keyed, &headers), Some(RefusedCall::WrongKey));
    }

    #[test]
    fn a_badly_encoded_key_is_taken_as_it_is() {
        for (encoded, decoded) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%+1", "% 1"),
            ("%41%", "A%"),
        ] {
            assert_eq!(percent_decoded(encoded), decoded.as_bytes(), "{encoded}");
        }
    }
}
