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

    /// What a handshake that TLS ended says; `None` when the connection failed for another reason.
    pub(crate) fn explain(self, error: &ConnectionError) -> Option<String> {
        let Self { us, peer } = self;
        match error {
            ConnectionError::TransportError(fault) => {
                let alert = alert(fault.code.into())?;
                let reason = &fault.reason;
                Some(if is_about_certificates(alert) {
                    let why = why(alert, us).unwrap_or_else(|| reason.clone());
                    format!("the certificate of {peer} {why}")
                } else {
                    format!("the TLS handshake with {peer} fails with alert {alert}: {reason}")
                })
            }
            ConnectionError::ConnectionClosed(close) => {
                let alert = alert(close.error_code.into())?;
                Some(if is_about_certificates(alert) {
                    let why =
                        why(alert, peer).unwrap_or_else(|| format!("fails with alert {alert}"));
                    format!("{peer} refuses the certificate of {us}, which {why}")
                } else {
                    let meaning = meaning(alert);
                    format!("{peer} ends the TLS handshake with alert {alert}{meaning}")
                })
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

/// Whether an alert is about the certificate of who receives it (RFC 8446 §6.2).
const fn is_about_certificates(alert: u8) -> bool {
    matches!(alert, 42..=46 | 48 | 49 | 51 | 113..=116)
}

/// What the alerts mean that other programs on our ports, or other versions of ours, would cause.
const fn meaning(alert: u8) -> &'static str {
    match alert {
        40 => ": no cipher in common",
        70 => ": no TLS version in common",
        120 => ": it speaks another protocol than links",
        _ => "",
    }
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

    #[test]
    fn certificates_are_blamed_by_their_own_alerts_only() {
        for alert in [42, 43, 44, 45, 46, 48, 49, 51, 113, 116] {
            assert!(is_about_certificates(alert), "{alert}");
        }
        for alert in [0, 40, 47, 50, 70, 71, 80, 109, 112, 120] {
            assert!(!is_about_certificates(alert), "{alert}");
        }
    }
}
