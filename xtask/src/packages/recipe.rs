//! What is in a package, read from its folder in `images/packages/`. Knows not how packages are built.

use super::Architecture;
use crate::error::{Error, Tried};
use crate::prepare::root;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A package; each has one program, of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// What runs on each Pi.
    Agent,
    /// What the Pis send to.
    Server,
    /// The admin's command line.
    Admin,
}

impl Package {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Server, Self::Admin];

    /// Those that are made for a kind of machine.
    pub fn of(architecture: Architecture) -> Vec<Self> {
        match architecture {
            Architecture::Armhf => vec![Self::Agent],
            Architecture::Amd64 | Architecture::Arm64 => Self::ALL.to_vec(),
        }
    }

    /// Its name, and that of its program.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "tirta-agent",
            Self::Server => "tirta-server",
            Self::Admin => "tirta",
        }
    }

    /// What Cargo calls the program's package.
    pub const fn cargo(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Server => "server",
            Self::Admin => "provisioning",
        }
    }

    /// The folder with `files` and `debian/`.
    pub fn folder(self) -> PathBuf {
        packages().join(self.name())
    }
}

/// The recipes of all packages.
pub fn packages() -> PathBuf {
    root().join("images").join("packages")
}

/// A file of the repository and its place in the package.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Below the repository.
    pub from: String,
    /// Below the root of the file system, without a slash before it.
    pub to: String,
    /// Such as 0o644.
    pub mode: u32,
}

/// The files of a recipe's folder.
///
/// # Errors
/// When the list can't be read or a file of it is missing.
pub fn items(recipe: &Path) -> Result<Vec<Item>, Error> {
    let list = recipe.join("files");
    let text = fs::read_to_string(&list).tried(|| format!("read {}", list.display()))?;
    parse(&text, |file| root().join(file).is_file())
        .map_err(|line| Error::Output { program: list.display().to_string(), line })
}

/// The lines; an error says what is wrong with which.
fn parse(text: &str, is_there: impl Fn(&Path) -> bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [from, to, mode] = words[..] else { return Err(format!("{line:?}: give file, place and mode")) };
        let mode = u32::from_str_radix(mode, 8).map_err(|_| format!("{line:?}: {mode} is no mode such as 644"))?;
        if !is_there(Path::new(from)) {
            return Err(format!("{from} is not in the repository"));
        }
        items.push(Item { from: from.to_owned(), to: to.to_owned(), mode });
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_and_a_line_that_is_none_are_named() {
        let text = "# comment\na/unit  usr/lib/unit  644\n";
        let item = Item { from: "a/unit".to_owned(), to: "usr/lib/unit".to_owned(), mode: 0o644 };
        assert_eq!(parse(text, |file| file == Path::new("a/unit")), Ok(vec![item]));
        assert_eq!(parse(text, |_| false), Err("a/unit is not in the repository".to_owned()));
        assert!(parse("a/unit usr/lib/unit", |_| true).unwrap_err().contains("mode"));
    }

    #[test]
    fn every_recipe_can_be_read_and_puts_configuration_below_etc_tirta() {
        for package in Package::ALL {
            let items = items(&package.folder()).unwrap();
            let configuration = items.iter().filter(|item| item.to.starts_with("etc/"));
            assert!(configuration.map(|item| item.mode & 0o007).all(|others| others == 0), "{package:?}: secrets");
        }
    }
}
