//! The supervisor's side of the worker processes: tasks out, outcomes back, one unit lost at most.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::execute::child_process;
use crate::pipeline::execute::worker::{Message, Order};
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
const FRUGAL: [(&str, &str); 4] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("GDAL_CACHEMAX", "128MB"),
    // inputs are only read, and a file system without locks is no damage
    ("HDF5_USE_FILE_LOCKING", "FALSE"),
];

/// How often waiting looks whether the user asked to stop.
const TICK: Duration = Duration::from_millis(100);
/// Attempts at a unit whose failure may be transient.
const ATTEMPTS: usize = 2;

/// Bytes of a MiB, by definition.
const MIB: u64 = 1 << 20;

/// How to start a worker.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What a worker can be asked to do.
pub(crate) trait Job: Sync {
    /// What comes back.
    type Answer: Send;
    /// The line for the worker.
    fn order(&self) -> Order;
    /// The answer to this job in a line of the worker.
    fn answer(&self, message: Message) -> Option<Self::Answer>;
    /// The answer where the worker was lost on it.
    fn lost(&self, loss: Loss) -> Self::Answer;
    /// True when the same job may come to a better end if tried again.
    fn is_transient(&self, answer: &Self::Answer) -> bool;
    /// Its name, for messages.
    fn name(&self) -> String;
}

/// How a worker was lost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loss {
    /// In words.
    pub reason: String,
    /// True where the job itself is to blame: a crash or a hang, not the machine.
    pub by_the_job: bool,
}

/// What happens to a job, by its position in the list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event<A> {
    /// A worker has taken it.
    Started(usize),
    /// It has come to an end after some wall seconds.
    Ended(usize, A, f64),
}

/// Works through `jobs` with `config.jobs` processes; `on_event` is called on this thread, in the order of events. A worker
/// silent for longer than `limit` is given up. Jobs not begun when the user asks to stop get no event.
///
/// # Errors
/// What `on_event` returns; the workers are then stopped.
pub(crate) fn run<J: Job>(
    command: &WorkerCommand,
    config: &Config,
    jobs: &[J],
    limit: Duration,
    progress: &dyn Progress,
    on_event: &mut dyn FnMut(Event<J::Answer>) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let workers = config.jobs.clamp(1, jobs.len().max(1));
    std::thread::scope(|scope| {
        let (sender, events) = mpsc::channel();
        for _ in 0..workers {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            // a worker's life hangs on the thread that starts it, so each has a thread of its own
            scope.spawn(move || tend((command, config), jobs, limit, (next, stop), &sender));
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
fn tend<J: Job>(
    (command, config): (&WorkerCommand, &Config),
    jobs: &[J],
    limit: Duration,
    (next, stop): (&AtomicUsize, &AtomicBool),
    events: &Sender<Event<J::Answer>>,
) {
    let mut worker: Option<Process> = None;
    while !stop.load(Ordering::Relaxed) {
        let i = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(i) else { break };
        let begin = Instant::now();
        if events.send(Event::Started(i)).is_err() {
            break;
        }
        let mut answer = None;
        for attempt in 1..=ATTEMPTS {
            let reply = match worker
                .take()
                .map_or_else(|| Process::start(command, config), Ok)
            {
                Ok(mut process) => {
                    let reply = process.perform(job, limit, stop);
                    if !matches!(reply, Reply::Lost(_)) {
                        worker = Some(process);
                    }
                    reply
                }
                Err(error) => Reply::Lost(Loss {
                    reason: error.to_string(),
                    by_the_job: false,
                }),
            };
            let done = match reply {
                Reply::Cancelled => return,
                Reply::Ended(answer) => answer,
                Reply::Lost(loss) => job.lost(loss),
            };
            let again = job.is_transient(&done);
            if again && attempt < ATTEMPTS {
                tracing::warn!(unit = %job.name(), "the worker was lost, trying once more");
            }
            answer = Some(done);
            if !again {
                break;
            }
        }
        if let Some(answer) = answer {
            let seconds = begin.elapsed().as_secs_f64();
            if events.send(Event::Ended(i, answer, seconds)).is_err() {
                break;
            }
        }
    }
}

enum Reply<A> {
    Ended(A),
    Lost(Loss),
    Cancelled,
}

/// A running worker; killed when dropped.
struct Process {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Message>,
    /// Limit in MiB.
    memory: u64,
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
        child_process::bind(&mut start, config.memory.saturating_mul(MIB));
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
            memory: config.memory,
        };
        if process
            .send(&Order::Configure(Box::new(config.clone())))
            .is_err()
        {
            return Err(PipelineError::Worker(process.death().reason));
        }
        Ok(process)
    }

    fn send(&mut self, order: &Order) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.stdin.write_all(&line)?;
        self.stdin.flush()
    }

    /// Sends a job and waits for its end; silence longer than `limit` is a hang.
    fn perform<J: Job>(&mut self, job: &J, limit: Duration, stop: &AtomicBool) -> Reply<J::Answer> {
        if self.send(&job.order()).is_err() {
            return Reply::Lost(self.death());
        }
        let mut heard = Instant::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Reply::Cancelled;
            }
            match self.messages.recv_timeout(TICK) {
                Ok(message) => match job.answer(message) {
                    Some(answer) => return Reply::Ended(answer),
                    None => heard = Instant::now(),
                },
                Err(RecvTimeoutError::Disconnected) => return Reply::Lost(self.death()),
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > limit => {
                    return Reply::Lost(Loss {
                        reason: format!(
                            "worker: gave no sign of life for {} s and was stopped; \
                             raise `timeout` if the machine is slow",
                            limit.as_secs()
                        ),
                        by_the_job: true,
                    });
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// How the process died.
    fn death(&mut self) -> Loss {
        use std::os::unix::process::ExitStatusExt;
        let _ = self.child.kill();
        let status = self.child.wait();
        let killed = matches!(&status, Ok(s) if s.signal() == Some(libc::SIGKILL));
        let words = match status {
            Ok(_) if killed => {
                "was killed (signal 9), perhaps for want of memory; use fewer --jobs".to_string()
            }
            Ok(status) => match status.signal() {
                Some(libc::SIGABRT) => format!(
                    "crashed (signal 6), perhaps beyond its {} MiB of memory (--memory)",
                    self.memory
                ),
                Some(signal) => format!("crashed (signal {signal})"),
                None => format!("ended early ({status})"),
            },
            Err(e) => format!("is lost: {e}"),
        };
        Loss {
            reason: PipelineError::Worker(words).to_string(),
            by_the_job: !killed,
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
    use crate::pipeline::plan::unit::{Failure, Outcome, Task, Unit};
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
                Task::new(Unit::Screen { tile, resolution }, json!(resolution.code()))
            })
            .collect();
        let mut ended = vec![None; 2];
        let limit = Duration::from_secs(config.timeout);
        run(&command, &config, &tasks, limit, &Silent, &mut |event| {
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
                assert!(class.is_transient());
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
            assert!(matches!(
                outcome,
                Outcome::Failed {
                    class: Failure::Crash,
                    ..
                }
            ));
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
    fn a_worker_has_a_bound_on_its_memory_and_leaves_no_core() {
        // both in units of 1024 bytes
        let limits = format!("[ $(ulimit -d) = {} ] && [ $(ulimit -c) = 0 ]", 8192 * 1024);
        let script = format!("{limits} && {}", ANSWER.replacen("sed -n", "sed -u -n", 1));
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
