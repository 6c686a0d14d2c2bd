//! What the browser did and said meanwhile: every request it made, every complaint on its console.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use super::Chromium;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Witness {
    /// The origins of all requests, answered or not.
    origins: BTreeSet<String>,
    complaints: Vec<String>,
}

impl Chromium {
    /// Reads the browser's logs, and holds it to what every page here promises: it loads nothing from elsewhere, and
    /// does nothing that its own policy forbids.
    pub(super) async fn look_round(&mut self) {
        for entry in self.session.log("performance").await {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            self.witness.origins.extend(requested(&message["message"]));
        }
        let complaints = self.session.log("browser").await;
        self.witness.complaints.extend(complaints.iter().filter_map(complaint));
        let known = |origin: &&String| Self::KNOWN.iter().all(|known| !origin.starts_with(known));
        assert_eq!(self.witness.origins.iter().find(known), None, "it asked somebody else");
        assert_eq!(self.witness.complaints, Vec::<String>::new());
    }

    /// Where pages of a test may send a browser.
    const KNOWN: [&str; 5] = [
        "https://as.example",
        "https://app.example",
        "https://www.app.example",
        "https://localhost:",
        "http://127.0.0.1:",
    ];

    /// Every origin that was asked for anything so far.
    pub(crate) fn origins(&self) -> Vec<&str> {
        self.witness.origins.iter().map(String::as_str).collect()
    }
}

/// The origin that an event of the network is about.
fn requested(event: &Value) -> Option<String> {
    let began = event["method"] == "Network.requestWillBeSent";
    let url = event["params"]["request"]["url"].as_str().filter(|_| began)?;
    let url = Url::parse(url).unwrap();
    // What is in the page itself is not asked of anybody.
    (!["data", "about", "chrome"].contains(&url.scheme())).then(|| url.origin().ascii_serialization())
}

/// An entry of the console, unless it only says that a page came with a status like 422.
fn complaint(entry: &Value) -> Option<String> {
    let text = entry["message"].as_str().unwrap().to_owned();
    (entry["source"] != "network" || !text.contains("the server responded with a status of")).then_some(text)
}
