//! Revocations over a bus that loses, repeats and reorders messages and goes away, while stores fail, answers are slow
//! and resource servers start again: no token is accepted by a request that comes after the time that is stated for it.
//!
//! A failure is a script, made as short as proptest can. `PROPTEST_CASES` asks for more of them, `PROPTEST_RNG_SEED` for
//! others.

mod ledger;
mod run;
mod step;
mod unruly;
mod upstream;

use std::{cell::RefCell, time::Duration};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::{
    ledger::Tally,
    run::Run,
    step::{Step, steps},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Who accepts tokens, and by which rule.
const BESIDE_ONE: usize = 0;
const BESIDE_TWO: usize = 1;
const ASKING: usize = 2;
const BY_LIST: usize = 3;
const BY_JWT: usize = 4;
const APIS: usize = 5;
/// Who is on the bus: both nodes, and the APIs that are not beside one.
const PARTIES: usize = 5;

/// For how many seconds after a revocation each may accept the token if it hears nothing.
const LOCAL_CACHE: u64 = 5;
const ANSWER_CACHE: u64 = 30;
const LIST_TTL: u64 = 15;
/// If lists cannot be made or fetched, for so long more.
const LIST_GRACE: u64 = 25;
/// How long tokens live: longer than all of that.
const ACCESS: u64 = 120;

/// What is wrong with what is tested.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// Nobody is told that the bus was away.
    HidesCuts,
    /// An answer is remembered for a second too long.
    RemembersLonger,
    /// What was revoked is forgotten.
    Forgets,
    /// Lists count for a second longer than they are said to.
    LongerList,
}

const SEED: u64 = 7;

fn config(cases: u32) -> Config {
    let mut config = Config { source_file: Some(file!()), max_shrink_iters: 2_000, ..Config::default() };
    config.failure_persistence = None;
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    config
}

/// Plays cases.
///
/// # Errors
/// The shortest script that was found to fail, and what it was found with.
fn play(flaw: Flaw, cases: u32) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (tally, config) = (RefCell::new(Tally::default()), config(cases));
    let seed = format!("{:?}", config.rng_seed);
    let case = |steps: Vec<Step>| {
        let outcome = runtime.block_on(Run::all(flaw, &steps, &mut tally.borrow_mut()));
        outcome.map_err(TestCaseError::fail)
    };
    match TestRunner::new(config).run(&steps(), case) {
        Ok(()) => Ok(tally.into_inner()),
        Err(TestError::Fail(why, steps)) => Err(format!("{why}\nseed: {seed}\nscript: {steps:#?}")),
        Err(TestError::Abort(why)) => Err(why.to_string()),
    }
}

// spec: REV-14, INT-13
#[test]
fn whatever_the_bus_does_no_token_is_accepted_past_the_time_that_is_stated() {
    let tally = play(Flaw::None, 400).unwrap_or_else(|script| panic!("{script}"));
    println!("{tally}");
    assert!(tally.is_enough(), "{tally}");
}

#[test]
fn whoever_is_wrong_is_found() {
    for flaw in [Flaw::HidesCuts, Flaw::RemembersLonger, Flaw::Forgets, Flaw::LongerList] {
        let found = play(flaw, 2_000).map(|tally| tally.to_string());
        println!("{flaw:?}: {found:?}");
        assert!(found.is_err(), "{flaw:?}");
    }
}
