//! The configuration that the Debian package installs: the agent can read it, and waits for a fleet file.

use agent::config::Config;
use std::path::Path;

#[test]
fn the_packaged_configuration_loads_with_the_documented_probes_and_names_no_server() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/packages/tirta-agent/agent.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.probes.len(), 4);
    assert!(!text.contains("[server]"), "what is not said is looked for in the fleet file");
    let unit = include_str!("../../../systemd/tirta-agent.service");
    assert!(unit.lines().any(|line| line == "StateDirectory=tirta-agent") && config.data_dir.ends_with("tirta-agent"));
}
