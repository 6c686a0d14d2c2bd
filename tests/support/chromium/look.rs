//! How pages look: by day and by night, on small screens and enlarged.

use std::{env, fs};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Chromium;
use crate::support::workspace;

/// A way to look at a page.
struct Look {
    name: &'static str,
    /// In CSS pixels, and how many of the screen's each of them takes.
    size: (u32, u32, f32),
    media: (&'static str, &'static str),
}

/// The small screen is that of WCAG 2.2 criterion 1.4.10; the enlarged one is a window of 1280 pixels at 200 %.
const LOOKS: [Look; 5] = [
    Look { name: "light", size: (1280, 900, 1.0), media: ("prefers-color-scheme", "light") },
    Look { name: "dark", size: (1280, 900, 1.0), media: ("prefers-color-scheme", "dark") },
    Look { name: "small", size: (320, 640, 2.0), media: ("prefers-color-scheme", "light") },
    Look { name: "zoomed", size: (640, 450, 2.0), media: ("prefers-color-scheme", "dark") },
    Look { name: "contrast", size: (1280, 900, 1.0), media: ("forced-colors", "active") },
];

impl Chromium {
    /// Looks at this page in every way, keeps a picture of each, and holds it to what all pages promise: nothing
    /// serious in the way of anybody, and nothing that is scrolled sideways.
    pub(crate) async fn inspect(&mut self, page: &str) {
        for look in LOOKS {
            let what = format!("{page}-{}", look.name);
            self.put_on(&look).await;
            self.picture(&what).await;
            self.fits(&what).await;
            // What the system's own colors are worth, no page decides.
            if look.media.0 != "forced-colors" {
                self.is_accessible(&what).await;
            }
        }
        self.put_on(&LOOKS[0]).await;
        self.look_round().await;
    }

    /// Keeps a picture of the whole page in `target/tests/screenshots`.
    pub(crate) async fn picture(&self, name: &str) {
        let parameters = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.session.devtools("Page.captureScreenshot", parameters).await;
        let folder = workspace().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        let folder = folder.join("tests/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let png = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// That nothing is wider than the window, and nothing that is to be pressed is smaller than a fingertip (WCAG 2.2
    /// criterion 2.5.8).
    pub(crate) async fn fits(&self, what: &str) {
        let wide = self.session.run(TOO_WIDE).await;
        assert_eq!(wide, json!([]), "{what}: these are wider than the window");
        let small = self.session.run(TOO_SMALL).await;
        assert_eq!(small, json!([]), "{what}: these are hard to press");
    }

    async fn put_on(&self, look: &Look) {
        let (width, height, scale) = look.size;
        let mobile = width < 500;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.session.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let (name, value) = look.media;
        let features: Value = json!([{ "name": name, "value": value }]);
        self.session.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }
}

const TOO_WIDE: &str = "
    const seen = e => e.localName + (e.id && '#' + e.id) + ': ' + Math.round(e.getBoundingClientRect().right);
    const root = document.documentElement;
    const wide = e => e.getBoundingClientRect().right > root.clientWidth + 0.5 || e.scrollWidth > e.clientWidth + 1;
    const all = [root, ...document.querySelectorAll('body, main, main *')];
    const inline = e => getComputedStyle(e).display === 'inline' || e.localName === 'input';
    return all.filter(e => !inline(e) && wide(e)).map(seen)";

const TOO_SMALL: &str = "
    const small = e => { const box = e.getBoundingClientRect(); return box.width < 24 || box.height < 24 };
    const all = [...document.querySelectorAll('button, textarea, input:is([type=text], [type=password], [type=url])')];
    return all.filter(small).map(e => e.outerHTML)";
