//! Who this device is for the server: its enrolment, its certificate, its key.

use super::{Finding, Machine};
use crate::config::Config;
use crate::identity::{Home, Identity, IdentityError, SerialSources};
use crate::time::Time;
use crate::trust;
use std::io::ErrorKind;
use x509_parser::pem::parse_x509_pem;

const DAY_S: i64 = 86_400;
/// So early somebody should look after a new certificate, in days.
const SOON: i64 = 60;

/// The identity, if it can be used, and what there is to say of it.
pub(super) fn enrolment(config: &Config, machine: &Machine, time: &Time) -> (Option<Identity>, Vec<Finding>) {
    let sources = SerialSources {
        device_tree: machine.root.join("proc/device-tree/serial-number"),
        cpuinfo: machine.root.join("proc/cpuinfo"),
    };
    let serial = config.serial.map_or_else(|| sources.read(), Ok);
    match serial.and_then(|serial| Home::new(&config.data_dir).load(serial)) {
        Ok(Some(identity)) => {
            let findings = certificate(config, &identity, time);
            (Some(identity), findings)
        }
        Ok(None) => {
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

fn certificate(config: &Config, identity: &Identity, time: &Time) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("enrolment", format!("this device is {}", identity.name))];
    match trust::fingerprint(&identity.ca) {
        Ok(_) if config.server.ca_sha256.is_none() => {
            findings.push(Finding::ok("authority", "it is the one that the device enrolled with"));
        }
        Ok(sum) if config.server.ca_sha256 == Some(sum) => {
            findings.push(Finding::ok("authority", "it is the one that the configuration names"));
        }
        Ok(_) => findings.push(Finding::bad(
            "authority",
            "it is another one than server.ca_sha256 names: the device enrolled with another server",
            "correct the configuration, or empty data_dir to enrol with this server (what waits there is lost)",
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
    let unreadable =
        || Finding::bad("certificate", "it can't be read", "move identity.toml away to let the device enrol anew");
    let Ok((_, pem)) = parse_x509_pem(identity.certificate.as_bytes()) else { return unreadable() };
    let Ok(certificate) = pem.parse_x509() else { return unreadable() };
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
    if name != identity.name.as_str() {
        let text = format!("it is that of {name:?}, and this device is {}", identity.name);
        return Finding::bad("certificate", text, "move identity.toml away to let the device enrol anew");
    }
    let (validity, now) = (certificate.validity(), time.now().0 / 1000);
    let days = (validity.not_after.timestamp() - now) / DAY_S;
    judge(validity.not_before.timestamp() > now, days)
}

fn judge(not_yet: bool, days: i64) -> Finding {
    let advice = "the device must enrol again: ask whoever runs the server for a token";
    if not_yet {
        Finding::warning(
            "certificate",
            "it is not valid yet: this machine's clock is in the past",
            "see the line about time",
        )
    } else if days < 0 {
        Finding::bad("certificate", format!("it has expired {} days ago", -days), advice)
    } else if days < SOON {
        Finding::warning("certificate", format!("it expires in {days} days"), advice)
    } else {
        Finding::ok("certificate", format!("it is valid for {days} more days"))
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
        let found = verdicts(&certificate(&config, &identity, &time()));
        assert_eq!(found[1..], [bad("authority"), bad("certificate"), bad("certificate")]);
        config.server.ca_sha256 = Some(sum);
        assert_eq!(verdicts(&certificate(&config, &identity, &time()))[1].1, Verdict::Ok);
    }

    #[test]
    fn the_end_of_a_certificate_is_announced() {
        let verdicts: Vec<_> = [61, 59, 0, -1].map(|days| judge(false, days).verdict).into();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Warning, Verdict::Warning, Verdict::Bad]);
        assert_eq!(judge(true, 700).verdict, Verdict::Warning);
    }

    #[test]
    fn a_board_without_a_serial_is_named() {
        let (folder, machine) = machine();
        let (_, findings) = enrolment(&config_in(folder.path(), ""), &machine, &time());
        assert!(findings[0].text.contains("no serial"), "{findings:?}");
    }
}
