//! What an edge of dev mode lets its page do with the mesh: it passes on to the process that runs it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use bytes::Bytes;
use clap::Args;

use super::control::{BODY_BYTES_MAX, MeshView, Question, Refusal, ask, guard};

/// Flags by which `trunkline dev` tells an edge whose part it is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Membership {
    /// Where the process that runs dev mode listens.
    #[arg(long = "dev-control", hide = true, requires = "region")]
    control: Option<SocketAddr>,
    /// The edge's region.
    #[arg(long = "dev-region", hide = true, requires = "control")]
    region: Option<String>,
}

/// Whom an edge asks, and what for.
struct Forward {
    control: SocketAddr,
    region: String,
}

/// `GET /dev/mesh` and `POST /dev/wan`; none for an edge that `trunkline dev` doesn't run.
pub(crate) fn routes(membership: Membership) -> Router {
    let (Some(control), Some(region)) = (membership.control, membership.region) else {
        return Router::new();
    };
    Router::new()
        .route("/dev/mesh", get(mesh))
        .route("/dev/wan", post(change))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard))
        .with_state(Arc::new(Forward { control, region }))
}

async fn mesh(State(forward): State<Arc<Forward>>) -> Result<Json<MeshView>, Refusal> {
    let view = async {
        let (status, body) = ask(forward.control, Question::Wan).await?;
        let view: MeshView =
            serde_json::from_slice(&body).with_context(|| format!("status {status}"))?;
        Ok(view)
    };
    let view = view.await.map_err(gone)?;
    let here = Some(forward.region.clone());
    Ok(Json(MeshView { here, ..view }))
}

async fn change(
    State(forward): State<Arc<Forward>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let answer = ask(forward.control, Question::Cut(body?)).await;
    let (status, body) = answer.map_err(gone)?;
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((status, json, Body::from(body)).into_response())
}

/// The process that runs dev mode doesn't answer.
fn gone(error: anyhow::Error) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}"))
}
