//! The rows of the table: what a client does, its bytes, what must come of them.

use super::masked;
use super::with_mask;
use crate::reader::PAYLOAD_BYTES_MAX;

pub(super) const TEXT: u8 = 0x81;
pub(super) const BINARY: u8 = 0x82;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8a;
pub(super) const CLOSE: u8 = 0x88;
/// Fragments: the first, one between, the last.
pub(super) const FIRST: u8 = 0x01;
pub(super) const FIRST_BINARY: u8 = 0x02;
pub(super) const NEXT: u8 = 0x00;
pub(super) const LAST: u8 = 0x80;

/// What the client is told in the end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// Nothing: the connection is open.
    Open,
    /// A Close frame with this payload, which answers the client's own.
    Echo(Vec<u8>),
    /// A Close frame of ours with this code.
    Code(u16),
}

/// What comes of an input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) pongs: Vec<Vec<u8>>,
    pub(super) end: End,
}

/// A row: what the client does, its bytes, what must come of them.
pub(super) type Row = (String, Vec<u8>, Outcome);

/// The rows of a client that sends `frames`.
struct Rows(Vec<Row>);

impl Rows {
    fn bytes(&mut self, name: &str, input: Vec<u8>, outcome: Outcome) {
        self.0.push((name.to_owned(), input, outcome));
    }

    fn add(
        &mut self,
        name: &str,
        frames: &[(u8, &[u8])],
        messages: &[&[u8]],
        pongs: &[&[u8]],
        end: End,
    ) {
        let input = frames
            .iter()
            .flat_map(|(first, payload)| masked(*first, payload));
        let owned = |list: &[&[u8]]| list.iter().map(|one| one.to_vec()).collect();
        let outcome = Outcome {
            messages: owned(messages),
            pongs: owned(pongs),
            end,
        };
        self.bytes(name, input.collect(), outcome);
    }

    /// Messages come out and the connection stays open.
    fn good(&mut self, name: &str, frames: &[(u8, &[u8])], messages: &[&[u8]]) {
        self.add(name, frames, messages, &[], End::Open);
    }

    /// The connection ends with a code of ours; `before` came out before.
    fn bad(&mut self, name: &str, frames: &[(u8, &[u8])], code: u16) {
        self.add(name, frames, &[], &[], End::Code(code));
    }

    fn bad_bytes(&mut self, name: &str, input: &[&[u8]], code: u16) {
        let outcome = Outcome {
            messages: Vec::new(),
            pongs: Vec::new(),
            end: End::Code(code),
        };
        self.bytes(name, input.concat(), outcome);
    }
}

/// §5.2: lengths, masks, reserved bits, opcodes.
fn framing(rows: &mut Rows) {
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
        let payload = vec![b'x'; length];
        rows.good(
            &format!("text of {length}"),
            &[(TEXT, &payload)],
            &[&payload],
        );
        rows.good(
            &format!("binary of {length}"),
            &[(BINARY, &payload)],
            &[&payload],
        );
    }
    rows.good(
        "two messages",
        &[(TEXT, b"a"), (BINARY, b"b")],
        &[b"a", b"b"],
    );
    rows.bad_bytes("no mask", &[b"\x81\x01a"], 1002);
    rows.bad_bytes("no mask, no payload", &[b"\x81\x00"], 1002);
    rows.bad_bytes("a ping without mask", &[b"\x89\x00"], 1002);
    rows.bad_bytes(
        "a length with its top bit set",
        &[b"\x81\xff\x80\0\0\0\0\0\0\x01", &with_mask(b"a")],
        1009,
    );
    for reserved in [0x10, 0x20, 0x40, 0x70] {
        for first in [TEXT, BINARY, PING, CLOSE, FIRST] {
            rows.bad(
                &format!("{:#x}", first | reserved),
                &[(first | reserved, b"")],
                1002,
            );
        }
    }
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        rows.bad(
            &format!("opcode {opcode:#x}"),
            &[(0x80 | opcode, b"a")],
            1002,
        );
        rows.bad(
            &format!("opcode {opcode:#x}, no end"),
            &[(opcode, b"a")],
            1002,
        );
    }
}

/// §5.4.
fn fragmentation(rows: &mut Rows) {
    rows.good("two fragments", &[(FIRST, b"a"), (LAST, b"b")], &[b"ab"]);
    rows.good(
        "three fragments",
        &[(FIRST_BINARY, b"\xff"), (NEXT, b"b"), (LAST, b"c")],
        &[b"\xffbc"],
    );
    rows.good(
        "empty fragments",
        &[(FIRST, b""), (NEXT, b""), (LAST, b"")],
        &[b""],
    );
    rows.good(
        "a message behind fragments",
        &[(FIRST, b"a"), (LAST, b""), (TEXT, b"b")],
        &[b"a", b"b"],
    );
    rows.good("no last fragment yet", &[(FIRST, b"a"), (NEXT, b"b")], &[]);
    rows.add(
        "a ping between",
        &[(FIRST, b"a"), (PING, b"p"), (LAST, b"b")],
        &[b"ab"],
        &[b"p"],
        End::Open,
    );
    rows.good(
        "a pong between",
        &[(FIRST, b"a"), (PONG, b"p"), (LAST, b"b")],
        &[b"ab"],
    );
    rows.add(
        "a close between",
        &[(FIRST, b"a"), (CLOSE, b"\x03\xe8")],
        &[],
        &[],
        End::Echo(b"\x03\xe8".to_vec()),
    );
    rows.bad("a last fragment of nothing", &[(LAST, b"a")], 1002);
    rows.bad("a fragment of nothing", &[(NEXT, b"a")], 1002);
    rows.bad("a message between", &[(FIRST, b"a"), (TEXT, b"b")], 1002);
    rows.bad(
        "a first fragment between",
        &[(FIRST, b"a"), (FIRST_BINARY, b"b")],
        1002,
    );
    rows.bad("a ping in fragments", &[(0x09, b"a")], 1002);
    rows.bad("a close in fragments", &[(0x08, b"")], 1002);
}

/// §5.5.2, §5.5.3.
fn pings(rows: &mut Rows) {
    let longest = [b'p'; 125];
    rows.add("an empty ping", &[(PING, b"")], &[], &[b""], End::Open);
    rows.add(
        "a ping of 125",
        &[(PING, &longest)],
        &[],
        &[&longest],
        End::Open,
    );
    rows.add(
        "a ping that isn't UTF-8",
        &[(PING, b"\xff")],
        &[],
        &[b"\xff"],
        End::Open,
    );
    rows.good("a pong nobody asked for", &[(PONG, b"p")], &[]);
    rows.bad("a ping of 126", &[(PING, &[0; 126])], 1002);
    rows.bad("a pong of 126", &[(PONG, &[0; 126])], 1002);
    rows.bad("a close of 126", &[(CLOSE, &[b'a'; 126])], 1002);
}

/// §5.5.1, §7.4.
fn closes(rows: &mut Rows) {
    rows.add(
        "a close without a code",
        &[(CLOSE, b"")],
        &[],
        &[],
        End::Echo(Vec::new()),
    );
    let mut reason = vec![0x03, 0xe8];
    reason.extend([b'r'; 123]);
    rows.add(
        "a close with the longest reason",
        &[(CLOSE, &reason)],
        &[],
        &[],
        End::Echo(reason.clone()),
    );
    let frames: [(u8, &[u8]); 3] = [(CLOSE, b"\x03\xe8bye"), (TEXT, b"late"), (PING, b"late")];
    rows.add(
        "frames behind a close",
        &frames,
        &[],
        &[],
        End::Echo(b"\x03\xe8bye".to_vec()),
    );
    let frames: [(u8, &[u8]); 2] = [(TEXT, b"a"), (CLOSE, b"\x03\xe8")];
    rows.add(
        "a close behind a message",
        &frames,
        &[b"a"],
        &[],
        End::Echo(b"\x03\xe8".to_vec()),
    );
    for code in [
        1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        let payload = code.to_be_bytes();
        rows.add(
            &format!("close {code}"),
            &[(CLOSE, &payload)],
            &[],
            &[],
            End::Echo(payload.to_vec()),
        );
    }
    for code in [
        0_u16, 1, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        rows.bad(
            &format!("close {code}"),
            &[(CLOSE, &code.to_be_bytes())],
            1002,
        );
    }
    rows.bad("half a code", &[(CLOSE, b"\x03")], 1002);
    rows.bad(
        "a reason that isn't UTF-8",
        &[(CLOSE, b"\x03\xe8\xff")],
        1007,
    );
}

/// §8.1: what is text, and where it may be cut.
fn utf8(rows: &mut Rows) {
    for text in [
        "\u{0}",
        "\u{7f}",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
    ] {
        let bytes = text.as_bytes();
        rows.good(&format!("{text:?}"), &[(TEXT, bytes)], &[bytes]);
        for cut in 1..bytes.len() {
            let (a, b) = bytes.split_at(cut);
            rows.good(
                &format!("{text:?} cut at {cut}"),
                &[(FIRST, a), (NEXT, b""), (LAST, b)],
                &[bytes],
            );
            rows.bad(&format!("{text:?}, only {cut}"), &[(TEXT, a)], 1007);
            rows.bad(
                &format!("{text:?}, only {cut}, in fragments"),
                &[(FIRST, a), (LAST, b"")],
                1007,
            );
        }
    }
    let wrong: [&[u8]; 9] = [
        b"\x80",
        b"\xff",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x28\xa1",
    ];
    for bytes in wrong {
        rows.bad(&format!("{bytes:x?}"), &[(TEXT, bytes)], 1007);
        rows.bad(
            &format!("{bytes:x?} in fragments"),
            &[(FIRST, b"a"), (LAST, bytes)],
            1007,
        );
        rows.good(
            &format!("{bytes:x?} as binary"),
            &[(BINARY, bytes)],
            &[bytes],
        );
    }
}

/// Ours: 64 KiB, however it comes, and nothing is kept for what is only declared.
fn limits(rows: &mut Rows) {
    let most = vec![b'x'; PAYLOAD_BYTES_MAX];
    let more = vec![b'x'; PAYLOAD_BYTES_MAX + 1];
    rows.good(
        "64 KiB in fragments",
        &[(FIRST, &most[1..]), (LAST, b"x")],
        &[&most],
    );
    rows.bad("64 KiB and a byte", &[(TEXT, &more)], 1009);
    rows.bad(
        "64 KiB and a byte in fragments",
        &[(FIRST, &most), (LAST, b"x")],
        1009,
    );
    rows.bad(
        "64 KiB and a byte without an end",
        &[(FIRST_BINARY, &most), (NEXT, b"x")],
        1009,
    );
    rows.bad_bytes(
        "a declared mebibyte",
        &[b"\x82\xff\0\0\0\0\0\x10\0\0", &with_mask(b"")],
        1009,
    );
    rows.bad_bytes(
        "all that can be declared",
        &[b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", &with_mask(b"")],
        1009,
    );
}

pub(super) fn table() -> Vec<Row> {
    let mut rows = Rows(Vec::new());
    for section in [framing, fragmentation, pings, closes, utf8, limits] {
        section(&mut rows);
    }
    rows.0
}
