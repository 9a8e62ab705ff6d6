//! Names and numbers of parts of the mesh.

use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};
use smol_str::SmolStr;

/// A name that isn't `[a-z0-9-]{1,63}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name {0:?} is not 1 to 63 characters of a-z, 0-9 and '-'")]
pub struct IdError(pub String);

fn parse_name(text: &str) -> Result<SmolStr, IdError> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(good) {
        Ok(SmolStr::new(text))
    } else {
        Err(IdError(text.chars().take(80).collect()))
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            Archive, Serialize, Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SmolStr);

        impl $name {
            /// Parses a name.
            ///
            /// # Errors
            /// When it isn't `[a-z0-9-]{1,63}` (`names.md`: it must fit a certificate's URI SAN).
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse_name(text).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }
    };
}

name_type!(
    /// The name of an edge, unique in the mesh.
    EdgeId
);
name_type!(
    /// The name of a backbone node, unique in the mesh.
    NodeId
);
name_type!(
    /// The name of a region, such as `eu-west`.
    Region
);

/// 128 random bits drawn at process start, which name one life of an edge or node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize)]
#[rkyv(derive(PartialEq, Eq, PartialOrd, Ord))]
pub struct Incarnation(pub [u8; 16]);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incarnation({self})")
    }
}

/// Names one publish through all its sendings: the edge's incarnation and a counter that starts at 1.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize,
)]
#[rkyv(derive(PartialEq, Eq, PartialOrd, Ord))]
pub struct PublishId {
    /// The life of the edge where the publish entered the mesh.
    pub edge: Incarnation,
    /// Grows by one for each publish of that life.
    pub counter: u64,
}

/// Names a request on a link; its answer carries the same id. Unique within one life of an edge.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);
