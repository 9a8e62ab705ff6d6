//! From one message of upstream to all sessions that it concerns.
//!
//! A publication makes no output and no copy per subscriber: each outbox gets the same bytes, and its socket is marked.

use std::mem;

use bytes::Bytes;
use trunkline_protocol::{DisconnectCode, Encoding, Push, encode_push, message};
use trunkline_shared::frame::PresenceEvent;
use trunkline_shared::{Channel, Now, Offset, Position};

use super::ConnId;
use super::context::Context;
use super::outbox::Frame;
use super::session::Session;
use super::sessions::Sessions;
use super::subscription::{Delivery, Side, Subscription};
use super::timers::Timer;
use crate::shared_publication::SharedPublication;
use crate::{convert, framing};

/// What a session must do after all have been served.
enum Trouble {
    /// Its subscription has missed something.
    Lost,
    /// It can't be served.
    Close(DisconnectCode),
}

/// Gives a publication to every session for which it is next.
pub(super) fn publication(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    shared: &SharedPublication,
) {
    let offset = shared.publication.offset;
    let Some(entry) = ctx.subscribers.channel(&shared.channel) else {
        ctx.counters.stray_publications += 1;
        return;
    };
    if let Some(epoch) = shared.epoch.filter(|_| offset > Offset::ZERO) {
        entry.advance(now.instant, Position { epoch, offset });
    }
    for_each_member(
        ctx,
        sessions,
        now,
        &shared.channel,
        |ctx, session, subscription| match subscription.deliver(shared.epoch, offset) {
            Delivery::Skip => Ok(()),
            Delivery::Lost => Err(Trouble::Lost),
            Delivery::Push => give(
                ctx,
                session,
                &shared.channel,
                shared.frame(session.encoding),
                true,
            ),
        },
    );
}

/// Tells those that watch a channel who has come and gone; nobody is told of its own leave.
pub(super) fn presence_events(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    channel: &Channel,
    events: &[PresenceEvent],
) {
    for event in events {
        let frames = Encoding::ALL.map(|encoding| presence_frame(encoding, channel, event));
        let [json, protobuf] = frames;
        for_each_member(ctx, sessions, now, channel, |ctx, session, subscription| {
            let is_own = event.client.client == session.identity.client;
            if !subscription.join_leave || subscription.awaits_telling || (is_own && !event.joined)
            {
                return Ok(());
            }
            let frame = match session.encoding {
                Encoding::Json => json.clone(),
                Encoding::Protobuf => protobuf.clone(),
            };
            give(ctx, session, channel, frame, false)
        });
    }
}

/// Publications up to `position` are gone for good: those who haven't them are told.
pub(super) fn gap(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    channel: &Channel,
    position: Position,
) {
    ctx.counters.gaps += 1;
    for_each_member(ctx, sessions, now, channel, |_, _, subscription| {
        if subscription.misses(position) {
            Err(Trouble::Lost)
        } else {
            Ok(())
        }
    });
}

/// The channel is numbered anew: each positioned session will be told, at its own random moment.
pub(super) fn epoch_changed(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    channel: &Channel,
    position: Position,
    spread: std::time::Duration,
) {
    ctx.counters.epoch_changes += 1;
    for_each_member(ctx, sessions, now, channel, |ctx, session, subscription| {
        if subscription.is_of_another_epoch(position.epoch) {
            subscription.awaits_telling = true;
            let over = match subscription.side {
                Side::Client => spread,
                Side::Server => ctx.config.close_spread,
            };
            let at = now.instant + ctx.random_below(over);
            ctx.timers
                .set(session.conn, Timer::Tell(channel.clone()), at);
        }
        Ok(())
    });
}

/// Serves all members first and settles their troubles then: a session that closes changes the table that is walked.
fn for_each_member(
    ctx: &mut Context,
    sessions: &mut Sessions,
    now: Now,
    channel: &Channel,
    mut serve: impl FnMut(&mut Context, &mut Session, &mut Subscription) -> Result<(), Trouble>,
) {
    let Some(entry) = ctx.subscribers.channel(channel) else {
        return;
    };
    let mut members = mem::take(&mut entry.members);
    let mut troubled: Vec<(ConnId, Trouble)> = Vec::new();
    for (conn, subscription) in &mut members {
        let session = sessions
            .get_mut(conn)
            .expect("a subscriber's session exists until it has left");
        if let Err(trouble) = serve(ctx, session, subscription) {
            troubled.push((*conn, trouble));
        }
    }
    if let Some(entry) = ctx.subscribers.channel(channel) {
        entry.members = members;
    }
    for (conn, trouble) in troubled {
        if let Some(session) = sessions.get_mut(&conn) {
            settle(ctx, session, now, channel, trouble);
        }
    }
}

fn settle(ctx: &mut Context, session: &mut Session, now: Now, channel: &Channel, trouble: Trouble) {
    match trouble {
        Trouble::Lost => session.lose(ctx, now, channel),
        Trouble::Close(code) => session.close(ctx, code),
    }
}

/// Pushes a shared frame; a client whose encoding has none can't be told, and must come in the other one.
fn give(
    ctx: &mut Context,
    session: &mut Session,
    channel: &Channel,
    frame: Option<Bytes>,
    is_publication: bool,
) -> Result<(), Trouble> {
    let bytes = frame.ok_or(Trouble::Close(DisconnectCode::InappropriateProtocol))?;
    session
        .push(
            ctx,
            channel,
            Frame {
                bytes,
                is_publication,
            },
        )
        .map_err(Trouble::Close)
}

fn presence_frame(encoding: Encoding, channel: &Channel, event: &PresenceEvent) -> Option<Bytes> {
    let info = Some(convert::client_info(&event.client));
    let push = if event.joined {
        Push::Join(message::Join { info })
    } else {
        Push::Leave(message::Leave { info })
    };
    let message = encode_push(encoding, channel.as_str(), &push).ok()?;
    Some(framing::frame(encoding, &message))
}
