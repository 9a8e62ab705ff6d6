//! The page that each edge shows at `/` in dev mode.

/// The page; it names the endpoints of the edge that serves it and shows how an SDK connects.
pub(crate) const PAGE: &str = include_str!("page.html");
