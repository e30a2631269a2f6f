//! The `weir` command: reads the command line and hands over to one file per command.
//!
//! Exit codes: 0, 1 the program failed, 2 usage, 3 the script does not compile, 4 tests failed, 5 not formatted, 98 address in use.

mod check;
mod explain;
mod fmt;
mod httpd;
mod limits;
mod reload;
mod repl;
mod run;
mod script;
mod test;
mod units;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// A small, statically typed scripting language with an HTTP server inside
#[derive(Parser)]
#[command(
    version,
    subcommand_required = false,
    override_usage = "weir\n       weir FILE [ARGS]...\n       weir -e CODE [ARGS]...\n       weir - [ARGS]...\n       weir COMMAND",
    after_help = "`weir` alone is a session, `weir FILE` runs a script, `weir -` one from standard input; `weir httpd FILE` serves it."
)]
struct Cli {
    /// Run this code instead of a file
    #[arg(short, long = "eval", value_name = "CODE")]
    e: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(alias = "serve")]
    Httpd(Box<httpd::Httpd>),
    Check(check::Check),
    Fmt(fmt::Fmt),
    Test(test::Test),
    Explain(explain::Explain),
    /// A script and its arguments.
    #[command(external_subcommand)]
    Script(Vec<OsString>),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match (cli.e, cli.command) {
        (Some(code), Some(Command::Script(args))) => run::code(code, args),
        (Some(code), None) => run::code(code, Vec::new()),
        (Some(_), Some(_)) => Err(script::usage("-e stands before a script's arguments, or behind `httpd`")),
        (None, Some(Command::Script(args))) => run::file(args),
        (None, Some(Command::Httpd(command))) => httpd::run(*command),
        (None, Some(Command::Check(command))) => check::run(command),
        (None, Some(Command::Fmt(command))) => fmt::run(command),
        (None, Some(Command::Test(command))) => test::run(command),
        (None, Some(Command::Explain(command))) => explain::run(command),
        (None, None) => repl::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(code) => ExitCode::from(code),
    }
}
