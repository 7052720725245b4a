//! What has to be done now and then: notice who has fallen silent and what is missing, forget what has expired, renew the
//! server's certificate.

use crate::audit::Actor;
use crate::backup;
use crate::cut_off::write_revocations;
use crate::http::model::{self, State};
use crate::http::system::totals;
use crate::http::thresholds::follow;
use crate::live::Event;
use crate::run::App;
use crate::store::StoreError;
use shared::{DeviceName, UtcMillis};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

/// How soon a watcher is told that a device has fallen silent.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked at what the rules of devices follow from, and what only time can tell of them.
const WATCH_EVERY: Duration = Duration::from_secs(10);
/// How often expired sessions and tokens are forgotten and the server's certificate is looked at.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// An expired token is shown for so long, so that somebody can see why a device could not enrol.
const SHOW_EXPIRED_MS: i64 = 30 * 86_400_000;
/// A board that waits for approval and has not asked for so long is gone.
const SHOW_SILENT_MS: i64 = 7 * 86_400_000;
/// An invitation that ended is shown for so long, and so long somebody waits for an account that nobody decides on.
const SHOW_PEOPLE_MS: i64 = 30 * 86_400_000;
/// Certificates that ended so long ago matter to nobody.
const SHOW_CERTIFICATES_MS: i64 = 400 * 86_400_000;
/// How often the list of revoked certificates is written although nothing changed.
const LIST_EVERY_MS: i64 = 86_400_000;
/// How each channel fared with news is shown for so long. Alerts themselves are kept: they are records.
const SHOW_DELIVERIES_MS: i64 = 30 * 86_400_000;
/// Computing history again that has taken so long was cut off by a server that stopped.
const UNFINISHED_MS: i64 = 3_600_000;

/// Runs until it is aborted. A failure is logged and tried again at the next turn.
pub async fn run(app: Arc<App>) {
    let (mut look, mut tidy) = (tokio::time::interval(LOOK_EVERY), tokio::time::interval(TIDY_EVERY));
    let mut watch = tokio::time::interval(WATCH_EVERY);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Seen { at: app.clock.now(), states: BTreeMap::new() };
    loop {
        let done = tokio::select! {
            _ = look.tick() => {
                app.pace.note(app.clock.now(), totals(&app));
                tell_changes(&app, &mut seen).await
            }
            _ = watch.tick() => watch_over(&app).await,
            _ = tidy.tick() => {
                renew_certificate(&app);
                list_revocations(&app).await;
                back_up(&app).await;
                forget_expired(&app).await
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "housekeeping failed; it is tried again");
        }
    }
}

/// A list is good for a week: an external broker that gets no newer one lets nobody in.
async fn list_revocations(app: &App) {
    let (now, listed) = (app.clock.now(), *app.listed.lock().await);
    if listed.is_some_and(|at| (0..LIST_EVERY_MS).contains(&(now.0 - at.0))) {
        return;
    }
    if let Err(error) = write_revocations(app).await {
        tracing::error!(%error, "the revocation list is not written; it is tried again");
    }
}

/// Beside everything else, which goes on meanwhile. How it went is in the audit log.
async fn back_up(app: &Arc<App>) {
    match app.backups.is_due(app.clock.now()).await {
        Ok(true) if app.store.is_sqlite() => {
            let app = Arc::clone(app);
            tokio::spawn(async move {
                let _ = backup::run(&app.backups, &app.store, &*app.clock, &Actor::server()).await;
            });
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the folder of back-ups can't be read"),
    }
}

/// What was seen when the devices were last looked at.
struct Seen {
    at: UtcMillis,
    states: BTreeMap<DeviceName, State>,
}

/// A device that falls silent sends nothing that could tell: only the time does.
async fn tell_changes(app: &App, seen: &mut Seen) -> Result<(), StoreError> {
    let now = app.clock.now();
    for device in app.store.devices().await? {
        let state = model::state(&device, now);
        let before = seen.states.insert(device.name.clone(), state);
        if before.unwrap_or_else(|| model::state(&device, seen.at)) != state {
            tracing::info!(device = %device.name, ?state, "the state of a device changed");
            app.live.publish(Event::Device { name: device.name });
        }
    }
    seen.at = now;
    Ok(())
}

/// What no reading brings about: sign-ins that were refused, rules that follow from a changed registry, data that is missing, and what is told of the past.
async fn watch_over(app: &App) -> Result<(), StoreError> {
    app.refusals.write_due(&app.store, app.clock.now()).await?;
    follow(app).await;
    app.store.notice_missing(app.clock.now()).await?;
    app.store.tell_of_the_past(app.clock.now()).await
}

/// A server that runs for years must not end up with a certificate that has ended.
fn renew_certificate(app: &App) {
    match app.authority.renew_service(app.clock.now()) {
        Ok(true) => tracing::info!("the server's certificate was renewed"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the server's certificate can't be renewed; it is tried again"),
    }
}

async fn forget_expired(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let sessions = app.store.forget_expired_sessions(now).await?;
    let tokens = app.store.forget_expired_tokens(UtcMillis(now.0 - SHOW_EXPIRED_MS)).await?;
    let revisions = app.store.forget_unfinished_revisions(UtcMillis(now.0 - UNFINISHED_MS)).await?;
    let waiting = app.store.forget_waiting(UtcMillis(now.0 - SHOW_SILENT_MS)).await?;
    let certificates = app.store.forget_expired_certificates(UtcMillis(now.0 - SHOW_CERTIFICATES_MS)).await?;
    let news = app.store.forget_news(UtcMillis(now.0 - SHOW_DELIVERIES_MS)).await?;
    let people = forget_people(app, UtcMillis(now.0 - SHOW_PEOPLE_MS)).await?;
    let answers = app.store.forget_answers(now).await?;
    let forgotten = [sessions, tokens, revisions, waiting, certificates, news, people, answers];
    if forgotten.iter().any(|count| *count > 0) {
        tracing::debug!(
            sessions,
            tokens,
            revisions,
            waiting,
            certificates,
            news,
            people,
            answers,
            "forgot what has expired"
        );
    }
    Ok(())
}

/// Invitations, and wishes for accounts that nobody decided on.
async fn forget_people(app: &App, then: UtcMillis) -> Result<u64, StoreError> {
    let asked = app.store.forget_sign_ups(then).await?;
    if asked > 0 {
        tracing::info!(asked, "nobody decided on these wishes for accounts; they are forgotten");
        app.live.publish(Event::SignUps);
    }
    Ok(asked + app.store.forget_invitations(then).await?)
}
