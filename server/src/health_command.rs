//! `tirta-server health`: is the server on this machine ready? For containers, whose image has no other program to ask with.

use server::config::Config;
use std::{error::Error, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A server that does not answer for so long is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, and fails unless the answer is yes.
pub async fn run(config: &Path) -> Result<(), Box<dyn Error>> {
    let address =
        Config::load(config)?.plain.ok_or("http.plain: the configuration has none, so nobody can be asked")?;
    let answer = timeout(PATIENCE, async {
        let mut server = TcpStream::connect(address).await?;
        server.write_all(b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
        let mut answer = String::new();
        server.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = answer.await.map_err(|_| format!("http://{address}: no answer within {} s", PATIENCE.as_secs()))?;
    let answer = answer.map_err(|error| format!("http://{address}: {error}"))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status == "200" { Ok(()) } else { Err(format!("not ready: {}", answer.lines().last().unwrap_or(status)).into()) }
}
