//! The machines that packages are made for, and what Debian, Rust and containers call them.

use super::recipe::Package;
use std::str::FromStr;

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// PCs and most servers.
    Amd64,
    /// Raspberry Pi 3, 4, 5 and Zero 2 W, and many servers.
    Arm64,
    /// Older Raspberry Pis with a 32-bit system.
    Armhf,
}

impl Architecture {
    /// Every one, in the order in which they are built.
    pub const ALL: [Self; 3] = [Self::Amd64, Self::Arm64, Self::Armhf];

    /// What Debian calls it; containers call those that have a server the same.
    pub const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Armhf => "armhf",
        }
    }

    /// What Rust calls it.
    pub const fn triple(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::Armhf => "armv7-unknown-linux-gnueabihf",
        }
    }

    /// What Debian calls the folder of its libraries; a cross-compiler's are below /usr.
    pub const fn libraries(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
            Self::Armhf => "arm-linux-gnueabihf",
        }
    }

    /// Whether a server is made for it.
    pub fn has_server(self) -> bool {
        Package::of(self).contains(&Package::Server)
    }

    /// That of this machine, if it is one of them.
    pub fn ours() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::Amd64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }
}

impl FromStr for Architecture {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|one| one.debian() == word);
        known.ok_or_else(|| "use amd64, arm64 or armhf".to_owned())
    }
}
