//! `tirta labels`: a sheet for the printer, from what is registered.

use super::access::Access;
use super::error::TirtaError;
use super::words::address;
use clap::{Args, ValueEnum};
use provisioning::connect::is_loopback;
use provisioning::labels::{Grid, Label, Names, Paper, matching, pdf, png};
use provisioning::registrations::Registration;
use std::{io::Write, path::Path, path::PathBuf};

/// Which labels, and how they are printed.
#[derive(Args)]
pub struct Labels {
    /// PDF, or PNG of 300 dpi, a file for each page; as the ending of FILE says if absent.
    #[arg(long)]
    format: Option<Format>,
    /// Where to write it; several pages of PNG become FILE-1.png, FILE-2.png, ...
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only these: pi-7, pi-1..pi-99, or several with commas between.
    #[arg(long)]
    names: Option<Names>,
    /// Only those that are registered at this location.
    #[arg(long, value_name = "TEXT", conflicts_with = "names")]
    location: Option<String>,
    /// Where a phone that scans a label finds the server; that of --server if it is https and this is absent.
    #[arg(long, value_name = "https://HOST:PORT", env = "TIRTA_PUBLIC_ADDRESS", value_parser = address)]
    address: Option<String>,
    /// What is in the printer.
    #[arg(long, default_value = "a4")]
    paper: Sheet,
    /// Labels side by side.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    columns: u32,
    /// Labels below each other.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=50))]
    rows: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Pdf,
    Png,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sheet {
    A4,
    Letter,
}

impl Labels {
    /// Does it.
    pub async fn run(self, access: &Access) -> Result<(), TirtaError> {
        let format = self.format()?;
        let address = self.address(&access.server)?;
        let all = access.sign_in().await?.registrations().await?;
        let paper = match self.paper {
            Sheet::A4 => Paper::A4,
            Sheet::Letter => Paper::Letter,
        };
        let grid = Grid { paper, columns: self.columns, rows: self.rows };
        let labels: Vec<Label> = self.chosen(all)?.iter().map(|one| Label::new(one, &address)).collect();
        let files = match format {
            Format::Pdf => vec![(self.out.clone(), pdf(&labels, &grid)?)],
            Format::Png => named(&self.out, png(&labels, &grid)?),
        };
        for (file, content) in &files {
            std::fs::write(file, content).map_err(|e| TirtaError::File { file: file.clone(), why: e.to_string() })?;
        }
        let names: Vec<String> = files.iter().map(|(file, _)| file.display().to_string()).collect();
        let said = format!("{} labels for {address} in {}. Print them without scaling.", labels.len(), names.join(" "));
        Ok(writeln!(std::io::stderr(), "{said}")?)
    }

    fn format(&self) -> Result<Format, TirtaError> {
        let ending = self.out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match (self.format, ending.as_deref()) {
            (Some(format), _) => Ok(format),
            (None, Some("pdf")) => Ok(Format::Pdf),
            (None, Some("png")) => Ok(Format::Png),
            _ => Err(TirtaError::Arguments(format!("--format pdf or png: {} does not say which", self.out.display()))),
        }
    }

    /// What is printed stays: an address that only this machine has would be of no use on a label.
    fn address(&self, server: &str) -> Result<String, TirtaError> {
        let elsewhere = |address: &String| {
            let uri: Option<hyper::Uri> = address.parse().ok();
            uri.is_some_and(|uri| uri.host().is_some_and(|host| !is_loopback(host.trim_matches(['[', ']']))))
        };
        let given = self.address.clone().or_else(|| address(server).ok().filter(elsewhere));
        given.ok_or_else(|| {
            TirtaError::Arguments(format!(
                "--address: a phone can't use {server}; give the address at which people find the server, such as https://tirta.local:8443"
            ))
        })
    }

    fn chosen(&self, all: Vec<Registration>) -> Result<Vec<Registration>, TirtaError> {
        let none = |why: String| Err(TirtaError::Arguments(why));
        if all.is_empty() {
            return none("nothing is registered: see tirta devices import and tirta devices range".to_owned());
        }
        let found = matching(all, self.names.as_ref(), self.location.as_deref());
        match (&self.location, found.is_empty()) {
            (_, false) => Ok(found),
            (Some(location), true) => none(format!("--location: nothing is registered at {location:?}")),
            (None, true) => none("--names: none of them is registered".to_owned()),
        }
    }
}

/// One page has the name that was given, several are numbered.
fn named(out: &Path, pages: Vec<Vec<u8>>) -> Vec<(PathBuf, Vec<u8>)> {
    if pages.len() == 1 {
        return pages.into_iter().map(|page| (out.to_owned(), page)).collect();
    }
    let stem = match out.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("png") => out.with_extension(""),
        _ => out.to_owned(),
    };
    let name = |number: usize| {
        let mut name = stem.clone().into_os_string();
        name.push(format!("-{number}.png"));
        PathBuf::from(name)
    };
    pages.into_iter().enumerate().map(|(index, page)| (name(index + 1), page)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        labels: Labels,
    }

    #[test]
    fn the_servers_address_is_printed_only_if_a_phone_can_use_it() {
        let address = |server: &str, given: Option<&str>| {
            let mut labels = Alone::parse_from(["labels", "--out", "l.pdf"]).labels;
            // Whatever the environment says.
            labels.address = given.map(str::to_owned);
            labels.address(server).map_err(|e| e.to_string())
        };
        assert_eq!(address("https://tirta.local:8443/", None).unwrap(), "https://tirta.local:8443");
        for useless in ["http://127.0.0.1:8080", "https://127.0.0.1:8443", "https://[::1]:8443", "https://localhost"] {
            assert!(address(useless, None).unwrap_err().contains("a phone can't use"), "{useless}");
            assert_eq!(address(useless, Some("https://a")).unwrap(), "https://a");
        }
    }

    #[test]
    fn several_pages_are_numbered() {
        let names = |out: &str, pages| -> Vec<String> {
            named(Path::new(out), vec![Vec::new(); pages])
                .into_iter()
                .map(|(file, _)| file.display().to_string())
                .collect()
        };
        assert_eq!(names("x/labels.png", 1), ["x/labels.png"]);
        assert_eq!(names("x/labels.png", 2), ["x/labels-1.png", "x/labels-2.png"]);
        assert_eq!(names("pond.3", 2), ["pond.3-1.png", "pond.3-2.png"]);
    }
}
