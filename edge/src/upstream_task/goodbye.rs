//! The end of the way upstream: what others said last goes before the goodbye, and nothing begins behind it.

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use trunkline_edge_core::upstream::Input;

use super::{Inboxes, UpstreamTask};

impl UpstreamTask {
    /// Says goodbye on all links; `reply` is answered when they have ended.
    ///
    /// The queues have no order among each other: what workers that have ended left in theirs (leaves, unsubscribes) is
    /// taken first, since no link takes anything behind a goodbye.
    pub(super) fn on_goodbye(&mut self, reply: oneshot::Sender<()>, inboxes: &mut Inboxes) {
        while let Ok(said) = inboxes.said.try_recv() {
            self.on_said(said);
        }
        while let Ok(ask) = inboxes.asks.try_recv() {
            self.on_ask(ask);
        }
        self.say_goodbye(reply);
    }

    fn say_goodbye(&mut self, reply: oneshot::Sender<()>) {
        self.gone = true;
        self.dialers.drain().for_each(|(_, dialer)| dialer.abort());
        self.input(Input::Goodbye);
        let client = self.client.clone();
        let mut goodbyes = JoinSet::new();
        for (_, sender) in self.links.values() {
            let sender = sender.clone();
            goodbyes.spawn(async move { sender.goodbye().await });
        }
        tokio::spawn(async move {
            goodbyes.join_all().await;
            client.close().await;
            let _ = reply.send(());
        });
    }
}
