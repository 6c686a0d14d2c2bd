//! What can go wrong for a person, in words.

/// Travels to the page that shows it by its number, in a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Unasked,
    Foreign,
    Denied,
    Refused,
    Unreachable,
    OutOfDate,
    Ours,
}

impl Problem {
    const ALL: [Self; 7] =
        [Self::Unasked, Self::Foreign, Self::Denied, Self::Refused, Self::Unreachable, Self::OutOfDate, Self::Ours];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Unasked => "This sign-in was not begun here, or took too long. Try again.",
            Self::Foreign => "The answer came from somebody who was not asked. Nothing was done.",
            Self::Denied => "You said no. Nothing was shared.",
            Self::Refused => "The server did not let you in. Try again later.",
            Self::Unreachable => "The server does not answer as it should. Try again later.",
            Self::OutOfDate => "That page was out of date. Nothing was done.",
            Self::Ours => "This website has a problem. Try again.",
        }
    }

    pub(crate) fn number(self) -> String {
        Self::ALL.iter().position(|one| *one == self).unwrap_or_default().to_string()
    }

    pub(crate) fn numbered(number: &str) -> Option<Self> {
        Self::ALL.get(number.parse::<usize>().ok()?).copied()
    }
}
