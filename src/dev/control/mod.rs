//! The listener of the process that runs dev mode, on loopback only: `GET /wan` tells the distances, `POST /wan` cuts a
//! region off or lets it back, `POST /start` starts a process that has ended.

mod ask;
mod guard;
mod message;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use trunkline_process::Ready;

use super::plan::Plan;
use super::wan::{CutError, Distances, Wan};
pub(crate) use ask::{Question, ask};
pub(crate) use guard::guard;
pub(crate) use message::{Change, EdgeView, MeshView, Refusal, Start};
pub(crate) use start::Order;

/// Bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 10;

/// What is controlled.
pub(crate) struct Mesh {
    wan: Wan,
    is_emulated: bool,
    edges: Vec<EdgeView>,
}

impl Mesh {
    /// The mesh of a plan whose edges are ready.
    pub(crate) fn new(
        plan: &Plan,
        distances: &Distances,
        wan: Wan,
        ready: &BTreeMap<String, Ready>,
    ) -> Self {
        let edges = plan.edges().filter_map(|edge| {
            let listen = ready.get(&edge.name)?.listen?;
            Some(EdgeView {
                url: format!("{}://{listen}", plan.scheme()),
                rtt_ms: distances.rtt_ms(edge.region),
                region: edge.region.to_owned(),
                name: edge.name,
                cut: false,
            })
        });
        Self {
            edges: edges.collect(),
            is_emulated: distances.are_emulated(),
            wan,
        }
    }

    fn view(&self) -> MeshView {
        let as_it_is = |edge: &EdgeView| EdgeView {
            cut: self.wan.is_cut(&edge.region),
            ..edge.clone()
        };
        MeshView {
            here: None,
            wan: self.is_emulated,
            edges: self.edges.iter().map(as_it_is).collect(),
        }
    }
}

/// Serves until the runtime ends, and keeps the relays of the mesh for as long.
pub(crate) fn serve(listener: TcpListener, mesh: Mesh, orders: mpsc::Sender<Order>) {
    let starts = Router::new()
        .route("/start", post(start::start))
        .with_state(orders);
    let router = Router::new()
        .route("/wan", get(tell).post(change))
        .with_state(Arc::new(mesh))
        .merge(starts)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

async fn tell(State(mesh): State<Arc<Mesh>>) -> Json<MeshView> {
    Json(mesh.view())
}

async fn change(
    State(mesh): State<Arc<Mesh>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Change>, Refusal> {
    let change: Change = serde_json::from_slice(&body?).map_err(|error| {
        let error = format!(r#"the body isn't {{"region":"NAME","cut":true}}: {error}"#);
        Refusal::new(StatusCode::BAD_REQUEST, error)
    })?;
    mesh.wan
        .cut(&change.region, change.cut)
        .map_err(|error| Refusal::new(status(&error), error))?;
    Ok(Json(change))
}

const fn status(error: &CutError) -> StatusCode {
    match error {
        CutError::NoWan => StatusCode::CONFLICT,
        CutError::UnknownRegion(_) => StatusCode::NOT_FOUND,
    }
}
