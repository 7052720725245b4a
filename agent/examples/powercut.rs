//! The victim of `cargo xtask powercut`, and the examiner of what its card could hold afterwards. Both use the
//! agent's own buffer, settings, identity and files; neither knows how the cut is made. Not a part of the agent.

#[path = "powercut/examiner.rs"]
mod examiner;
#[path = "powercut/life.rs"]
mod life;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lives a busy life in a folder, and prints a line whenever the library said that something is safe.
    Live {
        folder: PathBuf,
        seed: u64,
        /// How many things it does.
        deeds: u32,
    },
    /// Judges folders: a case in JSON on each line of the input, a verdict in JSON on each of the output.
    Examine,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Arguments::parse().command {
        Command::Live { folder, seed, deeds } => runtime.block_on(life::live(&folder, seed, deeds)),
        Command::Examine => {
            for line in std::io::stdin().lock().lines() {
                let verdict = runtime.block_on(examiner::examine(&serde_json::from_str(&line?)?));
                let mut output = std::io::stdout().lock();
                writeln!(output, "{}", serde_json::to_string(&verdict)?)?;
                output.flush()?;
            }
            Ok(())
        }
    }
}
