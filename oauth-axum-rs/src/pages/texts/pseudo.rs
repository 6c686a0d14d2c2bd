//! A language in which every text is in brackets and says its name: what stands
//! on a page outside of them is no text of [`Texts`].

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Response;

use super::Texts;

/// The language.
pub(in crate::pages) fn texts() -> Texts {
    let mut texts = Texts::new("x-pseudo");
    texts.each(&mut |name, text| *text = format!("⟦{name}¦{text}⟧").into());
    texts
}

/// The texts that were seen on pages.
#[derive(Default)]
pub(in crate::pages) struct Seen(BTreeSet<String>);

impl Seen {
    /// `known`: what may stand on it besides.
    #[track_caller]
    pub(in crate::pages) fn page(&mut self, page: &Response<Bytes>, known: &[&str]) {
        let html = std::str::from_utf8(page.body()).unwrap();
        assert!(html.contains("<html lang=\"x-pseudo\">"));
        for attribute in [" aria-label=", " title=", " alt=", " placeholder="] {
            assert!(!html.contains(attribute), "{attribute}");
        }
        let (head, body) = html.split_once("<style>").unwrap();
        let text = head.to_owned() + body.split_once("</style>").unwrap().1;
        self.text(&without_tags(&text), known);
    }

    #[track_caller]
    pub(in crate::pages) fn text(&mut self, text: &str, known: &[&str]) {
        let (mut depth, mut outside) = (0, String::new());
        for c in text.chars() {
            depth += i32::from(c == '⟦');
            if depth == 0 {
                outside.push(c);
            }
            depth -= i32::from(c == '⟧');
        }
        let outside = known.iter().fold(outside, |text, known| text.replace(known, ""));
        assert!(!outside.contains(char::is_alphabetic), "no text of a language: {}", outside.trim());
        let names = text.split('⟦').skip(1).filter_map(|part| part.split_once('¦'));
        self.0.extend(names.map(|(name, _)| name.to_owned()));
    }

    /// Those of `groups` that were not seen.
    pub(in crate::pages) fn unseen(&self, groups: &[&str]) -> Vec<&'static str> {
        let names = Texts::english().into_iter().map(|(name, _)| name);
        let asked = |name: &&str| groups.iter().any(|group| name.split('.').next() == Some(group));
        names.filter(asked).filter(|name| !self.0.contains(*name)).collect()
    }
}

fn without_tags(html: &str) -> String {
    html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

#[test]
#[should_panic(expected = "no text of a language: Go")]
fn a_text_of_the_page_itself_is_found() {
    Seen::default().text("⟦a.b¦Stop ⟦c.d¦x⟧ it⟧ 1 Go 2", &["1", "2"]);
}
