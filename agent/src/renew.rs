//! Keeps this device's certificate alive: asks for the next one in time, over the link; over HTTPS when the link is
//! refused, because the device slept past the end. The old certificate is replaced only by one that has proved itself.
//! Knows no file by name and nothing of readings.

use crate::backoff::Backoff;
use crate::certificate::{self, CertificateError, Validity};
use crate::https::{self, AskError};
use crate::identity::{Home, Identity, IdentityError, certificate_request};
use crate::link::{ENOUGH, Link, LinkState};
use crate::repeats::Repeats;
use crate::seek::{SeekError, Seeker, Server};
use crate::time::Time;
use crate::trust::{self, TrustError};
use rcgen::KeyPair;
use shared::enrol::{EnrolReply, RENEW_PATH, RenewRequest};
use shared::message::{Certificate, Renewal};
use shared::{Serial, Topic, UtcMillis};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How often is looked whether it is time, as a part of the certificate's life, and within which limits.
const LOOKS: u32 = 20;
const LOOK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));
/// The same for asking again.
const TRIES: u32 = 30;
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// What is needed for it.
pub struct Renewer {
    /// The board.
    pub serial: Serial,
    /// Finds whom to ask when the link is refused.
    pub seeker: Arc<Seeker>,
    /// Where the identity is kept.
    pub home: Home,
    /// The identity with which the link began.
    pub identity: Identity,
    /// The link.
    pub link: Link,
    /// What the server sends over it.
    pub offers: mpsc::Receiver<Certificate>,
    /// The clock.
    pub time: Time,
    /// Between questions over HTTPS.
    pub backoff: Backoff,
}

/// Why an offered certificate is not used.
#[derive(Debug, thiserror::Error)]
enum OfferError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("it is older than the present one")]
    Older,
    #[error("it has expired already")]
    Expired,
    #[error("the broker refuses it: {0}")]
    Refused(String),
    #[error("the link ended before it was tried")]
    Untried,
}

/// Why the server did not renew.
#[derive(Debug, thiserror::Error)]
enum RenewError {
    #[error(transparent)]
    Seek(#[from] SeekError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("the server of another fleet answered: it has no say about this device")]
    Stranger,
    #[error("its certificate can't be used: {0}")]
    Offer(#[from] OfferError),
}

impl Renewer {
    /// Looks after the certificate until the server no longer knows this device's key; returns its word for that.
    pub async fn run(self) -> String {
        let now = Instant::now();
        // Where the power was away for long, all devices come back with certificates that have expired.
        let first = now + self.backoff.clone().next_delay();
        let validity = certificate::read(&self.identity.certificate, &self.identity.name).ok();
        let mut task = Task {
            with: self,
            validity,
            chance: fastrand::f64(),
            ask_from: now,
            https_from: first,
            unsaved: false,
            repeats: Repeats::default(),
        };
        task.run().await
    }
}

struct Task {
    with: Renewer,
    /// `None`: the certificate can't be read, so it is as good as expired.
    validity: Option<Validity>,
    /// How late this device is among all that got theirs at the same time.
    chance: f64,
    /// Not to be asked for over the link before this.
    ask_from: Instant,
    /// The same over HTTPS.
    https_from: Instant,
    /// The certificate in use is not on the card yet.
    unsaved: bool,
    repeats: Repeats,
}

impl Task {
    async fn run(&mut self) -> String {
        let (mut state, mut refused) = (self.with.link.state(), self.with.link.refused());
        loop {
            self.save_again();
            let up = *state.borrow_and_update() != LinkState::Down;
            if up {
                self.with.backoff.reset();
            }
            let unwanted = *refused.borrow_and_update() >= ENOUGH;
            let now = self.with.time.best();
            let expired = self.validity.is_none_or(|validity| now >= validity.until);
            let due = self.validity.is_none_or(|validity| now >= validity.due(self.chance));
            let over_https = !up && (unwanted || expired);
            if over_https && Instant::now() >= self.https_from {
                if let Some(code) = self.ask_over_https().await {
                    return code;
                }
                continue;
            }
            if up && due && Instant::now() >= self.ask_from {
                self.ask_over_link().await;
            }
            let look = Instant::now() + self.part_of_life(LOOKS, LOOK);
            let next = if over_https { look.min(self.https_from) } else { look };
            tokio::select! {
                Some(offer) = self.with.offers.recv() => {
                    let at = self.with.time.best();
                    if let Err(error) = self.adopt(&offer.certificate, &offer.ca, at).await {
                        self.complain(&error, "a certificate that the server sent is not used; the present one stays");
                        self.ask_from = Instant::now() + self.part_of_life(TRIES, AGAIN);
                    }
                }
                Ok(()) = state.changed() => {}
                Ok(()) = refused.changed() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    fn part_of_life(&self, parts: u32, (least, most): (Duration, Duration)) -> Duration {
        let life = self.validity.map_or(0, |validity| validity.life());
        (Duration::from_millis(u64::try_from(life).unwrap_or(0)) / parts).clamp(least, most)
    }

    async fn ask_over_link(&mut self) {
        self.ask_from = Instant::now() + self.part_of_life(TRIES, AGAIN);
        match self.request() {
            Ok(csr) => {
                tracing::debug!("asking for the next certificate");
                let topic = Topic::Renewal(self.with.identity.name.clone());
                self.with.link.publish(topic, Renewal::new(csr).encode(), false).await;
            }
            Err(error) => self.complain(&error, "the next certificate can't be asked for"),
        }
    }

    /// Returns the server's word if this identity has ended.
    async fn ask_over_https(&mut self) -> Option<String> {
        let outcome = self.renewed_over_https().await;
        match &outcome {
            Ok(()) => {}
            Err(RenewError::Ask(error)) if self.is_the_end(error.code()) => return error.code().map(str::to_owned),
            Err(error) => {
                if matches!(error, RenewError::Ask(AskError::Refused { .. }) | RenewError::Offer(_)) {
                    // Only a person can change this; no need to hurry.
                    self.with.backoff.exhaust();
                }
                self.complain(error, "the certificate could not be renewed; readings are kept meanwhile");
            }
        }
        let mut delay = self.with.backoff.next_delay();
        if matches!(outcome, Err(RenewError::Offer(_))) {
            // The broker is at fault, not the certificate: the server need not sign one each minute.
            delay = delay.max(self.part_of_life(TRIES, AGAIN));
        }
        self.https_from = Instant::now() + delay;
        None
    }

    /// Whether the server's word ends this identity. A server whose clock is years ahead must not: a device that knows the
    /// time knows better whether its certificate has ended.
    fn is_the_end(&self, code: Option<&str>) -> bool {
        let time = &self.with.time;
        let good_still = self.validity.as_ref().is_some_and(|validity| time.best() < validity.until);
        match code {
            Some("unknown_key") => true,
            Some("too_late") => !(time.is_synced() && good_still),
            _ => false,
        }
    }

    /// Asks the server of this identity, and if that can't be reached or believed the one that a device without an
    /// identity would ask: the authority may have been replaced while this device slept.
    async fn renewed_over_https(&mut self) -> Result<(), RenewError> {
        let mut outcome = Err(RenewError::Seek(SeekError::Nobody));
        for anew in [false, true] {
            let seeker = Arc::clone(&self.with.seeker);
            let servers = if anew { seeker.servers().await } else { seeker.servers_of(&self.with.identity).await };
            match servers {
                Ok(servers) => {
                    for server in servers {
                        outcome = self.renewed_by(&server).await;
                        if let Err(RenewError::Ask(error)) = &outcome
                            && matches!(error.code(), Some("unknown_key" | "too_late"))
                            && !seeker.is_own(&server, &self.with.identity)
                        {
                            // A stick of another fleet: its server does not know this device, and has no say.
                            outcome = Err(RenewError::Stranger);
                            continue;
                        }
                        if !matches!(outcome, Err(RenewError::Ask(AskError::Connection { .. } | AskError::Failed(_)))) {
                            return outcome;
                        }
                    }
                }
                // What the first place said is of more use.
                Err(error) if !anew => outcome = Err(error.into()),
                Err(_) => {}
            }
        }
        outcome
    }

    async fn renewed_by(&mut self, server: &Server) -> Result<(), RenewError> {
        let Renewer { identity, time, .. } = &self.with;
        let tls = trust::known_or_pinned(&identity.ca, server.ca_sha256, time.clone())?;
        let request = RenewRequest { name: identity.name.clone(), csr: self.request()? };
        let reply: EnrolReply = https::post(server, RENEW_PATH, &request, tls).await?.read()?;
        time.server_said(reply.server_time);
        Ok(self.adopt(&reply.certificate, &reply.ca, reply.server_time).await?)
    }

    fn request(&self) -> Result<String, IdentityError> {
        certificate_request(&KeyPair::from_pem(&self.with.identity.key)?, self.with.serial)
    }

    /// Connects with a certificate, and keeps it once that has worked.
    async fn adopt(&mut self, pem: &str, ca: &str, at: UtcMillis) -> Result<(), OfferError> {
        let identity = &self.with.identity;
        let pem = certificate::obtained(pem, at);
        let validity = certificate::read(&pem, &identity.name)?;
        if let Some(present) = &self.validity {
            let same = without_note(&pem) == without_note(&identity.certificate) && ca == identity.ca;
            if same {
                // The answer to a question that was asked twice.
                return Ok(());
            }
            if validity.not_before < present.not_before {
                return Err(OfferError::Older);
            }
        }
        if validity.until <= self.with.time.best() {
            return Err(OfferError::Expired);
        }
        let tls = trust::mutual(ca, &pem, &identity.key, self.with.time.clone())?;
        match self.with.link.try_with(Arc::new(tls)).await.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(OfferError::Refused(why)),
            Err(_) => return Err(OfferError::Untried),
        }
        tracing::info!(until = %validity.until, "connected with the next certificate");
        (self.with.identity.certificate, self.with.identity.ca) = (pem, ca.to_owned());
        (self.validity, self.chance, self.unsaved) = (Some(validity), fastrand::f64(), true);
        self.save_again();
        Ok(())
    }

    /// A disk that is full now may have room later; until then the card has the former pair.
    fn save_again(&mut self) {
        if !self.unsaved {
            return;
        }
        let Identity { certificate, ca, .. } = &self.with.identity;
        match self.with.home.renew(certificate, ca) {
            Ok(()) => self.unsaved = false,
            Err(error) => self.complain(&error, "the next certificate is in use but can't be saved"),
        }
    }

    fn complain(&self, error: &dyn std::error::Error, what: &'static str) {
        if let Some(unsaid) = self.repeats.say(&error.to_string(), Instant::now().into_std()) {
            tracing::warn!(%error, unsaid, "{what}");
        }
    }
}

fn without_note(pem: &str) -> &str {
    pem[pem.find("-----BEGIN").unwrap_or(0)..].trim()
}
