//! The form of a container image: blobs named by their digest, as the OCI image specification 1.0 says. Knows nothing of Tirta's server but
//! how it is started.

use crate::digest::sha256;
use crate::error::{Error, Tried, make_folder};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// A layer, compressed.
pub struct Layer {
    content: Vec<u8>,
    /// Of the tar within.
    digest: String,
    about: String,
}

impl Layer {
    /// Packs what lies below `folder` at `path`, as a user's.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn pack(folder: &Path, path: &str, user: u32, epoch: u64, about: &str) -> Result<Self, Error> {
        let tar = tar(folder, path, user, epoch)?;
        let digest = named(&tar);
        Ok(Self { content: piped("gzip", &["-9n".to_owned()], folder, &tar)?, digest, about: about.to_owned() })
    }
}

/// What is told about the image.
pub struct Image<'a> {
    /// As Debian calls it, which is what containers call it.
    pub architecture: &'a str,
    /// The server's.
    pub version: &'a str,
    /// Whom it runs as.
    pub user: u32,
    /// RFC 3339.
    pub created: &'a str,
}

impl Image<'_> {
    /// Writes the layout into a folder.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, layers: &[Layer], folder: &Path) -> Result<(), Error> {
        let blobs = folder.join("blobs").join("sha256");
        make_folder(&blobs)?;
        let config = blob(&blobs, "application/vnd.oci.image.config.v1+json", &bytes(&self.config(layers)))?;
        let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
        let layers = layers.iter().map(|layer| blob(&blobs, kind, &layer.content)).collect::<Result<Vec<_>, _>>()?;
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
        let mut manifest = blob(&blobs, kind, &bytes(&manifest))?;
        manifest["platform"] = json!({ "architecture": self.architecture, "os": "linux" });
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": self.version });
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": [manifest] });
        for (name, content) in [("index.json", index), ("oci-layout", json!({ "imageLayoutVersion": "1.0.0" }))] {
            fs::write(folder.join(name), bytes(&content)).tried(|| format!("write {name}"))?;
        }
        Ok(())
    }

    fn config(&self, layers: &[Layer]) -> Value {
        let history = |layer: &Layer| json!({ "created": self.created, "created_by": layer.about });
        json!({
            "created": self.created,
            "architecture": self.architecture,
            "os": "linux",
            "config": {
                "User": format!("{0}:{0}", self.user),
                "ExposedPorts": { "8443/tcp": {}, "8883/tcp": {} },
                "Env": ["PATH=/usr/bin"],
                "Entrypoint": ["/usr/bin/tirta-server"],
                "Cmd": ["run", "--config", "/etc/tirta/server.toml"],
                "Volumes": { "/var/lib/tirta-server": {} },
                "WorkingDir": "/",
                "StopSignal": "SIGTERM",
                "Labels": {
                    "org.opencontainers.image.title": "tirta-server",
                    "org.opencontainers.image.description": "Server for a fleet of water probes",
                    "org.opencontainers.image.version": self.version,
                    "org.opencontainers.image.created": self.created,
                    "org.opencontainers.image.licenses": "Apache-2.0",
                    "org.opencontainers.image.source": env!("CARGO_PKG_REPOSITORY"),
                },
            },
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>() },
            "history": layers.iter().map(history).collect::<Vec<_>>(),
        })
    }
}

/// A tar whose bytes follow from the names, modes and contents alone.
///
/// # Errors
/// When it can't be made.
pub fn tar(folder: &Path, path: &str, user: u32, epoch: u64) -> Result<Vec<u8>, Error> {
    let owner = [format!("--mtime=@{epoch}"), format!("--owner=:{user}"), format!("--group=:{user}")];
    let same = ["--create", "--sort=name", "--format=posix", "--numeric-owner"].map(str::to_owned);
    let times = ["--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime".to_owned(), path.to_owned()];
    piped("tar", &[&same[..], &owner, &times].concat(), folder, b"")
}

/// Writes a blob, and gives back what points to it.
fn blob(folder: &Path, kind: &str, content: &[u8]) -> Result<Value, Error> {
    let digest = named(content);
    let file = folder.join(digest.trim_start_matches("sha256:"));
    fs::write(&file, content).tried(|| format!("write {}", file.display()))?;
    Ok(json!({ "mediaType": kind, "digest": digest, "size": content.len() }))
}

fn named(content: &[u8]) -> String {
    format!("sha256:{}", sha256(content))
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A program's output for this input.
fn piped(program: &str, words: &[String], folder: &Path, input: &[u8]) -> Result<Vec<u8>, Error> {
    let mut command = Command::new(program);
    let command = command.args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().tried(|| format!("run {program}"))?;
    let (pipe, input) = (child.stdin.take(), input.to_vec());
    // Beside the reading of its output: both pipes are short.
    let writer = std::thread::spawn(move || pipe.map_or(Ok(()), |mut pipe| pipe.write_all(&input)));
    let done = child.wait_with_output().tried(|| format!("run {program}"))?;
    let written = writer.join().is_ok_and(|written| written.is_ok());
    if done.status.success() && written {
        return Ok(done.stdout);
    }
    Err(Error::Program { program: program.to_owned(), how: format!("failed ({})", done.status) })
}
