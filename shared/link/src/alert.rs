//! TLS alerts in words: whose certificate is refused by whom, and why.

use quinn::ConnectionError;

/// The two ends of a handshake, as messages name them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) us: &'static str,
    pub(crate) peer: &'static str,
}

impl Ends {
    /// Seen from an edge.
    pub(crate) const EDGE: Self = Self {
        us: "this edge",
        peer: "the node",
    };
    /// Seen from a node.
    pub(crate) const NODE: Self = Self {
        us: "this node",
        peer: "the edge",
    };

    /// What a failed handshake says of certificates; `None` when it failed for another reason.
    pub(crate) fn explain(self, error: &ConnectionError) -> Option<String> {
        let Self { us, peer } = self;
        match error {
            ConnectionError::TransportError(fault) => {
                let alert = alert(fault.code.into())?;
                let why = why(alert, us).unwrap_or_else(|| fault.reason.clone());
                Some(format!("the certificate of {peer} {why}"))
            }
            ConnectionError::ConnectionClosed(close) => {
                let alert = alert(close.error_code.into())?;
                let why = why(alert, peer).unwrap_or_else(|| format!("fails with alert {alert}"));
                Some(format!(
                    "{peer} refuses the certificate of {us}, which {why}"
                ))
            }
            ConnectionError::ApplicationClosed(_)
            | ConnectionError::VersionMismatch
            | ConnectionError::Reset
            | ConnectionError::TimedOut
            | ConnectionError::LocallyClosed
            | ConnectionError::CidsExhausted => None,
        }
    }
}

/// The alert that a QUIC error code carries, 0x100 to 0x1ff (RFC 9001 §4.8).
fn alert(code: u64) -> Option<u8> {
    (code >> 8 == 1).then_some((code & 0xff) as u8)
}

/// What is wrong with a certificate that `judge` refuses, by the alert (RFC 8446 §6.2).
fn why(alert: u8, judge: &str) -> Option<String> {
    Some(match alert {
        42 | 43 => format!("isn't one that {judge} takes at that end of a link"),
        45 => format!("has expired, or isn't valid yet, by the clock of {judge}"),
        // 51: by an authority of the same name, but not by its key.
        48 | 51 => format!("isn't signed by the authority in link.ca_file of {judge}"),
        116 => "wasn't shown".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_told_from_other_codes() {
        assert_eq!(alert(0x130), Some(48));
        assert_eq!(alert(0x0a), None);
        assert_eq!(alert(0x230), None);
    }
}
