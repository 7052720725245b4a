//! Who is let into the fleet, under which name, and who has to wait: the rules, over facts that the store collects.
//! Pure. Serials are no secrets and proofs of keys come before this, so the key decides who somebody is.

use shared::{DeviceName, Serial, UtcMillis, enrol::WaitReason};

/// Which boards a token lets in by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admits {
    /// Those that the registry expects: by their serial, or because a reserved name waits for whoever comes.
    Registered,
    /// Any other too: they get the next free name.
    Any,
}

impl Admits {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Any => "any",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Registered, Self::Any].into_iter().find(|admits| admits.as_str() == word)
    }
}

/// The token that a board shows.
#[derive(Debug, Clone)]
pub struct Token {
    /// Devices that can still enrol with it.
    pub uses_left: i64,
    /// When its time is over.
    pub expires_at: UtcMillis,
    /// Whether it was withdrawn.
    pub revoked: bool,
    /// Whom it lets in.
    pub admits: Admits,
    /// Only names that are registered at this location.
    pub location: Option<String>,
    /// Only these boards.
    pub serials: Option<Vec<Serial>>,
}

/// The device that has the serial of the board that asks.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its name.
    pub name: DeviceName,
    /// Whether the board that asks has its key.
    pub same_key: bool,
    /// Whether a certificate was ever made for that key.
    pub certified: bool,
    /// Whether it was thrown out.
    pub revoked: bool,
    /// Whether two boards used its key.
    pub quarantined: bool,
    /// Whether it is connected now: then it was not set up anew.
    pub online: bool,
}

/// All that counts when a board asks.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time.
    pub now: UtcMillis,
    /// The board.
    pub serial: Serial,
    /// The token, if there is one of this text.
    pub token: Option<Token>,
    /// Who has its serial.
    pub holder: Option<Holder>,
    /// Whether the key that it shows was withdrawn.
    pub dead_key: bool,
    /// The device whose place somebody has given to this board.
    pub succeeds: Option<DeviceName>,
    /// The name and location that are registered for its serial.
    pub registered: Option<(DeviceName, String)>,
    /// The first name that is reserved for whoever comes and that the token may give.
    pub reserved: Option<DeviceName>,
    /// Until when re-flashed boards come back by themselves.
    pub returns_until: Option<UtcMillis>,
    /// Whether somebody has refused this very request.
    pub refused: bool,
}

/// What becomes of a board that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the device that it was.
    Again(DeviceName),
    /// It is the device that it was, with a new key.
    Return(DeviceName),
    /// It takes another device's place.
    Succeed(DeviceName),
    /// A name that was meant for it.
    Expected(DeviceName),
    /// A reserved name, which is its own from now on.
    Reserved(DeviceName),
    /// The next free name.
    Free,
    /// Somebody has to look at it.
    Wait(WaitReason),
    /// No.
    Refuse(Refusal),
}

/// Why a board is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // [`crate::enrol::EnrolError`] says them in words
pub enum Refusal {
    BadToken,
    TokenRevoked,
    TokenExpired,
    TokenUsedUp,
    Revoked,
    DeadKey,
    Refused,
}

/// Decides.
pub fn decide(facts: &Facts) -> Decision {
    let Some(token) = &facts.token else { return Decision::Refuse(Refusal::BadToken) };
    if let Some(holder) = &facts.holder {
        if holder.revoked && facts.succeeds.is_none() {
            return Decision::Refuse(Refusal::Revoked);
        }
        // Approved while it waited, perhaps for longer than its token was good: the approval counts.
        if holder.same_key && !holder.certified && !holder.revoked {
            return Decision::Again(holder.name.clone());
        }
    }
    if let Some(refusal) = worthless(token, facts.now) {
        return Decision::Refuse(refusal);
    }
    if facts.dead_key {
        return Decision::Refuse(Refusal::DeadKey);
    }
    if facts.refused {
        return Decision::Refuse(Refusal::Refused);
    }
    if let Some(name) = &facts.succeeds {
        return Decision::Succeed(name.clone());
    }
    match &facts.holder {
        Some(holder) => known(holder, token, facts),
        None => unknown(token, facts),
    }
}

fn worthless(token: &Token, now: UtcMillis) -> Option<Refusal> {
    if token.revoked {
        Some(Refusal::TokenRevoked)
    } else if token.expires_at <= now {
        Some(Refusal::TokenExpired)
    } else {
        None
    }
}

/// A board whose serial has been here.
fn known(holder: &Holder, token: &Token, facts: &Facts) -> Decision {
    if holder.same_key {
        return Decision::Again(holder.name.clone());
    }
    if holder.quarantined {
        return Decision::Wait(WaitReason::SharedKey);
    }
    let open = facts.returns_until.is_some_and(|until| facts.now < until);
    // A device that is connected with its old key was not set up anew: somebody else says its serial.
    if open && !holder.online && may_have(token, facts) {
        return Decision::Return(holder.name.clone());
    }
    Decision::Wait(WaitReason::SecondKey)
}

/// A board that never was here.
fn unknown(token: &Token, facts: &Facts) -> Decision {
    if !may_have(token, facts) {
        return Decision::Wait(WaitReason::NotExpected);
    }
    let decision = match (&facts.registered, &facts.reserved) {
        (Some((name, _)), _) => Decision::Expected(name.clone()),
        (None, Some(name)) => Decision::Reserved(name.clone()),
        (None, None) if token.admits == Admits::Any && token.location.is_none() => Decision::Free,
        (None, None) => Decision::Wait(WaitReason::NotExpected),
    };
    match decision {
        // Whoever has to be approved needs no use of the token, and shall be seen.
        Decision::Expected(_) | Decision::Reserved(_) | Decision::Free if token.uses_left < 1 => {
            Decision::Refuse(Refusal::TokenUsedUp)
        }
        decision => decision,
    }
}

/// Whether the token is for this board, and for the place where it is registered. A reserved name is of the token's place already.
fn may_have(token: &Token, facts: &Facts) -> bool {
    let named = token.serials.as_ref().is_none_or(|serials| serials.contains(&facts.serial));
    let place = facts.registered.as_ref().map(|(_, place)| place);
    let has_place = facts.holder.is_some() || place.is_some();
    let here = token.location.as_ref().is_none_or(|only| !has_place || place == Some(only));
    named && here
}

#[cfg(test)]
mod tests;
