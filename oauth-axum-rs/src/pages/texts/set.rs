//! Texts by their names: for translations in files.

use std::borrow::Cow;

use super::{Texts, fill::places};

/// Why a text could not be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidText {
    /// There is no text of this name.
    #[error("there is no text `{0}`")]
    Name(String),
    /// It has a place for a value that there is none for.
    #[error("the text `{name}` has no value for `{{{place}}}`")]
    Place {
        /// The text's name.
        name: &'static str,
        /// The name of the place.
        place: String,
    },
}

impl Texts {
    /// The name of every text, and its English: what there is to translate. A name
    /// is that of its group and its field, as `consent.title`.
    #[must_use]
    pub fn english() -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        Self::default().each(&mut |name, text| all.push((name, text.to_string())));
        all
    }

    /// Sets the text `name`.
    ///
    /// ```
    /// use oauth_axum_rs::pages::{InvalidText, Texts};
    /// // As read from a file of the translators' choice.
    /// let file = [("sign_in.title", "Se connecter"), ("consent.title", "Autoriser {client} ?")];
    /// let mut french = Texts::new("fr");
    /// for (name, text) in file {
    ///     french.set(name, text)?;
    /// }
    /// assert_eq!(french.sign_in.title, "Se connecter");
    /// assert!(matches!(french.set("consent.title", "{user}"), Err(InvalidText::Place { .. })));
    /// # Ok::<_, InvalidText>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidText`] if there is no such text, or if it has a place for a value
    /// that the English one does not have; nothing is set then.
    pub fn set(&mut self, name: &str, text: impl Into<Cow<'static, str>>) -> Result<(), InvalidText> {
        let text = text.into();
        let english = Self::english().into_iter().find(|(known, _)| *known == name);
        let Some((name, english)) = english else { return Err(InvalidText::Name(name.to_owned())) };
        if let Some(place) = places(&text).find(|place| !places(&english).any(|known| known == *place)) {
            return Err(InvalidText::Place { name, place: place.to_owned() });
        }
        self.each(&mut |known, old| {
            if known == name {
                old.clone_from(&text);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_a_name_of_its_own_and_can_be_set_by_it() {
        let english = Texts::english();
        let mut texts = Texts::default();
        for (at, (name, text)) in english.iter().enumerate() {
            assert!(!english.iter().skip(at + 1).any(|(other, _)| other == name), "{name}");
            texts.set(name, text.clone() + "!").unwrap();
        }
        texts.each(&mut |name, text| assert!(text.ends_with('!'), "{name}"));
    }

    #[test]
    fn a_place_that_has_no_value_is_refused_and_nothing_is_set() {
        let mut texts = Texts::default();
        let place = InvalidText::Place { name: "choose.button", place: "client".to_owned() };
        assert_eq!(texts.set("choose.button", "{user}, {client}"), Err(place));
        assert_eq!(texts.set("choose.buttons", "x"), Err(InvalidText::Name("choose.buttons".to_owned())));
        assert_eq!(texts, Texts::default());
    }
}
