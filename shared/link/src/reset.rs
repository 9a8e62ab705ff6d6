//! Keys that outlive a process, so that a restarted node resets its old links at once.
//!
//! A node that was killed can't say goodbye: its edges would wait for the idle time-out. QUIC's
//! answer is the stateless reset: who gets a packet of a connection it doesn't know answers with a
//! token that the lost process had promised for that connection id. Both parts must survive a
//! restart: the key that makes the tokens, and the key by which an endpoint recognises a connection
//! id as one of its own (quinn draws both at random, and drops what it doesn't recognise). Both are
//! derived from the node's private key, which a restarted node has and nobody else.

use aws_lc_rs::hmac;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a connection id that are random: no two connections of a node's life meet by chance.
const NONCE_LEN: usize = 8;
/// Bytes of a connection id that prove its origin; a false positive costs one reset packet.
const PROOF_LEN: usize = 4;

/// Makes an endpoint's configuration whose reset tokens and connection ids stay valid over restarts.
///
/// `secret` is the node's private key in DER; equal secrets make endpoints that can reset each
/// other's connections, so no two nodes may share one. Resets are sent at most once in
/// `reset_interval`: after a restart every old link needs one.
pub(crate) fn endpoint_config(secret: &[u8], reset_interval: Duration) -> quinn::EndpointConfig {
    let reset_key = derive(secret, b"trunkline link reset key 1");
    let id_key = derive(secret, b"trunkline link connection id key 1");
    let mut config = quinn::EndpointConfig::new(Arc::new(reset_key));
    config.min_reset_interval(reset_interval);
    config.cid_generator(move || {
        Box::new(KeyedIds {
            key: id_key.clone(),
        })
    });
    config
}

fn derive(secret: &[u8], label: &[u8]) -> hmac::Key {
    let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, label).as_ref())
}

/// Connection ids of a random nonce and a keyed proof of it.
struct KeyedIds {
    key: hmac::Key,
}

impl KeyedIds {
    fn proof(&self, nonce: &[u8]) -> [u8; PROOF_LEN] {
        let tag = hmac::sign(&self.key, nonce);
        let mut proof = [0; PROOF_LEN];
        proof.copy_from_slice(&tag.as_ref()[..PROOF_LEN]);
        proof
    }
}

impl quinn::ConnectionIdGenerator for KeyedIds {
    fn generate_cid(&mut self) -> quinn::ConnectionId {
        let mut id = [0; NONCE_LEN + PROOF_LEN];
        getrandom::fill(&mut id[..NONCE_LEN]).expect("the system has randomness");
        let proof = self.proof(&id[..NONCE_LEN]);
        id[NONCE_LEN..].copy_from_slice(&proof);
        quinn::ConnectionId::new(&id)
    }

    fn validate(&self, id: &quinn::ConnectionId) -> Result<(), quinn_proto::InvalidCid> {
        let (nonce, proof) = id.split_at(NONCE_LEN);
        if self.proof(nonce) == proof {
            Ok(())
        } else {
            Err(quinn_proto::InvalidCid)
        }
    }

    fn cid_len(&self) -> usize {
        NONCE_LEN + PROOF_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
