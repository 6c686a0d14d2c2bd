//! What the resource server costs, against the bare service in the same run:
//! `cargo bench -p oauth-tower --bench resource`.
//!
//! Prints a table for each of the first five things that this crate promises of
//! its speed, and what it promises; `--bench memory` prints the sixth. Ratios
//! carry over from machine to machine better than nanoseconds do. A word as an
//! argument picks the tables whose name has it: `-- hit`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout, reason = "a benchmark")]

mod cold;
mod fixture;
mod flood;
mod hit;
mod http;
mod measure;
mod stampede;
mod upstream;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// `cargo test` runs benchmarks too, to see that they still work.
    timed: bool,
}

impl Scale {
    fn of<T>(self, timed: T, tried: T) -> T {
        if self.timed { timed } else { tried }
    }
}

/// Prints one table, or two.
type Table = fn(Scale);

const TABLES: [(&str, Table); 5] = [
    ("hit", hit::table),
    ("http", http::table),
    ("cold", cold::table),
    ("stampede", stampede::table),
    ("flood", flood::table),
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let scale = Scale { timed: arguments.iter().any(|argument| argument == "--bench") };
    let words: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    for (name, table) in TABLES {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            table(scale);
        }
    }
}
