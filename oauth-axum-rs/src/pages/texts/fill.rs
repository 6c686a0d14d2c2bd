//! Values in texts: `{name}` in a text is a place for one.

use askama::filters::Safe;
use oauth_core::endpoint::page::escape;

/// HTML that is safe to stand on a page.
pub(in crate::pages) type Html = Safe<String>;

/// A text, and the values of its places.
pub(in crate::pages) struct Fill<'a> {
    text: &'a str,
    values: Vec<(&'static str, Value<'a>)>,
}

struct Value<'a> {
    before: String,
    text: &'a str,
    after: &'static str,
}

impl<'a> Fill<'a> {
    pub(in crate::pages) const fn new(text: &'a str) -> Self {
        Self { text, values: Vec::new() }
    }

    /// A value as it is.
    pub(in crate::pages) fn with(self, name: &'static str, text: &'a str) -> Self {
        self.value(name, "", text, "")
    }

    /// A name, of whatever script (HTML section 4.5.24): it cannot turn what is
    /// around it.
    pub(in crate::pages) fn name(self, name: &'static str, text: &'a str) -> Self {
        self.value(name, "<bdi>", text, "</bdi>")
    }

    /// The same, to be noticed.
    pub(in crate::pages) fn strong(self, name: &'static str, text: &'a str) -> Self {
        self.value(name, "<strong><bdi>", text, "</bdi></strong>")
    }

    /// A word of a program.
    pub(in crate::pages) fn code(self, name: &'static str, text: &'a str) -> Self {
        self.value(name, "<code>", text, "</code>")
    }

    /// A link to `uri` that opens a new tab; `id` is written here.
    pub(in crate::pages) fn link(self, name: &'static str, id: &'static str, uri: &str, text: &'a str) -> Self {
        let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
        let before = format!("<a{id} href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">", escape(uri));
        self.value(name, before, text, "</a>")
    }

    fn value(mut self, name: &'static str, before: impl Into<String>, text: &'a str, after: &'static str) -> Self {
        self.values.push((name, Value { before: before.into(), text, after }));
        self
    }

    /// The text for HTML: what was written by anybody is escaped.
    pub(in crate::pages) fn html(&self) -> Html {
        Safe(self.expand(escape, |value| format!("{}{}{}", value.before, escape(value.text), value.after)))
    }

    /// The text as text.
    pub(in crate::pages) fn plain(&self) -> String {
        self.expand(str::to_owned, |value| value.text.to_owned())
    }

    /// Goes through the text once: what a value holds is no place for another.
    fn expand(&self, text: impl Fn(&str) -> String, value: impl Fn(&Value<'_>) -> String) -> String {
        let mut filled = String::new();
        let mut rest = self.text;
        while let Some((before, place, after)) = next_place(rest) {
            filled.push_str(&text(before));
            match self.values.iter().find(|(name, _)| *name == place) {
                Some((_, found)) => filled.push_str(&value(found)),
                None => filled.push_str(&text(&format!("{{{place}}}"))),
            }
            rest = after;
        }
        filled.push_str(&text(rest));
        filled
    }
}

/// What is before the first place of `text`, its name, and what is after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

/// The names of the places in `text`.
pub(super) fn places(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, place, after) = next_place(rest)?;
        rest = after;
        Some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_text_are_filled_in_any_order_and_once() {
        let fill = |text| Fill::new(text).with("a", "<1>{b}").name("b", "&").plain();
        assert_eq!(fill("{b} of {a}, {b}"), "& of <1>{b}, &");
        assert_eq!((fill("{c} {a"), fill("} {")), ("{c} {a".to_owned(), "} {".to_owned()));
    }

    #[test]
    fn neither_a_text_nor_a_value_is_html() {
        let fill =
            |text| Fill::new(text).strong("a", "<1>{b}").code("b", "'").link("c", "x", "https://a/?\"&", "<").html();
        assert_eq!(fill("<i>{a}").0, "&lt;i&gt;<strong><bdi>&lt;1&gt;{b}</bdi></strong>");
        assert_eq!(fill("{b}{<}").0, "<code>&#39;</code>{&lt;}");
        let link = "<a id=\"x\" href=\"https://a/?&quot;&amp;\" target=\"_blank\" rel=\"noopener noreferrer\">&lt;</a>";
        assert_eq!(fill("{c}").0, link);
    }
}
