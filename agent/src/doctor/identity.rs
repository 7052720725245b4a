//! Who this device is for the server: its enrolment, its certificate, its key.

use super::{Finding, Machine};
use crate::certificate;
use crate::config::Config;
use crate::identity::{Home, Identity, IdentityError, SerialSources};
use crate::time::Time;
use crate::trust;
use std::io::ErrorKind;

const DAY_S: i64 = 86_400;

/// The identity, if it can be used, and what there is to say of it.
pub(super) fn enrolment(config: &Config, machine: &Machine, time: &Time) -> (Option<Identity>, Vec<Finding>) {
    let sources = SerialSources {
        device_tree: machine.root.join("proc/device-tree/serial-number"),
        cpuinfo: machine.root.join("proc/cpuinfo"),
        model: machine.root.join("proc/device-tree/model"),
    };
    let serial = config.serial.map_or_else(|| sources.read(), Ok);
    let home = Home::new(&config.data_dir);
    match serial.and_then(|serial| Ok((home.other(serial)?, home.load(serial)?))) {
        Ok((Some((serial, name)), _)) => {
            let whose = name.map_or_else(|| "a board that has no name".to_owned(), |name| name.to_string());
            let text =
                format!("this card comes from {whose}, whose board has the serial {serial}: it was moved or copied");
            let advice =
                "start the agent: it wipes that identity, keeps those readings apart, and enrols this board as itself";
            (None, vec![Finding::warning("enrolment", text, advice)])
        }
        Ok((None, Some(identity))) => {
            let findings = judged(config, &identity, time);
            (Some(identity), findings)
        }
        Ok((None, None)) => {
            let advice = "start the agent; it enrols by itself with the token of the fleet file or the configuration once it reaches the server";
            (None, vec![Finding::warning("enrolment", "this device has not enrolled yet", advice)])
        }
        Err(IdentityError::File { path, error }) if error.kind() == ErrorKind::PermissionDenied => {
            let text = format!("this user may not read {}", path.display());
            (None, vec![Finding::warning("enrolment", text, "use sudo")])
        }
        Err(error) => {
            (None, vec![Finding::bad("enrolment", error.to_string(), "enrol the device anew if nothing else helps")])
        }
    }
}

fn judged(config: &Config, identity: &Identity, time: &Time) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("enrolment", format!("this device is {}", identity.name))];
    match trust::fingerprint(&identity.ca) {
        Ok(_) if config.server.ca_sha256.is_none() => {
            findings.push(Finding::ok("authority", "it is the one that the device enrolled with"));
        }
        Ok(sum) if config.server.ca_sha256 == Some(sum) => {
            findings.push(Finding::ok("authority", "it is the one that the configuration names"));
        }
        Ok(_) => findings.push(Finding::warning(
            "authority",
            "it is another one than server.ca_sha256 names: the fleet's authority was replaced since, or the device enrolled with another server",
            "compare it with what the server shows, and correct the configuration",
        )),
        Err(error) => findings.push(Finding::bad("authority", error.to_string(), "let the device enrol anew")),
    }
    if let Err(error) = trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone()) {
        let text = format!("certificate and key do not belong together: {error}");
        findings.push(Finding::bad("certificate", text, "move identity.toml away to let the device enrol anew"));
    }
    findings.push(validity(identity, time));
    findings
}

fn validity(identity: &Identity, time: &Time) -> Finding {
    match certificate::read(&identity.certificate, &identity.name) {
        Ok(validity) => {
            let now = time.now();
            judge(validity.not_before > now, validity.until.0.saturating_sub(now.0), validity.life())
        }
        Err(error) => {
            Finding::bad("certificate", error.to_string(), "move identity.toml away to let the device enrol anew")
        }
    }
}

/// All in milliseconds. An agent asks for the next one after two thirds of the life: with less than a quarter left it
/// has not got it.
fn judge(not_yet: bool, left: i64, life: i64) -> Finding {
    let about = "certificate";
    let advice =
        "the agent asks for the next one by itself: look after the lines about the server, and restart the agent";
    if not_yet {
        Finding::warning(about, "it is not valid yet: this machine's clock is in the past", "see the line about time")
    } else if left < 0 {
        Finding::bad(about, format!("it has expired {} ago", span(-left)), advice)
    } else if left < life / 4 {
        Finding::warning(about, format!("it expires in {} and was not renewed", span(left)), advice)
    } else {
        Finding::ok(about, format!("it is valid for {} more", span(left)))
    }
}

fn span(ms: i64) -> String {
    match ms / 1000 {
        seconds if seconds >= 2 * DAY_S => format!("{} days", seconds / DAY_S),
        seconds if seconds >= 2 * 3600 => format!("{} hours", seconds / 3600),
        seconds => format!("{} minutes", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::{config_in, machine};
    use super::*;
    use crate::time::{Discipline, SystemClock};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use shared::DeviceName;
    use shared::enrol::Broker;
    use std::sync::Arc;

    fn time() -> Time {
        Time::new(Arc::new(SystemClock), Discipline::Assumed)
    }

    /// A device called so, with its authority.
    fn enrolled(name: &str) -> (Identity, [u8; 32]) {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(2999, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap().pem();
        let identity = Identity {
            name: DeviceName::numbered(7),
            broker: Broker { host: None, port: 8883 },
            server: None,
            key: key.serialize_pem(),
            certificate,
            ca: ca.pem(),
        };
        let sum = trust::fingerprint(&ca.pem()).unwrap();
        (identity, sum)
    }

    fn verdicts(findings: &[Finding]) -> Vec<(String, Verdict)> {
        findings.iter().map(|finding| (finding.about.clone(), finding.verdict)).collect()
    }

    #[test]
    fn a_device_that_enrolled_with_this_server_is_in_order() {
        let (folder, machine) = machine();
        let mut config = config_in(folder.path(), "");
        config.serial = "10000000deadbeef".parse().ok();
        let (none, findings) = enrolment(&config, &machine, &time());
        assert!(none.is_none() && findings[0].text.contains("not enrolled yet"));
        let (identity, sum) = enrolled("pi-7");
        let home = Home::new(folder.path());
        std::fs::write(folder.path().join("device.key"), &identity.key).unwrap();
        home.save(config.serial.unwrap(), &identity).unwrap();
        config.server.ca_sha256 = Some(sum);
        let (found, findings) = enrolment(&config, &machine, &time());
        assert_eq!(found.unwrap().name, identity.name);
        assert!(findings.iter().all(|finding| finding.verdict == Verdict::Ok), "{findings:?}");
    }

    #[test]
    fn another_authority_another_name_and_a_foreign_key_are_bad() {
        let (folder, _) = machine();
        let mut config = config_in(folder.path(), "");
        let (mut identity, sum) = enrolled("pi-8");
        identity.key = KeyPair::generate().unwrap().serialize_pem();
        let bad = |about: &str| (about.to_owned(), Verdict::Bad);
        let found = verdicts(&judged(&config, &identity, &time()));
        let authority = ("authority".to_owned(), Verdict::Warning);
        assert_eq!(found[1..], [authority, bad("certificate"), bad("certificate")]);
        config.server.ca_sha256 = Some(sum);
        assert_eq!(verdicts(&judged(&config, &identity, &time()))[1].1, Verdict::Ok);
    }

    #[test]
    fn the_end_of_a_certificate_is_announced() {
        let day = DAY_S * 1000;
        let verdicts: Vec<_> = [8, 7, 0, -1].map(|days| judge(false, days * day, 30 * day).verdict).into();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Warning, Verdict::Warning, Verdict::Bad]);
        assert!(judge(false, -3 * day, 30 * day).text.contains("3 days ago"));
        assert!(judge(false, 3 * 3_600_000, 30 * day).text.contains("3 hours"));
        assert_eq!(judge(true, 20 * day, 30 * day).verdict, Verdict::Warning);
    }

    #[test]
    fn a_card_of_another_board_is_said_in_words() {
        let (folder, machine) = machine();
        let mut config = config_in(folder.path(), "");
        config.serial = "10000000cafebabe".parse().ok();
        let home = Home::new(folder.path());
        let first = "10000000deadbeef".parse().unwrap();
        home.key_pair(first).unwrap();
        home.save(first, &enrolled("pi-7").0).unwrap();
        let (none, findings) = enrolment(&config, &machine, &time());
        assert!(none.is_none() && findings[0].verdict == Verdict::Warning);
        assert!(findings[0].text.contains("comes from pi-7") && findings[0].text.contains("10000000deadbeef"));
        assert_eq!(home.name(first).unwrap(), Some(DeviceName::numbered(7)), "it only looks");
    }

    #[test]
    fn a_board_without_a_serial_is_named() {
        let (folder, machine) = machine();
        let (_, findings) = enrolment(&config_in(folder.path(), ""), &machine, &time());
        assert!(findings[0].text.contains("no serial"), "{findings:?}");
    }
}
