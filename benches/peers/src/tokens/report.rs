//! The table, and whether the bars are met.

use super::{
    Contender,
    forms::Form,
    server::{Rates, median},
};

pub struct Report {
    pub contenders: Vec<Contender>,
    pub limits: [(Form, Rates); 3],
}

/// So many times as fast as oidc-provider.
const BARS: [(Form, f64); 3] = [(Form::Opaque, 15.0), (Form::Es256, 8.0), (Form::EdDsa, 11.0)];

/// Of what signing alone would allow.
const OF_SIGNING: f64 = 0.90;

impl Report {
    /// Whether all of them are.
    pub fn print(&self) -> bool {
        self.table();
        println!();
        let peer = BARS.map(|(form, bar)| self.beside_peer(form, bar));
        let signing = self.beside_signing();
        peer.iter().all(|met| *met) && signing
    }

    fn table(&self) {
        println!("\n### Token endpoint, client credentials, tokens per second of one core\n");
        println!("| | token | tokens / s | least to most | core busy | µs to sweep one |");
        println!("|---|---|---|---|---|---|");
        for contender in &self.contenders {
            let name = if contender.ours { "**this**, in memory" } else { "oidc-provider 9, in memory" };
            let sweep = if contender.ours { format!("{:.2}", contender.rates.sweep()) } else { String::new() };
            line(name, contender.form, &contender.rates, &sweep);
        }
        for (form, rates) in &self.limits {
            line("*signing alone*", *form, rates, "");
        }
    }

    fn beside_peer(&self, form: Form, bar: f64) -> bool {
        let (Some(ours), Some(theirs)) = (self.rates(true, form), self.rates(false, form)) else {
            println!("{form}: NOT MEASURED beside oidc-provider, bar {bar}x");
            return false;
        };
        let ratio = ours.rate() / theirs.rate();
        println!(
            "{form}: bar {bar}x oidc-provider: {ratio:.1}x {}; in single rounds {}",
            met(ratio >= bar),
            spread(ours, theirs, 1)
        );
        ratio >= bar
    }

    fn beside_signing(&self) -> bool {
        let Some(ours) = self.rates(true, Form::Rs256) else { return false };
        let limit = self.limits.iter().find(|(form, _)| *form == Form::Rs256).map(|(_, rates)| rates);
        let Some(limit) = limit else { return false };
        let ratio = ours.rate() / limit.rate();
        let met_it = ratio >= OF_SIGNING;
        println!(
            "RS256: bar {OF_SIGNING:.2} of signing: {ratio:.3} {}; in single rounds {}",
            met(met_it),
            spread(ours, limit, 3)
        );
        met_it
    }

    fn rates(&self, ours: bool, form: Form) -> Option<&Rates> {
        let wanted = |contender: &&Contender| contender.ours == ours && contender.form == form;
        self.contenders.iter().find(wanted).map(|contender| &contender.rates)
    }
}

fn line(name: &str, form: Form, rates: &Rates, sweep: &str) {
    let (least, most) = ends(&rates.per_second);
    println!("| {name} | {form} | {:.0} | {least:.0} to {most:.0} | {:.2} | {sweep} |", rates.rate(), rates.busy());
}

/// The ratio of each round to the one beside it.
fn spread(ours: &Rates, theirs: &Rates, digits: usize) -> String {
    let ratios: Vec<_> = ours.per_second.iter().zip(&theirs.per_second).map(|(ours, theirs)| ours / theirs).collect();
    let (least, most) = ends(&ratios);
    format!("{least:.digits$} to {most:.digits$}, median {:.digits$}", median(&ratios))
}

fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), value| (least.min(*value), most.max(*value)))
}

const fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
