//! Strangers at a node's link port: refused and counted, and the node goes on.

use trunkline_link::CloseCode;
use trunkline_shared::frame::VERSION;

use crate::harness::papers::make_certificates;
use crate::harness::wait_until;
use crate::peer::{self, Papers};
use crate::rig::{Rig, metric};

const ACCEPTED: &str = "trunkline_backbone_links_accepted_total";

fn refused(cause: &str) -> String {
    format!("trunkline_backbone_peers_refused_total{{cause=\"{cause}\"}}")
}

/// Waits until the node has counted to `count`.
fn counted(rig: &Rig, name: &str, count: u64) {
    wait_until(name, || (metric(&rig.node, name) >= count).then_some(()));
}

#[tokio::test]
async fn who_is_not_of_the_mesh_gets_no_link_and_is_counted() {
    let rig = Rig::start();
    let before = metric(&rig.node, ACCEPTED);
    let (dir, link) = (rig.dir.path(), rig.node.address("link"));
    let elsewhere = tempfile::tempdir().expect("a directory");
    make_certificates(elsewhere.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let strangers = [
        None,
        Some(Papers::read(elsewhere.path(), "edge-1")),
        Some(Papers::read(dir, "edge-1").forged("/eu-west/", "/us-east/")),
    ];
    for (number, papers) in (1..).zip(strangers) {
        // The handshake of QUIC may end before the node has looked at the certificate: the refusal comes behind it.
        if let Ok(connection) = peer::dial(dir, &link, papers).await {
            peer::within(connection.closed()).await;
        }
        counted(&rig, &refused("handshake"), number);
    }
    // Of the mesh, but a node doesn't open links.
    let connection = peer::dial(dir, &link, Some(Papers::read(dir, "backbone-1")))
        .await
        .expect("a handshake");
    assert_eq!(
        peer::closed(&connection).await.0,
        CloseCode::WrongPeer.number()
    );
    counted(&rig, &refused("identity"), 1);
    assert_eq!(
        metric(&rig.node, ACCEPTED),
        before,
        "only the edge has a link"
    );
    rig.goes_on();
}

#[tokio::test]
async fn garbage_on_the_udp_port_changes_nothing() {
    let rig = Rig::start();
    let before = metric(&rig.node, ACCEPTED);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    // First bytes of all kinds: long headers of QUIC, short ones, neither.
    for length in (0..1400).step_by(7) {
        let bytes: Vec<u8> = (0..length)
            .map(|place| (place * 31 + length) as u8)
            .collect();
        socket
            .send_to(&bytes, rig.node.address("link"))
            .expect("sent");
    }
    assert_eq!(
        metric(&rig.node, ACCEPTED),
        before,
        "the edge kept its link"
    );
    rig.goes_on();
}

#[tokio::test]
async fn frames_that_no_version_knows_end_their_link_alone() {
    let rig = Rig::start();
    let before = metric(&rig.node, ACCEPTED);
    let (dir, link) = (rig.dir.path(), rig.node.address("link"));
    let unknown_kind = [8, 0, 0, 0, 99, VERSION, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let oversize = [0xff, 0xff, 0xff, 0x7f, 1, VERSION, 0, 0];
    let hollow = [
        8, 0, 0, 0, 1, VERSION, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    let cases: [(&[u8], &str); 3] = [
        (&unknown_kind, "frame of unknown kind 99"),
        (&oversize, "larger than 1 MiB"),
        (&hollow, "malformed frame"),
    ];
    for (number, (bytes, words)) in (1..).zip(cases) {
        let connection = peer::dial(dir, &link, Some(Papers::read(dir, "edge-1")))
            .await
            .expect("a handshake");
        let mut streams = peer::greet(&connection).await;
        streams[0].0.write_all(bytes).await.expect("written");
        let (code, reason) = peer::closed(&connection).await;
        assert_eq!(code, CloseCode::BadFrame.number(), "{reason}");
        assert!(reason.contains(words), "{reason}");
        counted(&rig, "trunkline_backbone_links_broken_total", number);
    }
    assert_eq!(
        metric(&rig.node, ACCEPTED),
        before + 3,
        "the edge kept its link"
    );
    // A first frame that is no hello.
    let connection = peer::dial(dir, &link, Some(Papers::read(dir, "edge-1")))
        .await
        .expect("a handshake");
    let (mut control, _answers) = connection.open_bi().await.expect("a stream");
    control
        .write_all(&[&[0, 0], &unknown_kind[..]].concat())
        .await
        .expect("written");
    assert_eq!(
        peer::closed(&connection).await.0,
        CloseCode::BadHello.number()
    );
    counted(&rig, &refused("hello"), 1);
    rig.goes_on();
}
