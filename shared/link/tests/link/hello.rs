//! Who is let in, and who isn't: certificates and hellos over real QUIC.

use std::time::Duration;

use crate::mesh::{self, EDGE, Mesh, NODE, introduction, within};
use crate::raw;
use trunkline_link::{
    CloseCode, ConnectError, LinkClient, LinkConfig, LinkServer, LinkTls, PeerIdentity,
};
use trunkline_shared::frame::{ToEdge, VersionRange};
use trunkline_shared::limits::LANES;

#[tokio::test]
async fn both_ends_know_each_other_by_certificate_and_hello() {
    let mut mesh = Mesh::new();
    let (edge, node) = mesh.pair(1).await;
    assert_eq!(edge.peer(), &PeerIdentity::parse(NODE).unwrap());
    assert_eq!(node.peer(), &PeerIdentity::parse(EDGE).unwrap());
    assert_eq!(edge.introduction(), introduction(200));
    assert_eq!(node.introduction(), introduction(1));
    assert_eq!(mesh.server.counters().accepted, 1);
}

/// The mesh still takes a good link.
async fn goes_on(mesh: &mut Mesh) {
    mesh.pair(77).await;
}

#[tokio::test]
async fn an_edge_without_a_common_version_is_refused_with_both_ranges() {
    let mut mesh = Mesh::new();
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(EDGE), true)
        .await
        .unwrap();
    let hello = raw::hello(VersionRange { min: 3, max: 4 }, LANES);
    let _streams = raw::open_streams(&connection, &raw::bytes_of(&hello)).await;
    let (code, reason) = raw::closed(&connection).await;
    assert_eq!(code, CloseCode::NoCommonVersion);
    assert_eq!(
        reason,
        "no link version in common: we speak 2 to 2, the peer 3 to 4"
    );
    assert_eq!(mesh.server.counters().refused_version, 1);
    goes_on(&mut mesh).await;
}

#[tokio::test]
async fn a_node_without_a_common_version_is_refused_with_both_ranges() {
    let mesh = Mesh::new();
    let node = raw::listen(&mesh.authority.issue(NODE));
    let addr = node.local_addr().unwrap().to_string();
    let answer = async {
        let connection = node.accept().await.unwrap().await.unwrap();
        let (mut control, _from_edge) = connection.accept_bi().await.unwrap();
        let hello = raw::hello(VersionRange { min: 4, max: 5 }, LANES);
        control.write_all(&raw::bytes_of(&hello)).await.unwrap();
        raw::closed(&connection).await
    };
    let (link, told) =
        within(async { tokio::join!(mesh.client.connect(&addr, introduction(1)), answer) }).await;
    let error = link.err().unwrap();
    assert!(matches!(error, ConnectError::Version(_)), "{error}");
    assert_eq!(told.0, CloseCode::NoCommonVersion);
    assert_eq!(
        told.1,
        "no link version in common: we speak 2 to 2, the peer 4 to 5"
    );
}

#[tokio::test]
async fn an_edge_without_certificate_is_refused() {
    let mut mesh = Mesh::new();
    let pems = mesh.authority.issue(EDGE);
    // TLS 1.3: the client's handshake ends before the server has judged it.
    let error = match raw::dial(mesh.addr, &pems, false).await {
        Ok(connection) => within(connection.closed()).await,
        Err(error) => error,
    };
    let text = ConnectError::from(error).to_string();
    assert_eq!(
        text,
        "the node refuses the certificate of this edge, which wasn't shown"
    );
    goes_on(&mut mesh).await;
    assert_eq!(mesh.server.counters().refused_handshake, 1);
}

#[tokio::test]
async fn an_edge_of_another_protocol_is_refused_and_no_certificate_is_blamed() {
    let mut mesh = Mesh::new();
    let pems = mesh.authority.issue(EDGE);
    let dialed = raw::dial_speaking(b"trunkline/0", mesh.addr, &pems, true).await;
    let error = ConnectError::from(dialed.err().unwrap()).to_string();
    assert_eq!(
        error,
        "the node ends the TLS handshake with alert 120: it speaks another protocol than links"
    );
    goes_on(&mut mesh).await;
    assert_eq!(mesh.server.counters().refused_handshake, 1);
}

#[tokio::test]
async fn a_node_of_another_protocol_is_told_from_one_of_a_foreign_authority() {
    let mesh = Mesh::new();
    let node = raw::listen_speaking(b"h3", &mesh.authority.issue(NODE));
    let addr = node.local_addr().unwrap().to_string();
    let refuse = async { node.accept().await.unwrap().await.err().unwrap() };
    let (link, fault) =
        within(async { tokio::join!(mesh.client.connect(&addr, introduction(1)), refuse) }).await;
    let error = link.err().unwrap();
    assert!(error.to_string().contains("TLS handshake"), "{error}");
    assert!(fault.to_string().contains("120"), "{fault}");
}

#[tokio::test]
async fn an_edge_of_a_foreign_authority_is_refused() {
    let mut mesh = Mesh::new();
    let ours = mesh.authority.issue(EDGE);
    let foreign = mesh::Authority::new().issue(EDGE).believing(&ours);
    let client = LinkClient::bind(&foreign.tls(), mesh.config.clone()).unwrap();
    let error = within(client.connect(&mesh.addr.to_string(), introduction(1)))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Tls(_)), "{error}");
    goes_on(&mut mesh).await;
    assert_eq!(mesh.server.counters().refused_handshake, 1);
}

#[tokio::test]
async fn a_node_of_a_foreign_authority_is_refused() {
    let mesh = Mesh::new();
    let ours = mesh.authority.issue(NODE);
    let foreign = mesh::Authority::new().issue(NODE).believing(&ours);
    let (server, addr) = mesh::serve(&foreign.tls(), &mesh.config);
    let error = within(mesh.client.connect(&addr.to_string(), introduction(1)))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Tls(_)), "{error}");
    assert_eq!(server.counters().accepted, 0);
}

#[tokio::test]
async fn a_node_may_not_dial_a_node() {
    let mut mesh = Mesh::new();
    let node = mesh.authority.issue("trunkline://backbone/backbone-2");
    assert!(LinkClient::bind(&node.tls(), mesh.config.clone()).is_err());
    let connection = raw::dial(mesh.addr, &node, true).await.unwrap();
    let (code, reason) = raw::closed(&connection).await;
    assert_eq!(code, CloseCode::WrongPeer);
    assert_eq!(
        reason,
        "trunkline://backbone/backbone-2 may not open links, only edges may"
    );
    assert_eq!(mesh.server.counters().refused_identity, 1);
    goes_on(&mut mesh).await;
}

#[tokio::test]
async fn an_edge_may_not_stand_in_for_a_node() {
    let mesh = Mesh::new();
    let edge = mesh.authority.issue("trunkline://edge/eu-west/edge-2");
    let any = "127.0.7.1:0".parse().unwrap();
    assert!(LinkServer::bind(any, &edge.tls(), mesh.config.clone(), || introduction(1)).is_err());
    let endpoint = raw::listen(&edge);
    let addr = endpoint.local_addr().unwrap().to_string();
    let accept = async { raw::closed(&endpoint.accept().await.unwrap().await.unwrap()).await };
    let (link, told) =
        within(async { tokio::join!(mesh.client.connect(&addr, introduction(1)), accept) }).await;
    let error = link.err().unwrap();
    assert!(matches!(error, ConnectError::NoNode(_)), "{error}");
    assert_eq!(told.0, CloseCode::WrongPeer);
}

#[tokio::test]
async fn a_certificate_that_names_nobody_is_refused() {
    let mut mesh = Mesh::new();
    let nobody = mesh.authority.issue("trunkline://edge/eu-west");
    let connection = raw::dial(mesh.addr, &nobody, true).await.unwrap();
    let (code, reason) = raw::closed(&connection).await;
    assert_eq!(code, CloseCode::WrongPeer);
    assert!(reason.contains("trunkline://edge/eu-west"), "{reason}");
    goes_on(&mut mesh).await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_is_refused() {
    let mut mesh = Mesh::new();
    let bad = [
        raw::bytes_of(&mesh::control(1)).to_vec(),
        raw::bytes_of(&raw::hello(VersionRange::OURS, LANES + 1)).to_vec(),
        vec![0xff; 64],
        vec![0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for first in &bad {
        let connection = raw::dial(mesh.addr, &mesh.authority.issue(EDGE), true)
            .await
            .unwrap();
        let _streams = raw::open_streams(&connection, first).await;
        let (code, reason) = raw::closed(&connection).await;
        assert_eq!(code, CloseCode::BadHello, "{reason}");
    }
    assert_eq!(mesh.server.counters().refused_hello, 4);
    goes_on(&mut mesh).await;
}

#[tokio::test]
async fn a_hello_that_does_not_come_is_not_waited_for() {
    let mesh = Mesh::with(LinkConfig {
        handshake_timeout: Duration::from_millis(100),
        ..LinkConfig::default()
    });
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(EDGE), true)
        .await
        .unwrap();
    let (code, reason) = raw::closed(&connection).await;
    assert_eq!(
        (code, reason.as_str()),
        (CloseCode::BadHello, "hello not finished in time")
    );
    assert_eq!(mesh.server.counters().refused_timeout, 1);
}

#[tokio::test]
async fn links_beyond_the_limit_are_refused() {
    let mut mesh = Mesh::with(LinkConfig {
        links_max: 1,
        ..LinkConfig::default()
    });
    let first = mesh.pair(1).await;
    let error = mesh.connect(2).await.err().unwrap();
    assert!(matches!(error, ConnectError::Lost(_)), "{error}");
    assert_eq!(mesh.server.counters().refused_full, 1);
    drop(first);
}

#[tokio::test]
async fn a_node_that_answers_with_frames_is_refused() {
    let mesh = Mesh::new();
    let node = raw::listen(&mesh.authority.issue(NODE));
    let addr = node.local_addr().unwrap().to_string();
    let answer = async {
        let connection = node.accept().await.unwrap().await.unwrap();
        let (mut control, _from_edge) = connection.accept_bi().await.unwrap();
        control
            .write_all(&raw::bytes_of(&ToEdge::Store { away: false }))
            .await
            .unwrap();
        raw::closed(&connection).await
    };
    let (link, told) =
        within(async { tokio::join!(mesh.client.connect(&addr, introduction(1)), answer) }).await;
    let error = link.err().unwrap();
    assert!(matches!(error, ConnectError::BadHello(_)), "{error}");
    assert_eq!(told.0, CloseCode::BadHello);
}

#[test]
fn texts_that_make_no_certificates_are_refused_by_name() {
    let (ours, others) = (
        mesh::Authority::new().issue(EDGE),
        mesh::Authority::new().issue(EDGE),
    );
    let make = |ca: &str, chain: &str, key: &str| {
        let made = LinkTls::from_pem(ca.as_bytes(), chain.as_bytes(), key.as_bytes());
        made.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(make(&ours.ca, &ours.chain, &ours.key), "");
    assert_eq!(
        make("", &ours.chain, &ours.key),
        "link.ca_file has no certificate in it"
    );
    assert_eq!(
        make(&ours.ca, "", &ours.key),
        "link.certificate_file has no certificate in it"
    );
    assert_eq!(
        make(&ours.ca, &ours.chain, ""),
        "link.key_file has no private key in it"
    );
    assert_eq!(
        make(&ours.ca, &ours.chain, &others.key),
        "link.key_file is not the key of link.certificate_file"
    );
    let nobody = mesh::Authority::new().issue("https://example.org");
    assert!(make(&nobody.ca, &nobody.chain, &nobody.key).contains("0 subject alternative names"));
}

#[test]
fn files_that_are_not_named_or_not_there_are_told() {
    let told = |config: &LinkConfig| LinkTls::from_files(config).err().unwrap().to_string();
    assert_eq!(
        told(&LinkConfig::default()),
        "link.ca_file is not set; certificates are made by: trunkline certs new"
    );
    let absent = LinkConfig {
        ca_file: Some("/nowhere/ca.pem".into()),
        ..LinkConfig::default()
    };
    assert!(told(&absent).starts_with("link.ca_file /nowhere/ca.pem: "));
}
