//! A configuration is understood, or refused by the name of the field.

use super::*;
use crate::probe::ads1115::Scale;
use crate::probe::simulated::Water;
use shared::rule::Severity;

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
    assert_eq!(config.server.address, Some(("tirta.local".to_owned(), 8443)));
    assert_eq!(config.fleet_files.len(), 5);
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
fn a_configuration_need_not_name_the_server_at_all() {
    let config: Config = "data_dir = \"/tmp/a\"".parse().unwrap();
    assert!(config.server.address.is_none() && config.server.ca_sha256.is_none() && config.server.token.is_none());
    assert_eq!(config.fleet_files.first(), Some(&PathBuf::from("/media/*/tirta-fleet.toml")));
    let config: Config = "data_dir = \"/tmp/a\"\n[server]\ntoken = \"x\"\n[fleet]\nfiles = []".parse().unwrap();
    assert!(config.server.address.is_none() && config.server.token.is_some() && config.fleet_files.is_empty());
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
        (format!("{}[fleet]\nfiles = [\"boot/x.toml\"]\n", minimal()), "fleet.files", "whole path"),
        (format!("{}[fleet]\nfiles = [\"/media/*\"]\n", minimal()), "fleet.files", "of a file"),
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
        (with_probe(&format!("metric = \"ph\"\n{ADS}full_scale_mv = 70000")), "probe 1 (ph).full_scale_mv", "\"auto\""),
        (with_probe(&format!("metric = \"ph\"\n{ADS}full_scale_mv = \"wide\"")), "probe 1 (ph).full_scale_mv", "4096"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}rate = \"fast\"")), "probe 1 (ph)", "`rate`"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}midpoint_mv = \"x\"")), "probe 1 (ph)", "`midpoint_mv`"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}samples = 0")), "probe 1 (ph).samples", "1 to 32"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}samples = 16\nrate = 8")), "probe 1 (ph).samples", "interval_ms"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}unstable_mv = -1.0")), "probe 1 (ph).unstable_mv", "0 to"),
        (
            with_probe(&format!("metric = \"ph\"\n{ADS}max_change_per_minute = 0.0")),
            "probe 1 (ph).max_change_per_minute",
            "above 0",
        ),
        (with_probe(&format!("metric = \"ph\"\n{ADS}possible = 4.0")), "probe 1 (ph).possible", "two numbers"),
        (with_probe(&format!("metric = \"ph\"\n{ADS}possible = [10.0, 4.0]")), "probe 1 (ph).possible", "lower one"),
        (with_probe(&W1.replace("temperature", "ph")), "probe 1 (ph).kind", "temperature"),
        (with_probe(&format!("{W1}id = \"../x\"")), "probe 1 (temperature).id", "28-"),
        (format!("{}[alarm]\npin = 2\n", minimal()), "alarm.pin", "I2C"),
        (format!("{}[alarm]\npin = 40\n", minimal()), "alarm.pin", "BCM"),
        (format!("{}[alarm]\npin = 4\n", with_probe(W1)), "alarm.pin", "1-wire"),
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
fn probes_of_one_chip_have_their_own_range_and_rate_but_not_the_same_channel() {
    let ph = with_probe(&format!("metric = \"ph\"\n{ADS}"));
    let second = |lines: &str| format!("{ph}[[probe]]\n{lines}");
    let other = second(&format!(
        "metric = \"tds\"\n{}rate = 8\nfull_scale_mv = 2048\n",
        ADS.replace("channel = 0", "channel = 1")
    ));
    assert_eq!(other.parse::<Config>().unwrap().probes.len(), 2);
    assert!(error(&second(&format!("metric = \"tds\"\n{ADS}"))).contains("probe 2 (tds): ph is on the same channel"));
}

#[test]
fn two_metrics_of_one_probe_must_share_its_channel() {
    let tds = with_probe(&format!("metric = \"tds\"\n{ADS}"));
    let ec = |ads: &str| format!("{tds}[[probe]]\nmetric = \"ec\"\n{ads}");
    assert_eq!(ec(ADS).parse::<Config>().unwrap().probes.len(), 2);
    assert!(error(&ec(&ADS.replace("channel = 0", "channel = 1"))).contains("must be on the same channel as tds"));
}

fn ads(more: &str) -> Ads1115 {
    match &with_probe(&format!("metric = \"ph\"\n{ADS}{more}")).parse::<Config>().unwrap().probes[0].source {
        Source::Ads1115(ads) => ads.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_automatic_range_goes_no_further_than_the_supply() {
    let widest = |more: &str| ads(&format!("full_scale_mv = \"auto\"\n{more}")).range.widest();
    assert_eq!(Some(widest("")), Scale::new(4096));
    assert_eq!(Some(widest("supply_mv = 5000")), Scale::new(6144));
    assert_eq!(Some(widest("supply_mv = 1800")), Scale::new(2048));
}

#[test]
fn a_reading_takes_as_many_conversions_as_its_time_allows() {
    assert_eq!(ads("").reading.samples, 16);
    assert_eq!(ads("rate = 8").reading.samples, 2);
    assert_eq!(ads("rate = 8\nsamples = 8").reading.samples, 8);
}

#[test]
fn the_usual_values_are_possible_ones() {
    let usual = |more: &str| ads(more).limits.usual;
    assert_eq!(usual("possible = [4.0, 10.0]"), (4.0, 10.0));
    assert_eq!(usual("possible = [1.0, 10.0]"), (2.0, 10.0));
    assert_eq!(usual("possible = [0.0, 1.5]"), (0.0, 1.5));
    assert_eq!(usual("possible = [4.0, 10.0]\nusual = [5.0, 9.0]"), (5.0, 9.0));
}

const W1: &str = "metric = \"temperature\"\nkind = \"w1\"\ninterval_ms = 10000\n";

#[test]
fn a_thermometer_on_the_1_wire_bus_needs_nothing_but_its_kind() {
    let config: Config = with_probe(W1).parse().unwrap();
    let Source::W1(w1) = &config.probes[0].source else { panic!() };
    assert_eq!((&w1.id, w1.limits.possible, w1.max_change_per_minute), (&None, (-5.0, 60.0), None));
    let named = with_probe(&format!("{W1}id = \"28-0316a2798b2f\"\npossible = [0.0, 40.0]\nmax_change_per_minute = 2"));
    assert!(named.parse::<Config>().is_ok());
}

#[test]
fn an_alarm_needs_nothing_but_its_pin() {
    let config: Config = format!("{}[alarm]\npin = 17\n", minimal()).parse().unwrap();
    let expected = Alarm {
        pin: 17,
        active_low: false,
        fail_safe: FailSafe::Off,
        severity: Severity::Critical,
        kind: AlarmKind::Relay,
    };
    assert_eq!(config.alarm, Some(expected));
    assert_eq!(minimal().parse::<Config>().unwrap().alarm, None);
}

#[test]
fn what_the_example_shows_after_its_probes_can_be_used_too() {
    let (_, examples) = EXAMPLE.split_once("# Without sensors").unwrap();
    let uncommented: String =
        examples.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix("#   ")?))).collect();
    let config: Config = format!("{}{uncommented}", minimal()).parse().unwrap();
    assert_eq!(config.alarm.unwrap().pin, 17);
    let metrics: Vec<_> = metrics(&config.probes).map(Metric::as_str).collect();
    assert_eq!(metrics, ["temperature", "ec", "tds", "pressure", "flow", "ph"]);
}

#[test]
fn a_serial_of_ones_own_is_only_for_simulations() {
    let serial = "serial = \"10000000deadbeef\"\n";
    let real = with_probe(&format!("metric = \"ph\"\n{ADS}"));
    assert!(error(&format!("{serial}{real}")).contains("serial: a device with real probes"));
    let simulated = with_probe("metric = \"ph\"\nkind = \"simulated\"\ninterval_ms = 1000\nseed = 3\nwater = \"pond\"");
    let config: Config = format!("{serial}{simulated}").parse().unwrap();
    assert_eq!(config.serial.unwrap().to_string(), "10000000deadbeef");
    assert_eq!(config.probes[0].source, Source::Simulated { seed: 3, worn: false, water: Water::Pond });
}

#[test]
fn an_open_input_is_judged_by_the_supply_and_the_scale() {
    let rails = |more: &str| ads(more).reading.rails;
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

#[test]
fn the_lamp_is_one_of_the_boards_or_none() {
    let lamp = |lines: &str| format!("{}[lamp]\n{lines}\n", minimal()).parse::<Config>().map(|config| config.lamp);
    assert_eq!(lamp("").unwrap(), Lamp::Usual);
    assert_eq!(lamp("led = \"off\"").unwrap(), Lamp::Off);
    assert_eq!(lamp("led = \"PWR\"").unwrap(), Lamp::Led("PWR".to_owned()));
    for bad in ["", "../../block", "."] {
        assert!(lamp(&format!("led = {bad:?}")).unwrap_err().to_string().contains("lamp.led"), "{bad}");
    }
}
