//! The `probav-ard` command: arguments to one library call, nothing more.

mod cli;

fn main() -> std::process::ExitCode {
    // SAFETY: nothing has started a thread yet.
    unsafe { cli::environment::settle() };
    cli::main()
}
