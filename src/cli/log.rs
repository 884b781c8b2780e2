//! Messages on standard error: one event is one line, whatever the names in it, and a broken standard error stops nothing.

use super::{Global, LogFormat, bars::Bars};
use probav_ard::types::text;
use std::io::{self, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Messages go to standard error, past the bars; GDAL's own go the same way.
pub(super) fn start(global: &Global, bars: &Bars) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let filter =
        EnvFilter::try_from_env("PROBAV_ARD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let coloured = bars.is_on() && global.log_format == LogFormat::Text;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // its own words about a failed write would go to the same broken place, and panic
        .log_internal_errors(false)
        .with_writer(Stderr {
            bars: bars.clone(),
            form: match global.log_format {
                LogFormat::Json => Form::Json,
                LogFormat::Text if coloured => Form::Coloured,
                LogFormat::Text => Form::Plain,
            },
        });
    match global.log_format {
        LogFormat::Text => log.without_time().with_ansi(coloured).init(),
        LogFormat::Json => log.json().init(),
    }
    gdal::config::set_error_handler(|class, number, message| {
        tracing::debug!(?class, number, message, "gdal");
    });
}

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// With the colours of the logger itself.
    Coloured,
    Json,
}

/// Standard error with the bars out of the way.
#[derive(Clone)]
struct Stderr {
    bars: Bars,
    form: Form,
}

impl Write for Stderr {
    /// Takes one event; what cannot be written is lost, and nobody can be told.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let event = String::from_utf8_lossy(buffer);
        let line = one_line(&event, self.form);
        self.bars.suspend(|| {
            let _ = io::stderr().write_all(line.as_bytes());
        });
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event as one line that no terminal obeys, but for the logger's own colours.
fn one_line(event: &str, form: Form) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let mut line = match form {
        Form::Plain => text::plain(event).into_owned(),
        Form::Json => text::plain_json(event).replace('\n', "\\n"),
        Form::Coloured => {
            let mut parts = event.split("\u{1b}[");
            let mut line = text::plain(parts.next().unwrap_or_default()).into_owned();
            for part in parts {
                let code = part.find(|c: char| !(c.is_ascii_digit() || c == ';'));
                let is_colour = code.is_some_and(|end| part[end..].starts_with('m'));
                line.push_str(if is_colour { "\u{1b}[" } else { "\\u{1b}[" });
                line.push_str(&text::plain(part));
            }
            line
        }
    };
    line.push('\n');
    line
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Stderr;

    fn make_writer(&'a self) -> Stderr {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_no_terminal_obeys() {
        let forged = "x\n ERROR all lost\u{9b}2J\u{1b}]0;title\u{7}\n";
        let line = "x\\n ERROR all lost\\u{9b}2J\\u{1b}]0;title\\u{7}\n";
        assert_eq!(one_line(forged, Form::Plain), line);
        assert_eq!(one_line(forged, Form::Coloured), line);
    }

    #[test]
    fn colours_of_the_logger_stay_and_other_escapes_do_not() {
        let event = "\u{1b}[33m WARN\u{1b}[0m file\u{1b}[2J\n";
        assert_eq!(
            one_line(event, Form::Coloured),
            "\u{1b}[33m WARN\u{1b}[0m file\\u{1b}[2J\n"
        );
        assert!(!one_line(event, Form::Plain).contains('\u{1b}'));
    }

    #[test]
    fn json_stays_json_of_the_same_value() {
        let value = serde_json::json!({"name": "a\u{202e}\u{9b}b\n"});
        let line = one_line(&format!("{value}\n"), Form::Json);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\u{202e}'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap(),
            value
        );
    }
}
