//! What the libraries count through the `metrics` facade, in the text format of
//! Prometheus.
//!
//! Programs of your own may prefer `metrics-exporter-prometheus`: this recorder
//! has what these programs need, and no more.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// Keeps every counter, gauge and histogram. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Prometheus(Arc<Mutex<BTreeMap<String, Family>>>);

/// All series of one name.
#[derive(Debug, Default)]
struct Family {
    help: String,
    series: BTreeMap<String, Series>,
}

#[derive(Clone, Debug)]
enum Series {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

/// Upper bounds, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug, Default)]
struct Buckets(Mutex<Recorded>);

#[derive(Clone, Debug, Default)]
struct Recorded {
    within: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Prometheus {
    /// Starts counting. Call it before anything is built that counts. Where
    /// somebody else counts already, there is nothing to show here.
    #[must_use]
    pub fn install() -> Self {
        let own = Self::default();
        if metrics::set_global_recorder(own.clone()).is_err() {
            tracing::warn!("the metrics go elsewhere");
        }
        own
    }

    /// Everything counted so far.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &*self.lock() {
            // Writing into a string does not fail.
            family.write(name, &mut text).unwrap_or_default();
        }
        text
    }

    fn describe(&self, name: &KeyName, help: &SharedString) {
        self.lock().entry(name.as_str().to_owned()).or_default().help = help.to_string();
    }

    fn series(&self, key: &Key, new: Series) -> Series {
        let labels: Vec<_> = key.labels().map(|one| format!("{}=\"{}\"", one.key(), escaped(one.value()))).collect();
        let mut families = self.lock();
        let family = families.entry(key.name().to_owned()).or_default();
        family.series.entry(labels.join(",")).or_insert(new).clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    fn write(&self, name: &str, text: &mut String) -> std::fmt::Result {
        let Some(first) = self.series.values().next() else { return Ok(()) };
        writeln!(text, "# HELP {name} {}", self.help)?;
        writeln!(text, "# TYPE {name} {}", first.kind())?;
        self.series.iter().try_for_each(|(labels, series)| series.write(name, labels, text))
    }
}

impl Series {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }

    fn write(&self, name: &str, labels: &str, text: &mut String) -> std::fmt::Result {
        match self {
            Self::Counter(count) => writeln!(text, "{name}{{{labels}}} {}", count.load(Ordering::Relaxed)),
            Self::Gauge(bits) => writeln!(text, "{name}{{{labels}}} {}", f64::from_bits(bits.load(Ordering::Relaxed))),
            Self::Histogram(buckets) => buckets.lock().write(name, labels, text),
        }
    }
}

impl Buckets {
    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let mut recorded = self.lock();
        recorded.within.iter_mut().zip(BOUNDS).filter(|(_, bound)| value <= *bound).for_each(|(count, _)| *count += 1);
        recorded.count += 1;
        recorded.sum += value;
    }
}

impl Recorded {
    fn write(&self, name: &str, labels: &str, text: &mut String) -> std::fmt::Result {
        for (count, bound) in self.within.iter().zip(BOUNDS) {
            writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
        }
        writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", self.count)?;
        writeln!(text, "{name}_sum{{{labels}}} {}", self.sum)?;
        writeln!(text, "{name}_count{{{labels}}} {}", self.count)
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Recorder for Prometheus {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.series(key, Series::Counter(Arc::default())) {
            Series::Counter(count) => Counter::from_arc(count),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.series(key, Series::Gauge(Arc::default())) {
            Series::Gauge(bits) => Gauge::from_arc(bits),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.series(key, Series::Histogram(Arc::default())) {
            Series::Histogram(buckets) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::{counter, describe_counter, gauge, histogram, with_local_recorder};

    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let own = Prometheus::default();
        with_local_recorder(&own, || {
            describe_counter!("requests_total", "Requests.");
            let hit = counter!("requests_total", "verdict" => "hit");
            hit.increment(2);
            counter!("requests_total", "verdict" => "hit").increment(1);
            counter!("requests_total", "verdict" => "a\"b\\c\n").increment(1);
            gauge!("age", "issuer" => "i").set(1.5);
            histogram!("seconds", "what" => "keys").record(0.03);
            histogram!("seconds", "what" => "keys").record(7.0);
        });
        let text = own.text();
        assert!(text.starts_with("# HELP age \n# TYPE age gauge\nage{issuer=\"i\"} 1.5\n"), "{text}");
        for line in [
            "# HELP requests_total Requests.\n# TYPE requests_total counter\n",
            "requests_total{verdict=\"hit\"} 3\n",
            "requests_total{verdict=\"a\\\"b\\\\c\\n\"} 1\n",
            "# TYPE seconds histogram\n",
            "seconds_bucket{what=\"keys\",le=\"0.025\"} 0\n",
            "seconds_bucket{what=\"keys\",le=\"0.05\"} 1\n",
            "seconds_bucket{what=\"keys\",le=\"5\"} 1\n",
            "seconds_bucket{what=\"keys\",le=\"+Inf\"} 2\n",
            "seconds_sum{what=\"keys\"} 7.03\nseconds_count{what=\"keys\"} 2\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
