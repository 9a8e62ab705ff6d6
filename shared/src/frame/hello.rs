//! The first frame of a link, and the version that it settles.

use rkyv::{Archive, Deserialize, Serialize};

use super::header::VERSION;
use crate::id::Incarnation;
use crate::publication::{Payload, Payloads};
use crate::view::ViewVersion;

/// Versions of frames that a process speaks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct VersionRange {
    /// The oldest.
    pub min: u8,
    /// The newest.
    pub max: u8,
}

impl VersionRange {
    /// What this code speaks.
    pub const OURS: Self = Self {
        min: VERSION,
        max: VERSION,
    };

    /// The newest version that both speak.
    ///
    /// # Errors
    /// When there is none.
    pub fn common(self, peer: Self) -> Result<u8, HelloError> {
        let newest = self.max.min(peer.max);
        if newest >= self.min.max(peer.min) {
            Ok(newest)
        } else {
            Err(HelloError {
                ours: self,
                theirs: peer,
            })
        }
    }
}

/// Two peers without a version in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no link version in common: we speak {} to {}, the peer {} to {}",
    ours.min, ours.max, theirs.min, theirs.max
)]
pub struct HelloError {
    /// What we speak.
    pub ours: VersionRange,
    /// What the peer speaks.
    pub theirs: VersionRange,
}

/// What each side says first. Who it is, is in its certificate, not here.
///
/// Its layout is frozen: it is read before a version is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub struct Hello {
    /// Frame versions spoken.
    pub versions: VersionRange,
    /// The process's life.
    pub incarnation: Incarnation,
    /// The newest ring view that the process has; the default when it has none.
    pub view: ViewVersion,
    /// Lanes that the edge will open; the node echoes it.
    pub lanes: u8,
}

impl Payloads for Hello {
    fn visit<'a>(&'a self, _: &mut dyn FnMut(&'a Payload)) {}
    fn visit_mut(&mut self, _: &mut dyn FnMut(&mut Payload)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_taken() {
        let range = |min, max| VersionRange { min, max };
        assert_eq!(range(1, 3).common(range(2, 5)), Ok(3));
        assert_eq!(range(2, 2).common(range(1, 2)), Ok(2));
        let error = range(1, 2)
            .common(range(3, 4))
            .expect_err("nothing in common");
        assert_eq!(
            error.to_string(),
            "no link version in common: we speak 1 to 2, the peer 3 to 4"
        );
    }
}
