//! `POST /start`: a process that has ended is started again by whoever runs it.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::message::{Refusal, Start};
use crate::dev::children::StartError;

/// Asks for a process to be started again.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) name: String,
    /// Where it is told what became of it.
    pub(crate) answer: oneshot::Sender<Result<(), StartError>>,
}

pub(super) async fn start(
    State(orders): State<mpsc::Sender<Order>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Start>, Refusal> {
    let start: Start = serde_json::from_slice(&body?).map_err(|error| {
        let error = format!(r#"the body isn't {{"name":"NAME"}}: {error}"#);
        Refusal::new(StatusCode::BAD_REQUEST, error)
    })?;
    let (answer, started) = oneshot::channel();
    let name = start.name.clone();
    let gone = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the mesh is stopping");
    let sent = orders.send(Order { name, answer }).await;
    sent.map_err(|_| gone())?;
    let started = started.await.map_err(|_| gone())?;
    started.map_err(|error| Refusal::new(status(&error), error))?;
    Ok(Json(start))
}

const fn status(error: &StartError) -> StatusCode {
    match error {
        StartError::Unknown(..) => StatusCode::NOT_FOUND,
        StartError::Runs(_) => StatusCode::CONFLICT,
        StartError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
