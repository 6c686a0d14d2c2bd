//! What is said: a subscriber of `tracing` that keeps every word.

use std::{
    fmt::{Debug, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// Clones share everything.
#[derive(Clone, Default)]
pub(in crate::resource) struct Journal {
    said: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Journal {
    /// Hears what this thread says from now on, at every level.
    pub(in crate::resource) fn start() -> (Self, DefaultGuard) {
        let journal = Self::default();
        let guard = tracing::subscriber::set_default(journal.clone());
        (journal, guard)
    }

    /// One line for each event, span, and field that came later.
    pub(in crate::resource) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// What was said at `level`.
    pub(in crate::resource) fn at(&self, level: Level) -> Vec<String> {
        let said = self.said();
        said.lines().filter(|line| line.starts_with(level.as_str())).map(str::to_owned).collect()
    }

    fn write(&self, level: Level, name: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{level} {name}"));
        record(&mut line);
        writeln!(self.said.lock().unwrap(), "{}", line.0).unwrap();
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Journal {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.write(*span.metadata().level(), span.metadata().name(), |line| span.record(line));
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &span::Id, fields: &span::Record<'_>) {
        self.write(Level::DEBUG, "recorded", |line| fields.record(line));
    }

    fn event(&self, event: &Event<'_>) {
        self.write(*event.metadata().level(), "event", |line| event.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
