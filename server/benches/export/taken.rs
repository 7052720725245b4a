//! Takes a file from the server as a browser does, and counts what is in it. Of archives it keeps the bytes: it is not measured.

use std::io::{self, Error};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What came.
pub struct Taken {
    pub rows: u64,
    pub bytes: u64,
}

/// Takes a file that comes in chunks to its end.
///
/// # Errors
/// When it breaks off, or the server refuses.
pub async fn take(port: u16, key: &str, path: &str, is_archive: bool) -> io::Result<Taken> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if !line.contains(" 200 ") {
        return Err(Error::other(line));
    }
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let (mut lines, mut bytes, mut archive, mut chunk) = (0, 0, vec![], vec![]);
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(Error::other)?;
        chunk.resize(length + 2, 0);
        stream.read_exact(&mut chunk).await?;
        if length == 0 {
            break;
        }
        bytes += length as u64;
        if is_archive {
            archive.extend_from_slice(&chunk[..length]);
        } else {
            lines += chunk[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
    let rows = if is_archive { rows_of(archive)? } else { lines - 1 };
    Ok(Taken { rows, bytes })
}

/// The lines of the tables of readings without their headings, counted by unpacking them.
fn rows_of(archive: Vec<u8>) -> io::Result<u64> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(archive)).map_err(Error::other)?;
    let mut rows = 0;
    for n in 0..archive.len() {
        let member = archive.by_index(n).map_err(Error::other)?;
        if member.name().map_err(Error::other)?.starts_with("readings/") {
            rows += io::BufRead::lines(io::BufReader::new(member)).count() as u64 - 1;
        }
    }
    Ok(rows)
}
