//! The rules, one sentence each.

use super::*;

const NOW: UtcMillis = UtcMillis(1_000_000);

fn pi(n: u32) -> DeviceName {
    DeviceName::numbered(n)
}

fn board(n: u64) -> Serial {
    format!("{n:016x}").parse().unwrap()
}

fn token() -> Token {
    Token {
        uses_left: 1,
        expires_at: UtcMillis(NOW.0 + 1),
        revoked: false,
        admits: Admits::Registered,
        location: None,
        serials: None,
    }
}

/// A board that nobody knows, with a good token.
fn stranger() -> Facts {
    Facts {
        now: NOW,
        serial: board(7),
        token: Some(token()),
        holder: None,
        dead_key: false,
        succeeds: None,
        registered: None,
        reserved: None,
        returns_until: None,
        refused: false,
    }
}

fn holder() -> Holder {
    Holder { name: pi(7), same_key: false, certified: true, revoked: false, quarantined: false, online: false }
}

fn with_token(change: impl Fn(&mut Token)) -> Facts {
    let mut facts = stranger();
    change(facts.token.as_mut().unwrap());
    facts
}

fn known(change: impl Fn(&mut Holder)) -> Facts {
    let mut holder = holder();
    change(&mut holder);
    Facts { holder: Some(holder), ..stranger() }
}

#[test]
fn a_token_that_is_worthless_says_why() {
    let refused = |facts: &Facts| match decide(facts) {
        Decision::Refuse(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&Facts { token: None, ..stranger() }), Refusal::BadToken);
    assert_eq!(refused(&with_token(|t| t.expires_at = NOW)), Refusal::TokenExpired);
    assert_eq!(refused(&with_token(|t| t.revoked = true)), Refusal::TokenRevoked);
    assert_eq!(refused(&with_token(|t| (t.uses_left, t.admits) = (0, Admits::Any))), Refusal::TokenUsedUp);
}

#[test]
fn a_board_that_nobody_expects_waits_unless_the_token_admits_any() {
    assert_eq!(decide(&stranger()), Decision::Wait(WaitReason::NotExpected));
    assert_eq!(decide(&with_token(|t| t.uses_left = 0)), Decision::Wait(WaitReason::NotExpected), "it shall be seen");
    assert_eq!(decide(&with_token(|t| t.admits = Admits::Any)), Decision::Free);
}

#[test]
fn a_registered_board_gets_its_name_before_a_reserved_one() {
    let reserved = Facts { reserved: Some(pi(1)), ..stranger() };
    assert_eq!(decide(&reserved), Decision::Reserved(pi(1)));
    let registered = Facts { registered: Some((pi(7), "Pond".to_owned())), ..reserved };
    assert_eq!(decide(&registered), Decision::Expected(pi(7)));
}

#[test]
fn a_token_for_a_location_or_for_some_boards_lets_no_other_in() {
    let registered = Some((pi(7), "Pond".to_owned()));
    let at = |location: &str| Facts {
        registered: registered.clone(),
        ..with_token(|t| t.location = Some(location.to_owned()))
    };
    assert_eq!(decide(&at("Pond")), Decision::Expected(pi(7)));
    assert_eq!(decide(&at("Greenhouse")), Decision::Wait(WaitReason::NotExpected));
    let only = |n| with_token(|t| (t.serials, t.admits) = (Some(vec![board(n)]), Admits::Any));
    assert_eq!(decide(&only(7)), Decision::Free);
    assert_eq!(decide(&only(8)), Decision::Wait(WaitReason::NotExpected));
}

#[test]
fn the_same_board_with_the_same_key_is_the_same_device_and_costs_no_use() {
    let mut facts = known(|h| h.same_key = true);
    facts.token.as_mut().unwrap().uses_left = 0;
    assert_eq!(decide(&facts), Decision::Again(pi(7)));
}

#[test]
fn a_second_key_for_a_serial_waits_and_comes_back_by_itself_only_in_a_window() {
    assert_eq!(decide(&known(|_| {})), Decision::Wait(WaitReason::SecondKey));
    let open = |until, change: fn(&mut Holder)| Facts { returns_until: Some(UtcMillis(until)), ..known(change) };
    assert_eq!(decide(&open(NOW.0 + 1, |_| {})), Decision::Return(pi(7)));
    assert_eq!(decide(&open(NOW.0, |_| {})), Decision::Wait(WaitReason::SecondKey), "the window has closed");
    assert_eq!(decide(&open(NOW.0 + 1, |h| h.online = true)), Decision::Wait(WaitReason::SecondKey), "it lives");
    assert_eq!(decide(&open(NOW.0 + 1, |h| h.quarantined = true)), Decision::Wait(WaitReason::SharedKey));
    let mut elsewhere = open(NOW.0 + 1, |_| {});
    elsewhere.registered = Some((pi(7), "Pond".to_owned()));
    elsewhere.token.as_mut().unwrap().location = Some("Greenhouse".to_owned());
    assert_eq!(decide(&elsewhere), Decision::Wait(WaitReason::SecondKey), "the token is for another place");
    let mut other = open(NOW.0 + 1, |_| {});
    other.token.as_mut().unwrap().serials = Some(vec![board(8)]);
    assert_eq!(decide(&other), Decision::Wait(WaitReason::SecondKey), "the token is for other boards");
}

#[test]
fn a_revoked_board_is_refused_unless_somebody_gave_it_a_place() {
    let revoked = known(|h| h.revoked = true);
    assert_eq!(decide(&revoked), Decision::Refuse(Refusal::Revoked));
    assert_eq!(decide(&Facts { succeeds: Some(pi(3)), ..revoked }), Decision::Succeed(pi(3)));
}

#[test]
fn a_withdrawn_key_and_a_refused_request_stay_out_whatever_the_policy() {
    let any = || with_token(|t| t.admits = Admits::Any);
    assert_eq!(decide(&Facts { dead_key: true, ..any() }), Decision::Refuse(Refusal::DeadKey));
    assert_eq!(decide(&Facts { refused: true, ..any() }), Decision::Refuse(Refusal::Refused));
    let replaces = Facts { refused: true, succeeds: Some(pi(3)), ..any() };
    assert_eq!(decide(&replaces), Decision::Refuse(Refusal::Refused), "nor by a place that was meant for its serial");
}

#[test]
fn whoever_was_approved_while_the_token_ran_out_gets_in() {
    let mut facts = known(|h| (h.same_key, h.certified) = (true, false));
    facts.token.as_mut().unwrap().expires_at = NOW;
    assert_eq!(decide(&facts), Decision::Again(pi(7)));
    let mut later = known(|h| h.same_key = true);
    later.token.as_mut().unwrap().expires_at = NOW;
    assert_eq!(decide(&later), Decision::Refuse(Refusal::TokenExpired), "once only");
}
