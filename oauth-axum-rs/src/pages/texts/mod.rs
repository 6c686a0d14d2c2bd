//! The texts of the pages, in one place.

mod developers;
mod device;
mod devices;
mod fill;
mod interaction;
mod languages;
#[cfg(test)]
pub(super) mod pseudo;
mod reciprocal;
mod set;

use std::{borrow::Cow, collections::HashMap};

use oauth_core::endpoint::page::Direction;

pub use self::{
    developers::{DeveloperFieldTexts, DeveloperProblemTexts, DeveloperTexts},
    device::DeviceTexts,
    devices::DevicesTexts,
    interaction::{ChooseTexts, CommonTexts, ConsentTexts, LeaveTexts, MessageTexts, SignInTexts, SignOutTexts},
    reciprocal::ReciprocalTexts,
    set::InvalidText,
};
pub(super) use self::{
    fill::{Fill, Html},
    languages::Languages,
};

/// A group of texts: its fields, their English, and all of them by name.
macro_rules! texts {
    ($group:literal $(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $field:ident: $english:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])* #[doc = concat!("`", $english, "`")] pub $field: Cow<'static, str>,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: Cow::Borrowed($english),)* }
            }
        }

        impl $name {
            pub(super) fn each<'a>(&'a mut self, to: &mut dyn FnMut(&'static str, &'a mut Cow<'static, str>)) {
                $(to(concat!($group, ".", stringify!($field)), &mut self.$field);)*
            }
        }
    };
}
use texts;

/// Every text of the built-in pages, in one language. The default is English;
/// a translation sets the fields that it has, and the others stay English.
///
/// A text may hold places for values, as `{client}` in
/// [`ConsentTexts::title`]: in any order, as often as the language needs them,
/// and not at all where it does not. Everything is escaped; a text is never HTML.
/// A number is written in digits, so word it in a way that fits any number.
///
/// ```
/// use oauth_axum_rs::pages::Texts;
/// let mut german = Texts::new("de");
/// german.sign_in.title = "Anmelden".into();
/// german.sign_in.username = "Benutzername".into();
/// german.consent.title = "Darf {client} auf Ihr Konto zugreifen?".into();
/// german.scopes.insert("notes:read".to_owned(), "Ihre Notizen lesen".to_owned());
/// ```
///
/// Texts from a file have names: see [`Texts::set`]. The languages of a server's
/// pages are given to [`Pages::texts`](super::Pages::texts). What other programs
/// read stays as the standards have it: error codes, their descriptions, and the
/// rules that a registration breaks are in English, and marked as such.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Texts {
    /// The language, as a tag of BCP 47: `de`, `pt-BR`, `zh-Hant`.
    pub lang: Cow<'static, str>,
    /// Which way it is written.
    pub direction: Direction,
    /// What scopes allow, in words: before those of
    /// [`Pages::scope_text`](super::Pages::scope_text).
    pub scopes: HashMap<String, String>,
    /// On more than one page.
    pub common: CommonTexts,
    /// The sign-in page.
    pub sign_in: SignInTexts,
    /// The consent page.
    pub consent: ConsentTexts,
    /// The page where an account is chosen.
    pub choose: ChooseTexts,
    /// The page before a website that nobody vouches for.
    pub leave: LeaveTexts,
    /// Signing out.
    pub sign_out: SignOutTexts,
    /// The pages that say why nothing more can be done.
    pub message: MessageTexts,
    /// The page where codes of devices are typed.
    pub device: DeviceTexts,
    /// The page where people manage their devices.
    pub devices: DevicesTexts,
    /// The page where another service is given access in turn.
    pub reciprocal: ReciprocalTexts,
    /// The registration page for developers.
    pub developers: DeveloperTexts,
    /// The fields of its form.
    pub developer_fields: DeveloperFieldTexts,
    /// What is wrong with them.
    pub developer_problems: DeveloperProblemTexts,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            lang: Cow::Borrowed("en"),
            direction: Direction::LeftToRight,
            scopes: HashMap::new(),
            common: CommonTexts::default(),
            sign_in: SignInTexts::default(),
            consent: ConsentTexts::default(),
            choose: ChooseTexts::default(),
            leave: LeaveTexts::default(),
            sign_out: SignOutTexts::default(),
            message: MessageTexts::default(),
            device: DeviceTexts::default(),
            devices: DevicesTexts::default(),
            reciprocal: ReciprocalTexts::default(),
            developers: DeveloperTexts::default(),
            developer_fields: DeveloperFieldTexts::default(),
            developer_problems: DeveloperProblemTexts::default(),
        }
    }
}

impl Texts {
    /// Texts to be translated into `lang`: English as yet. Languages that are
    /// written from right to left are known by their tags; see
    /// [`Texts::direction`].
    #[must_use]
    pub fn new(lang: impl Into<Cow<'static, str>>) -> Self {
        let lang = lang.into();
        let direction = languages::direction(&lang);
        Self { lang, direction, ..Self::default() }
    }

    /// Every text but those of scopes, under its name.
    fn each<'a>(&'a mut self, to: &mut dyn FnMut(&'static str, &'a mut Cow<'static, str>)) {
        self.common.each(to);
        self.sign_in.each(to);
        self.consent.each(to);
        self.choose.each(to);
        self.leave.each(to);
        self.sign_out.each(to);
        self.message.each(to);
        self.device.each(to);
        self.devices.each(to);
        self.reciprocal.each(to);
        self.developers.each(to);
        self.developer_fields.each(to);
        self.developer_problems.each(to);
    }
}
