//! RFC 6455 as a table: what comes of each input, from the parser alone and over a socket.

mod table;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use table::{CLOSE, End, Outcome, PING, PONG, TEXT, table};

/// A client's frame: masked, with the given first byte.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=65_535 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend(with_mask(payload));
    frame
}

/// A mask and what it makes of a payload.
fn with_mask(payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let bytes = payload.iter().zip(mask.iter().cycle());
    let masked = bytes.map(|(byte, mask)| byte ^ mask);
    mask.into_iter().chain(masked).collect()
}

/// What the parser makes of an input that comes in pieces of `size`.
fn parsed(input: &[u8], size: usize) -> Outcome {
    let (mut reader, mut messages, mut control) = (Reader::new(), Vec::new(), Vec::new());
    let mut feed = |piece: &[u8]| {
        reader.feed(piece, &mut control, |message| {
            messages.push(message.to_vec())
        })
    };
    let end = input.chunks(size).find_map(|piece| feed(piece).err());
    let code = end.as_ref().and_then(ReadEnd::close);
    let (pongs, echo) = frames(&control);
    let end = match (echo, code) {
        // The parser's own answer to a code that no client may send.
        (Some(payload), None) if payload.len() > 2 && payload.starts_with(&[3, 0xea]) => {
            End::Code(1002)
        }
        (Some(payload), None) => End::Echo(payload),
        (None, Some((code, _))) => End::Code(code),
        (None, None) => End::Open,
        (Some(_), Some(_)) => panic!("two ends"),
    };
    Outcome {
        messages,
        pongs,
        end,
    }
}

/// Takes a server's pongs and its Close frame apart.
fn frames(mut bytes: &[u8]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let mut pongs = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(usize::from(*length));
        if *first == CLOSE {
            assert!(rest.is_empty(), "nothing follows a Close frame");
            return (pongs, Some(payload.to_vec()));
        }
        assert_eq!(*first, PONG);
        pongs.push(payload.to_vec());
        bytes = rest;
    }
    (pongs, None)
}

#[test]
fn every_row_comes_out_of_the_parser() {
    let mut wrong = Vec::new();
    for (name, input, outcome) in table() {
        let got = parsed(&input, usize::MAX);
        if got != outcome {
            wrong.push(format!(
                "{name}: {:?}, {} messages",
                got.end,
                got.messages.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_row_depends_on_where_its_bytes_are_cut() {
    for (name, input, outcome) in table() {
        let sizes = if input.len() < 200 {
            1..=input.len()
        } else {
            4095..=4096
        };
        for size in sizes {
            assert!(
                parsed(&input, size) == outcome,
                "{name} in pieces of {size}"
            );
        }
    }
}

/// What a client on a socket sees of the echo server.
async fn echoed(tcp: &mut TcpStream, wanted: &Outcome) -> Outcome {
    let mut outcome = Outcome {
        messages: Vec::new(),
        pongs: Vec::new(),
        end: End::Open,
    };
    let mut marked = false;
    // Pongs overtake messages, so the mark's says only that all has been read.
    while !(marked && outcome.messages.len() >= wanted.messages.len()) {
        let Ok(first) = tcp.read_u8().await else {
            break;
        };
        let length = match tcp.read_u8().await.expect("a length") {
            126 => usize::from(tcp.read_u16().await.expect("a length")),
            127 => usize::try_from(tcp.read_u64().await.expect("a length")).expect("a length"),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        tcp.read_exact(&mut payload).await.expect("a payload");
        match first {
            PONG if payload == b"mark" => marked = true,
            PONG => outcome.pongs.push(payload),
            CLOSE => outcome.end = End::Echo(payload),
            _ => outcome.messages.push(payload),
        }
    }
    outcome
}

#[tokio::test]
async fn every_row_comes_out_of_a_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    for (name, input, mut outcome) in table() {
        let (tcp, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let server = tokio::spawn(crate::websocket::echo(accepted.expect("accepted").0));
        let mut tcp = tcp.expect("connected");
        let hello = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        tcp.write_all(hello).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tcp.read_u8().await.expect("a head"));
        }
        let open = outcome.end == End::Open;
        let mark = if open {
            masked(PING, b"mark")
        } else {
            Vec::new()
        };
        tcp.write_all(&[input, mark].concat()).await.expect("sent");
        let mut got = echoed(&mut tcp, &outcome).await;
        if let (End::Code(code), End::Echo(payload)) = (&outcome.end, &mut got.end) {
            assert!(payload.len() > 2, "{name}: a close of ours has a reason");
            assert_eq!(payload[..2], code.to_be_bytes(), "{name}");
            outcome.end = got.end.clone();
        }
        assert!(
            got == outcome,
            "{name}: {:?}, {} messages",
            got.end,
            got.messages.len()
        );
        drop(tcp);
        let _ = server.await.expect("no panic");
    }
}

#[test]
fn no_bytes_panic() {
    let bytes = [
        masked(TEXT, b"one"),
        masked(PING, b"p"),
        masked(CLOSE, b"\x03\xe8"),
    ]
    .concat();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut bad = bytes.clone();
            bad[place] ^= 1 << bit;
            parsed(&bad, usize::MAX);
        }
    }
}
