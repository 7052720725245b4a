//! What is told of outages, look by look: by hand, and of any site that goes and comes back somehow.

use super::*;
use proptest::prelude::*;

const GRACE: i64 = 180_000;

fn out(id: i64, location: Option<&str>, started_s: i64, standing: Standing) -> Out {
    let started_at = started_s * 1000;
    Out { id, location: location.map(str::to_owned), started_at, noticed_at: started_at + 50_000, standing }
}

fn untold(id: i64, location: &str, started_s: i64) -> Out {
    out(id, Some(location), started_s, Standing::Untold)
}

fn fleet(of: &[(Option<&str>, usize)]) -> BTreeMap<Option<String>, usize> {
    of.iter().map(|(place, count)| (place.map(str::to_owned), *count)).collect()
}

fn group(id: i64, location: Option<&str>, devices: usize, over_since: Option<i64>) -> Group {
    Group { id, location: location.map(str::to_owned), devices, over_since, resolved: over_since.is_some() }
}

fn place(location: Option<&str>, outages: impl IntoIterator<Item = i64>, of: usize) -> Tell {
    let location = location.map(str::to_owned);
    Tell::Place { location, outages: outages.into_iter().collect(), of, beside: false }
}

fn beside(tell: Tell) -> Tell {
    match tell {
        Tell::Place { location, outages, of, .. } => Tell::Place { location, outages, of, beside: true },
        other => other,
    }
}

#[test]
fn fifty_devices_of_a_site_that_go_within_a_minute_are_one_alert() {
    let outs: Vec<Out> = (0..50).map(|n| untold(n, "Hall", n)).collect();
    let devices = fleet(&[(Some("Hall"), 50), (Some("Pond"), 3)]);
    for second in [0, 100, 179, 180, 200, 228] {
        assert_eq!(tell(&outs, &[], &devices, GRACE, second * 1000), [], "{second}");
    }
    assert_eq!(tell(&outs, &[], &devices, GRACE, 229_000), [place(Some("Hall"), 0..50, 50)]);
}

#[test]
fn half_of_a_site_is_one_alert_and_fewer_are_told_one_by_one() {
    let devices = fleet(&[(Some("Hall"), 50), (None, 2)]);
    let gone =
        |count| tell(&(0..count).map(|n| untold(n, "Hall", 0)).collect::<Vec<_>>(), &[], &devices, GRACE, 180_000);
    assert_eq!(gone(49), [place(Some("Hall"), 0..49, 50)]);
    assert_eq!(gone(25), [place(Some("Hall"), 0..25, 50)]);
    assert_eq!(gone(24).len(), 24);
    assert_eq!(gone(2), [Tell::One(0), Tell::One(1)]);
    let few = fleet(&[(Some("Hall"), 4), (None, 2)]);
    let two: Vec<Out> = (0..2).map(|n| untold(n, "Hall", 0)).collect();
    assert_eq!(tell(&two, &[], &few, GRACE, 180_000), [Tell::One(0), Tell::One(1)], "two are not many");
}

#[test]
fn a_device_alone_is_told_after_the_grace_time() {
    let outs = [untold(1, "Hall", 0)];
    let devices = fleet(&[(Some("Hall"), 2)]);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 179_999), []);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 180_000), [Tell::One(1)]);
    let told = [out(1, Some("Hall"), 0, Standing::Own)];
    assert_eq!(tell(&told, &[], &devices, GRACE, 900_000), []);
}

#[test]
fn a_location_waits_for_those_who_have_just_gone_but_not_for_ever() {
    let outs = [untold(1, "Hall", 0), untold(2, "Hall", 350)];
    let devices = fleet(&[(Some("Hall"), 2), (None, 1)]);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 359_999), []);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 360_000), [place(Some("Hall"), [1, 2], 2)]);
}

#[test]
fn the_last_device_of_a_place_where_all_others_were_gone_long_before_is_one_device() {
    let outs = [out(1, Some("Hall"), 0, Standing::Own), untold(2, "Hall", 5000)];
    let devices = fleet(&[(Some("Hall"), 2), (None, 1)]);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 5_180_000), [Tell::One(2)]);
}

#[test]
fn those_who_were_gone_long_before_do_not_keep_the_rest_of_a_place_from_being_one() {
    let mut outs: Vec<Out> = (0..30).map(|n| out(n, Some("Hall"), 0, Standing::Own)).collect();
    outs.extend((30..50).map(|n| untold(n, "Hall", 5000)));
    let devices = fleet(&[(Some("Hall"), 50), (None, 2)]);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 5_180_000), [place(Some("Hall"), 30..50, 50)]);
}

#[test]
fn most_of_several_locations_is_the_fleet_and_a_fleet_of_one_location_is_that_location() {
    let outs = [untold(1, "Hall", 0), untold(2, "Pond", 1)];
    let devices = fleet(&[(Some("Hall"), 1), (Some("Pond"), 1)]);
    assert_eq!(tell(&outs, &[], &devices, GRACE, 181_000), [place(None, [1, 2], 2)]);
    let outs = [untold(1, "Hall", 0), untold(2, "Hall", 1), untold(3, "Hall", 1)];
    let named = [place(Some("Hall"), [1, 2, 3], 3)];
    assert_eq!(tell(&outs, &[], &fleet(&[(Some("Hall"), 3)]), GRACE, 181_000), named);
    let named = [place(Some("Hall"), [1, 2, 3], 4)];
    assert_eq!(tell(&outs, &[], &fleet(&[(Some("Hall"), 4), (Some("Pond"), 1)]), GRACE, 181_000), named);
    let nowhere: Vec<Out> = (0..3).map(|n| out(n, None, 0, Standing::Untold)).collect();
    assert_eq!(tell(&nowhere, &[], &fleet(&[(None, 3)]), GRACE, 181_000), [place(None, 0..3, 3)]);
    assert_eq!(tell(&nowhere[..1], &[], &fleet(&[(None, 2)]), GRACE, 181_000), [Tell::One(0)]);
}

#[test]
fn who_joins_a_group_that_goes_on_disturbs_nobody() {
    let devices = fleet(&[(Some("Hall"), 50), (Some("Pond"), 9)]);
    let mut outs: Vec<Out> = (0..40).map(|n| out(n, Some("Hall"), 0, Standing::Part(7))).collect();
    outs.extend([untold(41, "Hall", 400), untold(42, "Pond", 400)]);
    let groups = [group(7, Some("Hall"), 40, None)];
    let joins = Tell::Join { group: 7, outages: vec![41] };
    assert_eq!(tell(&outs, &groups, &devices, GRACE, 580_000), [joins, Tell::One(42)]);
    let groups = [group(7, None, 40, None)];
    let joins = Tell::Join { group: 7, outages: vec![41, 42] };
    assert_eq!(tell(&outs, &groups, &devices, GRACE, 580_000), [joins]);
}

#[test]
fn a_few_that_nobody_repairs_take_up_nothing_that_happens_to_the_others() {
    let devices = fleet(&[(Some("Hall"), 50), (Some("Pond"), 450)]);
    let mut outs: Vec<Out> = (1..=2).map(|n| out(n, Some("Hall"), 0, Standing::Part(7))).collect();
    outs.push(untold(10, "Hall", 9000));
    for place in [Some("Hall"), None] {
        let groups = [group(7, place, 2, None)];
        assert_eq!(tell(&outs, &groups, &devices, GRACE, 9_180_000), [Tell::One(10)], "one of another day");
    }
    outs.extend((11..=40).map(|n| untold(n, "Hall", 9000)));
    let all = place(Some("Hall"), 10..=40, 50);
    assert_eq!(tell(&outs, &[group(7, Some("Hall"), 2, None)], &devices, GRACE, 9_180_000), [beside(all.clone())]);
    assert_eq!(tell(&outs, &[group(7, None, 2, None)], &devices, GRACE, 9_180_000), std::slice::from_ref(&all));
    // Nor do those who are left of a whole place that is back but for twenty.
    let mut outs: Vec<Out> = (51..=70).map(|n| out(n, Some("Hall"), 0, Standing::Part(7))).collect();
    outs.extend((10..=40).map(|n| untold(n, "Hall", 9000)));
    assert_eq!(tell(&outs, &[group(7, Some("Hall"), 50, None)], &devices, GRACE, 9_180_000), [beside(all)]);
}

#[test]
fn a_group_is_over_when_fewer_than_a_third_or_only_one_of_it_is_still_gone() {
    let outs = |count| (0..count).map(|n| out(n, Some("Hall"), 0, Standing::Part(7))).collect::<Vec<_>>();
    let is_over = |count, devices| over(&outs(count), &[group(7, Some("Hall"), devices, None)]) == [7];
    assert_eq!([17, 16].map(|count| is_over(count, 50)), [false, true]);
    assert_eq!([2, 1].map(|count| is_over(count, 3)), [false, true]);
    assert_eq!([2, 1].map(|count| is_over(count, 2)), [false, true]);
    assert!(over(&outs(1), &[group(7, Some("Hall"), 50, Some(5))]).is_empty(), "it is over already");
    let reopened = Group { resolved: false, ..group(7, Some("Hall"), 50, Some(5)) };
    assert_eq!(over(&outs(1), &[reopened]), [7]);
}

#[test]
fn who_is_still_gone_a_grace_time_after_the_location_was_back_is_told_and_several_as_one() {
    let devices = fleet(&[(Some("Hall"), 50), (None, 2)]);
    let outs = |count| (1..=count).map(|n| out(n, Some("Hall"), 0, Standing::Part(7))).collect::<Vec<_>>();
    let told = |count, over, now| tell(&outs(count), &[group(7, Some("Hall"), 50, over)], &devices, GRACE, now);
    assert_eq!(told(1, None, 9_000_000), []);
    assert_eq!(told(1, Some(400_000), 579_999), []);
    assert_eq!(told(1, Some(400_000), 580_000), [Tell::One(1)]);
    assert_eq!(told(12, Some(400_000), 580_000), [place(Some("Hall"), 1..=12, 50)]);
    // Those of a fleet, wherever they are.
    let mut mixed = outs(2);
    mixed[1].location = None;
    let groups = [group(7, None, 50, Some(400_000))];
    assert_eq!(tell(&mixed, &groups, &devices, GRACE, 580_000), [place(None, [1, 2], 52)]);
}

#[test]
fn times_from_before_the_clock_was_set_back_hide_nothing() {
    let devices = fleet(&[(Some("Hall"), 9)]);
    let mut before = untold(1, "Hall", 0);
    before.noticed_at = 9_000_000;
    assert_eq!(tell(&[before], &[], &devices, GRACE, 180_000), [Tell::One(1)]);
}

/// A site, and what somebody who is told of it hears.
struct Site {
    outs: BTreeMap<usize, Out>,
    groups: Vec<Group>,
    in_service: BTreeMap<Option<String>, usize>,
    next: i64,
    /// Messages that something began.
    raised: usize,
}

impl Site {
    fn look(&mut self, now: i64) {
        let (outs, groups): (Vec<Out>, _) = (self.outs.values().cloned().collect(), self.groups.clone());
        for tell in tell(&outs, &groups, &self.in_service, GRACE, now) {
            match tell {
                Tell::One(id) => self.stands(&[id], Standing::Own),
                Tell::Place { location, outages, .. } => {
                    self.next += 1;
                    let devices = outages.len();
                    self.groups.push(Group { id: self.next, location, devices, over_since: None, resolved: false });
                    self.stands(&outages, Standing::Part(self.next));
                }
                Tell::Join { group, outages } => {
                    self.stands(&outages, Standing::Part(group));
                    continue;
                }
            }
            self.raised += 1;
        }
        for id in over(&outs, &groups) {
            let group = self.groups.iter_mut().find(|group| group.id == id).unwrap();
            (group.over_since, group.resolved) = (Some(now), true);
        }
    }

    fn stands(&mut self, outages: &[i64], standing: Standing) {
        for out in self.outs.values_mut().filter(|out| outages.contains(&out.id)) {
            out.standing = standing;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A power cut takes at least half of a site within the grace time; when somebody is told, they come back one by one, or never.
    #[test]
    fn of_one_event_at_a_site_there_are_few_messages_and_nobody_is_forgotten(
        devices in prop::collection::vec((0..170_i64, prop::option::weighted(0.9, 400..3000_i64)), 3..60),
        others in 0..60_usize,
    ) {
        let gone = devices.len();
        let site = gone + others.min(gone);
        let in_service = fleet(&[(Some("Hall"), site), (Some("Pond"), 3 * site)]);
        let mut hall = Site { outs: BTreeMap::new(), groups: vec![], in_service, next: 1000, raised: 0 };
        for second in (0..4000).step_by(10) {
            for (n, (goes, back)) in devices.iter().enumerate() {
                if (second - 10..second).contains(goes) {
                    hall.outs.insert(n, untold(i64::try_from(n).unwrap(), "Hall", *goes));
                }
                if back.is_some_and(|back| (second - 10..second).contains(&back)) {
                    hall.outs.remove(&n);
                }
            }
            hall.look(second * 1000);
        }
        // Each further one tells of fewer than a third of those before.
        let most = 2 + usize::try_from(gone.ilog(3)).unwrap();
        prop_assert!((1..=most).contains(&hall.raised), "{} of at most {most} for {gone}", hall.raised);
        for out in hall.outs.values() {
            let told = match out.standing {
                Standing::Untold => false,
                Standing::Own => true,
                Standing::Part(id) => hall.groups.iter().any(|group| group.id == id && group.over_since.is_none()),
            };
            prop_assert!(told, "{out:?}");
        }
    }
}
