//! The program itself: what it prints, how it stops, and that a start that fails says why in one line.

use crate::fleet::SOON;
use crate::site::config_text;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

pub struct Folder {
    dir: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        folder.configure(&config_text(&folder.data()));
        folder
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("server.toml")
    }

    pub fn configure(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tirta-server"));
        command.arg(name).arg("--config").arg(self.config()).kill_on_drop(true);
        command
    }

    async fn output(&self, name: &str) -> Output {
        timeout(SOON, self.command(name).output()).await.unwrap().unwrap()
    }

    pub async fn run(&self) -> Server {
        let mut child = self.command("run").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Server { child, lines }
    }

    /// Starts it for the first time and stops it again.
    async fn run_once(&self) {
        let mut server = self.run().await;
        assert!(server.line().await.starts_with("First start: "));
        assert!(server.line().await.starts_with("Ready: "));
        server.terminate().await;
    }

    /// Why it does not start: the one line that it prints.
    async fn why_not(&self) -> String {
        let output = self.output("run").await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "nothing is promised by a start that fails");
        let lines: Vec<_> = errors.lines().filter(|line| line.starts_with("tirta-server: ")).collect();
        assert_eq!(lines.len(), 1, "{errors}");
        assert_eq!(errors.lines().last(), Some(lines[0]), "{errors}");
        lines[0].to_owned()
    }
}

pub struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    pub async fn line(&mut self) -> String {
        timeout(SOON, self.lines.next_line()).await.unwrap().unwrap().expect("a line")
    }

    /// Ends it as a power cut does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops it as a supervisor does.
    async fn terminate(mut self) {
        let kill = Command::new("kill").arg(self.child.id().unwrap().to_string()).status().await.unwrap();
        assert!(kill.success());
        let status = timeout(SOON, self.child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0));
        assert_eq!(self.lines.next_line().await.unwrap(), None, "nothing more on standard output");
    }
}

#[tokio::test]
async fn the_first_start_prints_the_password_once_and_every_start_where_it_listens() {
    let folder = Folder::new();
    let mut server = folder.run().await;
    let first = server.line().await;
    let password = first.strip_prefix("First start: sign in as \"admin\" with the password \"").unwrap();
    assert!(password.ends_with("\" (it is not shown again)."), "{first}");
    let ready = server.line().await;
    let addresses: Vec<_> = ready.strip_prefix("Ready: ").unwrap().split(' ').collect();
    assert_eq!(addresses.len(), 2, "{ready}");
    assert!(addresses[0].starts_with("https://127.0.0.1:") && addresses[1].starts_with("http://127.0.0.1:"), "{ready}");
    assert!(!ready.contains(":0 ") && !ready.ends_with(":0"), "{ready}");
    server.terminate().await;

    let mut again = folder.run().await;
    assert!(again.line().await.starts_with("Ready: "));
    let export = folder.output("export").await;
    assert_eq!((export.status.code(), export.stdout.len()), (Some(0), 0), "it works beside a running server");
    again.terminate().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for key in ["https", "plain", "listen"] {
        let folder = Folder::new();
        let text = config_text(&folder.data());
        folder.configure(&text.replace(&format!("{key} = \"127.0.0.1:0\""), &format!("{key} = \"{address}\"")));
        let why = folder.why_not().await;
        assert!(why.contains(&address) && why.contains(&format!(".{key}: ")), "{why}");
        // The password that nobody saw must not be lost: the next start still prints one.
        folder.configure(&text);
        let mut server = folder.run().await;
        assert!(server.line().await.starts_with("First start: "), "{key}");
    }
}

#[tokio::test]
async fn a_database_that_is_half_written_is_named_and_left_alone() {
    let folder = Folder::new();
    folder.run_once().await;
    let database = folder.data().join("tirta.db");
    // With a log, which may be there yet, SQLite would make the file whole again.
    for log in ["tirta.db-wal", "tirta.db-shm"] {
        let _ = std::fs::remove_file(folder.data().join(log));
    }
    let whole = std::fs::read(&database).unwrap();
    for (what, bytes) in [("cut in half", whole[..whole.len() / 2].to_vec()), ("rubbish", vec![b'x'; 8192])] {
        std::fs::write(&database, &bytes).unwrap();
        let why = folder.why_not().await;
        assert!(why.contains("tirta.db") && why.contains("database"), "{what}: {why}");
        assert_eq!(std::fs::read(&database).unwrap(), bytes, "{what}");
    }
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_named_and_never_replaced() {
    let folder = Folder::new();
    folder.run_once().await;
    for name in ["ca.key", "ca.pem"] {
        let file = folder.data().join(name);
        let whole = std::fs::read(&file).unwrap();
        let half = &whole[..whole.len() / 2];
        std::fs::write(&file, half).unwrap();
        assert!(folder.why_not().await.contains(name));
        assert_eq!(std::fs::read(&file).unwrap(), half, "{name}");
        std::fs::remove_file(&file).unwrap();
        assert!(folder.why_not().await.contains(name));
        std::fs::File::create(&file).unwrap().write_all(&whole).unwrap();
    }
    assert!(folder.run().await.line().await.starts_with("Ready: "));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_named_with_its_key() {
    let folder = Folder::new();
    let text = config_text(&folder.data());
    for (from, to, key) in [
        ("data_dir", "data_dri", "data_dri"),
        ("plain = \"127.0.0.1:0\"", "plain = \"0.0.0.0:0\"", "http.plain"),
        ("[http]", "log = \"info,[\"\n[http]", "log"),
        ("[http]", "database_url = \"mysql://x\"\n[http]", "database_url"),
        ("[http]", "public_hosts = [\"not a name\"]\n[http]", "public_hosts"),
    ] {
        folder.configure(&text.replace(from, to));
        let why = folder.why_not().await;
        assert!(why.contains(key), "{key}: {why}");
    }
    std::fs::remove_file(folder.config()).unwrap();
    let why = folder.why_not().await;
    assert!(why.contains(&folder.config().display().to_string()), "{why}");
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_one_more_command_beside_the_running_server() {
    let site = crate::site::Site::start().await;
    let folder = Folder { dir: tempfile::tempdir().unwrap() };
    folder.configure(&config_text(&site.dir.path().join("data")));
    let cookie = site.sign_in().await;
    let output = folder.output("new-password").await;
    let line = String::from_utf8(output.stdout).unwrap();
    let new = line.split('"').nth(3).unwrap();

    let home = std::net::Ipv4Addr::LOCALHOST;
    assert_eq!(site.try_password(home, &site.password).await.status, 401);
    assert_eq!(site.try_password(home, new).await.status, 200);
    assert_eq!(site.get(&cookie, "/api/v1/session").await.status, 401, "old sessions are over");
    site.stop().await;
}

#[tokio::test]
async fn an_export_without_a_database_makes_none() {
    let folder = Folder::new();
    let output = folder.output("export").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("tirta.db"));
    assert!(!Path::new(&folder.data()).exists());
}

#[tokio::test]
async fn the_openapi_command_prints_the_committed_document() {
    let output = Command::new(env!("CARGO_BIN_EXE_tirta-server")).arg("openapi").output().await.unwrap();
    assert!(output.status.success());
    assert!(output.stdout == include_bytes!("../../openapi.json"));
}
