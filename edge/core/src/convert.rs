//! Values of the mesh as messages of the client protocol.

use trunkline_protocol::message;
use trunkline_shared::{ClientInfo, Publication};

/// A publication as clients are told it.
pub(crate) fn publication(publication: &Publication) -> message::Publication {
    let tags = publication.tags.iter();
    message::Publication {
        data: publication.data.bytes().clone(),
        info: publication.info.as_ref().map(client_info),
        offset: publication.offset.0,
        tags: tags
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
        time: i64::try_from(publication.time.0).unwrap_or(i64::MAX),
        ..message::Publication::default()
    }
}

/// A connection as clients are told it.
pub(crate) fn client_info(info: &ClientInfo) -> message::ClientInfo {
    message::ClientInfo {
        user: info.user.to_string(),
        client: info.client.to_string(),
        conn_info: info.conn_info.bytes().clone(),
        chan_info: info.chan_info.bytes().clone(),
    }
}
