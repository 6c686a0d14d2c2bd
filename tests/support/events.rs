//! Hears what the server tells.

use std::sync::{Arc, Mutex};

use oauth_core::event::{Event, EventSink};

/// Every event so far, as `name Debug-output`. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    pub(crate) fn count(&self, name: &str) -> usize {
        self.all().iter().filter(|event| event.split(' ').next() == Some(name)).count()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Those since it was last called.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl EventSink for Events {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{} {event:?}", event.name()));
    }
}
