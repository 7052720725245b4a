//! The command line of Tirta's edge agent. Everything it does is in the library.

mod arguments;

use agent::cli::calibrate::{Wish, calibrate};
use agent::cli::identify::identify;
use agent::cli::read::{read, table};
use agent::config::{self, Config, ConfigError};
use agent::identify::Blinker;
use agent::identity::{Home, SerialSources};
use agent::lamp::{Lamp, led::LEDS};
use agent::time::{SystemClock, Time};
use agent::{alarm::Alarm, doctor, hostname, records, run, setup};
use arguments::{Arguments, Command};
use clap::Parser;
use shared::calibration::RecordId;
use std::error::Error;
use std::future::Future;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// How a command ended.
type Ended = Result<ExitCode, Box<dyn Error>>;

/// Between two tables.
const AGAIN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run_agent(arguments),
        Command::Records(configured) => print_records(&configured.config),
        Command::Calibrate(arguments) => calibrate_probe(arguments),
        Command::Read(arguments) => print_readings(&arguments),
        Command::Identify(arguments) => blink(&arguments),
        Command::Doctor(arguments) => examine(&arguments),
        Command::SetHostname(arguments) => set_hostname(&arguments),
        Command::ApplySetup(arguments) => apply_setup(&arguments),
    };
    done.unwrap_or_else(|error| {
        // The log may not be set up yet.
        let _ = writeln!(std::io::stderr(), "tirta-agent: {error}");
        ExitCode::FAILURE
    })
}

/// Runs something on one thread: plenty for one connection, and it keeps the agent small.
fn on_one_thread(work: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // A name look-up or a read of the terminal may still be going on in its thread.
    runtime.shutdown_background();
    done
}

/// Resolves at Ctrl-C.
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn run_agent(arguments: arguments::Run) -> Ended {
    // Who stands before the board sees that it can't run.
    let alarmed = |_: &ConfigError| Lamp::new(Path::new(LEDS), &config::Lamp::Usual).end(false);
    let mut config = Config::load(&arguments.configured.config).inspect_err(alarmed)?;
    if let Some(serial) = arguments.serial {
        config.simulate(serial)?;
    }
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| ConfigError::Field { field: "log".to_owned(), problem: error.to_string() })?;
    // A log that can't be written (a full disk) would be complained about on the same output, and end the thread.
    let log = tracing_subscriber::fmt().log_internal_errors(false);
    log.with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    on_one_thread(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        run::run(config, Arc::new(SystemClock), stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn print_records(path: &Path) -> Ended {
    let config = Config::load(path)?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    records::print(&config.data_dir, &mut output)?;
    Ok(ExitCode::SUCCESS)
}

fn calibrate_probe(arguments: arguments::Calibrate) -> Ended {
    let config = Config::load(&arguments.configured.config)?;
    let wish = Wish {
        session: RecordId::from_random(getrandom::u64()?),
        metric: arguments.metric,
        by: arguments.by,
        buffers: arguments.buffers,
        lot: arguments.lot,
        points: arguments.points,
        yes: arguments.yes,
    };
    on_one_thread(async {
        let output = (std::io::stdout(), std::io::stdout().is_terminal());
        let input = BufReader::new(tokio::io::stdin());
        let in_force = calibrate(&config.data_dir, wish, input, output, interrupted()?).await?;
        Ok(if in_force { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn print_readings(arguments: &arguments::Read) -> Ended {
    let config = Config::load(&arguments.configured.config)?;
    let time = Time::new(Arc::new(SystemClock), config.discipline.clone());
    on_one_thread(async {
        loop {
            let rows = read(&config, &time).await?;
            let text = if arguments.json { serde_json::to_string(&rows)? + "\n" } else { table(&rows) };
            std::io::stdout().write_all(text.as_bytes())?;
            if arguments.once {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(AGAIN).await;
        }
    })
}

fn blink(arguments: &arguments::Identify) -> Ended {
    let config = Config::load(&arguments.configured.config)?;
    on_one_thread(async {
        // Of no use, and not touched, while an agent runs.
        let alarm = if run::is_running(&config.data_dir) { None } else { config.alarm.as_ref() };
        let alarm = Alarm::start(alarm)?;
        let time = Duration::from_secs(arguments.seconds);
        let led = Lamp::new(Path::new(LEDS), &config.lamp).led();
        identify(&config, &Blinker::new(alarm.handle(), led), time, interrupted()?).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn examine(arguments: &arguments::Doctor) -> Ended {
    let path = &arguments.configured.config;
    on_one_thread(async {
        let report = doctor::examine(path, &doctor::Machine::default(), Arc::new(SystemClock)).await;
        let text = if arguments.json { serde_json::to_string(&report)? + "\n" } else { report.to_string() };
        std::io::stdout().write_all(text.as_bytes())?;
        Ok(ExitCode::from(report.verdict.exit_status()))
    })
}

fn set_hostname(arguments: &arguments::SetHostname) -> Ended {
    let config = Config::load(&arguments.configured.config)?;
    let serial = config.serial.map_or_else(|| SerialSources::default().read(), Ok)?;
    let name = Home::new(&config.data_dir).name(serial)?;
    let line = match (name, &arguments.root) {
        (None, _) => "this device has no name yet; the host name stays".to_owned(),
        (Some(name), Some(root)) => format!("{name}: {}", hostname::write(root, &name)?),
        (Some(name), None) => {
            let written = hostname::write(Path::new("/"), &name)?;
            format!("{name}: {}", written.max(hostname::tell_kernel(&name)?))
        }
    };
    writeln!(std::io::stdout(), "{line}")?;
    Ok(ExitCode::SUCCESS)
}

fn apply_setup(arguments: &arguments::ApplySetup) -> Ended {
    let applied = setup::apply(&arguments.file, &arguments.root);
    for done in applied.done {
        writeln!(std::io::stdout(), "{done}")?;
    }
    for problem in &applied.problems {
        writeln!(std::io::stderr(), "tirta-agent: {problem}")?;
    }
    Ok(if applied.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
