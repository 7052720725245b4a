//! What is said to whom, without a terminal.

use super::*;
use shared::calibration::{Calibration, Fit, Health};
use shared::message::calibrate::{LiveSignal, Problem};
use shared::reading::Flags;

fn id() -> RecordId {
    RecordId::from_random(7)
}

fn point(nominal: f64) -> Point {
    Point { nominal, millivolts: 1512.3, celsius: Some(25.0), spread: Some(0.2) }
}

fn view(step: Step, points: &[f64]) -> View {
    let live = LiveSignal {
        millivolts: 1512.3,
        spread: 0.2,
        settled: true,
        value: Some(6.98),
        celsius: Some(25.0),
        flags: Flags::NONE,
    };
    let fit = Fit {
        calibration: Calibration::Ph { zero_mv: 1512.0, acid_percent: 97.0, base_percent: 97.0 },
        health: Some(Health { slope_percent: 97.0, offset_mv: 4.0 }),
    };
    View {
        session: id(),
        metric: Metric::Ph,
        step,
        buffers: Some(Buffers::Technical),
        live: Some(live),
        points: points.iter().copied().map(point).collect(),
        fit: (points.len() > 1).then_some(fit),
        problem: None,
    }
}

fn refused(text: &str) -> View {
    let problem = Some(Problem { code: "slope".to_owned(), text: text.to_owned() });
    View { problem, ..view(Step::Waiting, &[]) }
}

fn said(moves: &[Move]) -> String {
    let texts = moves.iter().filter_map(|next| if let Move::Say(text) = next { Some(text.as_str()) } else { None });
    texts.collect::<Vec<_>>().join("\n")
}

fn orders(moves: &[Move]) -> Vec<&Order> {
    moves.iter().filter_map(|next| if let Move::Order(order) = next { Some(order) } else { None }).collect()
}

#[test]
fn somebody_types_values_looks_at_the_result_and_agrees() {
    let mut dialogue = Dialogue::new(id(), vec![], false);
    let welcome = said(&dialogue.view(view(Step::Waiting, &[])));
    assert!(welcome.contains("4.00, 7.00, 10.01") && welcome.contains("undo"), "{welcome}");
    let moves = dialogue.line("7");
    assert_eq!(orders(&moves), [&Order::Take { session: id(), nominal: 7.0 }]);
    assert!(dialogue.view(view(Step::Settling { nominal: 7.0 }, &[])).is_empty());
    assert!(said(&dialogue.view(view(Step::Waiting, &[7.0]))).contains("Taken: pH 7.00 is 1512.3 mV at 25.0 °C."));
    assert!(said(&dialogue.line("finish")).contains("do not yield"));
    assert_eq!(orders(&dialogue.line("undo 7")), [&Order::Drop { session: id(), nominal: 7.0 }]);
    assert!(said(&dialogue.view(view(Step::Waiting, &[7.0, 4.0]))).contains("Slope 97.0 %"));
    assert!(said(&dialogue.line("finish")).contains("[y/N]"));
    assert!(orders(&dialogue.line("")).is_empty(), "no is the answer of whoever only presses Enter");
    dialogue.line("finish");
    assert_eq!(orders(&dialogue.line("y")), [&Order::Finish { session: id() }]);
    let end = dialogue.view(view(Step::Finished { record: id() }, &[7.0, 4.0]));
    assert_eq!(end.last(), Some(&Move::End(true)));
}

#[test]
fn what_makes_no_sense_is_answered_and_a_problem_is_said_once() {
    let mut dialogue = Dialogue::new(id(), vec![], false);
    dialogue.view(view(Step::Waiting, &[]));
    assert!(said(&dialogue.line("6.86")).contains("no buffer of the set"));
    assert!(said(&dialogue.line("hello")).contains("Not understood"));
    assert!(said(&dialogue.view(refused("the probe is worn"))).contains("the probe is worn"));
    assert!(dialogue.view(refused("the probe is worn")).is_empty());
    assert!(said(&dialogue.line("finish")).contains("the probe is worn"));
    let moves = dialogue.line("cancel");
    assert_eq!((orders(&moves), moves.last()), (vec![&Order::Cancel { session: id() }], Some(&Move::End(false))));
}

#[test]
fn a_script_takes_its_points_one_after_the_other_and_finishes() {
    let mut dialogue = Dialogue::new(id(), vec![7.0, 4.0], true);
    assert!(!dialogue.listens());
    let without_signal = View { live: None, ..view(Step::Waiting, &[]) };
    assert!(orders(&dialogue.view(without_signal)).is_empty());
    let take = |nominal| Order::Take { session: id(), nominal };
    assert_eq!(orders(&dialogue.view(view(Step::Waiting, &[]))), [&take(7.0)]);
    assert!(orders(&dialogue.view(view(Step::Waiting, &[]))).is_empty(), "a view from before the order");
    assert!(orders(&dialogue.view(view(Step::Settling { nominal: 7.0 }, &[]))).is_empty());
    assert_eq!(orders(&dialogue.view(view(Step::Waiting, &[7.0]))), [&take(4.0)]);
    assert_eq!(orders(&dialogue.view(view(Step::Waiting, &[7.0, 4.0]))), [&Order::Finish { session: id() }]);
}

#[test]
fn a_script_without_yes_asks_for_each_solution_and_before_the_end() {
    let mut dialogue = Dialogue::new(id(), vec![7.0], false);
    assert!(said(&dialogue.view(view(Step::Waiting, &[]))).contains("Put the probe into pH 7.00"));
    assert_eq!(orders(&dialogue.line("")), [&Order::Take { session: id(), nominal: 7.0 }]);
    assert!(said(&dialogue.view(view(Step::Waiting, &[7.0, 4.0]))).contains("[y/N]"));
    assert_eq!(orders(&dialogue.line("n")), [&Order::Cancel { session: id() }]);
}

#[test]
fn a_script_whose_point_is_refused_or_whose_points_are_no_good_ends_without_a_result() {
    let mut dialogue = Dialogue::new(id(), vec![7.0, 4.0], true);
    dialogue.view(view(Step::Waiting, &[]));
    let mut ended = vec![];
    for _ in 0..5 {
        ended.extend(dialogue.view(refused("no temperature was measured")));
    }
    assert!(said(&ended).contains("no temperature"));
    assert!(ended.contains(&Move::End(false)) && orders(&ended).contains(&&Order::Cancel { session: id() }));

    let mut dialogue = Dialogue::new(id(), vec![7.0], true);
    dialogue.view(view(Step::Waiting, &[]));
    assert!(dialogue.view(view(Step::Waiting, &[7.0])).contains(&Move::End(false)), "one point is too few for pH");
}

#[test]
fn an_agent_that_ends_the_session_says_why() {
    let mut dialogue = Dialogue::new(id(), vec![], false);
    let end = dialogue.view(View { step: Step::Ended, ..refused("this device has no probe for ph") });
    assert!(said(&end).contains("no probe for ph") && end.last() == Some(&Move::End(false)));
    assert!(!said(&end).contains("Calibrating"), "there is nobody to be welcomed");
}

#[test]
fn values_are_read_as_people_write_them() {
    let ph = |text, set| parse(text, Metric::Ph, Some(set));
    assert_eq!(ph("pH 7", Buffers::Technical), Some(7.0));
    assert_eq!(ph("10", Buffers::Technical), Some(10.01));
    assert_eq!(ph("4,00", Buffers::Nist), Some(4.01));
    assert_eq!(ph("7", Buffers::Nist), None, "another solution, off by 0.14");
    assert_eq!((ph("5", Buffers::Technical), ph("", Buffers::Technical)), (None, None));
    assert_eq!(parse("1413 µS/cm", Metric::Tds, None), Some(1413.0));
    assert_eq!(parse("1,413 mS/cm", Metric::Ec, None), Some(1413.0));
    assert_eq!(parse("90 cm", Metric::Volume, None), Some(0.9));
    assert_eq!(parse("25.5 °C", Metric::Temperature, None), Some(25.5));
    assert_eq!(parse("707 ppm", Metric::Tds, None), None);
}
