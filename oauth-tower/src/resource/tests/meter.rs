//! What is counted: a recorder of the `metrics` facade.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};

use super::{HasIssuer, ResourceServer, ResourceServerBuilder};

/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<Mutex<BTreeMap<String, Series>>>);

#[derive(Clone, Debug)]
enum Series {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Times>),
}

#[derive(Debug, Default)]
struct Times(Mutex<Vec<f64>>);

impl HistogramFn for Times {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

impl Meter {
    /// A server whose counters are these.
    pub(super) fn build(&self, builder: ResourceServerBuilder<HasIssuer>) -> ResourceServer {
        with_local_recorder(self, || builder.build().unwrap())
    }

    pub(super) fn update_gauges(&self, server: &ResourceServer) {
        with_local_recorder(self, || server.update_gauges());
    }

    /// The counters of `name` that have counted something, with the value of
    /// their last label.
    pub(super) fn counts(&self, name: &str) -> Vec<(String, u64)> {
        let all = self.0.lock().unwrap();
        let of_name = all.iter().filter(|(series, _)| series.starts_with(&format!("{name}{{")));
        let counts = of_name.filter_map(|(series, kept)| match kept {
            Series::Counter(count) => Some((last_label(series), count.load(Ordering::SeqCst))),
            _ => None,
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn gauge(&self, series: &str) -> Option<f64> {
        match self.0.lock().unwrap().get(series)? {
            Series::Gauge(bits) => Some(f64::from_bits(bits.load(Ordering::SeqCst))),
            _ => None,
        }
    }

    /// The times that were recorded, by series.
    pub(super) fn times(&self) -> Vec<(String, Vec<f64>)> {
        let all = self.0.lock().unwrap();
        let times = all.iter().filter_map(|(series, kept)| match kept {
            Series::Histogram(times) => Some((series.clone(), times.0.lock().unwrap().clone())),
            _ => None,
        });
        times.filter(|(_, times)| !times.is_empty()).collect()
    }

    /// Every name and label there is.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    fn series(&self, key: &Key, new: Series) -> Series {
        let labels: Vec<String> =
            key.labels().map(|label: &Label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        self.0.lock().unwrap().entry(name).or_insert(new).clone()
    }
}

fn last_label(series: &str) -> String {
    series.trim_end_matches('}').rsplit_once('=').unwrap().1.to_owned()
}

impl Recorder for Meter {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.series(key, Series::Counter(Arc::default())) {
            Series::Counter(count) => Counter::from_arc(count),
            other => panic!("{key} is {other:?}"),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.series(key, Series::Gauge(Arc::default())) {
            Series::Gauge(bits) => Gauge::from_arc(bits),
            other => panic!("{key} is {other:?}"),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.series(key, Series::Histogram(Arc::default())) {
            Series::Histogram(times) => Histogram::from_arc(times),
            other => panic!("{key} is {other:?}"),
        }
    }
}
