//! What proptest leaves of a failure still waits for things that do not matter. Here it is said in seconds, and whatever
//! can go goes.

use super::{
    run::Failure,
    step::{Step, When},
};

/// The shortest script that fails; `fails` plays steps.
pub(super) fn shortened(first: Failure, fails: impl Fn(&[Step]) -> Option<Failure>) -> String {
    let mut best = first;
    let better = |best: &Failure, steps: &[Step]| fails(steps).filter(|found| found.lines() <= best.lines());
    // In seconds: `done` has no other waits.
    if let Some(found) = fails(&best.done) {
        best = found;
    }
    let mut again = true;
    while again {
        again = false;
        let mut at = 0;
        while at < best.done.len() {
            let tries = [without(&best.done, at), merged(&best.done, at), alone(&best.done, at)];
            let found = tries.into_iter().flatten().find_map(|steps| better(&best, &steps));
            match found {
                Some(found) => (best, again) = (found, true),
                None => at += 1,
            }
        }
    }
    best.script
}

fn without(steps: &[Step], at: usize) -> Option<Vec<Step>> {
    let mut steps = steps.to_vec();
    steps.remove(at);
    Some(steps)
}

/// One wait instead of two.
fn merged(steps: &[Step], at: usize) -> Option<Vec<Step>> {
    let next = steps.iter().skip(at + 1).position(|step| matches!(step, Step::Seconds(_)))? + at + 1;
    let (Step::Seconds(one), Step::Seconds(two)) = (&steps[at], &steps[next]) else { return None };
    let both = Step::Seconds(one + two);
    let mut steps = steps.to_vec();
    steps[at] = both;
    steps.remove(next);
    Some(steps)
}

/// One after the other instead of both at once.
fn alone(steps: &[Step], at: usize) -> Option<Vec<Step>> {
    let Step::Do(act, When::Twice(_) | When::WithTheNext(_)) = &steps[at] else { return None };
    let act = Step::Do(act.clone(), When::Alone);
    let mut steps = steps.to_vec();
    steps[at] = act;
    Some(steps)
}
