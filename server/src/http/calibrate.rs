//! Guided calibration: orders to the device, which leads it because it sees the signal. Its answers come as
//! live events.

use super::auth::Caller;
use super::calibrations::random_bits;
use super::error::{Problem, Problems};
use super::extract::{Body, Named};
use super::{devices, model, words};
use crate::run::App;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::calibration::{Buffers, By, RecordId};
use shared::message::calibrate::{CalibrationDown, Order};
use shared::{Metric, Topic};
use std::sync::Arc;
use utoipa::ToSchema;

/// What the device shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrderKind {
    /// Begin a session for a probe; one that runs already ends without a result.
    Begin,
    /// The probe is in something of the value `nominal`: take the point as soon as the signal has settled.
    Take,
    /// Forget the point `nominal`, or stop waiting for it.
    Drop,
    /// Put the result into force.
    Finish,
    /// End without a result.
    Cancel,
}

/// An order to a device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationOrder {
    /// What to do.
    order: OrderKind,
    /// Which session; for every order but `begin`.
    #[schema(nullable = false, value_type = Option<words::RecordId>)]
    session: Option<String>,
    /// Which probe; for `begin`.
    #[schema(nullable = false, value_type = Option<words::Metric>)]
    metric: Option<String>,
    /// The set of buffers; for `begin` of pH, `technical` if absent.
    #[schema(nullable = false, value_type = Option<words::Buffers>)]
    buffers: Option<Buffers>,
    /// Lot or expiry date of the solutions; for `begin`.
    #[schema(nullable = false, min_length = 1, max_length = 64)]
    lot: Option<String>,
    /// Which point; for `take` and `drop`.
    #[schema(nullable = false)]
    nominal: Option<f64>,
}

/// The session that was meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalibrationSession {
    /// 16 hexadecimal digits.
    session: String,
}

/// Gives a device an order. What becomes of it comes as `calibration` events.
#[utoipa::path(post, path = "/api/v1/devices/{name}/calibration", operation_id = "calibrate", tag = "calibration",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    request_body = CalibrationOrder, responses((status = 202, body = CalibrationSession), Problems))]
pub async fn order(
    State(app): State<Arc<App>>,
    caller: Caller,
    Named(name): Named,
    Body(order): Body<CalibrationOrder>,
) -> Result<(StatusCode, Json<CalibrationSession>), Problem> {
    let device = devices::in_service(&app, &name).await?;
    if model::state(&device, app.clock.now()) != model::State::Online {
        let detail = format!("{name} is not connected: a calibration needs it now");
        return Err(Problem::new(StatusCode::CONFLICT, "offline", detail));
    }
    let (session, order) = order.read(caller.account)?;
    app.link.try_publish(&Topic::CalibrationDown(name), CalibrationDown::new(order).encode(), false).map_err(
        |error| {
            tracing::warn!(%error, "an order is not sent");
            let detail = "the server can't send the order now: try again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_sent", detail).retry_after(5)
        },
    )?;
    Ok((StatusCode::ACCEPTED, Json(CalibrationSession { session: session.to_string() })))
}

impl CalibrationOrder {
    /// The order as the device gets it, given by `account`; what it lacks is named.
    fn read(self, account: String) -> Result<(RecordId, Order), Problem> {
        let session = || {
            let text = self.session.as_deref();
            let text = text.ok_or_else(|| wrong("session", "say which session: the answer to `begin` names it"))?;
            text.parse().map_err(|e: shared::id::IdError| wrong("session", &e.to_string()))
        };
        let nominal = || self.nominal.ok_or_else(|| wrong("nominal", "say which point"));
        let (session, order) = match self.order {
            OrderKind::Begin => return self.begin(account),
            OrderKind::Take => (session()?, Order::Take { session: session()?, nominal: nominal()? }),
            OrderKind::Drop => (session()?, Order::Drop { session: session()?, nominal: nominal()? }),
            OrderKind::Finish => (session()?, Order::Finish { session: session()? }),
            OrderKind::Cancel => (session()?, Order::Cancel { session: session()? }),
        };
        Ok((session, order))
    }

    fn begin(self, account: String) -> Result<(RecordId, Order), Problem> {
        let name = self.metric.ok_or_else(|| wrong("metric", "say which probe"))?;
        let metric = Metric::from_wire(&name).ok_or_else(|| wrong("metric", "there is no such metric"))?;
        if !self.lot.as_deref().is_none_or(is_label) {
            return Err(wrong("lot", "give 1 to 64 characters, or leave it out"));
        }
        let session = RecordId::from_random(random_bits()?);
        let by = By::Dashboard { name: account };
        Ok((session, Order::Begin { session, metric, by, buffers: self.buffers, lot: self.lot }))
    }
}

/// What the record of the calibration will take.
fn is_label(text: &str) -> bool {
    (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn wrong(field: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).about(field)
}
