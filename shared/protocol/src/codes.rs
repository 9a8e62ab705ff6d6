//! The protocol's codes: error replies, close codes, reasons of an unsubscribe.
//!
//! Numbers and texts are those of the reference server; SDKs act on the numbers.

mod custom;
mod disconnect;
mod error;
mod unsubscribe;

pub use custom::{CustomCode, InvalidCode};
pub use disconnect::DisconnectCode;
pub use error::ErrorCode;
pub use unsubscribe::UnsubscribeCode;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn errors_are_100_to_113_in_order() {
        let codes: Vec<u32> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes, (100..=113).collect::<Vec<u32>>());
    }

    #[test]
    fn only_100_111_and_113_are_temporary() {
        let temporary = ErrorCode::ALL.iter().filter(|code| code.is_temporary());
        assert_eq!(
            temporary.map(|code| code.code()).collect::<Vec<u32>>(),
            [100, 111, 113]
        );
    }

    #[test]
    fn close_codes_are_those_of_the_reference() {
        let codes: Vec<u16> = DisconnectCode::ALL
            .iter()
            .map(DisconnectCode::code)
            .collect();
        let expected = [
            3000, 3001, 3004, 3005, 3006, 3008, 3009, 3010, 3011, 3012, 3013, 3014, 3500, 3501,
            3502, 3503, 3504, 3505, 3506, 3507, 3508, 3509,
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn close_codes_from_3500_and_from_4500_are_terminal() {
        for code in DisconnectCode::ALL {
            assert_eq!(code.reconnects(), code.code() < 3500, "{code:?}");
        }
        let reconnects = |code| DisconnectCode::custom(code, "why").map(|code| code.reconnects());
        assert_eq!(reconnects(4499), Ok(true));
        assert_eq!(reconnects(4500), Ok(false));
        assert_eq!(reconnects(4000), Ok(true));
        assert_eq!(reconnects(3999), Ok(false));
    }

    #[test]
    fn unsubscribes_from_2500_resubscribe() {
        let codes = UnsubscribeCode::ALL
            .iter()
            .map(|code| (code.code(), code.resubscribes()));
        let expected = [(2000, false), (2500, true), (2501, true), (2502, true)];
        assert_eq!(codes.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_reason_of_the_protocol_would_pass_as_a_custom_one() {
        for code in DisconnectCode::ALL {
            assert!(
                DisconnectCode::custom(4000, code.reason()).is_ok(),
                "{code:?}"
            );
        }
        for code in UnsubscribeCode::ALL {
            assert!(
                UnsubscribeCode::custom(2100, code.reason()).is_ok(),
                "{code:?}"
            );
        }
        for code in ErrorCode::ALL {
            assert!(!code.message().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn a_custom_reason_is_neither_empty_nor_long_nor_json() {
        let custom = |reason: &str| DisconnectCode::custom(4000, reason).map(|_| ());
        assert_eq!(custom(""), Err(InvalidCode::NoReason));
        assert_eq!(
            custom(&"é".repeat(62)),
            Err(InvalidCode::ReasonTooLong { length: 124 })
        );
        assert_eq!(custom(&"x".repeat(123)), Ok(()));
        for json in ["true", "123", r#"{"reason":"x"}"#, " null "] {
            assert_eq!(custom(json), Err(InvalidCode::ReasonIsJson), "{json}");
        }
    }

    #[test]
    fn a_custom_code_is_of_its_kind() {
        for code in [0, 1000, 2999, 5000, u32::MAX] {
            let expected = InvalidCode::OutOfRange {
                code,
                first: 3000,
                last: 4999,
            };
            assert_eq!(DisconnectCode::custom(code, "why"), Err(expected));
        }
        assert!(UnsubscribeCode::custom(2999, "why").is_ok());
        assert!(UnsubscribeCode::custom(3000, "why").is_err());
    }

    #[test]
    fn codes_become_messages() {
        let error = message::Error::from(ErrorCode::TooManyRequests);
        assert_eq!(
            (error.code, error.message.as_str(), error.temporary),
            (111, "too many requests", true)
        );
        let push = message::Unsubscribe::from(&UnsubscribeCode::InsufficientState);
        assert_eq!(
            (push.code, push.reason.as_str()),
            (2500, "insufficient state")
        );
        let push = message::Disconnect::from(&DisconnectCode::Shutdown);
        assert_eq!(
            (push.code, push.reason.as_str(), push.reconnect),
            (3001, "shutdown", false)
        );
    }
}
