//! How links begin and end: goodbyes, newer links of the same life, dialling again.

use std::sync::Arc;
use std::time::Duration;

use trunkline_link::{
    CloseCode, ConnectError, DialEvent, Dialer, Introduction, LinkConfig, LinkEnd, LinkServer, Sent,
};
use trunkline_shared::{StreamId, ViewVersion};

use crate::mesh::{
    Event, Mesh, channel_of_each_lane, control, encode, introduction, push, sink, within,
};

#[tokio::test]
async fn a_goodbye_delivers_what_is_queued() {
    let mut mesh = Mesh::new();
    let (mut edge, mut node) = mesh.started(1).await;
    let lanes = channel_of_each_lane();
    for number in 0..320 {
        let (stream, channel) = &lanes[usize::try_from(number).unwrap() % 16];
        assert_eq!(
            node.sender
                .send(*stream, &encode(&push(channel, number, 30_000))),
            Sent::Queued
        );
    }
    within(node.sender.goodbye()).await;
    let mut arrived = 0;
    let end = loop {
        match edge.event().await {
            Event::Frame(..) => arrived += 1,
            Event::Sent(..) => {}
            Event::Closed(end) => break end,
        }
    };
    assert_eq!((arrived, end), (320, LinkEnd::PeerGoodbye));
    assert_eq!(node.end().await, LinkEnd::Goodbye);
    assert_eq!(
        node.sender
            .send(StreamId::Lane(0), &encode(&push(&lanes[0].1, 1, 1))),
        Sent::Closed
    );
}

#[tokio::test]
async fn a_goodbye_to_a_peer_that_does_not_read_is_bounded() {
    let mut mesh = Mesh::with(LinkConfig {
        goodbye_timeout: Duration::from_millis(50),
        ..LinkConfig::default()
    });
    // The edge's end is never started: nobody reads it.
    let (_edge, node) = mesh.pair(1).await;
    let (events, mut seen) = sink();
    let node = node.start(|_| events);
    let (lane, channel) = channel_of_each_lane().swap_remove(0);
    for number in 0..600 {
        assert_eq!(
            node.send(lane, &encode(&push(&channel, number, 60_000))),
            Sent::Queued
        );
    }
    within(node.goodbye()).await;
    let last = std::iter::from_fn(|| seen.try_recv().ok()).last();
    assert_eq!(last, Some(Event::Closed(LinkEnd::Goodbye)));
}

#[tokio::test]
async fn a_core_can_end_a_link_with_a_reason() {
    let mut mesh = Mesh::new();
    let (mut edge, mut node) = mesh.started(1).await;
    node.sender.close("answers what was never asked");
    let reason = "the peer breaks the protocol: answers what was never asked".to_owned();
    assert_eq!(
        edge.end().await,
        LinkEnd::ClosedByPeer {
            code: CloseCode::Misbehaved,
            reason
        }
    );
    assert_eq!(
        node.end().await,
        LinkEnd::Misbehaved("answers what was never asked".to_owned())
    );
}

#[tokio::test]
async fn a_link_that_is_dropped_before_its_start_is_closed() {
    let mut mesh = Mesh::new();
    let (edge, node) = mesh.pair(1).await;
    let (events, mut seen) = sink();
    let _node = node.start(|_| events);
    drop(edge);
    assert_eq!(
        within(seen.recv()).await,
        Some(Event::Closed(LinkEnd::PeerGoodbye))
    );
}

#[tokio::test]
async fn a_newer_link_of_the_same_life_is_welcomed_after_the_end_of_the_older_one() {
    let mut mesh = Mesh::new();
    let (mut edge, mut node) = mesh.started(1).await;
    assert_eq!(
        edge.sender.send(StreamId::Control, &encode(&control(1))),
        Sent::Queued
    );
    let (_newer_edge, _newer_node) = mesh.pair(1).await;
    // Already there: the sink was told before the newer link was welcomed.
    let seen: Vec<_> = std::iter::from_fn(|| node.events.try_recv().ok()).collect();
    assert_eq!(seen.last(), Some(&Event::Closed(LinkEnd::Superseded)));
    assert_eq!(edge.end().await, LinkEnd::Superseded);
    assert_eq!(mesh.server.counters().superseded, 1);
}

#[tokio::test]
async fn no_newer_link_is_welcomed_before_the_readers_of_the_older_one_have_ended() {
    let mut mesh = Mesh::with(LinkConfig {
        handshake_timeout: Duration::from_secs(1),
        ..LinkConfig::default()
    });
    // Its readers end when the node's shell starts it or lets it go, not before.
    let (_edge, older) = mesh.pair(1).await;
    for _ in 0..2 {
        let error = mesh
            .connect(1)
            .await
            .err()
            .expect("the older one still stands");
        assert!(
            matches!(error, ConnectError::TimedOut | ConnectError::Refused { .. }),
            "{error}"
        );
    }
    assert_eq!(mesh.server.counters().accepted, 1);
    drop(older);
    let (client, address) = (mesh.client.clone(), mesh.addr.to_string());
    // An attempt of before may get through now and is let go too.
    let let_go = async { while mesh.server.accept().await.is_some() {} };
    tokio::select! {
        link = within(client.connect(&address, introduction(1))) => drop(link.unwrap()),
        () = let_go => panic!("the server goes on"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_newer_links_at_once_leave_the_last_one() {
    let mut mesh = Mesh::new();
    let address = mesh.addr.to_string();
    let dial = |number: u64| {
        let (client, address) = (mesh.client.clone(), address.clone());
        let view = ViewVersion {
            number,
            ..ViewVersion::default()
        };
        async move {
            client
                .connect(
                    &address,
                    Introduction {
                        view,
                        ..introduction(1)
                    },
                )
                .await
        }
    };
    let dials: Vec<_> = (0..8).map(|number| tokio::spawn(dial(number))).collect();
    let last_dial = async {
        for dial in dials {
            // One that is overtaken may fail; whoever gets through drops its link at once.
            drop(within(dial).await.unwrap());
        }
        dial(99).await.unwrap()
    };
    let accept_all = async {
        let mut nodes = Vec::new();
        loop {
            let link = mesh.server.accept().await.unwrap();
            let number = link.introduction().view.number;
            let (events, seen) = sink();
            nodes.push((link.start(|_| events), seen));
            if number == 99 {
                return nodes;
            }
        }
    };
    let (_edge, mut nodes) = within(async { tokio::join!(last_dial, accept_all) }).await;
    let (_last, last_seen) = &mut nodes.pop().expect("the one of the last dial");
    for (_, seen) in &mut nodes {
        // Told before the last one was welcomed.
        let end = seen.try_recv();
        assert!(
            matches!(
                end,
                Ok(Event::Closed(LinkEnd::Superseded | LinkEnd::PeerGoodbye))
            ),
            "{end:?}"
        );
    }
    assert!(last_seen.try_recv().is_err(), "the last one stands");
}

#[tokio::test]
async fn another_life_of_the_same_edge_ends_no_link() {
    let mut mesh = Mesh::new();
    let (edge, mut node) = mesh.started(1).await;
    let _other = mesh.pair(2).await;
    assert_eq!(
        edge.sender.send(StreamId::Control, &encode(&control(1))),
        Sent::Queued
    );
    assert_eq!(node.frame().await, (StreamId::Control, control(1)));
    assert_eq!(mesh.server.counters().superseded, 0);
}

#[tokio::test]
async fn a_dialer_tries_until_the_node_is_there_and_again_when_it_went() {
    let quick = LinkConfig {
        handshake_timeout: Duration::from_millis(200),
        goodbye_timeout: Duration::from_millis(200),
        reconnect_min: Duration::from_millis(1),
        reconnect_max: Duration::from_millis(5),
        ..LinkConfig::default()
    };
    let mesh = Mesh::with(quick);
    // Somebody has the port, but doesn't answer.
    let silent = std::net::UdpSocket::bind("127.0.7.1:0").unwrap();
    let addr = silent.local_addr().unwrap();
    let mut dialer = Dialer::new(mesh.client.clone(), addr.to_string(), || introduction(1));
    let DialEvent::Failed { error, retry_in } = within(dialer.next()).await else {
        panic!("nobody answers")
    };
    assert!(matches!(error, ConnectError::TimedOut), "{error}");
    assert!(retry_in <= Duration::from_millis(1));
    drop(silent);
    let node = mesh.authority.issue(crate::mesh::NODE).tls();
    let (mut server, _) =
        LinkServer::bind(addr, &node, Arc::clone(&mesh.config), || introduction(200)).unwrap();
    let link = loop {
        match within(dialer.next()).await {
            DialEvent::Up(link) => break link,
            DialEvent::Failed { .. } => {}
            DialEvent::Down(end) => panic!("{end}"),
        }
    };
    let (events, mut seen) = sink();
    let _sender = link.start(|_| events);
    let _node_link = within(server.accept()).await.unwrap();
    server.close().await;
    let DialEvent::Down(end) = within(dialer.next()).await else {
        panic!("the link was up")
    };
    assert_eq!(end, LinkEnd::PeerGoodbye);
    assert_eq!(seen.try_recv(), Ok(Event::Closed(LinkEnd::PeerGoodbye)));
}
