//! Where a board asks for its identity, and a device whose certificate has expired for the next. Neither has a session: an
//! enrolment token, or the key of the device, speaks for it.

use super::auth::Peer;
use super::error::{Problem, Problems};
use super::extract::DeviceBody;
use super::thresholds::follow;
use super::words;
use crate::admission::Refusal;
use crate::cut_off::cut_off;
use crate::enrol::{Credentials, EnrolError, Enrolled};
use crate::live::Event;
use crate::run::App;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, extract::State, http::StatusCode};
use shared::enrol::{EnrolReply, EnrolRequest, RenewRequest, Waiting};
use shared::{DeviceName, Serial};
use std::{net::SocketAddr, sync::Arc};
use utoipa::ToSchema;

/// How soon a board that waits may ask again.
const RETRY_S: u32 = 10;

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        let (status, field) = match &error {
            EnrolError::Refused(Refusal::Revoked | Refusal::Refused, _) => (StatusCode::FORBIDDEN, "serial"),
            EnrolError::Refused(Refusal::DeadKey, _) | EnrolError::UnknownKey(_) => (StatusCode::FORBIDDEN, "csr"),
            EnrolError::Refused(..) => (StatusCode::FORBIDDEN, "token"),
            EnrolError::Revoked(_) | EnrolError::TooLate(_) => (StatusCode::FORBIDDEN, "name"),
            EnrolError::Csr(_) => (StatusCode::BAD_REQUEST, "csr"),
            EnrolError::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "serial"),
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
    #[schema(value_type = words::Serial)]
    serial: String,
    /// The enrolment token.
    token: String,
    /// PKCS#10 request (PEM) whose common name is the serial.
    csr: String,
    /// The board's model, for people.
    #[schema(nullable = false)]
    model: Option<String>,
    /// Whose identity was on the card when it was put into this board.
    #[schema(nullable = false)]
    copied_from: Option<CopiedFromSchema>,
}

/// `shared::enrol::CopiedFrom`, for the document.
#[derive(ToSchema)]
#[schema(as = CopiedFrom)]
#[allow(dead_code)] // only its schema is used
pub struct CopiedFromSchema {
    /// The name on the card.
    #[schema(value_type = words::DeviceName)]
    name: String,
    /// The serial on the card.
    #[schema(value_type = words::Serial)]
    serial: String,
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

/// `shared::enrol::Waiting`, for the document.
#[derive(ToSchema)]
#[schema(as = WaitForApproval)]
#[allow(dead_code)] // only its schema is used
pub struct WaitingSchema {
    /// `not_expected`, `second_key` or `shared_key`.
    reason: String,
    /// After how many seconds to ask again.
    retry_s: u32,
}

/// `shared::enrol::RenewRequest`, for the document.
#[derive(ToSchema)]
#[schema(as = RenewRequest)]
#[allow(dead_code)] // only its schema is used
pub struct RenewSchema {
    /// The device.
    #[schema(value_type = words::DeviceName)]
    name: String,
    /// PKCS#10 request (PEM) with the key of its last certificate, whose common name is the serial.
    csr: String,
}

/// Gives a board its identity: a name, a certificate for the key that it keeps to itself, and where to connect. One that
/// neither the registry nor its token lets in has to wait until somebody approves it.
#[utoipa::path(post, path = "/api/v1/enrol", operation_id = "enrol", tag = "enrolment", security(()),
    request_body = RequestSchema, responses((status = 200, body = ReplySchema),
        (status = 202, body = WaitingSchema, description = "somebody has to approve it"), Problems))]
pub async fn enrol(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    DeviceBody(request): DeviceBody<EnrolRequest>,
) -> Result<Response, Problem> {
    let (serial, now, address) = (request.serial, app.clock.now(), peer.ip().to_canonical().to_string());
    if !app.store.knows_token(&request.token).await? {
        return Err(guessed(&app, peer, serial));
    }
    let cut = async |name: &DeviceName| {
        cut_off(&app, name).await;
        app.live.publish(Event::Waiting);
    };
    match crate::enrol::enrol(&app.store, &app.authority, app.config.lifetimes, &request, &address, now, cut).await {
        Ok(Enrolled::As(credentials)) => {
            follow(&app).await;
            Ok(Json(identity(&app, credentials)).into_response())
        }
        Ok(Enrolled::Waits { reason, news }) => {
            if news {
                tracing::info!(%serial, peer = address, reason = reason.as_str(), "a board waits for approval");
                app.live.publish(Event::Waiting);
            }
            Ok((StatusCode::ACCEPTED, Json(Waiting { reason, retry_s: RETRY_S })).into_response())
        }
        Err(error) => {
            tracing::warn!(%serial, peer = address, %error, "an enrolment was refused");
            Err(error.into())
        }
    }
}

/// Whoever tries tokens is told to wait, each time for longer. A token that exists is never kept waiting: it has 192 random
/// bits, so the limit spares log and database, and must not let one board on a site keep out all others behind its router.
fn guessed(app: &App, peer: SocketAddr, serial: Serial) -> Problem {
    let Err(wait_ms) = app.token_throttle.attempt(peer.ip(), app.clock.now()) else {
        let error = EnrolError::Refused(Refusal::BadToken, serial);
        tracing::warn!(%serial, peer = %peer.ip(), %error, "an enrolment was refused");
        return error.into();
    };
    let what = "token: too many unknown ones from this address";
    Problem::too_often("too_many_attempts", what, wait_ms).about("token")
}

/// Gives a device its next certificate although its last has expired: the request is signed with its key, which is proof enough
/// within the grace time. One that has not expired is renewed over the device's own connection.
#[utoipa::path(post, path = "/api/v1/renew", operation_id = "renew", tag = "enrolment", security(()),
    request_body = RenewSchema, responses((status = 200, body = ReplySchema), Problems))]
pub async fn renew(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    DeviceBody(request): DeviceBody<RenewRequest>,
) -> Result<Json<EnrolReply>, Problem> {
    let (name, address) = (&request.name, peer.ip().to_canonical().to_string());
    let csr = (name, request.csr.as_str());
    let done =
        crate::enrol::renew(&app.store, &app.authority, app.config.lifetimes, csr, Some(&address), app.clock.now())
            .await;
    let credentials =
        done.inspect_err(|error| tracing::warn!(device = %name, peer = address, %error, "a renewal was refused"))?;
    Ok(Json(identity(&app, credentials)))
}

/// What the device gets.
fn identity(app: &App, credentials: Credentials) -> EnrolReply {
    let Credentials { name, certificate, ca } = credentials;
    app.live.publish(Event::Device { name: name.clone() });
    let (broker, server_time) = (app.broker_address.clone(), app.clock.now());
    EnrolReply { name, certificate, ca, broker, server_time }
}
