//! The hello on the control stream: what both sides say before any other frame.

use bytes::Bytes;
use quinn::{RecvStream, SendStream};
use trunkline_shared::frame::{self, FrameError, HEADER_BYTES, Header, Hello, VersionRange};
use trunkline_shared::limits::LANES;
use trunkline_shared::{Incarnation, ViewVersion};

use crate::streams::StreamsError;

/// What a process says about itself to each peer. Who it is, is in its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The process's life.
    pub incarnation: Incarnation,
    /// The newest ring view that it has; the default when it has none.
    pub view: ViewVersion,
}

impl Introduction {
    pub(crate) const fn hello(self) -> Hello {
        Hello {
            versions: VersionRange::OURS,
            incarnation: self.incarnation,
            view: self.view,
            lanes: LANES,
        }
    }
}

/// Why a hello didn't come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelloReadError {
    /// The stream failed.
    #[error(transparent)]
    Stream(#[from] StreamsError),
    /// What came is no hello.
    #[error("hello: {0}")]
    Frame(#[from] FrameError),
    /// The edge has another number of lanes.
    #[error("hello: {0} lanes instead of {LANES}")]
    Lanes(u8),
}

pub(crate) async fn write(stream: &mut SendStream, hello: Hello) -> Result<(), StreamsError> {
    let mut chunks = Vec::new();
    frame::encode(&hello, &mut chunks).expect("a hello is small and flat");
    Ok(stream.write_all_chunks(&mut chunks).await?)
}

/// Reads the peer's hello and checks all but its versions.
pub(crate) async fn read(stream: &mut RecvStream) -> Result<Hello, HelloReadError> {
    let mut header = [0; HEADER_BYTES];
    stream
        .read_exact(&mut header)
        .await
        .map_err(StreamsError::from)?;
    let header = Header::decode(header)?;
    let mut body = vec![0; header.body()];
    stream
        .read_exact(&mut body)
        .await
        .map_err(StreamsError::from)?;
    let hello: Hello = frame::decode(header, 0, &Bytes::from(body))?;
    if hello.lanes == LANES {
        Ok(hello)
    } else {
        Err(HelloReadError::Lanes(hello.lanes))
    }
}
