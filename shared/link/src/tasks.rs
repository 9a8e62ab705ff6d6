//! The tasks of a started link, and the one that waits for them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use trunkline_shared::StreamId;

use crate::end::LinkEnd;
use crate::frames::LinkFrame;
use crate::identity::PeerIdentity;
use crate::link::{CloseGuard, LinkSink};
use crate::link_core::Core;
use crate::lives::Life;
use crate::streams::Streams;
use crate::{credit, reader, writer};

/// Which task of a link has ended.
pub(crate) enum Task {
    Writer,
    Other,
}

/// Starts reading and writing every stream.
pub(crate) fn spawn<In: LinkFrame>(
    core: &Arc<Core>,
    streams: Streams,
    sink: &Arc<dyn LinkSink<In>>,
) -> JoinSet<Task> {
    let mut tasks = JoinSet::new();
    for (id, stream) in streams.frames_out {
        let (core, sink) = (Arc::clone(core), Arc::clone(sink));
        tasks.spawn(async move {
            writer::run(&core, core.queue(id), stream, sink.as_ref()).await;
            Task::Writer
        });
    }
    let (read_total, read_totals) = watch::channel(0);
    for (id, stream) in streams.frames_in {
        let (core, sink) = (Arc::clone(core), Arc::clone(sink));
        let read_total = (id == StreamId::Ephemeral).then(|| read_total.clone());
        tasks.spawn(async move {
            reader::run(&core, id, stream, sink.as_ref(), read_total).await;
            Task::Other
        });
    }
    spawn_credit(
        core,
        &mut tasks,
        streams.credit_out,
        streams.credit_in,
        read_totals,
    );
    tasks
}

fn spawn_credit(
    core: &Arc<Core>,
    tasks: &mut JoinSet<Task>,
    out: quinn::SendStream,
    from: quinn::RecvStream,
    read_totals: watch::Receiver<u64>,
) {
    let told = Arc::clone(core);
    tasks.spawn(async move {
        credit::tell(&told, read_totals, out).await;
        Task::Other
    });
    let listened = Arc::clone(core);
    tasks.spawn(async move {
        credit::listen(&listened, listened.queue(StreamId::Ephemeral), from).await;
        Task::Other
    });
}

/// Waits for all tasks, then tells the sink; the peer's next link is welcomed only after that.
pub(crate) async fn supervise<In: LinkFrame>(
    core: Arc<Core>,
    mut tasks: JoinSet<Task>,
    sink: Arc<dyn LinkSink<In>>,
    peer: PeerIdentity,
    held: (Option<Life>, CloseGuard),
) {
    let mut writers = core.streams();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Task::Writer) => writers -= 1,
            Ok(Task::Other) => {}
            Err(panic) => core.fail(LinkEnd::Misbehaved(format!(
                "a task of the link failed: {panic}"
            ))),
        }
        if writers == 0 {
            // All queues were closed and emptied, or the connection is gone already.
            core.fail(LinkEnd::Goodbye);
        }
    }
    let end = core.ending.reason();
    log(&end, &peer);
    sink.closed(end);
    core.over.send_replace(true);
    drop(held);
}

fn log(end: &LinkEnd, peer: &PeerIdentity) {
    if end.is_fault() {
        warn!(peer = %peer, end = %end, "link down");
    } else {
        info!(peer = %peer, end = %end, "link down");
    }
}
