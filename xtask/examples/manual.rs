//! Writes man pages and shell completions of all programs, each below a folder with the program's name, laid out as on a
//! Debian machine. They are made from the very arguments that the programs parse; the programs carry nothing of it.
#![allow(dead_code, missing_docs)] // only the arguments are used of what is taken in here

#[path = "../../agent/src/arguments.rs"]
mod agent;
#[path = "../../provisioning/src/command/mod.rs"]
mod command;
#[path = "../../server/src/arguments.rs"]
mod server;

use clap::CommandFactory;
use clap_complete::{
    Generator,
    shells::{Bash, Fish, Zsh},
};
use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::args_os().nth(1).ok_or("which folder to write to?")?;
    let programs = [agent::Arguments::command(), command::Cli::command(), server::Cli::command()];
    programs.into_iter().try_for_each(|program| write(program, Path::new(&out)))
}

fn write(mut program: clap::Command, out: &Path) -> Result<(), Box<dyn Error>> {
    let name = program.get_name().to_owned();
    let share = out.join(&name).join("usr/share");
    let man = share.join("man/man1");
    fs::create_dir_all(&man)?;
    // Before the completions, which would add pages about `help`.
    clap_mangen::generate_to(program.clone().disable_help_subcommand(true), man)?;
    complete(Bash, &mut program, &share.join("bash-completion/completions").join(&name))?;
    complete(Zsh, &mut program, &share.join("zsh/vendor-completions").join(format!("_{name}")))?;
    complete(Fish, &mut program, &share.join("fish/vendor_completions.d").join(format!("{name}.fish")))
}

fn complete(shell: impl Generator, program: &mut clap::Command, file: &Path) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let name = program.get_name().to_owned();
    clap_complete::generate(shell, program, name, &mut fs::File::create(file)?);
    Ok(())
}
