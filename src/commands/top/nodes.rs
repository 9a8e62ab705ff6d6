//! The members of the ring, and what each node does in it.

use trunkline_backbone::{Ring, RingMember, RingNode, RingPage, RingState};

use super::columns::aligned;
use super::process::Process;
use super::table::none;

const TITLES: [&str; 9] = [
    "NODE", "STATE", "SLOTS", "HELD", "CLAIMING", "MOVING", "CHANNELS", "LEASE", "VIEW",
];

/// What the newest view says, and a line for each of its members; nothing where no node tells of a ring.
pub(super) fn table(processes: &[Process]) -> Vec<String> {
    let pages: Vec<_> = processes.iter().filter_map(Process::ring).collect();
    if pages.is_empty() {
        return Vec::new();
    }
    let rings = pages.iter().filter_map(|page| page.ring.as_ref());
    let Some(ring) = rings.max_by_key(|ring| ring.version) else {
        return vec!["ring: no node is in a view yet".to_owned()];
    };
    let titles = TITLES.map(str::to_owned).to_vec();
    let members = ring.members.iter().map(|member| row(ring, member, &pages));
    let out = pages.iter().filter(|page| !has(ring, &page.node));
    let out = out.map(|page| vec![page.node.name.to_string(), "is in no view yet".to_owned()]);
    let rows: Vec<_> = std::iter::once(titles).chain(members).chain(out).collect();
    std::iter::once(summary(ring))
        .chain(aligned(&rows, 2))
        .collect()
}

fn summary(ring: &Ring) -> String {
    let count = |state| {
        let members = ring.members.iter();
        members.filter(|member| member.state == state).count()
    };
    let (joining, leaving) = (count(RingState::Joining), count(RingState::Leaving));
    let moves = match (joining, leaving) {
        (0, 0) => "nobody joins or leaves".to_owned(),
        _ => format!(
            "{joining} joining, {leaving} leaving, {} slots to move in {} steps",
            ring.slots_to_move, ring.steps_to_go
        ),
    };
    let members = ring.members.len();
    format!("ring {}: members {members}, {moves}", ring.version)
}

fn has(ring: &Ring, node: &RingNode) -> bool {
    let mut members = ring.members.iter();
    members.any(|member| is_life(member, node))
}

fn is_life(member: &RingMember, node: &RingNode) -> bool {
    member.member.incarnation.to_string() == node.incarnation
}

fn row(ring: &Ring, member: &RingMember, pages: &[&RingPage]) -> Vec<String> {
    let state = match member.state {
        RingState::Member => "member",
        RingState::Joining => "joining",
        RingState::Leaving => "leaving",
    };
    let page = pages.iter().find(|page| is_life(member, &page.node));
    let said = page.map(|page| said(ring, page));
    let given = [
        member.member.name.to_string(),
        state.to_owned(),
        member.slots.to_string(),
    ];
    given
        .into_iter()
        .chain(said.unwrap_or_else(|| [(); 6].map(|()| none())))
        .collect()
}

/// What a node says of itself.
fn said(ring: &Ring, page: &RingPage) -> [String; 6] {
    let node = &page.node;
    let is_newest = page.ring.as_ref().map(|own| own.version) == Some(ring.version);
    let lease = if node.lease_held { "held" } else { "over" };
    [
        node.slots.to_string(),
        node.slots_claiming.to_string(),
        node.slots_moving.to_string(),
        node.channels.to_string(),
        lease.to_owned(),
        if is_newest { "newest" } else { "older" }.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::process::node;
    use super::*;

    fn member(name: &str, life: &str, state: &str, slots: u16) -> serde_json::Value {
        serde_json::json!({
            "name": name, "incarnation": life.repeat(16), "address": "10.0.0.1:7443",
            "state": state, "slots": slots,
        })
    }

    /// A node of such a life with a view of such a number.
    fn process(life: &str, number: u64, members: &[serde_json::Value]) -> Process {
        let ring = serde_json::json!({
            "version": {"birth": 7, "timeline": 0, "number": number},
            "members": members, "slots_to_move": 640, "steps_to_go": 10,
        });
        let name = format!("backbone-{}", &life[1..]);
        node(&name, &life.repeat(16), &ring, &serde_json::json!([]))
    }

    #[test]
    fn members_are_those_of_the_newest_view_and_who_is_behind_is_told() {
        let both = [
            member("backbone-1", "01", "member", 4032),
            member("backbone-2", "02", "joining", 64),
            member("backbone-9", "09", "leaving", 0),
        ];
        let processes = [process("01", 2, &both), process("02", 1, &both[..1])];
        assert_eq!(
            table(&processes),
            [
                "ring 7.0.2: members 3, 1 joining, 1 leaving, 640 slots to move in 10 steps",
                "NODE        STATE    SLOTS  HELD  CLAIMING  MOVING  CHANNELS  LEASE    VIEW",
                "backbone-1  member    4032  4000        64      32         5   held  newest",
                "backbone-2  joining     64  4000        64      32         5   held   older",
                "backbone-9  leaving      0     -         -       -         -      -       -",
            ]
        );
    }

    #[test]
    fn a_life_that_the_view_does_not_name_is_no_member() {
        let members = [member("backbone-1", "01", "member", 4096)];
        let processes = [process("01", 2, &members), process("11", 2, &members)];
        let lines = table(&processes);
        assert_eq!(lines[0], "ring 7.0.2: members 1, nobody joins or leaves");
        assert_eq!(lines[3], "backbone-1  is in no view yet");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn nothing_is_shown_of_a_ring_where_nobody_tells_of_one() {
        assert!(table(&[]).is_empty());
        let page = node(
            "backbone-1",
            "",
            &serde_json::Value::Null,
            &serde_json::json!([]),
        );
        assert_eq!(table(&[page]), ["ring: no node is in a view yet"]);
    }
}
