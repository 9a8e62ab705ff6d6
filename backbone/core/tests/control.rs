//! The machine of the control streams by its inputs and outputs.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use trunkline_backbone_core::io::EdgeIdentity;
use trunkline_backbone_core::{Control, ControlConfig, ControlInput, ControlOutput};
use trunkline_shared::frame::{EdgeStats, ToEdge, ToNode};
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{
    Channel, EdgeId, Incarnation, LinkId, Member, NodeId, Now, Region, RequestId, RingView, Slot,
    ViewVersion,
};

struct Node {
    control: Control,
    now: Now,
}

impl Node {
    fn new() -> Self {
        let now = Now::default();
        Self {
            control: Control::new(ControlConfig::default(), 1, now),
            now,
        }
    }

    fn input(&mut self, input: ControlInput) -> Vec<ControlOutput> {
        self.control.handle_input(self.now, input);
        std::iter::from_fn(|| self.control.poll_output()).collect()
    }

    fn up(&mut self, edge: u8, link: u64) -> Vec<ToEdge> {
        let identity = EdgeIdentity {
            edge: EdgeId::parse(&format!("edge-{edge}")).expect("a valid name"),
            region: Region::parse("eu-west").expect("a valid name"),
            incarnation: Incarnation([edge; 16]),
        };
        frames(self.input(ControlInput::LinkUp {
            link: LinkId(link),
            edge: identity,
        }))
    }

    fn say(&mut self, link: u64, frame: ToNode) -> Vec<ControlOutput> {
        self.input(ControlInput::Frame {
            link: LinkId(link),
            frame,
        })
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant = self.now.instant + time;
        self.control.handle_timeout(self.now);
    }

    fn reports(&mut self, link: u64) -> Vec<(String, EdgeStats)> {
        let frames = frames(self.say(
            link,
            ToNode::Info {
                request: RequestId(5),
            },
        ));
        let [
            ToEdge::Info {
                request: RequestId(5),
                edges,
            },
        ] = &frames[..]
        else {
            panic!("an info, not {frames:?}")
        };
        edges
            .iter()
            .map(|report| (report.edge.to_string(), report.stats))
            .collect()
    }
}

fn frames(outputs: Vec<ControlOutput>) -> Vec<ToEdge> {
    let frame = |output| {
        if let ControlOutput::Send { frame, .. } = output {
            Some(frame)
        } else {
            None
        }
    };
    outputs.into_iter().filter_map(frame).collect()
}

fn view(number: u64) -> RingView {
    let member = Member {
        name: NodeId::parse("backbone-1").expect("a valid name"),
        incarnation: Incarnation([200; 16]),
        address: SmolStr::new("127.0.0.1:7443"),
    };
    RingView::of_one(
        ViewVersion {
            number,
            ..ViewVersion::default()
        },
        1,
        member,
    )
}

fn rules(version: u64) -> Arc<Rules> {
    Arc::new(Rules::new(version, vec![Namespace::default()]).expect("good rules"))
}

#[test]
fn a_new_link_is_told_view_rules_and_the_stores_state() {
    let mut node = Node::new();
    assert_eq!(node.up(1, 1), [ToEdge::Store { away: false }]);
    node.input(ControlInput::View(Arc::new(view(1))));
    node.input(ControlInput::Rules(rules(1)));
    node.input(ControlInput::Store { away: true });
    let frames = node.up(2, 2);
    let [
        ToEdge::View(told),
        ToEdge::Rules(json),
        ToEdge::Store { away: true },
    ] = &frames[..]
    else {
        panic!("a welcome, not {frames:?}")
    };
    assert_eq!(told, &view(1));
    let told: Rules = serde_json::from_slice(json.bytes()).expect("rules as JSON");
    assert_eq!(told, *rules(1));
}

#[test]
fn changes_go_to_every_link_once() {
    let mut node = Node::new();
    node.up(1, 1);
    node.up(2, 2);
    assert_eq!(node.input(ControlInput::View(Arc::new(view(1)))).len(), 2);
    assert_eq!(node.input(ControlInput::View(Arc::new(view(1)))).len(), 0);
    assert_eq!(node.input(ControlInput::Rules(rules(2))).len(), 2);
    assert_eq!(
        node.input(ControlInput::Rules(rules(1))).len(),
        0,
        "older rules"
    );
    assert_eq!(node.input(ControlInput::Store { away: true }).len(), 2);
    assert_eq!(node.input(ControlInput::Store { away: true }).len(), 0);
}

#[test]
fn info_names_every_known_edge_with_what_it_said_last() {
    let mut node = Node::new();
    node.up(1, 1);
    node.up(2, 2);
    let stats = EdgeStats {
        clients: 7,
        ..EdgeStats::default()
    };
    node.say(2, ToNode::Stats(stats));
    let expected = [
        ("edge-1".to_owned(), EdgeStats::default()),
        ("edge-2".to_owned(), stats),
    ];
    assert_eq!(node.reports(1), expected);
}

#[test]
fn an_edge_is_known_until_its_lease_is_over() {
    let mut node = Node::new();
    node.up(1, 1);
    node.up(2, 2);
    node.say(
        2,
        ToNode::Stats(EdgeStats {
            clients: 7,
            ..EdgeStats::default()
        }),
    );
    node.input(ControlInput::LinkDown { link: LinkId(2) });
    node.pass(Duration::from_secs(9));
    assert_eq!(node.reports(1).len(), 2);
    node.up(2, 3);
    node.pass(Duration::from_secs(9));
    assert_eq!(node.reports(1)[1].1.clients, 7, "it came back");
    node.input(ControlInput::LinkDown { link: LinkId(3) });
    assert_eq!(
        node.control.poll_timeout().map(|(when, _)| when),
        Some(node.now.instant + Duration::from_secs(10))
    );
    node.pass(Duration::from_secs(10));
    assert_eq!(node.reports(1).len(), 1);
}

#[test]
fn an_edge_that_says_goodbye_is_forgotten_with_its_link() {
    let mut node = Node::new();
    node.up(1, 1);
    node.up(2, 2);
    let outputs = node.say(2, ToNode::Goodbye);
    assert!(matches!(
        outputs[..],
        [ControlOutput::Goodbye { link: LinkId(2) }]
    ));
    node.input(ControlInput::LinkDown { link: LinkId(2) });
    assert_eq!(node.reports(1).len(), 1);
    assert_eq!(node.control.poll_timeout(), None);
}

#[test]
fn only_a_newer_view_that_is_shown_is_told() {
    let mut node = Node::new();
    node.up(1, 1);
    node.input(ControlInput::View(Arc::new(view(2))));
    assert!(node.say(1, ToNode::ShowView(view(1))).is_empty());
    let outputs = node.say(1, ToNode::ShowView(view(3)));
    let [ControlOutput::NewerView(shown)] = &outputs[..] else {
        panic!("a newer view, not {outputs:?}")
    };
    assert_eq!(**shown, view(3));
    assert_eq!(node.control.counters().newer_views_shown, 1);
}

#[test]
fn a_lanes_frame_on_the_control_stream_ends_the_link() {
    let mut node = Node::new();
    node.up(1, 1);
    let channel = Channel::parse("chat:1").expect("a valid name");
    let slot = Slot::of("chat:1");
    let outputs = node.say(1, ToNode::Unsubscribe { slot, channel });
    assert!(matches!(
        outputs[..],
        [ControlOutput::Close {
            link: LinkId(1),
            ..
        }]
    ));
}

#[test]
fn an_edge_that_does_not_read_is_closed() {
    let mut node = Node::new();
    node.up(1, 1);
    let mut sent = 0;
    for number in 1.. {
        let outputs = node.input(ControlInput::View(Arc::new(view(number))));
        if matches!(outputs[..], [ControlOutput::Close { .. }]) {
            break;
        }
        sent += frames(outputs).iter().map(ToEdge::weight).sum::<usize>();
        assert!(sent <= 4 << 20, "its queue is bounded");
    }
}

#[test]
fn what_was_written_gives_room_again() {
    let mut node = Node::new();
    node.up(1, 1);
    for number in 1..=2000 {
        let outputs = node.input(ControlInput::View(Arc::new(view(number))));
        let weight = frames(outputs).iter().map(ToEdge::weight).sum();
        assert!(weight > 0);
        node.input(ControlInput::Sent {
            link: LinkId(1),
            weight,
        });
    }
}

#[test]
fn a_link_of_one_edge_too_many_is_closed() {
    let config = ControlConfig {
        edges_max: 1,
        ..ControlConfig::default()
    };
    let mut node = Node {
        control: Control::new(config, 1, Now::default()),
        now: Now::default(),
    };
    node.up(1, 1);
    node.up(2, 2);
    assert_eq!(node.control.edges(), 1);
    assert_eq!(node.control.counters().closed, 1);
}
