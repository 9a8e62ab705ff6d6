//! Group H: how a WebSocket is opened.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use serde_json::json;
use trunkline_protocol::Encoding;

use super::client::Client;
use super::mesh::{Edge, mesh};
use super::socket::{Handshake, read_header};

/// Opens a WebSocket, and connects on it in `encoding`; returns the response's header.
fn header_of(subprotocol: Option<&str>, encoding: Encoding) -> String {
    let handshake = Handshake {
        address: mesh().address(Edge::Fast),
        subprotocol,
        answers_pings: true,
    };
    let (socket, header) = handshake.open(encoding);
    // The socket's reader takes no other frames than those of the encoding.
    Client::new(socket).connect(&json!({}));
    assert!(header.starts_with("http/1.1 101"), "{header}");
    let accept = "\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n";
    assert!(header.contains(accept), "{header}");
    header
}

#[test]
fn h_01_without_a_subprotocol_json_is_spoken_in_text_frames() {
    let header = header_of(None, Encoding::Json);
    assert!(!header.contains("sec-websocket-protocol"), "{header}");
}

#[test]
fn h_02_an_offered_protobuf_is_echoed_and_spoken_in_binary_frames() {
    let header = header_of(Some("centrifuge-protobuf"), Encoding::Protobuf);
    let echo = "\r\nsec-websocket-protocol: centrifuge-protobuf\r\n";
    assert!(header.contains(echo), "{header}");
}

#[test]
fn h_05_a_plain_get_of_the_websocket_path_is_answered_with_400() {
    let mut stream = TcpStream::connect(mesh().address(Edge::Fast)).expect("the edge listens");
    let request = b"GET /connection/websocket HTTP/1.1\r\nHost: edge\r\n\r\n";
    stream.write_all(request).expect("written");
    let header = read_header(&mut BufReader::new(stream));
    assert!(header.starts_with("http/1.1 400"), "{header}");
}

#[test]
fn h_07_a_message_over_64_kib_closes_with_1009() {
    for encoding in Encoding::ALL {
        let mut client = Client::anonymous(encoding);
        client.socket.send_message(&vec![b' '; (64 << 10) + 1]);
        client.expect_close(1009, "message too big");
    }
}
