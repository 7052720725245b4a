//! Where a device asks for its identity. It has no session: its enrolment token speaks for it.

use super::auth::Peer;
use super::error::{Problem, Problems};
use super::extract::Body;
use crate::enrol::EnrolError;
use crate::live::Event;
use crate::run::App;
use axum::{Extension, Json, extract::State, http::StatusCode};
use shared::enrol::{EnrolReply, EnrolRequest};
use std::sync::Arc;
use utoipa::ToSchema;

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        let (status, field) = match &error {
            EnrolError::BadToken | EnrolError::TokenExpired | EnrolError::TokenUsedUp => {
                (StatusCode::FORBIDDEN, "token")
            }
            EnrolError::SerialInUse(_) => (StatusCode::CONFLICT, "serial"),
            EnrolError::Revoked(_) => (StatusCode::FORBIDDEN, "serial"),
            EnrolError::Csr(_) => (StatusCode::BAD_REQUEST, "csr"),
            EnrolError::Authority(_) | EnrolError::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, ""),
        };
        match (error.code(), error) {
            (Some(code), error) => Self::new(status, code, error.to_string()).about(field),
            (None, EnrolError::Store(error)) => error.into(),
            (None, error) => Self::internal(&error),
        }
    }
}

/// `shared::enrol::EnrolRequest`, for the document.
#[derive(ToSchema)]
#[schema(as = EnrolRequest)]
#[allow(dead_code)] // only its schema is used
pub struct RequestSchema {
    /// CPU serial: 8 or 16 hexadecimal digits.
    serial: String,
    /// The enrolment token.
    token: String,
    /// PKCS#10 request (PEM) whose common name is the serial.
    csr: String,
}

/// `shared::enrol::EnrolReply`, for the document.
#[derive(ToSchema)]
#[schema(as = EnrolReply)]
#[allow(dead_code)] // only its schema is used
pub struct ReplySchema {
    /// The name that was allocated.
    name: String,
    /// The device's certificate (PEM).
    certificate: String,
    /// The certificate of the fleet's authority (PEM).
    ca: String,
    /// Where the broker listens.
    broker: BrokerSchema,
    /// The server's time (UTC milliseconds).
    server_time: i64,
}

/// `shared::enrol::Broker`, for the document.
#[derive(ToSchema)]
#[schema(as = BrokerAddress)]
#[allow(dead_code)] // only its schema is used
pub struct BrokerSchema {
    /// Host name or address; absent when it is the host that answered.
    #[schema(nullable = false)]
    host: Option<String>,
    /// TCP port of MQTT over TLS.
    port: u16,
}

/// Gives a device its identity: a name, a certificate for the key that it keeps to itself, and where to connect.
#[utoipa::path(post, path = "/api/v1/enrol", operation_id = "enrol", tag = "enrolment", security(()),
    request_body = RequestSchema, responses((status = 200, body = ReplySchema), Problems))]
pub async fn enrol(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(request): Body<EnrolRequest>,
) -> Result<Json<EnrolReply>, Problem> {
    let (serial, broker) = (request.serial, app.broker_address.clone());
    let reply = crate::enrol::enrol(&app.store, &app.authority, &request, broker, app.clock.now())
        .await
        .inspect_err(|error| tracing::warn!(%serial, peer = %peer.ip(), %error, "an enrolment was refused"))?;
    app.live.publish(Event::Device { name: reply.name.clone() });
    Ok(Json(reply))
}
