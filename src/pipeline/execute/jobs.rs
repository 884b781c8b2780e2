//! What workers are asked to do: units of a plan, and looks at files.

use super::pool::{self, Event, Job, Loss, WorkerCommand};
use super::worker::{Message, Order, Worker};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::look::{Look, Looked, Looker};
use crate::pipeline::plan::unit::{Failure, Outcome, Task};
use crate::types::progress::Progress;
use std::time::Duration;

/// Longest time that one file may take to be looked at, seconds; chosen: a segment takes some hundredths of one.
const LOOK_S: u64 = 60;

impl Job for Task {
    type Answer = Outcome;

    fn order(&self) -> Order {
        Order::Perform(self.clone())
    }

    fn answer(&self, message: Message) -> Option<Outcome> {
        match message {
            Message::Ended { key, outcome } if key == self.key => Some(outcome),
            _ => None,
        }
    }

    fn lost(&self, loss: Loss) -> Outcome {
        Outcome::Failed {
            reason: loss.reason,
            class: match loss.by_the_job {
                true => Failure::Crash,
                false => Failure::System,
            },
        }
    }

    fn is_transient(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Failed { class, .. } if class.is_transient())
    }

    fn name(&self) -> String {
        self.unit.to_string()
    }
}

impl Job for Look {
    type Answer = Result<Looked, Loss>;

    fn order(&self) -> Order {
        Order::Look(self.clone())
    }

    fn answer(&self, message: Message) -> Option<Self::Answer> {
        match message {
            Message::Looked { path, found } if path == self.path => Some(Ok(found)),
            _ => None,
        }
    }

    fn lost(&self, loss: Loss) -> Self::Answer {
        Err(loss)
    }

    fn is_transient(&self, answer: &Self::Answer) -> bool {
        matches!(answer, Err(_) | Ok(Looked::Unseen(_)))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// What a file is that two workers were lost on: bad where the file is to blame.
fn fatal(look: &Look, loss: &Loss) -> Looked {
    let (path, reason) = (look.path.display(), &loss.reason);
    match loss.by_the_job {
        true => Looked::Bad(format!(
            "{path}: it brings down the program that opens it ({reason}); download the file again"
        )),
        false => Looked::Unseen(format!("{path}: {reason}")),
    }
}

/// Looks by worker processes where there are any, else by this one.
pub(super) struct Scouts<'a> {
    pub(super) config: &'a Config,
    pub(super) workers: Option<&'a WorkerCommand>,
    pub(super) progress: &'a dyn Progress,
}

impl Looker for Scouts<'_> {
    fn look(&mut self, looks: &[Look]) -> Result<Vec<Looked>, PipelineError> {
        let Some(command) = self.workers else {
            let worker = Worker::new(self.config.clone());
            return Ok(looks.iter().map(|one| worker.look(one)).collect());
        };
        let mut found: Vec<Option<Looked>> = vec![None; looks.len()];
        let limit = Duration::from_secs(self.config.timeout.clamp(1, LOOK_S));
        pool::run(
            command,
            self.config,
            looks,
            limit,
            self.progress,
            &mut |event| {
                if let Event::Ended(i, looked, _) = event {
                    found[i] = Some(looked.unwrap_or_else(|loss| fatal(&looks[i], &loss)));
                }
                Ok(())
            },
        )?;
        let all: Option<Vec<Looked>> = found.into_iter().collect();
        all.ok_or(PipelineError::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::look::Kind;
    use crate::types::progress::Silent;

    /// Looks at files by workers that are a shell script: it answers for every file but those whose names say what befalls it.
    fn looked(names: &[&str]) -> Vec<Looked> {
        let script = r#"while read -r line; do case "$line" in
            *crash.HDF5*) kill -SEGV $$;;
            *hang.HDF5*) exec sleep 600;;
            *starve.HDF5*) kill -KILL $$;;
            *'"look"'*) path=$(echo "$line" | sed 's/.*"path":"\([^"]*\)".*/\1/')
                echo "{\"looked\":{\"path\":\"$path\",\"found\":{\"bad\":\"seen\"}}}";;
        esac; done"#;
        let command = WorkerCommand {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
        };
        let config = Config {
            jobs: 2,
            timeout: 1,
            ..Config::default()
        };
        let looks: Vec<Look> = names
            .iter()
            .map(|name| Look {
                kind: Kind::Segment,
                path: name.into(),
            })
            .collect();
        let mut scouts = Scouts {
            config: &config,
            workers: Some(&command),
            progress: &Silent,
        };
        scouts.look(&looks).unwrap()
    }

    #[test]
    fn a_file_that_brings_down_its_worker_costs_itself() {
        let found = looked(&["a", "crash.HDF5", "b", "hang.HDF5", "starve.HDF5", "c"]);
        let seen = Looked::Bad("seen".into());
        for k in [0, 2, 5] {
            assert_eq!(found[k], seen);
        }
        let bad = |k: usize, words: &str| match &found[k] {
            Looked::Bad(text) => assert!(text.contains(words), "{text}"),
            other => panic!("{other:?}"),
        };
        bad(
            1,
            "crash.HDF5: it brings down the program that opens it (worker: crashed (signal 11))",
        );
        bad(3, "no sign of life");
        // the machine's fault, perhaps: nothing is proven of the file
        assert!(
            matches!(&found[4], Looked::Unseen(text) if text.contains("signal 9")),
            "{found:?}"
        );
    }
}
