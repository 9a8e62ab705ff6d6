//! One subscription of one session: what it may be given, and how it ends when it can't be.
//!
//! A subscription made by the client ends alone, by an unsubscribe push, after which SDKs subscribe again. One made by the
//! server can't: its connection must close, so that the next connect makes it anew.

use trunkline_protocol::{DisconnectCode, UnsubscribeCode};
use trunkline_shared::{Epoch, Offset, Position, UnixMillis};

/// Who made a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client, by a command.
    Client,
    /// The server, by a claim of the connection token.
    Server,
}

/// How a client is told that its subscription has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a push; the connection goes on.
    Unsubscribe(UnsubscribeCode),
    /// By the end of the connection.
    Close(DisconnectCode),
}

impl Side {
    /// The subscription has missed something.
    pub const fn insufficient_state(self) -> Ending {
        match self {
            Self::Client => Ending::Unsubscribe(UnsubscribeCode::InsufficientState),
            Self::Server => Ending::Close(DisconnectCode::InsufficientState),
        }
    }

    /// The subscription's token is over.
    pub const fn expired(self) -> Ending {
        match self {
            Self::Client => Ending::Unsubscribe(UnsubscribeCode::Expired),
            Self::Server => Ending::Close(DisconnectCode::SubscriptionExpired),
        }
    }
}

/// What to do with a publication of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is next.
    Push,
    /// The client has it, or must not get it.
    Skip,
    /// Something before it is missing; the subscription ends.
    Lost,
}

/// One subscription of one session.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Who made it.
    pub side: Side,
    /// Whether its client is told when something is missing.
    pub positioned: bool,
    /// The last publication that the client was given or didn't want; `None` in a channel without numbering.
    pub position: Option<Position>,
    /// Whether joins and leaves are pushed.
    pub join_leave: bool,
    /// Whether the owner was told that the client is present.
    pub is_present: bool,
    /// When it is over; `None` for never.
    pub expire_at: Option<UnixMillis>,
    /// The channel has another epoch and the client will be told; until then it gets nothing.
    pub awaits_telling: bool,
}

impl Subscription {
    /// Judges the next publication of the channel, and moves the position if it is to be pushed.
    pub fn deliver(&mut self, epoch: Option<Epoch>, offset: Offset) -> Delivery {
        if self.awaits_telling {
            return Delivery::Skip;
        }
        let (Some(epoch), Some(position)) = (epoch, self.position) else {
            return Delivery::Push;
        };
        if offset == Offset::ZERO {
            return Delivery::Push;
        }
        let same_epoch = position.epoch == epoch;
        if same_epoch && offset <= position.offset {
            return Delivery::Skip;
        }
        if self.positioned && !(same_epoch && offset == position.offset.next()) {
            return Delivery::Lost;
        }
        self.position = Some(Position { epoch, offset });
        Delivery::Push
    }

    /// Whether the client must be told that publications up to `resumes_at` are gone for good.
    pub fn misses(&self, resumes_at: Position) -> bool {
        self.is_behind(|position| {
            position.epoch != resumes_at.epoch || position.offset < resumes_at.offset
        })
    }

    /// Whether the client must be told that the channel's numbering is now `epoch`.
    pub fn is_of_another_epoch(&self, epoch: Epoch) -> bool {
        self.is_behind(|position| position.epoch != epoch)
    }

    /// Whether the subscription is below a position that its worker has delivered.
    pub fn is_below(&self, newest: Position) -> bool {
        self.is_behind(|position| position.epoch == newest.epoch && position.offset < newest.offset)
    }

    fn is_behind(&self, judge: impl FnOnce(Position) -> bool) -> bool {
        self.positioned && !self.awaits_telling && self.position.is_some_and(judge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Epoch = Epoch::new(1);
    const NEW: Epoch = Epoch::new(2);

    const fn at(epoch: Epoch, offset: u64) -> Position {
        Position {
            epoch,
            offset: Offset(offset),
        }
    }

    const fn subscription(positioned: bool, position: Option<Position>) -> Subscription {
        Subscription {
            side: Side::Client,
            positioned,
            position,
            join_leave: false,
            is_present: false,
            expire_at: None,
            awaits_telling: false,
        }
    }

    #[track_caller]
    fn check(subscription: &mut Subscription, epoch: Epoch, offset: u64, expected: Delivery) {
        assert_eq!(subscription.deliver(Some(epoch), Offset(offset)), expected);
    }

    #[test]
    fn a_positioned_subscription_takes_the_next_offset_only() {
        let mut positioned = subscription(true, Some(at(OLD, 5)));
        check(&mut positioned, OLD, 4, Delivery::Skip);
        check(&mut positioned, OLD, 5, Delivery::Skip);
        check(&mut positioned, OLD, 6, Delivery::Push);
        check(&mut positioned, OLD, 6, Delivery::Skip);
        check(&mut positioned, OLD, 8, Delivery::Lost);
        check(&mut positioned, OLD, 7, Delivery::Push);
    }

    #[test]
    fn a_positioned_subscription_is_lost_in_another_epoch() {
        check(
            &mut subscription(true, Some(at(OLD, 5))),
            NEW,
            6,
            Delivery::Lost,
        );
    }

    #[test]
    fn an_unpositioned_subscription_takes_what_comes_but_never_twice() {
        let mut unpositioned = subscription(false, Some(at(OLD, 5)));
        check(&mut unpositioned, OLD, 5, Delivery::Skip);
        check(&mut unpositioned, OLD, 8, Delivery::Push);
        check(&mut unpositioned, OLD, 7, Delivery::Skip);
        check(&mut unpositioned, NEW, 1, Delivery::Push);
    }

    #[test]
    fn what_has_no_offset_is_pushed_and_moves_nothing() {
        let mut positioned = subscription(true, Some(at(OLD, 5)));
        assert_eq!(positioned.deliver(None, Offset::ZERO), Delivery::Push);
        check(&mut positioned, OLD, 6, Delivery::Push);
        let mut ephemeral = subscription(false, None);
        assert_eq!(ephemeral.deliver(None, Offset::ZERO), Delivery::Push);
    }

    #[test]
    fn until_it_is_told_of_an_epoch_it_gets_nothing() {
        let mut waiting = subscription(true, Some(at(OLD, 5)));
        waiting.awaits_telling = true;
        check(&mut waiting, OLD, 6, Delivery::Skip);
        check(&mut waiting, NEW, 1, Delivery::Skip);
        assert_eq!(waiting.deliver(None, Offset::ZERO), Delivery::Skip);
        assert!(!waiting.misses(at(NEW, 9)));
    }

    #[test]
    fn a_lost_last_publication_leaves_a_positioned_subscription_below_its_worker() {
        assert!(subscription(true, Some(at(OLD, 5))).is_below(at(OLD, 6)));
        assert!(!subscription(true, Some(at(OLD, 6))).is_below(at(OLD, 6)));
        assert!(!subscription(false, Some(at(OLD, 5))).is_below(at(OLD, 6)));
    }

    #[test]
    fn a_gap_concerns_positioned_subscriptions_below_it_only() {
        assert!(subscription(true, Some(at(OLD, 5))).misses(at(OLD, 6)));
        assert!(!subscription(true, Some(at(OLD, 6))).misses(at(OLD, 6)));
        assert!(!subscription(false, Some(at(OLD, 5))).misses(at(OLD, 6)));
    }

    #[test]
    fn a_clients_subscription_ends_alone_and_a_servers_with_its_connection() {
        let codes = |ending| match ending {
            Ending::Unsubscribe(code) => code.code(),
            Ending::Close(code) => code.code(),
        };
        assert_eq!(codes(Side::Client.insufficient_state()), 2500);
        assert_eq!(codes(Side::Server.insufficient_state()), 3010);
        assert_eq!(codes(Side::Client.expired()), 2501);
        assert_eq!(codes(Side::Server.expired()), 3006);
    }
}
