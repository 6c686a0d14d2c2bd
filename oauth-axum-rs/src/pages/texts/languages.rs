//! Which of the languages of the pages somebody reads.

use http::{HeaderMap, header::ACCEPT_LANGUAGE};
use oauth_core::endpoint::page::Direction;

use super::Texts;
use crate::pages::{Pages, users::Users};

/// The most that is read of `Accept-Language`: its bytes, and its languages.
const MOST_BYTES: usize = 1024;
const MOST: usize = 10;

/// The languages of the pages; the first is for whoever reads none of them.
#[derive(Debug, Default)]
pub(in crate::pages) struct Languages {
    first: Texts,
    others: Vec<Texts>,
}

impl<U: Users> Pages<U> {
    /// Sets the languages of the pages: English if not called. Whoever reads none
    /// of them sees the first one. A request's `ui_locales` say what somebody
    /// reads, and then their browser's `Accept-Language`: the language tag, or what
    /// is left of it without its last parts (RFC 4647 section 3.4).
    ///
    /// ```
    /// use oauth_axum_rs::{
    ///     AuthorizationServer,
    ///     pages::{Pages, PasswordUsers, Texts},
    /// };
    /// # async fn pages(users: PasswordUsers) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut german = Texts::new("de");
    /// german.sign_in.title = "Anmelden".into(); // and so on
    /// let server = AuthorizationServer::builder("https://auth.example")
    ///     .authorization(|it| it.ui_locales = vec!["en".to_owned(), "de".to_owned()]) // so that clients know
    ///     .build()
    ///     .await?;
    /// let pages = Pages::new(&server, users).texts([Texts::default(), german]);
    /// # drop(pages);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn texts(mut self, texts: impl IntoIterator<Item = Texts>) -> Self {
        self.inner.languages = Languages::new(texts).unwrap_or_default();
        self
    }
}

impl Languages {
    /// `None` for no language at all.
    pub(in crate::pages) fn new(texts: impl IntoIterator<Item = Texts>) -> Option<Self> {
        let mut texts = texts.into_iter();
        Some(Self { first: texts.next()?, others: texts.collect() })
    }

    /// The language for somebody who reads `wanted`, the best first, and whose
    /// browser sent `headers`.
    pub(in crate::pages) fn choose(&self, wanted: &[String], headers: &HeaderMap) -> &Texts {
        if self.others.is_empty() {
            return &self.first;
        }
        let by_browser = accepted(headers);
        let mut wanted = wanted.iter().map(String::as_str).chain(by_browser);
        wanted.find_map(|range| self.lookup(range)).unwrap_or(&self.first)
    }

    /// RFC 4647 section 3.4: the range, and then what is left of it when its last
    /// parts are taken away.
    fn lookup(&self, range: &str) -> Option<&Texts> {
        let mut range = range;
        loop {
            if let Some(found) = self.all().find(|texts| texts.lang.eq_ignore_ascii_case(range)) {
                return Some(found);
            }
            (range, _) = range.rsplit_once('-')?;
            // "Single letter or digit subtags … are removed" with what followed them.
            if let Some((rest, [_])) = range.rsplit_once('-').map(|(rest, last)| (rest, last.as_bytes())) {
                range = rest;
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &Texts> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// The languages of `Accept-Language` (RFC 9110 section 12.5.4), the best first.
fn accepted(headers: &HeaderMap) -> Vec<&str> {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let header = header.filter(|value| value.len() <= MOST_BYTES).unwrap_or_default();
    let mut ranges: Vec<_> = header.split(',').filter_map(weighted).take(MOST).collect();
    // Stable: those of one weight stay in their order.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(range, _)| range).collect()
}

/// A range and its weight in thousandths; `None` for one that is not wanted.
fn weighted(item: &str) -> Option<(&str, u16)> {
    let (range, weight) = item.split_once(';').map_or((item, None), |(range, weight)| (range, Some(weight)));
    let weight = match weight {
        None => 1000,
        Some(weight) => thousandths(weight.trim().strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim())?,
    };
    let range = range.trim();
    (weight > 0 && !range.is_empty()).then_some((range, weight))
}

/// RFC 9110 section 12.4.2: up to three digits after the point.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match whole {
        "1" => Some(1000),
        "0" => format!("{rest:0<3}").parse().ok(),
        _ => None,
    }
}

/// Which way `lang` is written: by its script, or by what it is usually written in.
pub(super) fn direction(lang: &str) -> Direction {
    const SCRIPTS: [&str; 7] = ["arab", "hebr", "thaa", "syrc", "nkoo", "adlm", "rohg"];
    const LANGUAGES: [&str; 11] = ["ar", "he", "fa", "ur", "ps", "sd", "ug", "yi", "dv", "ckb", "nqo"];
    let lang = lang.to_ascii_lowercase();
    let mut subtags = lang.split('-');
    let language = subtags.next().unwrap_or_default();
    let script = subtags.find(|subtag| subtag.len() == 4 && subtag.bytes().all(|b| b.is_ascii_alphabetic()));
    match script.map_or_else(|| LANGUAGES.contains(&language), |script| SCRIPTS.contains(&script)) {
        true => Direction::RightToLeft,
        false => Direction::LeftToRight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &[&str], header: &str) -> String {
        let languages = Languages::new(["en", "de", "pt-BR", "zh-Hant", "zh"].map(Texts::new)).unwrap();
        let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, header.parse().unwrap())]);
        languages.choose(&wanted, &headers).lang.to_string()
    }

    #[test]
    fn a_language_is_looked_up_by_ever_shorter_ranges() {
        for (range, found) in [
            ("de", "de"),
            ("DE-ch-1996", "de"),
            ("zh-Hant-TW", "zh-Hant"),
            ("zh-x-private", "zh"),
            ("zh-Hans-CN", "zh"),
            ("pt-br", "pt-BR"),
            ("pt-PT", "en"),
            ("*", "en"),
            ("-", "en"),
            ("", "en"),
        ] {
            assert_eq!(chosen(&[], range), found, "{range}");
        }
    }

    #[test]
    fn what_the_request_wants_comes_before_what_the_browser_wants() {
        assert_eq!(chosen(&["fr", "zh"], "de"), "zh");
        assert_eq!(chosen(&["fr"], "de"), "de");
        assert_eq!(chosen(&["fr"], "it"), "en");
    }

    #[test]
    fn the_browsers_languages_have_weights() {
        for (header, found) in [
            ("en;q=0.5, de", "de"),
            ("fr, zh;q=0.800, de;q=0.9", "de"),
            ("zh, de", "zh"),
            ("de;q=0, zh;q=0.001", "zh"),
            ("de;q=2, zh;q=0.1", "zh"),
            ("de;q=0.1234, zh;q=0.1", "zh"),
            ("de ; q = 0.9 ,zh ; Q=0.8", "de"),
            ("de;level=1, zh", "zh"),
        ] {
            assert_eq!(chosen(&[], header), found, "{header}");
        }
    }

    #[test]
    fn no_more_than_a_bounded_part_of_a_header_is_read() {
        assert_eq!(chosen(&[], &format!("{}de", "fr,".repeat(9))), "de");
        assert_eq!(chosen(&[], &format!("{}de", "fr,".repeat(10))), "en");
        assert_eq!(chosen(&[], &format!("de,{}", "x".repeat(MOST_BYTES))), "en");
    }

    #[test]
    fn the_script_says_which_way_a_language_is_written() {
        let rtl = |lang| direction(lang) == Direction::RightToLeft;
        assert!(["ar", "he-IL", "fa-AF", "AR-eg", "az-Arab", "ku-arab-IQ"].into_iter().all(rtl));
        assert!(!["en", "de", "ar-Latn", "", "pt-BR", "hex"].into_iter().any(rtl));
    }
}
