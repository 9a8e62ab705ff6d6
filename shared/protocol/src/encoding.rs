//! The two encodings, how a client chooses one, and how messages share a frame.

/// Sub-protocol of the JSON encoding.
pub const SUBPROTOCOL_JSON: &str = "centrifuge-json";

/// Sub-protocol of the Protobuf encoding.
pub const SUBPROTOCOL_PROTOBUF: &str = "centrifuge-protobuf";

/// How a connection's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Lines of JSON in text frames.
    Json,
    /// Length-prefixed Protobuf in binary frames.
    Protobuf,
}

impl Encoding {
    /// Both encodings, in the order of the type.
    pub const ALL: [Self; 2] = [Self::Json, Self::Protobuf];

    /// What stands between two encoded items of one frame.
    ///
    /// A Protobuf item begins with its length and needs nothing.
    pub const fn separator(self) -> &'static [u8] {
        match self {
            Self::Json => b"\n",
            Self::Protobuf => b"",
        }
    }

    /// A ping as an encoded item; a pong looks the same the other way round.
    pub const fn ping(self) -> &'static [u8] {
        match self {
            Self::Json => b"{}",
            Self::Protobuf => b"\0",
        }
    }

    /// Appends an encoded item to a frame, with the separator if it isn't the first.
    ///
    /// Replies, pushes and pings may share a frame in any number.
    pub fn append_item(self, frame: &mut Vec<u8>, item: &[u8]) {
        if !frame.is_empty() {
            frame.extend_from_slice(self.separator());
        }
        frame.extend_from_slice(item);
    }
}

/// What a WebSocket handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The encoding of both directions.
    pub encoding: Encoding,
    /// The sub-protocol to name in the response; none where the client offered none that we know.
    pub subprotocol: Option<&'static str>,
}

/// Chooses the sub-protocol and the encoding of a WebSocket connection.
///
/// `offers` are the values of `Sec-WebSocket-Protocol`, lists with commas; the client's first that we
/// know wins. `query` is the raw query of the URL. JSON unless Protobuf is asked for by either.
pub fn negotiate<'a>(offers: impl IntoIterator<Item = &'a str>, query: &str) -> Negotiated {
    let subprotocol = offers
        .into_iter()
        .flat_map(|value| value.split(','))
        .find_map(known);
    let asked = query
        .split('&')
        .any(|pair| matches!(pair, "cf_protocol=protobuf" | "format=protobuf"));
    let protobuf = asked || subprotocol == Some(SUBPROTOCOL_PROTOBUF);
    let encoding = if protobuf {
        Encoding::Protobuf
    } else {
        Encoding::Json
    };
    Negotiated {
        encoding,
        subprotocol,
    }
}

fn known(offer: &str) -> Option<&'static str> {
    [SUBPROTOCOL_JSON, SUBPROTOCOL_PROTOBUF]
        .into_iter()
        .find(|name| *name == offer.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(offers: &[&str], query: &str, encoding: Encoding, subprotocol: Option<&'static str>) {
        let negotiated = negotiate(offers.iter().copied(), query);
        assert_eq!(
            negotiated,
            Negotiated {
                encoding,
                subprotocol
            }
        );
    }

    #[test]
    fn no_offer_means_json_without_a_header() {
        check(&[], "", Encoding::Json, None);
        check(&["chat, mqtt"], "a=b", Encoding::Json, None);
    }

    #[test]
    fn an_offered_protobuf_is_echoed() {
        check(
            &["centrifuge-protobuf"],
            "",
            Encoding::Protobuf,
            Some(SUBPROTOCOL_PROTOBUF),
        );
    }

    #[test]
    fn the_first_known_offer_of_the_client_wins() {
        let json = Some(SUBPROTOCOL_JSON);
        check(
            &["x,centrifuge-json , centrifuge-protobuf"],
            "",
            Encoding::Json,
            json,
        );
        check(
            &["x", "centrifuge-json", "centrifuge-protobuf"],
            "",
            Encoding::Json,
            json,
        );
    }

    #[test]
    fn the_query_can_ask_for_protobuf() {
        check(
            &[],
            "token=1&cf_protocol=protobuf",
            Encoding::Protobuf,
            None,
        );
        check(&[], "format=protobuf", Encoding::Protobuf, None);
        check(&[], "xformat=protobuf&format=json", Encoding::Json, None);
    }

    #[test]
    fn items_share_a_frame() {
        let mut frame = Vec::new();
        Encoding::Json.append_item(&mut frame, b"{}");
        Encoding::Json.append_item(&mut frame, b"{}");
        assert_eq!(frame, b"{}\n{}");
        let mut frame = Vec::new();
        Encoding::Protobuf.append_item(&mut frame, b"\0");
        Encoding::Protobuf.append_item(&mut frame, b"\0");
        assert_eq!(frame, b"\0\0");
    }
}
