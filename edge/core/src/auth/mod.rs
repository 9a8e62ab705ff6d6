//! Who a client is and what it was promised, as tokens of the application say.

mod claims;
mod token;

pub use token::{ConnectionToken, SubscriptionToken, TokenError, TokenVerifier};
