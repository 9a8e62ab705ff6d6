//! The listener for those who run the mesh: metrics and health, apart from what users reach.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::port::Port;
use crate::shutdown::Shutdown;

/// The `[admin]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminSection {
    /// Address of the listener for metrics and health; default `127.0.0.1:9190`. Port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for AdminSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9190)),
        }
    }
}

/// Serves admin pages until the process ends, also while it drains; returns where.
///
/// # Errors
/// When the address can't be bound.
pub async fn serve_admin(
    section: &AdminSection,
    router: Router,
    shutdown: Shutdown,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(section.listen)
        .await
        .map_err(|error| Port::tcp(section.listen).explain(error))?;
    let address = listener.local_addr()?;
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(async move { shutdown.at_once().await });
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "admin listener failed");
        }
    });
    Ok(address)
}
