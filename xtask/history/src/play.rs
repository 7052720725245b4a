//! Turns the clock from the beginning to the end, and lets everything happen when its time has come: a fleet's life as the
//! server sees it.

mod agenda;
mod deeds;
mod pace;

use crate::board::{Board, sensors};
use crate::cast::{Fate, Member, members};
use crate::clock::PlayedClock;
use crate::crew::Crew;
use crate::duty::{Duty, LOOK_EVERY};
use crate::error::{PlayError, impossible};
use crate::identity::Identified;
use crate::line::Line;
use crate::plan::Plan;
use crate::producer::Producer;
use crate::setup::first_hour;
use crate::span::{DAY, Days, HOUR, MINUTE, Span};
use crate::summary::{Made, Summary, devices};
use agenda::{Agenda, Item};
use hyper::Method;
use pace::Pace;
use server::config::Config;
use server::http::thresholds::follow;
use server::live::Live;
use server::notify::dispatch::Dispatcher;
use server::outage::task::Watch;
use server::run::{App, start_still};
use server::store::AlertFilter;
use shared::{Clock, UtcMillis};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Readings of a past: more would take too long.
const MOST_READINGS: i64 = 2_000_000;
/// How often is measured, at best.
const INTERVALS: [i64; 4] = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How long.
    pub days: Days,
    /// How many devices go on afterwards.
    pub devices: u32,
    /// What is drawn.
    pub seed: u64,
    /// The fleet's folder: a device that goes on finds its identity in `agent-N/data`.
    pub folder: PathBuf,
}

/// Makes a past that ends at `until`, or, if that is `None`, when `real` says that it is over.
///
/// # Errors
/// When anything of it is refused or fails.
pub async fn play(
    config: &Config,
    wanted: &Wanted,
    until: Option<UtcMillis>,
    real: &dyn Clock,
    on_day: impl Fn(i64, i64),
) -> Result<Summary, PlayError> {
    if config.database_file().is_some_and(|file| file.exists()) {
        return Err(PlayError::Lived(wanted.folder.clone()));
    }
    let span = Span::before(until.unwrap_or_else(|| real.now()), wanted.days);
    let clock = Arc::new(PlayedClock::new(UtcMillis(span.from)));
    let mut running = start_still(config, Arc::clone(&clock) as Arc<dyn Clock>).await?;
    let password = running.first_password.take().ok_or_else(|| PlayError::Lived(wanted.folder.clone()))?;
    let plain = running.plain.ok_or_else(|| impossible("http.plain is not set"))?;
    let mut crew = Crew::new(&format!("http://{plain}"), password)?;
    let members = members(wanted.devices);
    let plan = Plan::draw(&members, span, wanted.seed);
    let token = first_hour(&clock, &mut crew, &members, &plan).await?;
    let grace_ms = i64::try_from(config.alerts.offline_after.as_millis()).unwrap_or(i64::MAX);
    let mut player = Player::new(&running.app, clock, crew, (members, plan), wanted, token, grace_ms);
    player.pass_until(span.to, &on_day).await?;
    while until.is_none() && real.now().0 - player.now().0 > 2_000 {
        player.pass_until(real.now().0, &on_day).await?;
    }
    let summary = player.end().await?;
    running.stop().await;
    Ok(summary)
}

/// What a past has to be measured with, so that it is ready before anybody has lost patience.
fn interval(devices: usize, span: Span) -> i64 {
    let boards = i64::try_from(devices).unwrap_or(i64::MAX);
    let readings = |interval: &i64| span.ms() / interval * boards * 4;
    INTERVALS.into_iter().find(|interval| readings(interval) <= MOST_READINGS).unwrap_or(10 * MINUTE)
}

struct Player {
    app: Arc<App>,
    clock: Arc<PlayedClock>,
    crew: Crew,
    members: Vec<Member>,
    plan: Plan,
    folder: PathBuf,
    seed: u64,
    token: String,
    lines: Vec<Line>,
    identities: Vec<Option<Identified>>,
    producer: Producer,
    agenda: Agenda,
    pace: Pace,
    watch: Watch,
    dispatcher: Dispatcher,
    duty: Duty,
    /// What devices are told may have changed.
    told: bool,
    interval: i64,
    days: Days,
    readings: u64,
    buffers: Vec<shared::BufferId>,
    /// When what need not be done at each step was done last.
    seldom: i64,
}

impl Player {
    fn new(
        app: &Arc<App>,
        clock: Arc<PlayedClock>,
        crew: Crew,
        (members, plan): (Vec<Member>, Plan),
        wanted: &Wanted,
        token: String,
        grace_ms: i64,
    ) -> Self {
        let (seed, interval) = (wanted.seed, interval(members.len(), plan.span));
        let boards: Vec<Board> =
            (0..).zip(&members).filter_map(|(n, of)| Board::new(n, of, &plan, interval, seed)).collect();
        let watch = Watch::new(app.store.clone(), clock.now(), grace_ms).looking_each(3 * pace::SLOW);
        let channels: Vec<Arc<dyn server::notify::Channel>> = vec![Arc::new(pace::Heard)];
        let dispatcher =
            Dispatcher::new(app.store.clone(), Live::new(), Arc::clone(&clock) as Arc<dyn Clock>, channels);
        Self {
            app: Arc::clone(app),
            clock,
            crew,
            lines: members.iter().map(|member| Line::new(member, seed)).collect(),
            identities: members.iter().map(|_| None).collect(),
            producer: Producer::start(boards, plan.span),
            agenda: Agenda::of(&plan),
            pace: Pace::of(&plan),
            watch,
            dispatcher,
            duty: Duty::default(),
            told: false,
            members,
            folder: wanted.folder.clone(),
            seed,
            token,
            interval,
            days: wanted.days,
            readings: 0,
            buffers: vec![],
            seldom: 0,
            plan,
        }
    }

    fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// Lets time pass.
    async fn pass_until(&mut self, end: i64, on_day: &impl Fn(i64, i64)) -> Result<(), PlayError> {
        while self.now().0 < end {
            let before = self.now().0;
            let next = self.agenda.next_after(before).min(self.pace.next_after(before)).min(end);
            self.clock.turn(UtcMillis(next));
            self.step().await?;
            let day = |at: i64| (at - self.plan.span.from) / DAY;
            if day(next) > day(before) {
                on_day(day(next), i64::from(self.days.0));
            }
        }
        Ok(())
    }

    /// One moment: what was measured arrives, what is due is done, and the server looks at all of it.
    async fn step(&mut self) -> Result<(), PlayError> {
        let now = self.now();
        for (line, tales) in self.lines.iter_mut().zip(self.producer.until(now.0)) {
            line.hear(tales);
        }
        self.deliver().await?;
        while let Some(item) = self.agenda.due(now.0) {
            self.do_item(item).await?;
        }
        if std::mem::take(&mut self.told) {
            self.apply_settings().await?;
        }
        let seldom = now.0 - self.seldom >= 2 * pace::SLOW;
        // Nobody comes or goes while nothing goes on.
        if seldom || self.pace.is_busy(now.0) {
            for line in &mut self.lines {
                if line.is_due(now) {
                    self.app.store.record_status(&line.name, &line.status(now), now).await?;
                }
            }
            self.watch.look(now).await?;
        }
        if seldom {
            self.seldom = now.0;
            self.app.store.notice_missing(now).await?;
            self.app.store.tell_of_the_past(now).await?;
        }
        Ok(self.dispatcher.turn().await?)
    }

    /// Whoever is connected sends what there is.
    async fn deliver(&mut self) -> Result<(), PlayError> {
        let now = self.now();
        let mut batches = vec![];
        for line in &mut self.lines {
            batches.extend(line.batches(now));
        }
        if !batches.is_empty() {
            let answers = self.app.store.append(&batches).await?;
            for (batch, answer) in batches.iter().zip(answers) {
                let kept = answer.map_or(0, |answer| answer.fresh.len());
                if kept != batch.received.readings.len() {
                    return Err(impossible(format!("{} lost readings at {now}", batch.device)));
                }
                self.readings += kept as u64;
            }
        }
        for place in 0..self.lines.len() {
            let Some(line) = self.lines.get_mut(place) else { continue };
            let (name, settings, records) = (line.name.clone(), line.settings, line.calibrations());
            if line.has_news() {
                let status = line.status(now);
                self.app.store.record_status(&name, &status, now).await?;
            }
            for record in records {
                self.app.store.add_calibration(&name, &record, settings, now).await?;
                self.told = true;
            }
        }
        Ok(())
    }

    /// Whoever is connected gets its settings, and says so.
    async fn apply_settings(&mut self) -> Result<(), PlayError> {
        let now = self.now();
        for device in self.app.store.devices().await? {
            let line = self.lines.iter_mut().find(|line| line.name == device.name && line.up);
            if let Some(line) = line.filter(|line| line.settings != device.settings_version) {
                line.settings = device.settings_version;
                self.app.store.record_status(&device.name, &line.status(now), now).await?;
            }
        }
        Ok(())
    }

    async fn do_item(&mut self, item: Item) -> Result<(), PlayError> {
        let now = self.now();
        match item {
            Item::Deed(deed) => self.do_deed(deed).await?,
            Item::Goes(away) => {
                let Some(line) = self.lines.get_mut(away.board) else { return Ok(()) };
                let (name, status) = (line.name.clone(), line.goes(away.why, now));
                self.app.store.record_status(&name, &status, now).await?;
            }
            Item::Returns(away) => {
                let Some(line) = self.lines.get_mut(away.board) else { return Ok(()) };
                let status = line.returns(away.why, away.time.from, now);
                let name = line.name.clone();
                self.app.store.record_status(&name, &status, now).await?;
                self.told = true;
            }
            Item::Errand(errand) => {
                self.crew.ask(errand.who, Method::POST, "/api/v1/alerts/act", Some(errand.body), now).await?;
            }
            Item::Look => {
                let filter = AlertFilter { state: Some("open".to_owned()), ..AlertFilter::default() };
                let open = self.app.store.alerts(&filter, None, 100, now).await?;
                for errand in self.duty.look(&open, &self.members, self.seed, now.0) {
                    self.agenda.add(errand.at, Item::Errand(errand));
                }
                self.agenda.add(now.0 + LOOK_EVERY, Item::Look);
            }
            Item::Tidy => {
                self.app.store.tidy(now).await?;
                for line in 0..self.lines.len() {
                    if self.lines.get(line).is_some_and(|line| line.up)
                        && let Some(Some(identity)) = self.identities.get_mut(line)
                    {
                        identity.renew(&self.app).await?;
                    }
                }
                self.app.authority.renew_service(now).map_err(impossible)?;
                self.agenda.add(now.0 + 2 * HOUR, Item::Tidy);
            }
        }
        Ok(())
    }

    /// A board asks for its identity, and begins to measure.
    async fn enrol(&mut self, board: usize, successor: bool) -> Result<(), PlayError> {
        let (now, replaced) = (self.now(), self.plan.replacement.is_some_and(|of| of.board == board));
        let (Some(member), Some(line)) = (self.members.get(board), self.lines.get_mut(board)) else { return Ok(()) };
        let former = replaced && !successor;
        let (serial, folder) = if former {
            (crate::cast::former_serial(member.number)?, self.folder.join("past").join(format!("{}-former", line.name)))
        } else if member.fate == Fate::Lives {
            let folder = self.folder.join(format!("agent-{}", member.number)).join("data");
            (crate::cast::serial(member.number)?, folder)
        } else {
            (crate::cast::serial(member.number)?, self.folder.join("past").join(line.name.as_str()))
        };
        let address = format!("10.2{}.1.{}", member.site, 10 + member.number % 200);
        let identity = Identified::enrol(&self.app, folder, serial, &self.token, &address).await?;
        if let Some(place) = self.identities.get_mut(board) {
            *place = Some(identity);
        }
        if successor {
            line.succeed();
        }
        line.starts(now.0);
        line.up = true;
        self.buffers.push(line.buffer());
        self.app.store.record_status(&line.name, &line.status(now), now).await?;
        self.app.store.record_sensors(&line.name, &sensors(), now).await?;
        follow(&self.app).await;
        self.told = true;
        Ok(())
    }

    /// Everybody goes home; the devices that go on find what they need.
    async fn end(mut self) -> Result<Summary, PlayError> {
        let now = self.now();
        self.crew.sign_out().await;
        self.app.store.tidy(UtcMillis(now.0)).await?;
        for (member, identity) in self.members.iter().zip(&self.identities) {
            if let Some(identity) = identity.as_ref().filter(|_| member.fate == Fate::Lives) {
                identity.save_settings(&self.app).await?;
            }
        }
        for line in self.lines.iter().filter(|line| line.up) {
            self.app.store.record_status(&line.name, &line.status(now), now).await?;
        }
        Ok(Summary {
            days: self.days.0,
            interval_ms: self.interval,
            made: Made::count(&self.app, self.readings).await?,
            devices: devices(&self.members),
            accounts: self.crew.accounts(),
            buffers: self.buffers,
        })
    }
}

/// Where the configuration of the fleet's server is.
pub fn config_of(folder: &Path) -> PathBuf {
    folder.join("server").join("server.toml")
}
