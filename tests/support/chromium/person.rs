//! What a person does with a browser, and what they see.

use std::time::Duration;

use serde_json::json;

use super::Chromium;

/// Keys, as WebDriver names them (section 17.4.2).
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const SHIFT_TAB: &str = "\u{e008}\u{e004}\u{e008}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const SPACE: &str = " ";
pub(crate) const BACKSPACE: &str = "\u{e003}";

/// How often one looks whether anything happened. Only a page where nothing does makes anybody wait that long.
const PATIENCE: usize = 500;

impl Chromium {
    pub(crate) async fn visit(&mut self, url: &str) {
        self.session.post("/url", json!({ "url": url })).await;
        self.look_round().await;
    }

    /// Types `text` into the field with this id, in place of what is there.
    pub(crate) async fn fill(&mut self, id: &str, text: &str) {
        let field = self.find(id).await;
        self.session.post(&format!("{field}/clear"), json!({})).await;
        self.session.post(&format!("{field}/value"), json!({ "text": text })).await;
    }

    /// Clicks on what has this id, and waits for the page that comes of it.
    pub(crate) async fn press(&mut self, id: &str) {
        let before = self.page().await;
        self.click(id).await;
        self.leaves(&before).await;
    }

    /// Clicks on what has this id.
    pub(crate) async fn click(&mut self, id: &str) {
        let element = self.find(id).await;
        self.session.post(&format!("{element}/click"), json!({})).await;
    }

    /// Strikes `keys`, wherever the focus is, and waits for the page that comes of it.
    pub(crate) async fn strike_through(&mut self, keys: &str) {
        let before = self.page().await;
        self.strike(keys).await;
        self.leaves(&before).await;
    }

    /// Strikes `keys`, wherever the focus is.
    pub(crate) async fn strike(&mut self, keys: &str) {
        let key = |key: char| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        let actions: Vec<_> = match keys {
            SHIFT_TAB => {
                let [down, up] = key('\u{e008}');
                let [tab_down, tab_up] = key('\u{e004}');
                vec![down, tab_down, tab_up, up]
            }
            keys => keys.chars().flat_map(key).collect(),
        };
        let keyboard = json!([{ "type": "key", "id": "keyboard", "actions": actions }]);
        self.session.post("/actions", json!({ "actions": keyboard })).await;
    }

    pub(crate) async fn go_back(&mut self) {
        self.session.post("/back", json!({})).await;
        self.look_round().await;
    }

    pub(crate) async fn reload(&mut self) {
        self.session.post("/refresh", json!({})).await;
        self.look_round().await;
    }

    /// Opens a tab in front of the others: its name.
    pub(crate) async fn open_tab(&mut self) -> String {
        let tab = self.session.post("/window/new", json!({ "type": "tab" })).await;
        let tab = tab["handle"].as_str().unwrap().to_owned();
        self.turn_to(&tab).await;
        tab
    }

    /// The name of the tab in front.
    pub(crate) async fn tab(&self) -> String {
        self.session.get("/window").await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn turn_to(&mut self, tab: &str) {
        self.session.post("/window", json!({ "handle": tab })).await;
    }

    pub(crate) async fn url(&self) -> String {
        self.session.get("/url").await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn title(&self) -> String {
        self.session.get("/title").await.as_str().unwrap().to_owned()
    }

    /// All that can be read on the page.
    pub(crate) async fn text(&self) -> String {
        let body = self.session.try_find("body").await.unwrap();
        self.session.get(&format!("{body}/text")).await.as_str().unwrap().to_owned()
    }

    /// Whether the page has something with this id.
    pub(crate) async fn shows(&self, id: &str) -> bool {
        self.session.try_find(&format!("#{id}")).await.is_some()
    }

    /// Waits until the page has something with this id, for pages that come by themselves.
    pub(crate) async fn comes_to(&mut self, id: &str) {
        for _ in 0..PATIENCE {
            if self.shows(id).await {
                return self.look_round().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.look_round().await;
        panic!("no {id} at {}: {}", self.url().await, self.text().await);
    }

    /// Switches scripts on or off, for pages that come after this.
    pub(crate) async fn run_scripts(&mut self, run: bool) {
        self.session.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// The id of what has the focus; the name of the element if it has none.
    pub(crate) async fn focus(&self) -> String {
        let focus = self.session.run("const e = document.activeElement; return e.id || e.localName").await;
        focus.as_str().unwrap().to_owned()
    }

    /// What the field with this id holds.
    pub(crate) async fn value_of(&self, id: &str) -> String {
        let field = self.find(id).await;
        self.session.get(&format!("{field}/property/value")).await.as_str().unwrap().to_owned()
    }

    /// The names of the cookies that the page's host has set, and whether each is hidden from scripts, and kept off
    /// plain http.
    pub(crate) async fn cookies(&self) -> Vec<(String, bool, bool)> {
        let cookies = self.session.get("/cookie").await;
        let cookie = |one: &serde_json::Value| {
            let is = |name: &str| one[name].as_bool().unwrap();
            (one["name"].as_str().unwrap().to_owned(), is("httpOnly"), is("secure"))
        };
        let mut cookies: Vec<_> = cookies.as_array().unwrap().iter().map(cookie).collect();
        cookies.sort();
        cookies
    }

    /// What the expression `script` is worth on this page.
    pub(crate) async fn ask(&self, script: &str) -> serde_json::Value {
        self.session.run(&format!("return {script}")).await
    }

    /// The page that is open, as an element.
    async fn page(&self) -> String {
        self.session.try_find("html").await.unwrap()
    }

    /// Waits until another page is there. The driver itself waits for those that it knows to be on their way.
    async fn leaves(&mut self, before: &str) {
        let gone = async || self.session.try_get(&format!("{before}/name")).await.is_err();
        for _ in 0..PATIENCE {
            if gone().await {
                return self.look_round().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The console may say why.
        self.look_round().await;
        panic!("nothing came of it at {}: {}", self.url().await, self.text().await);
    }

    async fn find(&self, id: &str) -> String {
        match self.session.try_find(&format!("#{id}")).await {
            Some(element) => element,
            None => panic!("nothing called {id} on {}: {}", self.url().await, self.text().await),
        }
    }
}
