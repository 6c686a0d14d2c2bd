//! Tokens per second of one core at the token endpoint, beside npm's `oidc-provider` and
//! beside what signing alone costs.
//!
//! `cargo bench [-- SECONDS_OF_A_ROUND [ROUNDS]]` prints a table in Markdown and a verdict for
//! each bar. README.md says more.

#[path = "client.rs"]
mod client;
#[path = "contender.rs"]
#[allow(dead_code, reason = "the other program measures services with it")]
mod contender;
#[path = "tokens/cores.rs"]
mod cores;
#[path = "tokens/forms.rs"]
mod forms;
#[path = "tokens/limit.rs"]
mod limit;
#[path = "tokens/ours.rs"]
mod ours;
#[path = "tokens/provider.rs"]
mod provider;
#[path = "tokens/report.rs"]
mod report;
#[path = "tokens/server.rs"]
mod server;

use std::{env, process::ExitCode, time::Duration};

use self::{
    cores::Cores,
    forms::Form,
    report::Report,
    server::{Rates, Server},
};

/// What this program is called with when it is to serve.
const SERVE: &str = "serve";

/// For how long everybody is asked before anything is counted: Node.js compiles what is hot.
const WARM_UP: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [word, form] = &arguments[..]
        && word == SERVE
    {
        ours::serve(Form::named(form));
        return ExitCode::SUCCESS;
    }
    let number = |place: usize| arguments.get(place).map(|number| number.parse::<f64>().expect("a number"));
    let turn = Duration::from_secs_f64(number(0).unwrap_or(1.0));
    let rounds = number(1).unwrap_or(9.0) as usize;
    compare(turn, rounds)
}

fn compare(turn: Duration, rounds: usize) -> ExitCode {
    println!("load average {}", load_average());
    let cores = Cores::two();
    let mut contenders = contenders(&cores);
    for contender in &mut contenders {
        contender.server.check(contender.form);
        contender.server.round(WARM_UP);
    }
    let mut limits = Form::SIGNED.map(|form| (form, limit::Limit::of(form), Rates::default()));
    for round in 0..rounds {
        // Each has another before it in every other round.
        let order: Vec<_> = (0..contenders.len()).collect();
        for place in if round % 2 == 0 { order } else { order.into_iter().rev().collect() } {
            let contender = &mut contenders[place];
            contender.rates.push(contender.server.round(turn));
        }
        for (_, limit, rates) in &mut limits {
            rates.push(cores.serving(|| limit.round(turn / 4)));
        }
    }
    let report = Report { contenders, limits: limits.map(|(form, _, rates)| (form, rates)) };
    let met = report.print();
    println!("\nload average {}", load_average());
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Who issues tokens, in which form.
struct Contender {
    ours: bool,
    form: Form,
    server: Server,
    rates: Rates,
}

/// All of them, each on the core that serves.
fn contenders(cores: &Cores) -> Vec<Contender> {
    let provider = match provider::folder() {
        Ok(folder) => Some(folder),
        Err(reason) => {
            eprintln!("without oidc-provider: {reason}");
            None
        }
    };
    let contender = |ours: bool, form: Form, server: Server| Contender { ours, form, server, rates: Rates::default() };
    let of_form = |form: Form| {
        let ours = contender(true, form, cores.serving(|| ours::start(form)));
        let theirs =
            provider.as_deref().map(|folder| contender(false, form, cores.serving(|| provider::start(folder, form))));
        [Some(ours), theirs]
    };
    Form::ALL.into_iter().flat_map(of_form).flatten().collect()
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim_end().to_owned()
}
