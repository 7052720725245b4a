//! `cargo xtask`: the words that a developer types. Each command is a module of the library.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use xtask::{
    alert_latency, bench, boards, chaos, check, day, demo, error::Error, fuzz, image, image_test, packages, powercut,
    prepare,
};

/// Tools of the Tirta project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Starts a server and simulated devices to look at.
    Demo(demo::DemoOptions),
    /// The same while everything goes wrong; then compares what was measured with what is stored.
    Chaos(chaos::ChaosOptions),
    /// Lets many boards provision themselves from one configuration, copies some cards and empties others.
    Fleet(boards::BoardsOptions),
    /// Tries the interface with made-up requests and holds the answers against its document.
    FuzzApi(fuzz::FuzzOptions),
    /// Lets an agent live through a day a thousand times faster, and measures card and memory.
    Day(day::DayOptions),
    /// Cuts the power of an agent a thousand times, and starts it again on what its card could hold.
    Powercut(powercut::PowercutOptions),
    /// Builds the Debian packages and the server's container image.
    Packages(packages::PackagesOptions),
    /// Installs, runs, upgrades and removes the packages in Debian systems made for it.
    PackagesTest(packages::test::TestOptions),
    /// Builds the one image for every Raspberry Pi of a fleet.
    Image(image::ImageOptions),
    /// Starts the image in QEMU as several boards, and compares what they measured with what is stored.
    ImageTest(image_test::ImageTestOptions),
    /// Measures how long it takes until people know that a probe has passed a limit.
    AlertLatency(alert_latency::LatencyOptions),
    /// Measures.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Takes the pictures of the documentation anew.
    Shots(check::ShotsOptions),
    /// Everything that CI checks.
    Test(check::CheckOptions),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: What) -> Result<(), Error> {
    match command {
        What::Demo(options) => {
            if !options.no_build {
                // Before the server, which carries it inside.
                prepare::dashboard()?;
                prepare::programs()?;
                if options.history.is_some() {
                    prepare::past()?;
                }
            }
            demo::run(options).await
        }
        What::Chaos(options) => {
            check::install_one("faketime")?;
            if !options.no_build {
                prepare::programs()?;
            }
            chaos::run(options).await
        }
        What::Fleet(options) => {
            if !options.no_build {
                prepare::programs()?;
            }
            boards::run(&options).await
        }
        What::FuzzApi(options) => {
            if !options.no_build {
                prepare::programs()?;
            }
            fuzz::run_fuzz(&options).await
        }
        What::Day(options) => {
            if !options.no_build {
                prepare::programs()?;
            }
            day::run(&options).await
        }
        What::Powercut(options) => {
            check::install_one("strace")?;
            if !options.no_build {
                prepare::victim()?;
            }
            powercut::run(&options)
        }
        What::Packages(options) => packages::run(&options),
        What::PackagesTest(options) => packages::test::run(&options),
        What::Image(options) => image::run(&options),
        What::ImageTest(options) => image_test::run(&options).await,
        What::AlertLatency(options) => {
            if !options.no_build {
                prepare::programs()?;
            }
            alert_latency::run(&options).await
        }
        What::Bench(what) => bench::run(what).await,
        What::Shots(options) => {
            prepare::dashboard()?;
            prepare::programs()?;
            check::shots(&options).await
        }
        What::Test(options) => check::run_checks(&options).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_commands_are_understood() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        for words in [
            "x demo --devices 5 --seconds 60 --data /tmp/x --http 8081",
            "x demo --devices 20 --history 30d --seed 7",
            "x chaos --seconds 120 --seed 1 --devices 5",
            "x day --hours 6",
            "x fleet --devices 99 --clones 3 --reflash 3",
            "x powercut --cuts 1000 --seed 7",
            "x packages --architecture arm64 --architecture armhf --no-container --out /tmp/x",
            "x packages-test --suite trixie --no-build",
            "x alert-latency --devices 25",
            "x image --fresh --architecture armhf",
            "x image --twice",
            "x image-test --guests 3 --architecture armhf",
            "x image-test --board pi",
            "x fuzz-api --examples 1000 --seconds 3600 --seed 7 --phases fuzzing,stateful --no-build",
            "x bench ingest --devices 200 --seconds 20 --database postgres",
            "x bench export --rows 10000000 --database postgres",
            "x shots --guides",
            "x test --fast",
        ] {
            assert!(Cli::try_parse_from(words.split(' ')).is_ok(), "{words}");
        }
    }
}
