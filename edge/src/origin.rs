//! Which web pages may connect: the `Origin` header against `client.allowed_origins`.

use http::HeaderMap;
use http::header::ORIGIN;

/// Origins whose pages may connect.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Takes patterns in which `*` stands for any text and `?` for one character; case doesn't matter.
    pub(crate) fn new(patterns: &[String]) -> Self {
        Self(
            patterns
                .iter()
                .map(|pattern| pattern.to_lowercase())
                .collect(),
        )
    }

    /// Whether a request with these headers may connect: it has no `Origin`, or an allowed one.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else {
            return true;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        let origin = origin.to_lowercase();
        self.0
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), origin.as_bytes()))
    }
}

/// Whether a text fits a pattern; takes time proportional to the product of their lengths at most.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut place, mut at) = (0, 0);
    // The last `*`, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match (pattern.get(place), star) {
            (Some(b'*'), _) => {
                star = Some((place, at));
                place += 1;
            }
            (Some(byte), _) if *byte == text[at] || *byte == b'?' => {
                place += 1;
                at += 1;
            }
            (_, Some((star_place, taken))) => {
                star = Some((star_place, taken + 1));
                place = star_place + 1;
                at = taken + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[place..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[&str], origin: Option<&str>, expected: bool) {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| (*pattern).to_owned())
            .collect();
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("a header value"));
        }
        assert_eq!(
            AllowedOrigins::new(&patterns).allow(&headers),
            expected,
            "{patterns:?} {origin:?}"
        );
    }

    #[test]
    fn without_patterns_only_requests_without_an_origin_may_connect() {
        check(&[], None, true);
        check(&[], Some("https://example.com"), false);
        check(&[], Some(""), false);
    }

    #[test]
    fn a_star_allows_all() {
        check(&["*"], Some("https://example.com"), true);
        check(&["*"], Some("null"), true);
        check(&["*"], None, true);
    }

    #[test]
    fn patterns_are_matched_as_a_whole_and_without_case() {
        check(&["https://example.com"], Some("HTTPS://Example.com"), true);
        check(
            &["https://example.com"],
            Some("https://example.com.evil.net"),
            false,
        );
        check(
            &["https://*.example.com"],
            Some("https://a.b.example.com"),
            true,
        );
        check(
            &["https://*.example.com"],
            Some("https://example.com"),
            false,
        );
        check(
            &["https://*.example.com:80?0"],
            Some("https://x.example.com:8011"),
            false,
        );
        check(
            &["https://*.example.com:80?0"],
            Some("https://x.example.com:8000"),
            true,
        );
        check(&["http://a", "http://b*"], Some("http://bc"), true);
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let pattern = "*a".repeat(200);
        check(&[&pattern], Some(&"a".repeat(199)), false);
        check(&[&pattern], Some(&"a".repeat(400)), true);
    }
}
