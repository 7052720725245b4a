//! The authorities of one data folder: the newest, and after a rotation the previous one. Owns the order in which
//! their files change, so that a crash at any moment leaves either what was or what was to be. Knows no TLS.
//!
//! | file | |
//! |---|---|
//! | `ca.key`, `ca.pem` | the newest |
//! | `ca-previous.key`, `ca-previous.pem` | the one before, until it is retired |
//! | `ca-cross.pem` | the newest's name and key, signed by the previous |

use super::{
    CaError, files,
    pair::{Pair, Paths},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use shared::UtcMillis;
use std::path::{Path, PathBuf};

/// What this folder holds.
#[derive(Debug)]
pub(super) struct Held {
    pub newest: Pair,
    pub previous: Option<Previous>,
}

/// The authority before the newest.
#[derive(Debug)]
pub(super) struct Previous {
    pub pair: Pair,
    pub cross: CertificateDer<'static>,
}

impl Held {
    /// What a listener shows after its own certificate. Whoever pins the previous authority gets there over the
    /// cross certificate; the newest is in it too, because an agent looks for what it pins among what is shown.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        let mut chain = Vec::new();
        if let Some(previous) = &self.previous {
            chain.extend([previous.cross.clone(), previous.pair.certificate.clone()]);
        }
        chain.push(self.newest.certificate.clone());
        chain
    }

    /// Whom devices may have been signed by.
    pub fn roots(&self) -> impl Iterator<Item = &Pair> {
        std::iter::once(&self.newest).chain(self.previous.as_ref().map(|previous| &previous.pair))
    }
}

/// Called before each change of a file: a test cuts the power there.
pub(super) type Step<'a> = &'a mut dyn FnMut() -> Result<(), CaError>;

/// The folder. Its user holds [`files::lock`].
#[derive(Debug, Clone)]
pub(super) struct Folder {
    newest: Paths,
    previous: Paths,
    cross: PathBuf,
}

impl Folder {
    pub fn of(dir: &Path) -> Self {
        Self { newest: Paths::of(dir, "ca"), previous: Paths::of(dir, "ca-previous"), cross: dir.join("ca-cross.pem") }
    }

    /// Finishes or takes back what was interrupted, and reads; `None` if there is no authority.
    pub fn load(&self) -> Result<Option<Held>, CaError> {
        self.finish_newest()?;
        let Some(newest) = Pair::load(&self.newest)? else { return self.none_at_all() };
        if !self.settle_previous(&newest)? {
            return Ok(Some(Held { newest, previous: None }));
        }
        let Some(pair) = Pair::load(&self.previous)? else { return Ok(Some(Held { newest, previous: None })) };
        let cross = self.cross(&newest, &pair)?;
        Ok(Some(Held { newest, previous: Some(Previous { pair, cross }) }))
    }

    /// No newest: then there must be no previous either, or one would begin anew although something is left.
    fn none_at_all(&self) -> Result<Option<Held>, CaError> {
        for present in [&self.previous.certificate, &self.previous.key] {
            if files::exists(present)? {
                return Err(CaError::Half { missing: self.newest.key.clone(), present: present.clone() });
            }
        }
        Ok(None)
    }

    /// Makes the first authority. The key is moved into place first, the certificate second: what a crash can leave
    /// is a key whose certificate still waits beside it, complete.
    pub fn begin(&self, pair: &Pair) -> Result<(), CaError> {
        self.put_newest(pair, &mut || Ok(()))
    }

    /// Makes `next` the newest and keeps `old` as the previous. Until the new key is in its place nothing has
    /// happened: the previous is then the same as the newest, which the next [`Folder::load`] clears away.
    pub fn rotate(&self, old: &Pair, next: &Pair, step: Step<'_>) -> Result<(), CaError> {
        let cross = super::pem_of("CERTIFICATE", &next.crossed_by(old)?);
        // The certificate first: it alone tells whether the rest belongs to a rotation that was interrupted.
        for (path, text) in
            [(&self.previous.certificate, &old.pem), (&self.previous.key, &old.key_pem), (&self.cross, &cross)]
        {
            step()?;
            files::write_aside(path, text)?;
            step()?;
            files::put_in_place(path)?;
        }
        self.put_newest(next, step)
    }

    /// Forgets the previous authority. It is over as soon as its certificate is out of its place.
    pub fn retire(&self, step: Step<'_>) -> Result<(), CaError> {
        step()?;
        files::set_aside(&self.previous.certificate)?;
        self.clear_previous(step)
    }

    /// A file that another authority than these has in this folder. Parts of the same are no obstacle: a restoration
    /// that was cut left them.
    pub fn in_the_way(&self, newest: &Pair, previous: Option<&Pair>) -> Result<Option<PathBuf>, CaError> {
        if files::exists(&self.newest.key)? && files::exists(&self.newest.certificate)? {
            return Ok(Some(self.newest.key.clone()));
        }
        let of = |paths: &Paths, pair: Option<&Pair>| {
            let (key, pem) = pair.map(|pair| (pair.key_pem.clone(), pair.pem.clone())).unzip();
            [(paths.key.clone(), key), (paths.certificate.clone(), pem)]
        };
        for (path, wanted) in of(&self.newest, Some(newest)).into_iter().chain(of(&self.previous, previous)) {
            if files::exists(&path)? && files::read_if_text(&path)? != wanted {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Writes authorities that were kept elsewhere. The newest comes last: without it no server starts on the rest.
    pub fn restore(&self, newest: &Pair, previous: Option<&Pair>, step: Step<'_>) -> Result<(), CaError> {
        if let Some(previous) = previous {
            for (path, text) in [(&self.previous.certificate, &previous.pem), (&self.previous.key, &previous.key_pem)] {
                step()?;
                files::write_aside(path, text)?;
                step()?;
                files::put_in_place(path)?;
            }
        }
        self.put_newest(newest, step)
    }

    fn put_newest(&self, pair: &Pair, step: Step<'_>) -> Result<(), CaError> {
        step()?;
        files::write_aside(&self.newest.certificate, &pair.pem)?;
        step()?;
        files::write_aside(&self.newest.key, &pair.key_pem)?;
        step()?;
        files::put_in_place(&self.newest.key)?;
        step()?;
        files::put_in_place(&self.newest.certificate)
    }

    /// A crash between the two renames of [`Folder::put_newest`]: the new key is there, its certificate waits.
    fn finish_newest(&self) -> Result<(), CaError> {
        let Some(key) = files::read(&self.newest.key)? else { return Ok(()) };
        let Some(waiting) = files::read_if_text(&files::aside(&self.newest.certificate))? else { return Ok(()) };
        let belongs = Pair::read(&self.newest, key.clone(), waiting).is_ok();
        let complete = match files::read_if_text(&self.newest.certificate)? {
            Some(there) => Pair::read(&self.newest, key, there).is_ok(),
            None => false,
        };
        // If it does not belong, it is not what was interrupted: the caller reports what is wrong.
        if belongs && !complete { files::put_in_place(&self.newest.certificate) } else { Ok(()) }
    }

    /// Clears away what a rotation left that did not happen, or a retirement that did. Whether there is a previous.
    fn settle_previous(&self, newest: &Pair) -> Result<bool, CaError> {
        let there = files::read(&self.previous.certificate)?;
        let over = match there {
            // The rotation did not get as far as the new key.
            Some(pem) if pem == newest.pem => {
                files::set_aside(&self.previous.certificate)?;
                true
            }
            Some(_) => return Ok(true),
            None => files::exists(&files::aside(&self.previous.certificate))?,
        };
        if over {
            self.clear_previous(&mut || Ok(()))?;
        }
        // A key without its certificate is nothing that an interruption leaves: reported by whoever loads it.
        files::exists(&self.previous.key)
    }

    /// The certificate that was set aside goes last: it says that the others have to go.
    fn clear_previous(&self, step: Step<'_>) -> Result<(), CaError> {
        let waiting = [&self.previous.key, &self.cross, &self.newest.key, &self.newest.certificate];
        let waiting = waiting.map(|path| files::aside(path));
        for path in [&self.previous.key, &self.cross].into_iter().chain(&waiting) {
            step()?;
            files::remove(path)?;
        }
        step()?;
        files::remove(&files::aside(&self.previous.certificate))
    }

    /// The cross certificate, made again if somebody lost it: both keys are here.
    fn cross(&self, newest: &Pair, previous: &Pair) -> Result<CertificateDer<'static>, CaError> {
        let there = files::read_if_text(&self.cross)?
            .and_then(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok())
            .filter(|cross| newest.is_crossed_by(previous, cross));
        if let Some(cross) = there {
            return Ok(cross);
        }
        let cross = newest.crossed_by(previous)?;
        files::write_aside(&self.cross, &super::pem_of("CERTIFICATE", &cross))?;
        files::put_in_place(&self.cross)?;
        Ok(cross)
    }

    /// Makes the first authority if there is none.
    pub fn load_or_begin(&self, now: UtcMillis) -> Result<Held, CaError> {
        if let Some(held) = self.load()? {
            return Ok(held);
        }
        let newest = Pair::make(now)?;
        self.begin(&newest)?;
        Ok(Held { newest, previous: None })
    }
}

#[cfg(test)]
mod tests;
