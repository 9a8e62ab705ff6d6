//! What a membership counts and shows; shells fold it into metrics.

use trunkline_shared::ViewVersion;

/// Events since the life's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MembershipCounters {
    /// Heartbeats that the store took.
    pub heartbeats: u64,
    /// Heartbeats that failed.
    pub heartbeats_failed: u64,
    /// Heartbeats that came more than three quarters of a lease after the one before.
    pub heartbeats_late: u64,
    /// Times that the lease was over.
    pub leases_lost: u64,
    /// Views written.
    pub views_written: u64,
    /// Views that weren't written because another node was faster.
    pub views_outrun: u64,
    /// Steps taken because whoever received the one before hadn't gone on in time.
    pub steps_passed_over: u64,
    /// Views that an edge had shown and that were believed because the row couldn't be read.
    pub views_believed: u64,
    /// Times that the rules beside the view became others, which this program can't read.
    pub rules_unreadable: u64,
}

impl MembershipCounters {
    /// What two lives have counted together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            heartbeats: self.heartbeats + other.heartbeats,
            heartbeats_failed: self.heartbeats_failed + other.heartbeats_failed,
            heartbeats_late: self.heartbeats_late + other.heartbeats_late,
            leases_lost: self.leases_lost + other.leases_lost,
            views_written: self.views_written + other.views_written,
            views_outrun: self.views_outrun + other.views_outrun,
            steps_passed_over: self.steps_passed_over + other.steps_passed_over,
            views_believed: self.views_believed + other.views_believed,
            rules_unreadable: self.rules_unreadable + other.rules_unreadable,
        }
    }
}

/// What a membership holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MembershipGauges {
    /// The version of the view held; the default before the first.
    pub version: ViewVersion,
    /// Members of the view.
    pub members: usize,
    /// Rows that move, this node's included.
    pub alive: usize,
    /// Members that join or leave.
    pub moves: usize,
    /// Slots that the view gives to this life.
    pub slots: usize,
    /// Whether the node may write.
    pub lease_held: bool,
    /// The version of the rules given out; 0 before the first.
    pub rules_version: u64,
}
