//! The server as a process of its own, and what the kernel says of it.

#![allow(dead_code)] // each benchmark uses a part of it

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server. Dropping it kills it.
pub struct Server(Child);

impl Server {
    /// Starts it and waits until it says that it is ready.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let server = Self(child);
        for line in BufReader::new(output).lines() {
            if line?.starts_with("Ready:") {
                return Ok(server);
            }
        }
        Err(io::Error::other("the server ended before it was ready"))
    }

    /// Seconds of processor time so far.
    pub fn cpu_s(&self) -> io::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
        // USER_HZ is 100 on every Linux that runs this.
        Ok(ticks as f64 / 100.0)
    }

    /// Most resident memory so far, in megabytes.
    pub fn peak_mb(&self) -> io::Result<f64> {
        Ok(self.kilobytes("VmHWM:")? as f64 / 1024.0)
    }

    /// Resident memory now, in bytes; the peak is counted from now on.
    pub fn memory_from_now(&self) -> io::Result<u64> {
        std::fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5")?;
        Ok(self.kilobytes("VmRSS:")? * 1024)
    }

    /// Most resident memory since then, in bytes.
    pub fn peak(&self) -> io::Result<u64> {
        Ok(self.kilobytes("VmHWM:")? * 1024)
    }

    fn kilobytes(&self, name: &str) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().map_err(io::Error::other)
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.0.id().to_string()).status()?;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.0.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(io::Error::other(format!("it ended with {status}")))
                };
            }
            std::thread::yield_now();
        }
        Err(io::Error::other("it does not stop"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of the database's files.
pub fn file_bytes(folder: &Path) -> u64 {
    ["tirta.db", "tirta.db-wal"]
        .iter()
        .filter_map(|name| std::fs::metadata(folder.join(name)).ok())
        .map(|file| file.len())
        .sum()
}
