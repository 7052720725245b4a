//! The report, and what the tests of its parts share.

use super::*;
use crate::time::SystemClock;
use tempfile::TempDir;

/// A configuration with these probes.
pub(super) fn config_in(folder: &Path, probes: &str) -> Config {
    let text = format!(
        "data_dir = {folder:?}\nclock = {{ assume_synced = true }}\nserver = {{ url = \"https://localhost\", ca_sha256 = \"{}\" }}\n{probes}",
        "00".repeat(32)
    );
    text.parse().unwrap()
}

pub(super) fn config(probes: &str) -> Config {
    config_in(Path::new("/nowhere"), probes)
}

/// A machine with no files at all.
pub(super) fn machine() -> (TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine { root: folder.path().to_owned() };
    (folder, machine)
}

#[test]
fn the_worst_finding_is_the_reports_and_each_has_its_line() {
    assert_eq!(Report::new(vec![Finding::ok("a", "b")]).to_string(), "ok       a: b\nAll well.\n");
    let report =
        Report::new(vec![Finding::bad("I2C", "stuck", "unplug it"), Finding::warning("time", "not set", "wait")]);
    let expected =
        "BAD      I2C: stuck\n         -> unplug it\nWARNING  time: not set\n         -> wait\n1 bad, 1 warnings.\n";
    assert_eq!(report.to_string(), expected);
    assert_eq!([Verdict::Ok, Verdict::Warning, report.verdict].map(Verdict::exit_status), [0, 1, 2]);
}

#[tokio::test]
async fn a_configuration_that_can_not_be_used_is_all_there_is_to_say() {
    let (folder, machine) = machine();
    let path = folder.path().join("agent.toml");
    std::fs::write(&path, "data_dir = \"/nowhere\"\nlogg = \"info\"\n").unwrap();
    let report = examine(&path, &machine, Arc::new(SystemClock)).await;
    assert_eq!((report.verdict, report.findings.len()), (Verdict::Bad, 1));
    assert!(report.findings[0].text.contains("logg"), "{report}");
}
