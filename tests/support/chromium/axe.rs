//! npm's axe-core, which finds what keeps people from using a page.

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use super::Chromium;
use crate::support::workspace;

impl Chromium {
    /// Looks the page over: nothing may be found that is serious.
    pub(super) async fn is_accessible(&self, what: &str) {
        let found = self.evaluate(&format!("{}\n;axe.run(document, {RULES})", axe())).await;
        assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 5), "{what}: it looked at nothing");
        let serious: Vec<String> = found["violations"].as_array().unwrap().iter().filter_map(serious).collect();
        assert!(serious.is_empty(), "{what} ({}):\n{}", self.url().await, serious.join("\n"));
    }

    /// What an expression comes to, promises kept. The page's own policy has no say in it.
    async fn evaluate(&self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut outcome = self.session.devtools("Runtime.evaluate", parameters).await;
        assert!(outcome["exceptionDetails"].is_null(), "{}", outcome["exceptionDetails"]);
        outcome["result"]["value"].take()
    }
}

/// All of WCAG's levels A and AA, and what is good practice; nothing is fetched to judge it.
const RULES: &str = "{ preload: false, resultTypes: ['violations', 'passes'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', \
                     'wcag21aa', 'wcag22aa', 'best-practice'] }";

/// The rule and the elements, if they keep somebody out.
fn serious(violation: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let nodes: Vec<String> =
        nodes.map(|node| format!("  {}: {}", text(&node["html"]), text(&node["failureSummary"]))).collect();
    let line = format!("{} ({}): {}", text(&violation["id"]), text(&violation["impact"]), text(&violation["help"]));
    let serious = ["serious", "critical"].contains(&&*text(&violation["impact"]));
    serious.then(|| format!("{line}\n{}", nodes.join("\n")))
}

/// Where `tests/axe-core/install` has put it.
fn axe() -> String {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder: PathBuf = workspace().join(target).join("tests/axe-core");
    let wanted = include_str!("../../axe-core/package-lock.json");
    let there = fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == wanted);
    assert!(there, "axe-core is not installed: run ./tests/run --install, or tests/axe-core/install");
    fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).unwrap()
}
