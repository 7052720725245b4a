//! REST, WebSocket and static files. Each resource has a file with its routes; this one puts them together.
//! Knows no SQL, no MQTT and no certificate.

pub mod alert_acts;
pub mod alerts;
pub mod assets;
pub mod audit;
pub mod audit_chain;
pub mod auth;
pub mod authority;
pub mod backups;
pub mod calibrate;
pub mod calibrations;
pub mod channels;
pub mod characters;
pub mod claim;
pub mod conditional;
pub mod config;
pub mod cors;
pub mod devices;
pub mod enrol;
pub mod error;
pub mod exports;
pub mod extract;
pub mod hand_in;
pub mod health;
pub mod history;
pub mod intake;
pub mod invitations;
pub mod join;
pub mod key_caller;
pub mod keys;
pub mod live;
pub mod machines;
pub mod map;
pub mod metrics;
pub mod model;
pub mod openapi;
pub mod outages;
pub mod page;
pub mod password;
pub mod person;
pub mod places;
pub mod presets;
pub mod preview;
pub mod profile;
pub mod rate;
pub mod readings;
pub mod recomputations;
pub mod refusals;
pub mod registrations;
pub mod reports;
pub mod roles;
pub mod rule;
pub mod security;
pub mod serve;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod sign_ups;
pub mod silences;
pub mod system;
pub mod thresholds;
pub mod throttle;
pub mod token_words;
pub mod tokens;
pub mod totp;
pub mod users;
pub mod waiting;
pub mod wire;
pub mod words;

use crate::run::App;
use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn, middleware::from_fn_with_state};
use error::Problem;
use shared::message::MAX_PAYLOAD;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Most bytes of a body, where nothing else is said.
pub const BODY_LIMIT: usize = 64 * 1024;
/// Most bytes of a body that anybody may send without a session.
pub const OPEN_BODY_LIMIT: usize = 16 * 1024;

/// Every operation of the interface, with its description.
fn api(app: Option<&Arc<App>>) -> OpenApiRouter<Arc<App>> {
    let open = OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(sign_in::sign_in, session::sign_out))
        .routes(routes!(session::refresh))
        .routes(routes!(join::look))
        .routes(routes!(join::join))
        .routes(routes!(sign_ups::rule, sign_ups::ask))
        .routes(routes!(metrics::show))
        .routes(routes!(enrol::enrol))
        .routes(routes!(enrol::renew))
        .routes(routes!(intake::report))
        .layer(DefaultBodyLimit::max(OPEN_BODY_LIMIT));
    let files = OpenApiRouter::new()
        .routes(routes!(registrations::import))
        .layer(DefaultBodyLimit::max(crate::registry::csv::MOST_BYTES));
    let gateways = OpenApiRouter::new()
        .routes(routes!(hand_in::one))
        .routes(routes!(hand_in::batch))
        .layer(DefaultBodyLimit::max(MAX_PAYLOAD));
    let guarded = OpenApiRouter::new()
        .merge(files)
        .routes(routes!(session::who))
        .routes(routes!(sign_in::change_password))
        .routes(routes!(totp::show, totp::propose))
        .routes(routes!(totp::confirm))
        .routes(routes!(totp::disable))
        .routes(routes!(totp::remove_of))
        .routes(routes!(sessions::list, sessions::end_all))
        .routes(routes!(sessions::end))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::change))
        .routes(routes!(users::reset))
        .merge(gateways)
        .routes(routes!(profile::show, profile::change))
        .routes(routes!(invitations::list, invitations::create))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(sign_ups::list))
        .routes(routes!(sign_ups::approve))
        .routes(routes!(sign_ups::refuse))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::delete))
        .routes(routes!(devices::list, machines::create))
        .routes(routes!(devices::one, machines::change, machines::decommission))
        .routes(routes!(devices::revoke))
        .routes(routes!(devices::replace))
        .routes(routes!(settings::change))
        .routes(routes!(readings::latest))
        .routes(routes!(history::list))
        .routes(routes!(history::count))
        .routes(routes!(exports::export))
        .routes(routes!(exports::list))
        .routes(routes!(exports::stop))
        .routes(routes!(readings::range))
        .routes(routes!(readings::series_of_one))
        .routes(routes!(readings::series_of_all))
        .routes(routes!(calibrations::list))
        .routes(routes!(calibrations::undo))
        .routes(routes!(calibrate::order))
        .routes(routes!(recomputations::create, recomputations::list))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::delete))
        .routes(routes!(waiting::list))
        .routes(routes!(waiting::approve))
        .routes(routes!(waiting::approve_all))
        .routes(routes!(waiting::refuse))
        .routes(routes!(waiting::policy, waiting::set_policy))
        .routes(routes!(claim::claim))
        .routes(routes!(authority::show))
        .routes(routes!(authority::rotate))
        .routes(routes!(authority::retire))
        .routes(routes!(config::show))
        .routes(routes!(map::show))
        .routes(routes!(system::show))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::download))
        .routes(routes!(roles::list))
        .routes(routes!(channels::list))
        .routes(routes!(channels::test))
        .routes(routes!(audit::list))
        .routes(routes!(audit_chain::head))
        .routes(routes!(audit_chain::verify))
        .routes(routes!(audit_chain::export))
        .routes(routes!(outages::list))
        .routes(routes!(outages::availability))
        .routes(routes!(outages::export_availability))
        .routes(routes!(reports::statistics::show))
        .routes(routes!(reports::statistics::export))
        .routes(routes!(reports::exceedances::show))
        .routes(routes!(reports::exceedances::export))
        .routes(routes!(silences::list, silences::create))
        .routes(routes!(silences::end))
        .routes(routes!(intake::list, intake::create))
        .routes(routes!(intake::delete))
        .routes(routes!(registrations::list))
        .routes(routes!(registrations::export))
        .routes(routes!(registrations::range))
        .routes(routes!(thresholds::list, thresholds::change))
        .routes(routes!(thresholds::of_device))
        .routes(routes!(thresholds::history))
        .routes(routes!(presets::list, presets::create))
        .routes(routes!(presets::change, presets::remove))
        .routes(routes!(preview::show))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .routes(routes!(alerts::export))
        .routes(routes!(alert_acts::act))
        .routes(routes!(alert_acts::clear))
        .routes(routes!(alert_acts::clearances))
        .routes(routes!(alert_acts::restore))
        .routes(routes!(live::watch))
        .routes(routes!(openapi::show));
    let all = OpenApiRouter::with_openapi(openapi::frame()).merge(open).merge(guarded);
    match app {
        Some(app) => all.route_layer(from_fn_with_state(app.clone(), auth::guard)),
        None => all,
    }
}

/// The whole interface. `secure` says whether it is reached over TLS.
pub fn router(app: Arc<App>, secure: bool) -> Router {
    let (api, _) = api(Some(&app)).split_for_parts();
    let api = api
        .method_not_allowed_fallback(no_such_method)
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(conditional::tag))
        .layer(from_fn(security::same_origin))
        // An archive is packed already.
        .layer(
            CompressionLayer::new()
                .compress_when(DefaultPredicate::new().and(NotForContentType::new("application/zip"))),
        );
    // A browser asks first, without any token: it is answered before anybody is asked for one.
    let api = match cors::layer(&app.config.http.cors_origins) {
        Some(cors) => api.layer(cors),
        None => api,
    };
    let policy = security::Policy::new(app.config.map.tiles.as_ref());
    api.layer(from_fn_with_state(policy, security::headers))
        .layer(from_fn(security::log))
        .layer(axum::Extension(token_words::Transport { secure }))
        .layer(from_fn_with_state(app.clone(), metrics::count))
        .with_state(app)
}

/// Does something to its end, although whoever asked for it hangs up meanwhile: what was withdrawn must be cut off too.
pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(|error| Problem::internal(&error))?
}

async fn no_such_method() -> Problem {
    Problem::no_such_method()
}
