//! Each way in which a line meets the registry, the devices and the other lines.

use super::*;
use crate::registry::csv;
use shared::UtcMillis;

const A: &str = "10000000000000aa";
const B: &str = "10000000000000bb";
const C: &str = "10000000000000cc";

/// The registry as if these files had been imported one after the other, with these devices; without a serial they have no board.
fn registry(devices: &[(&str, &str)], files: &[&str]) -> Registry {
    let devices = devices.iter().map(|(name, serial)| (name.parse().unwrap(), serial.parse().ok())).collect();
    let mut registry = Registry { devices, ..Registry::default() };
    for file in files {
        let (plan, changes) = planned(&registry, file);
        assert!(plan.is_clean(), "{plan:?}");
        let now = UtcMillis(0);
        let gone: HashSet<_> = changes.changed.iter().map(|(name, _)| name.clone()).collect();
        registry.registrations.retain(|r| !gone.contains(&r.entry.name));
        let written = changes.created.into_iter().chain(changes.changed.into_iter().map(|(_, entry)| entry));
        let written = written.map(|entry| Registration { entry, created_at: now, changed_at: now });
        registry.registrations.extend(written);
    }
    registry
}

fn planned(registry: &Registry, text: &str) -> (Plan, Changes) {
    plan(registry, csv::read(text.as_bytes()).unwrap())
}

/// Each line's verdict in a word or two.
fn verdicts(registry: &Registry, text: &str) -> Vec<String> {
    let word = |line: &Planned| match &line.verdict {
        Verdict::Created => format!("created {}", line.shown[1]),
        Verdict::Unchanged => format!("unchanged {}", line.shown[1]),
        Verdict::Changed(changes) => {
            let words = changes.iter().map(|c| format!("{} {}>{}", c.column.as_str(), c.from, c.to));
            format!("changed {}", words.collect::<Vec<_>>().join(", "))
        }
        Verdict::Refused(why) => {
            let words = why.iter().map(|r| format!("{} {}", r.code(), r.about()));
            format!("refused {}", words.collect::<Vec<_>>().join(", "))
        }
    };
    planned(registry, text).0.lines.iter().map(word).collect()
}

#[test]
fn lines_are_created_changed_or_unchanged_and_nothing_is_touched_that_no_column_names() {
    let known = registry(&[], &[&format!("serial,name,location,notes\n{A},pi-1,North,old\n,pi-2,South,\n")]);
    let text = format!("name,location,serial\npi-1,North,{A}\npi-2,East,{B}\npi-3,West,\n");
    assert_eq!(
        verdicts(&known, &text),
        ["unchanged pi-1".to_owned(), format!("changed serial >{B}, location South>East"), "created pi-3".to_owned()]
    );
    assert_eq!(verdicts(&known, "name,notes\npi-1,\n"), ["changed notes old>"]);
}

#[test]
fn an_empty_serial_or_name_says_nothing_of_it() {
    let known = registry(&[], &[&format!("serial,name\n{A},pi-4\n")]);
    assert_eq!(verdicts(&known, "serial,name\n,pi-4\n"), ["unchanged pi-4"]);
    assert_eq!(verdicts(&known, &format!("serial,name\n{A},\n")), ["unchanged pi-4"]);
}

#[test]
fn a_board_without_a_name_gets_the_next_free_one() {
    let known = registry(&[("pi-3", C)], &["name\npi-4\npi-6\n"]);
    let text = format!("serial,name\n{A},\n{B},\n10000000000000dd,pi-5\n");
    assert_eq!(verdicts(&known, &text), ["created pi-7", "created pi-8", "created pi-5"]);
    assert_eq!(verdicts(&known, &format!("serial\n{C}\n")), ["created pi-3"], "it has enrolled and keeps its name");
}

#[test]
fn a_board_that_has_not_enrolled_can_get_another_name_and_two_can_change_places() {
    let known = registry(&[], &[&format!("serial,name\n{A},pi-1\n{B},pi-2\n")]);
    assert_eq!(verdicts(&known, &format!("serial,name\n{A},tank-1\n")), ["changed name pi-1>tank-1"]);
    let swap = format!("serial,name\n{B},pi-1\n{A},pi-2\n");
    assert_eq!(verdicts(&known, &swap), [format!("changed serial {A}>{B}"), format!("changed serial {B}>{A}")]);
    let shift = format!("serial,name\n{A},pi-3\n{C},pi-1\n");
    assert_eq!(verdicts(&known, &shift), ["created pi-3".to_owned(), format!("changed serial {A}>{C}")]);
}

#[test]
fn the_same_name_or_serial_twice_names_both_lines() {
    let text = format!("serial,name\n{A},pi-1\n{B},pi-1\n{A},pi-2\n");
    let none = Registry::default();
    assert_eq!(
        verdicts(&none, &text),
        ["refused twice 3, twice 4".to_owned(), "refused twice 2".to_owned(), "refused twice 2".to_owned()]
    );
    let (plan, _) = planned(&none, &text);
    let Verdict::Refused(why) = &plan.lines[0].verdict else { panic!("{plan:?}") };
    assert_eq!(why[0].to_string(), "line 3 has the same name: keep one of the two lines");
    // One line means the registration by its name, the other by its serial.
    let known = registry(&[], &[&format!("serial,name\n{A},pi-1\n")]);
    let both = format!("serial,name\n,pi-1\n{A},\n");
    assert_eq!(verdicts(&known, &both), ["refused twice 3", "refused twice 2"]);
}

#[test]
fn a_serial_that_the_registry_has_under_another_name_is_refused_with_that_name() {
    let known = registry(&[], &[&format!("serial,name\n{A},pi-1\n{B},pi-2\n")]);
    assert_eq!(verdicts(&known, &format!("serial,name\n{B},pi-1\n")), ["refused registered_as pi-2"]);
}

#[test]
fn a_device_that_has_enrolled_keeps_its_name_and_serial() {
    let known = registry(&[("pi-1", A)], &[&format!("serial,name\n{A},pi-1\n")]);
    assert_eq!(verdicts(&known, &format!("serial,name\n{A},pi-9\n")), ["refused enrolled_as pi-1"]);
    let why = format!("refused enrolled_with {A}");
    assert_eq!(verdicts(&known, &format!("serial,name\n{B},pi-1\n")), [why]);
    assert_eq!(verdicts(&known, &format!("serial,name,location\n{A},pi-1,Roof\n")), ["changed location >Roof"]);
    // It enrolled before it was registered: the registration is not one that waits for a board.
    let (_, changes) = planned(&registry(&[("pi-1", A)], &[]), "name\npi-1\n");
    assert_eq!(changes.created[0].serial, Some(A.parse().unwrap()));
}

#[test]
fn half_a_position_is_refused_also_when_the_other_half_was_known() {
    let none = Registry::default();
    assert_eq!(verdicts(&none, "name,latitude\npi-1,-6.2\n"), ["refused half_position "]);
    let known = registry(&[], &["name,latitude,longitude\npi-1,-6.2,106.8\n"]);
    assert_eq!(verdicts(&known, "name,latitude\npi-1,-6.3\n"), ["changed latitude -6.2>-6.3"]);
    assert_eq!(verdicts(&known, "name,latitude\npi-1,\n"), ["refused half_position "]);
}

#[test]
fn an_export_imported_again_changes_nothing() {
    let file = format!("serial,name,location,latitude,longitude,metrics,notes\n{A},pi-1,=North,-6.2,106.8,ph tds,-\n");
    let known = registry(&[("pi-1", A)], &[&file, "name\npi-2\n"]);
    let text = csv::write(known.registrations.iter().map(|r| &r.entry)).unwrap();
    assert_eq!(verdicts(&known, &text), ["unchanged pi-1", "unchanged pi-2"]);
}

#[test]
fn a_refused_line_takes_no_name_from_the_others() {
    let text = format!("serial,name,latitude\n{A},,x\n{B},,\n");
    assert_eq!(verdicts(&Registry::default(), &text), ["refused not_a_number x", "created pi-1"]);
}

#[test]
fn a_device_without_a_board_keeps_its_name_from_boards_and_may_stand_somewhere_else() {
    let known = registry(&[("well-3", "")], &[]);
    assert_eq!(verdicts(&known, &format!("name,serial\nwell-3,{A}\n")), ["refused no_board well-3"]);
    assert_eq!(verdicts(&known, "name,location\nwell-3,North\n"), ["created well-3"]);
}
