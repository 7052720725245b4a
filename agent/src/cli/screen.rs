//! A terminal with one line that changes all the time above the one that is typed on; without a terminal, plain
//! lines. Knows nothing of what is written.

use std::io::{self, Write};

pub(super) struct Screen<W> {
    out: W,
    /// Whether it is a terminal, which can go back up a line.
    terminal: bool,
    /// Whether the changing line and the prompt are the last that was written.
    painted: bool,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, terminal: bool) -> Self {
        Self { out, terminal, painted: false }
    }

    /// Writes lines that stay.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        if std::mem::take(&mut self.painted) {
            // Prompt and changing line make room.
            self.out.write_all(b"\r\x1b[K\x1b[1A\r\x1b[K")?;
        }
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Writes the line that changes; what is being typed below it stays.
    pub(super) fn live(&mut self, line: &str) -> io::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        if self.painted {
            write!(self.out, "\x1b7\x1b[1A\r\x1b[K{line}\x1b8")?;
        } else {
            write!(self.out, "{line}\n> ")?;
            self.painted = true;
        }
        self.out.flush()
    }

    /// Enter was pressed: the prompt is history.
    pub(super) fn entered(&mut self) {
        self.painted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(terminal: bool) -> String {
        let mut bytes = vec![];
        let mut screen = Screen::new(&mut bytes, terminal);
        screen.say("hello").unwrap();
        screen.live("1 mV").unwrap();
        screen.live("2 mV").unwrap();
        screen.say("taken").unwrap();
        screen.live("3 mV").unwrap();
        screen.entered();
        screen.live("4 mV").unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_file_gets_plain_lines_only() {
        assert_eq!(written(false), "hello\ntaken\n");
    }

    #[test]
    fn a_terminal_keeps_what_is_typed_while_the_line_above_changes() {
        let expected = concat!(
            "hello\n1 mV\n> ",
            "\x1b7\x1b[1A\r\x1b[K2 mV\x1b8",
            "\r\x1b[K\x1b[1A\r\x1b[Ktaken\n3 mV\n> ",
            "4 mV\n> "
        );
        assert_eq!(written(true), expected);
    }
}
