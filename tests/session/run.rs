//! Takes steps on a server, and keeps what the model says it may be by now. What happened is a script that can be read.

use oauth_core::clock::{Clock, UnixTime};

use super::{
    Stage,
    call::{Call, Seen, Wish, is_public},
    model::{Expected, Model},
    step::{Step, When},
};

pub(super) struct Run<'s> {
    stage: &'s Stage,
    /// Each state the server may be in: after two calls at once, there may be more than one.
    models: Vec<Model>,
    /// Tokens in the order in which they were seen, and what the script calls them.
    names: Vec<(String, String)>,
    script: Vec<String>,
    /// The steps so far that came to something.
    done: Vec<Step>,
}

/// What the model does not agree to.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) script: String,
    /// What led there: the waits are in seconds.
    pub(super) done: Vec<Step>,
}

impl Failure {
    pub(super) fn lines(&self) -> usize {
        self.script.lines().filter(|line| line.starts_with("  ")).count()
    }
}

impl<'s> Run<'s> {
    /// Takes `steps`, and whatever would show that something is wrong in the end.
    ///
    /// # Errors
    /// The script, up to what the model does not agree to.
    pub(super) async fn all(stage: &'s Stage, steps: &[Step]) -> Result<(), Failure> {
        let models = vec![Model::new(stage.policy, stage.now())];
        let mut run = Self { stage, models, names: Vec::new(), script: Vec::new(), done: Vec::new() };
        stage.world.events.take();
        let mut rest = steps;
        while !rest.is_empty() {
            rest = run.next(rest).await.map_err(|why| run.failure(&why))?;
        }
        run.try_all().await.map_err(|why| run.failure(&why))
    }

    /// Whatever should still be good is.
    async fn try_all(&mut self) -> Result<(), String> {
        for grant in self.models[0].grants.clone() {
            let Some(live) = grant.live else { continue };
            let token = &self.models[0].refresh[live.token];
            let key = if is_public(grant.owner) { token.bound } else { grant.home };
            let (token, scope) = (token.text.clone(), Wish::Unsaid);
            self.one(&Call::Refresh { token, by: grant.owner, scope, key }).await?;
        }
        for device in self.models[0].devices.clone() {
            if self.models[0].has_decided(&device) {
                self.one(&Call::Poll { code: device.code, by: device.owner, key: None }).await?;
            }
        }
        Ok(())
    }

    /// Takes the first of `steps`, or the first two at once. Returns the rest.
    async fn next<'a>(&mut self, steps: &'a [Step]) -> Result<&'a [Step], String> {
        let model = &self.models[0];
        let Some((step, rest)) = steps.split_first() else { return Ok(steps) };
        match step {
            Step::Do(act, when) => {
                let Some(call) = act.call(model) else { return Ok(rest) };
                match (when, rest) {
                    (When::WithTheNext(turns), [Step::Do(other, _), after @ ..]) => {
                        let Some(other) = other.call(model) else { return Ok(rest) };
                        self.done.extend_from_slice(&steps[..2]);
                        self.two(&call, &other, turns).await?;
                        return Ok(after);
                    }
                    (When::Twice(turns), _) => {
                        self.done.push(step.clone());
                        self.two(&call, &call, turns).await?;
                    }
                    _ => {
                        self.done.push(Step::Do(act.clone(), When::Alone));
                        self.one(&call).await?;
                    }
                }
            }
            Step::Seconds(seconds) => self.wait(*seconds).await?,
            Step::Until { which, early } => {
                let ends = model.deadlines();
                let end = ends.get(which % ends.len().max(1)).unwrap_or(&model.now);
                self.wait((end - model.now).saturating_sub(u64::from(*early))).await?;
            }
        }
        Ok(rest)
    }

    async fn wait(&mut self, seconds: u64) -> Result<(), String> {
        if seconds == 0 {
            return Ok(());
        }
        self.done.push(Step::Seconds(seconds));
        self.script.push(format!("wait {seconds} s"));
        self.stage.world.clock.advance(seconds);
        let now = self.stage.now();
        self.models.iter_mut().for_each(|model| model.now = now);
        self.keep(|_| vec![]).await
    }

    async fn one(&mut self, call: &Call) -> Result<(), String> {
        let seen = call.send(self.stage).await;
        let line = format!("{call} -> {}", self.shown(&seen));
        self.script.push(line);
        self.keep(|_| vec![vec![(call, &seen)]]).await
    }

    async fn two(&mut self, one: &Call, two: &Call, turns: &[usize]) -> Result<(), String> {
        let (first, second) = self.stage.gate.both(one.send(self.stage), two.send(self.stage), turns).await;
        let lines = [
            format!("at once, in turns of so many steps: {turns:?}"),
            format!("  1: {one} -> {}", self.shown(&first)),
            format!("  2: {two} -> {}", self.shown(&second)),
        ];
        self.script.extend(lines);
        self.keep(|_| vec![vec![(one, &first), (two, &second)], vec![(two, &second), (one, &first)]]).await
    }

    /// Keeps the states that come of one of the orders, and with which all agrees that can be seen.
    async fn keep<'c>(&mut self, orders: impl Fn(&Model) -> Vec<Vec<(&'c Call, &'c Seen)>>) -> Result<(), String> {
        let told = self.stage.events();
        let mut objections = Vec::new();
        let mut next: Vec<Model> = Vec::new();
        for model in &self.models {
            let mut orders = orders(model);
            if orders.is_empty() {
                orders.push(Vec::new());
            }
            for order in orders {
                let mut model = model.clone();
                model.at_once = order.len() > 1;
                match self.after(model, &order, &told).await {
                    Ok(state) if !next.contains(&state) => next.push(state),
                    Ok(_) => {}
                    Err(objection) => objections.push(objection),
                }
            }
        }
        if next.is_empty() {
            return Err(objections.join("\n   or "));
        }
        self.models = next;
        Ok(())
    }

    /// The state after `order`, if it agrees.
    async fn after(&self, mut model: Model, order: &[(&Call, &Seen)], told: &[String]) -> Result<Model, String> {
        for (call, seen) in order {
            let expected: Expected = model.take(call);
            let words = model.describe(&expected);
            if !model.agrees(&expected, seen, &self.stage.jkts) {
                return Err(format!("expected of \"{call}\": {words}"));
            }
        }
        let mut unexpected = told.to_vec();
        for must in std::mem::take(&mut model.told) {
            let at = unexpected.iter().position(|one| *one == must);
            unexpected.remove(at.ok_or_else(|| format!("expected an event: {must}"))?);
        }
        for may in std::mem::take(&mut model.may_tell) {
            unexpected.iter().position(|one| *one == may).map(|at| unexpected.remove(at));
        }
        if !unexpected.is_empty() {
            return Err(format!("expected no event {unexpected:?}"));
        }
        for (text, expected) in model.living(&self.stage.jkts) {
            let found = self.stage.says(&text).await;
            if found != expected {
                let say = |what: Option<String>| what.unwrap_or("dead".to_owned());
                return Err(format!("expected {text} to be {}; it is {}", say(expected), say(found)));
            }
        }
        model.at_once = false;
        Ok(model)
    }

    /// An answer in short, whose tokens have names from then on.
    fn shown(&mut self, seen: &Seen) -> String {
        let mut words = vec![seen.status.to_string()];
        for (member, letter) in [
            ("code", 'c'),
            ("access_token", 'a'),
            ("refresh_token", 'r'),
            ("assertion", 'j'),
            ("jti", 'n'),
            ("device_code", 'd'),
            ("user_code", 'u'),
        ] {
            let Some(text) = seen.text(member) else { continue };
            if !self.names.iter().any(|(known, _)| known == text) {
                let number = self.names.iter().filter(|(_, name)| name.starts_with(letter)).count();
                self.names.push((text.to_owned(), format!("{letter}{number}")));
            }
            words.push(text.to_owned());
        }
        let more = ["error", "scope"].iter().filter_map(|name| seen.text(name).map(str::to_owned));
        words.extend(more.chain(seen.body.get("active").map(|active| format!("active: {active}"))));
        words.join(" ")
    }

    fn failure(&self, why: &str) -> Failure {
        Failure { script: self.told(why), done: self.done.clone() }
    }

    /// The script, and what is wrong with its last line.
    fn told(&self, why: &str) -> String {
        let lines = self.script.iter().map(|line| format!("  {line}\n"));
        let text = format!("{}\n{}!! {why}", self.stage.name, lines.collect::<String>());
        let text = self.names.iter().fold(text, |text, (token, name)| text.replace(token, name));
        let keys = self.stage.jkts.iter().enumerate();
        keys.fold(text, |text, (number, jkt)| text.replace(jkt, &number.to_string()))
    }
}

impl Stage {
    pub(super) fn now(&self) -> u64 {
        let UnixTime(now) = self.world.clock.now();
        now
    }

    /// The names of what was told since.
    fn events(&self) -> Vec<String> {
        let name = |event: &String| event.split(' ').next().unwrap_or_default().to_owned();
        self.world.events.take().iter().map(name).collect()
    }

    /// What a resource server would be told of an access token.
    async fn says(&self, token: &str) -> Option<String> {
        let claims = self.world.server.validate_access(token).await.unwrap()?.claims;
        let scope = claims.scope.map_or(String::new(), |scope| scope.to_string());
        let jkt = claims.cnf.and_then(|cnf| cnf.jkt).unwrap_or("none".to_owned());
        Some(format!("{scope} key {jkt}"))
    }
}
