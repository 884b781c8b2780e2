//! The `probav-ard` command: arguments to one library call, nothing more.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
