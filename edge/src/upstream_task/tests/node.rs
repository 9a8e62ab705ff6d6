//! A node that hears what an edge says, and who both are.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tokio::sync::mpsc;
use trunkline_link::{Introduction, LinkEnd, LinkSink, LinkTls, NODE_DNS_NAME};
use trunkline_shared::frame::ToNode;
use trunkline_shared::{Incarnation, StreamId, ViewVersion};

pub(super) const LIFE: Incarnation = Incarnation([7; 16]);

pub(super) fn introduction() -> Introduction {
    Introduction {
        incarnation: LIFE,
        view: ViewVersion::default(),
    }
}

/// The identities of a node and of an edge, by one authority.
pub(super) fn identities() -> [LinkTls; 2] {
    let key = || KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority");
    [
        "trunkline://backbone/backbone-1",
        "trunkline://edge/eu-west/edge-1",
    ]
    .map(|uri| {
        let (key, dns) = (key(), vec![NODE_DNS_NAME.to_owned()]);
        let mut params = CertificateParams::new(dns).expect("a good name");
        let uri = SanType::URI(uri.try_into().expect("ASCII"));
        params.subject_alt_names.push(uri);
        let leaf = params.signed_by(&key, &authority).expect("a certificate");
        let key = key.serialize_pem();
        LinkTls::from_pem(
            authority.pem().as_bytes(),
            leaf.pem().as_bytes(),
            key.as_bytes(),
        )
        .expect("good PEM")
    })
}

/// What a node hears, until its link ends.
pub(super) struct Heard(pub(super) mpsc::UnboundedSender<ToNode>);

impl LinkSink<ToNode> for Heard {
    fn deliver(&self, _: StreamId, frames: Vec<ToNode>) {
        for frame in frames {
            let _ = self.0.send(frame);
        }
    }

    fn sent(&self, _: StreamId, _: usize) {}

    fn closed(&self, _: LinkEnd) {
        // A link's end has no frame; the channel's own end comes when the sink is dropped.
    }
}
