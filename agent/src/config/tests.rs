//! A configuration is understood, or refused by the name of the field.

use super::*;

const EXAMPLE: &str = include_str!("../../agent.example.toml");

fn minimal() -> String {
    format!("data_dir = \"/tmp/a\"\n[server]\nurl = \"https://tirta.local\"\nca_sha256 = \"{}\"\n", "ab".repeat(32))
}

fn error(text: &str) -> String {
    text.parse::<Config>().unwrap_err().to_string()
}

fn with_probe(lines: &str) -> String {
    format!("{}[[probe]]\n{lines}\n", minimal())
}

const ADS: &str = "kind = \"ads1115\"\ninterval_ms = 1000\nbus = \"/dev/i2c-1\"\naddress = 0x48\nchannel = 0\n";

#[test]
fn the_example_is_a_configuration() {
    let config: Config = EXAMPLE.parse().unwrap();
    let names: Vec<_> = metrics(&config.probes).map(Metric::as_str).collect();
    assert_eq!(names, ["temperature", "ph", "tds", "volume"]);
    assert_eq!((config.server.host.as_str(), config.server.port), ("tirta.local", 8443));
    assert_eq!(config.discipline, Discipline::File(PathBuf::from(TIMESYNC_FILE)));
}

#[test]
fn what_the_example_comments_out_are_the_defaults() {
    let uncommented: String = EXAMPLE
        .lines()
        .take_while(|line| !line.starts_with("# Without sensors"))
        .map(|line| {
            let is_setting =
                line.starts_with("# ") && !line.starts_with("#  ") && line.contains(" = ") && !line.contains("\"10");
            format!("{}\n", if is_setting { &line[2..] } else { line })
        })
        .collect();
    let uncommented: Config = uncommented.parse().unwrap();
    assert_eq!(uncommented.probes, EXAMPLE.parse::<Config>().unwrap().probes);
}

#[test]
fn a_field_that_there_is_not_is_named() {
    assert!(error(&minimal().replace("data_dir", "colour = 1\ndata_dir")).contains("colour"));
    assert!(error(&format!("{}tokn = \"x\"\n", minimal())).contains("tokn"));
    assert!(
        error(&with_probe(&format!("metric = \"ph\"\n{ADS}beta = 3950")))
            .contains("probe 1 (ph): unknown field `beta`")
    );
    assert!(
        error(&with_probe("metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = 1000\nbus = \"x\""))
            .contains("unknown field `bus`")
    );
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_the_fix() {
    let cases = [
        (minimal().replace("https://", "http://"), "server.url", "https://"),
        (minimal().replace("tirta.local", "tirta.local/api"), "server.url", "no path"),
        (minimal().replace("abab", "xyab"), "server.ca_sha256", "64 hexadecimal digits"),
        (format!("{}token = \"a\"\ntoken_file = \"b\"\n", minimal()), "server.token", "not both"),
        (format!("{}broker = \"nowhere\"\n", minimal()), "server.broker", "host:port"),
        (format!("{}[uplink]\nbatch = 5000\n", minimal()), "uplink.batch", "1 to 1000"),
        (format!("{}[uplink]\nbackoff_min_ms = 70000\n", minimal()), "uplink.backoff_min_ms", "backoff_max_ms"),
        (format!("{}[buffer]\nmax_readings = 1\n", minimal()), "buffer.max_readings", "100"),
        (format!("{}[buffer]\ncommit_ms = 0\n", minimal()), "buffer.commit_ms", "10 to"),
        (with_probe(&format!("metric = \"speed\"\n{ADS}")), "probe 1 (speed).metric", "ph, tds"),
        (with_probe(&format!("metric = \"ph\"\n{}", ADS.replace("1000", "5"))), "probe 1 (ph).interval_ms", "100 to"),
        (with_probe("metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = 9"), "probe 1 (ph).interval_ms", "from 10"),
        (with_probe(&format!("metric = \"ph\"\n{}", ADS.replace("0x48", "0x50"))), "probe 1 (ph).address", "0x4b"),
        (
            with_probe(&format!("metric = \"ph\"\n{}", ADS.replace("channel = 0", "channel = 4"))),
            "probe 1 (ph).channel",
            "3",
        ),
        (with_probe(&format!("metric = \"ph\"\n{ADS}full_scale_mv = 3300")), "probe 1 (ph).full_scale_mv", "4096"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}rail_low_mv = 4000")), "probe 1 (ph).rail_high_mv", "above"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}gain = 0.0")), "probe 1 (ph).gain", "0.1 to 100"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}gain = nan")), "probe 1 (ph).gain", "0.1 to 100"),
        (with_probe("metric = \"ph\"\nkind = \"ads1115\"\ninterval_ms = 1000"), "probe 1 (ph)", "missing field `bus`"),
    ];
    for (text, field, fix) in cases {
        let message = error(&text);
        assert!(message.starts_with(&format!("configuration: {field}: ")) && message.contains(fix), "{message}");
    }
}

#[test]
fn a_simulated_probe_may_be_quicker_than_any_converter() {
    let config = |ms: &str| -> Result<Config, _> {
        with_probe(&format!("metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = {ms}")).parse()
    };
    assert_eq!(config("10").unwrap().probes[0].interval, Duration::from_millis(10));
    assert!(config("86400001").is_err());
}

#[test]
fn two_probes_of_a_metric_are_refused() {
    let probe = "metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = 1000\n";
    assert!(error(&format!("{}[[probe]]\n{probe}", with_probe(probe))).contains("probe 2 (ph): there is already"));
}

#[test]
fn probes_of_one_chip_must_agree() {
    let second = format!("[[probe]]\nmetric = \"tds\"\n{}rate = 8\n", ADS.replace("channel = 0", "channel = 1"));
    assert!(error(&format!("{}{second}", with_probe(&format!("metric = \"ph\"\n{ADS}")))).contains("must agree"));
}

#[test]
fn a_serial_of_ones_own_is_only_for_simulations() {
    let serial = "serial = \"10000000deadbeef\"\n";
    let real = with_probe(&format!("metric = \"ph\"\n{ADS}"));
    assert!(error(&format!("{serial}{real}")).contains("serial: a device with real probes"));
    let simulated = with_probe("metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = 1000\nseed = 3");
    let config: Config = format!("{serial}{simulated}").parse().unwrap();
    assert_eq!(config.serial.unwrap().to_string(), "10000000deadbeef");
    assert_eq!(config.probes[0].source, Source::Simulated { seed: 3 });
}

#[test]
fn an_open_input_is_judged_by_the_supply_and_the_scale() {
    let rails =
        |more: &str| match &with_probe(&format!("metric = \"ph\"\n{ADS}{more}")).parse::<Config>().unwrap().probes[0]
            .source
        {
            Source::Ads1115 { rails, sensor: shared::sensor::Sensor::Ph(_), .. } => *rails,
            other => panic!("{other:?}"),
        };
    assert_eq!((rails("").low_mv, rails("").high_mv), (5.0, 3250.0));
    assert_eq!(rails("supply_mv = 5000.0").high_mv, 4095.875);
}

#[test]
fn a_broker_may_be_an_ipv6_address() {
    let config: Config = format!("{}broker = \"[::1]:8883\"\n", minimal()).parse().unwrap();
    assert_eq!(config.server.broker, Some(("::1".to_owned(), 8883)));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nowhere/agent.toml")).unwrap_err();
    assert!(error.to_string().starts_with("configuration /nowhere/agent.toml: "));
}
