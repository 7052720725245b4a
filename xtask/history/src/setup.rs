//! The first hour of a fleet: accounts, the registry, a token that lets boards in.

use crate::cast::{Member, PEOPLE, former_serial, serial};
use crate::clock::PlayedClock;
use crate::crew::Crew;
use crate::error::{PlayError, impossible};
use crate::plan::Plan;
use crate::span::MINUTE;
use crate::words;
use provisioning::tokens::{Admits, NewToken};
use server::run::ADMIN;
use shared::{Clock, UtcMillis};
use std::fmt::Write as _;

/// Lets it pass; returns the token.
///
/// # Errors
/// When the server refuses anything.
pub async fn first_hour(
    clock: &PlayedClock,
    crew: &mut Crew,
    members: &[Member],
    plan: &Plan,
) -> Result<String, PlayError> {
    let begin = plan.span.from;
    let later = |minutes: i64| {
        clock.turn(UtcMillis(begin + minutes * MINUTE));
        clock.now()
    };
    for (n, person) in (2..).zip(PEOPLE) {
        crew.make_account(person, later(n)).await?;
    }
    for (n, (name, ..)) in (8..).zip(PEOPLE) {
        crew.choose_password(name, later(n)).await?;
    }
    let admin = crew.signed_in(ADMIN, later(20)).await?;
    let done = admin.import(registry(members, plan)?.into_bytes(), false).await.map_err(impossible)?;
    if !done.imported {
        return Err(impossible(format!("the registry is refused: {:?}", done.lines)));
    }
    let wanted = NewToken {
        uses: u32::try_from(members.len() + 5).unwrap_or(u32::MAX),
        valid_s: 120 * 86_400,
        note: words::TOKEN.to_owned(),
        admits: Some(Admits::Registered),
        ..NewToken::default()
    };
    let admin = crew.signed_in(ADMIN, later(25)).await?;
    let token = admin.create_token(&wanted).await.map_err(impossible)?;
    token.token.ok_or_else(|| impossible("a token without its text"))
}

/// The spreadsheet of what is expected.
fn registry(members: &[Member], plan: &Plan) -> Result<String, PlayError> {
    let mut text = String::from("serial,name,location,latitude,longitude,metrics,notes\n");
    for (place, member) in members.iter().enumerate() {
        let replaced = plan.replacement.is_some_and(|replaced| replaced.board == place);
        let serial = if replaced { former_serial(member.number)? } else { serial(member.number)? };
        let (latitude, longitude) = member.position;
        let (name, location, tank) = (member.name(), member.site().name, &member.tank);
        let _ = writeln!(text, "{serial},{name},{location},{latitude:.5},{longitude:.5},,{tank}");
    }
    Ok(text)
}
