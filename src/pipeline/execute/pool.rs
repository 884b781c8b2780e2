//! The supervisor's side of the worker processes: tasks out, outcomes back, one unit lost at most.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::execute::die_with_parent;
use crate::pipeline::execute::worker::{Message, Order};
use crate::pipeline::plan::unit::{Failure, Outcome, Task};
use crate::types::progress::Progress;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Environment of a worker, unless the user has set it: glibc keeps freed memory for the next array instead of
/// returning it to the kernel page by page (a twentieth of an acquisition's time), and GDAL's block cache has a
/// bound that does not grow with the machine's memory.
const FRUGAL: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("GDAL_CACHEMAX", "128MB"),
];

/// How often waiting looks whether the user asked to stop.
const TICK: Duration = Duration::from_millis(100);
/// Attempts at a unit whose failure may be transient.
const ATTEMPTS: usize = 2;

/// How to start a worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What happens to a task, by its position in the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A worker has taken it.
    Started(usize),
    /// It has come to an end after some wall seconds.
    Ended(usize, Outcome, f64),
}

/// Works through `tasks` with `config.jobs` processes; `on_event` is called on this thread, in the
/// order of events. Tasks not begun when the user asks to stop get no event.
///
/// # Errors
/// What `on_event` returns; the workers are then stopped.
pub(crate) fn run(
    command: &WorkerCommand,
    config: &Config,
    tasks: &[Task],
    progress: &dyn Progress,
    on_event: &mut dyn FnMut(Event) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let jobs = config.jobs.clamp(1, tasks.len().max(1));
    std::thread::scope(|scope| {
        let (sender, events) = mpsc::channel();
        for _ in 0..jobs {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            // a worker's life hangs on the thread that starts it, so each has a thread of its own
            scope.spawn(move || tend(command, config, tasks, next, stop, &sender));
        }
        drop(sender);
        let mut result = Ok(());
        loop {
            match events.recv_timeout(TICK) {
                Ok(event) => {
                    if result.is_ok() {
                        result = on_event(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if result.is_err() || progress.cancelled() {
                stop.store(true, Ordering::Relaxed);
            }
        }
        result
    })
}

/// One worker process and, after a crash, its successors.
fn tend(
    command: &WorkerCommand,
    config: &Config,
    tasks: &[Task],
    next: &AtomicUsize,
    stop: &AtomicBool,
    events: &Sender<Event>,
) {
    let timeout = Duration::from_secs(config.timeout.max(1));
    let mut worker: Option<Process> = None;
    while !stop.load(Ordering::Relaxed) {
        let i = next.fetch_add(1, Ordering::Relaxed);
        let Some(task) = tasks.get(i) else { break };
        let begin = Instant::now();
        if events.send(Event::Started(i)).is_err() {
            break;
        }
        let mut outcome = None;
        for attempt in 1..=ATTEMPTS {
            let reply = match worker
                .take()
                .map_or_else(|| Process::start(command, config), Ok)
            {
                Ok(mut process) => {
                    let reply = process.perform(task, timeout, stop);
                    if !matches!(reply, Reply::Lost(_)) {
                        worker = Some(process);
                    }
                    reply
                }
                Err(error) => Reply::Lost(error.to_string()),
            };
            let done = match reply {
                Reply::Cancelled => return,
                Reply::Ended(outcome) => outcome,
                Reply::Lost(reason) => Outcome::Failed {
                    reason,
                    class: Failure::Crash,
                },
            };
            let again = matches!(&done, Outcome::Failed { class, .. } if class.is_transient());
            if let (true, Outcome::Failed { reason, .. }) = (again && attempt < ATTEMPTS, &done) {
                tracing::warn!(unit = %task.unit, %reason, "trying once more");
            }
            outcome = Some(done);
            if !again {
                break;
            }
        }
        if let Some(outcome) = outcome {
            let seconds = begin.elapsed().as_secs_f64();
            if events.send(Event::Ended(i, outcome, seconds)).is_err() {
                break;
            }
        }
    }
}

enum Reply {
    Ended(Outcome),
    Lost(String),
    Cancelled,
}

/// A running worker; killed when dropped.
struct Process {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Message>,
}

impl Process {
    fn start(command: &WorkerCommand, config: &Config) -> Result<Process, PipelineError> {
        let broken = |e: std::io::Error| {
            PipelineError::Worker(format!("{}: cannot start: {e}", command.program.display()))
        };
        let mut start = Command::new(&command.program);
        start
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            start.env(
                "RAYON_NUM_THREADS",
                cores.div_ceil(config.jobs.max(1)).to_string(),
            );
        }
        for (name, value) in FRUGAL {
            if std::env::var_os(name).is_none() {
                start.env(name, value);
            }
        }
        die_with_parent::bind(&mut start);
        let mut child = start.spawn().map_err(broken)?;
        let (stdin, stdout) = match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => (stdin, stdout),
            _ => return Err(PipelineError::Worker("no pipes to the child".to_string())),
        };
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // a foreign library may print to standard output: not for us
                if let Ok(message) = serde_json::from_str(&line)
                    && sender.send(message).is_err()
                {
                    break;
                }
            }
        });
        let mut process = Process {
            child,
            stdin,
            messages,
        };
        if process
            .send(&Order::Configure(Box::new(config.clone())))
            .is_err()
        {
            return Err(PipelineError::Worker(process.death()));
        }
        Ok(process)
    }

    fn send(&mut self, order: &Order) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.stdin.write_all(&line)?;
        self.stdin.flush()
    }

    /// Sends a task and waits for its end; silence longer than `timeout` is a hang.
    fn perform(&mut self, task: &Task, timeout: Duration, stop: &AtomicBool) -> Reply {
        if self.send(&Order::Perform(task.clone())).is_err() {
            return Reply::Lost(PipelineError::Worker(self.death()).to_string());
        }
        let mut heard = Instant::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Reply::Cancelled;
            }
            match self.messages.recv_timeout(TICK) {
                Ok(Message::Ended { key, outcome }) if key == task.key => {
                    return Reply::Ended(outcome);
                }
                Ok(_) => heard = Instant::now(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Reply::Lost(PipelineError::Worker(self.death()).to_string());
                }
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > timeout => {
                    return Reply::Lost(format!(
                        "worker: gave no sign of life for {} s and was stopped; \
                         raise `timeout` if the machine is slow",
                        timeout.as_secs()
                    ));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Words for how the process died.
    fn death(&mut self) -> String {
        use std::os::unix::process::ExitStatusExt;
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => match status.signal() {
                Some(libc::SIGKILL) => {
                    "was killed (signal 9), perhaps for want of memory; use fewer --jobs"
                        .to_string()
                }
                Some(signal) => format!("crashed (signal {signal})"),
                None => format!("ended early ({status})"),
            },
            Err(e) => format!("is lost: {e}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::unit::Unit;
    use crate::types::grid::Resolution;
    use crate::types::progress::Silent;
    use serde_json::json;

    /// Runs two tasks on workers that are a shell script each; outcomes by task.
    fn outcomes(script: &str, jobs: usize) -> Vec<Outcome> {
        let command = WorkerCommand {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
        };
        let config = Config {
            jobs,
            timeout: 1,
            ..Config::default()
        };
        let tasks: Vec<Task> = [Resolution::M100, Resolution::M300]
            .into_iter()
            .map(|resolution| {
                let tile = "31UFR".parse().unwrap();
                Task::new(
                    Unit::Screen { tile, resolution },
                    json!(resolution.code()),
                    vec![],
                )
            })
            .collect();
        let mut ended = vec![None; 2];
        run(&command, &config, &tasks, &Silent, &mut |event| {
            if let Event::Ended(i, outcome, _) = event {
                ended[i] = Some(outcome);
            }
            Ok(())
        })
        .unwrap();
        ended.into_iter().map(Option::unwrap).collect()
    }

    /// Answers every task with "done".
    const ANSWER: &str = r#"sed -n 's/.*"key":"\([0-9a-f]*\)".*/\1/p' | while read -r key; do
        echo "{\"ended\":{\"key\":\"$key\",\"outcome\":{\"outcome\":\"done\",\"product\":\"p\",\"notes\":[]}}}"; done"#;

    fn failure(outcome: &Outcome) -> &str {
        match outcome {
            Outcome::Failed { reason, class } => {
                assert_eq!(*class, Failure::Crash);
                reason
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn workers_answer_and_noise_on_standard_output_is_ignored() {
        let script = format!("echo 'library banner'; exec {}", ANSWER.trim_start());
        let script = script.replace("exec sed", "sed -u");
        for outcome in outcomes(&script, 2) {
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn a_crash_costs_one_unit_and_says_how_the_worker_died() {
        for outcome in outcomes("read config; read task; kill -SEGV $$", 1) {
            assert!(failure(&outcome).contains("signal 11"), "{outcome:?}");
        }
        for outcome in outcomes("exit 7", 1) {
            assert!(failure(&outcome).contains("exit status: 7"), "{outcome:?}");
        }
    }

    #[test]
    fn a_crash_that_does_not_repeat_is_made_good() {
        let dir = tempfile::tempdir().unwrap();
        let flag = dir.path().join("crashed").display().to_string();
        let script = format!(
            "if [ ! -e {flag} ]; then touch {flag}; kill -KILL $$; fi; {}",
            ANSWER.replacen("sed -n", "sed -u -n", 1)
        );
        for outcome in outcomes(&script, 1) {
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        }
    }

    #[test]
    fn a_hang_is_ended_by_the_timeout() {
        for outcome in outcomes("exec sleep 600", 2) {
            assert!(failure(&outcome).contains("no sign of life"), "{outcome:?}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_fails_the_units() {
        let command = WorkerCommand {
            program: "/nonexistent/probav-ard".into(),
            args: vec![],
        };
        assert!(Process::start(&command, &Config::default()).is_err());
    }
}
