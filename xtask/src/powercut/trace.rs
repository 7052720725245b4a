//! Reads what `strace` wrote: every call of a process that changes a file, with all its data.
//!
//! Calls of several threads are mixed; one that another thread interrupts is written in two parts. A
//! call that this can't read is an error, for a change that is overlooked would make the replay a lie.

use std::collections::HashMap;
use std::path::PathBuf;

/// One call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A file is opened.
    Open {
        /// Under this number from now on.
        fd: i32,
        /// Which one.
        path: PathBuf,
        /// It is made if it is not there.
        create: bool,
        /// It is emptied.
        truncate: bool,
    },
    /// A number is free again.
    Close(i32),
    /// Bytes are written; without a place, where the last ones ended.
    Write {
        /// Into which file.
        fd: i32,
        /// Where.
        at: Option<u64>,
        /// What.
        data: Vec<u8>,
    },
    /// A file is cut or lengthened.
    Resize {
        /// Which one.
        fd: i32,
        /// Its length afterwards.
        length: u64,
    },
    /// A file or folder is flushed.
    Sync(i32),
    /// A name is given to a file.
    Rename {
        /// The former name.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// A name is removed.
    Remove(PathBuf),
    /// A folder is made.
    Folder(PathBuf),
    /// The process says something on its standard output.
    Said(String),
}

/// All calls that the reader understands, as `strace` wants them; and those that it must not overlook.
pub const TRACED: &str = "trace=open,openat,creat,close,write,pwrite64,ftruncate,rename,renameat,renameat2,unlink,unlinkat,\
    mkdir,mkdirat,fsync,fdatasync,writev,pwritev,pwritev2,truncate,fallocate,link,linkat,symlink,symlinkat,rmdir,\
    copy_file_range,sendfile,dup,dup2,dup3,sync_file_range";

/// Reads the whole text.
///
/// # Errors
/// The line that can't be read.
pub fn read(text: &str) -> Result<Vec<Call>, String> {
    let mut calls = vec![];
    let mut begun: HashMap<&str, &str> = HashMap::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').ok_or(line)?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            // A number is free as soon as closing begins: another thread may get it before this one goes on.
            if start.starts_with("close(") {
                calls.extend(one(&format!("{start}) = 0"))?);
            }
            begun.insert(thread, start);
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").ok_or(line)?;
            let start = begun.remove(thread).ok_or(line)?;
            if !start.starts_with("close(") {
                calls.extend(one(&format!("{start}{end}"))?);
            }
        } else {
            calls.extend(one(rest)?);
        }
    }
    Ok(calls)
}

/// One whole line; none if the call failed or changes nothing.
fn one(line: &str) -> Result<Option<Call>, String> {
    let wrong = || format!("{line:.200}");
    let (name, rest) = line.split_once('(').ok_or_else(wrong)?;
    let (arguments, result) = rest.rsplit_once(" = ").ok_or_else(wrong)?;
    let result: i64 = match result.split(' ').next().map(str::parse) {
        Some(Ok(number)) => number,
        // The process ended in the middle of it.
        _ if result.starts_with('?') => return Ok(None),
        _ => return Err(wrong()),
    };
    if result < 0 {
        return Ok(None);
    }
    let arguments = split(arguments.trim_end().strip_suffix(')').ok_or_else(wrong)?);
    let text = |n: usize| arguments.get(n).copied().ok_or_else(wrong);
    let number = |n: usize| text(n)?.parse::<u64>().map_err(|_| wrong());
    let fd = || text(0)?.parse::<i32>().map_err(|_| wrong());
    let path = |n: usize| {
        let bytes = bytes(text(n)?).ok_or_else(wrong)?;
        String::from_utf8(bytes).map(PathBuf::from).map_err(|_| wrong())
    };
    let open = |path: PathBuf, flags: &str| {
        if flags.contains("O_APPEND") {
            return Err(wrong());
        }
        let fd = i32::try_from(result).map_err(|_| wrong())?;
        Ok(Call::Open { fd, path, create: flags.contains("O_CREAT"), truncate: flags.contains("O_TRUNC") })
    };
    let written = |at: Option<u64>| {
        let mut data = bytes(text(1)?).ok_or_else(wrong)?;
        data.truncate(usize::try_from(result).map_err(|_| wrong())?);
        let said = |data: &[u8]| Call::Said(String::from_utf8_lossy(data).trim_end().to_owned());
        let fd = fd()?;
        Ok::<_, String>(if fd == 1 { said(&data) } else { Call::Write { fd, at, data } })
    };
    let call = match name {
        "open" => open(path(0)?, text(1)?)?,
        "openat" => open(path(1)?, text(2)?)?,
        "creat" => open(path(0)?, "O_CREAT|O_TRUNC")?,
        "close" => Call::Close(fd()?),
        "write" => written(None)?,
        "pwrite64" => written(Some(number(3)?))?,
        "ftruncate" => Call::Resize { fd: fd()?, length: number(1)? },
        "fsync" | "fdatasync" => Call::Sync(fd()?),
        "rename" => Call::Rename { from: path(0)?, to: path(1)? },
        "renameat" | "renameat2" => Call::Rename { from: path(1)?, to: path(3)? },
        "unlink" => Call::Remove(path(0)?),
        "unlinkat" => Call::Remove(path(1)?),
        "mkdir" => Call::Folder(path(0)?),
        "mkdirat" => Call::Folder(path(1)?),
        _ => return Err(wrong()),
    };
    Ok(Some(call))
}

/// The arguments. Strings are in hexadecimal, so a comma in one can't be.
fn split(arguments: &str) -> Vec<&str> {
    arguments.split(", ").collect()
}

/// `"\x41\x42"`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len() / 4);
    let mut left = inner.as_bytes();
    while let [b'\\', b'x', high, low, rest @ ..] = left {
        let digit = |c: u8| char::from(c).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        left = rest;
    }
    left.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_two_threads_are_put_together_again() {
        let text = concat!(
            "7 openat(AT_FDCWD, \"\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 5\n",
            "7 pwrite64(5, \"\\x41\\x42\\x43\", 3, 4096) = 2\n",
            "7 fsync(5 <unfinished ...>\n",
            "8 write(1, \"\\x68\\x69\\x0a\", 3) = 3\n",
            "7 <... fsync resumed>)                   = 0\n",
            "8 close(5 <unfinished ...>\n",
            "7 unlink(\"\\x2f\\x62\") = -1 ENOENT (No such file or directory)\n",
            "8 <... close resumed>) = 0\n",
            "8 +++ exited with 0 +++\n",
        );
        let open = Call::Open { fd: 5, path: "/a".into(), create: true, truncate: false };
        let write = Call::Write { fd: 5, at: Some(4096), data: b"AB".to_vec() };
        let expected = [open, write, Call::Said("hi".to_owned()), Call::Sync(5), Call::Close(5)];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn a_call_that_would_be_overlooked_is_an_error() {
        for line in [
            "7 writev(5, [{iov_base=\"\\x41\", iov_len=1}], 1) = 1",
            "7 openat(AT_FDCWD, \"\\x2f\\x61\", O_WRONLY|O_CREAT|O_APPEND, 0644) = 5",
            "7 write(5, \"\\x41\"..., 100) = 100",
            "nonsense",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
