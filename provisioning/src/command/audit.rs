//! `tirta audit`: who did what, a line an act.

use super::access::Access;
use super::audit_chain::{Export, Verify};
use super::error::TirtaError;
use super::words::say;
use clap::{Args, Subcommand};
use provisioning::audit::Entry;
use provisioning::instant::second;
use serde_json::Value;
use shared::DeviceName;
use std::io::Write;

/// Which acts, or what else is done with the log.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum Command {
    Export(Export),
    Verify(Verify),
}

#[derive(Args)]
struct List {
    /// Only those that concern this device.
    #[arg(long, value_name = "NAME")]
    device: Option<DeviceName>,
    /// How many, newest first.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

impl Audit {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let List { device, limit } = match self.command {
            Some(Command::Export(export)) => return export.run(access, out).await,
            Some(Command::Verify(verify)) => return verify.run(access, out).await,
            None => self.list,
        };
        let client = access.sign_in().await?;
        for entry in &client.audit(device.as_ref().map(DeviceName::as_str), limit).await? {
            say(out, &line(entry))?;
        }
        Ok(())
    }
}

/// `time who act device`, and whatever else there is as `name=value`.
fn line(entry: &Entry) -> String {
    let Entry { at, who, act, device, serial, address, detail } = entry;
    let mut rest = Vec::new();
    rest.extend(serial.as_ref().map(|serial| format!("serial={serial}")));
    rest.extend(address.as_ref().map(|address| format!("from={address}")));
    let detail = detail.iter().filter(|(_, value)| !value.is_null());
    rest.extend(detail.map(|(name, value)| format!("{name}={}", word(value))));
    let device = device.as_deref().unwrap_or("-");
    format!("{}  {who:<12} {act:<20} {device:<12} {}", second(*at), rest.join(" "))
}

/// A plain word as it is, anything else as JSON: so that a line can be taken apart again.
fn word(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains([' ', '=', '"']) => text.to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_a_line_that_can_be_taken_apart_again() {
        let text = r#"{"id":9,"at":61000,"who":"admin","act":"device.approved","device":"pi-7","serial":"10000000a3c40011",
            "address":null,"detail":{"location":"Pond 3","reason":"second_key","uses":3,"note":null}}"#;
        let entry: Entry = serde_json::from_str(text).unwrap();
        let wanted = "1970-01-01 00:01:01  admin        device.approved      pi-7         serial=10000000a3c40011 \
            location=\"Pond 3\" reason=second_key uses=3";
        assert_eq!(line(&entry), wanted);
    }
}
