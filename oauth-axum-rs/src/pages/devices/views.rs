//! What the page looks like.

use askama::Template;
use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::{clock::UnixTime, engine::matrix::UserDevice};

use super::Wanted;
use crate::pages::{
    texts::{Fill, Html},
    views::render,
    visit::Look,
};

/// Devices, each with its button.
#[derive(Template)]
#[template(path = "devices/list.html")]
struct List<'a> {
    look: Look<'a>,
    title: &'a str,
    lead: Html,
    devices: Vec<Line<'a>>,
    /// Whether it is about one device.
    single: bool,
    action: &'a str,
    csrf: &'a str,
}

struct Line<'a> {
    id: &'a str,
    client: &'a str,
    since: String,
    last: String,
}

#[derive(Template)]
#[template(path = "devices/notice.html")]
struct Notice<'a> {
    look: Look<'a>,
    title: &'a str,
    text: &'a str,
    path: &'a str,
}

/// What `wanted` is about, of the devices that `user` has.
pub(super) fn list(
    look: Look<'_>,
    user: &str,
    devices: &[UserDevice],
    wanted: &Wanted,
    action: &str,
    csrf: &str,
) -> Response<Bytes> {
    let texts = &look.texts.devices;
    let (title, lead) = match wanted {
        Wanted::Overview => (&texts.title, &texts.lead),
        Wanted::View(_) => (&texts.one, &texts.one_lead),
        Wanted::End(_) => (&texts.end_one, &texts.end_one_lead),
    };
    let shown = devices.iter().filter(|device| wanted.device().is_none_or(|wanted| *wanted == device.id));
    let page = List {
        look,
        title,
        lead: Fill::new(lead).name("user", user).html(),
        devices: shown.map(Line::of).collect(),
        single: wanted.device().is_some(),
        action,
        csrf,
    };
    render(StatusCode::OK, title, look, &page, None)
}

impl<'a> Line<'a> {
    fn of(device: &'a UserDevice) -> Self {
        let (since, last) = (day(device.since), day(device.last_refresh));
        Self { id: device.id.as_str(), client: &device.client, since, last }
    }
}

/// As in 2026-11-22, which is the same in every language.
fn day(time: UnixTime) -> String {
    // The civil calendar, from days since 1970: eras of 400 years that begin in March.
    let days = time.0 / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The form is not of this page, this browser or this person.
pub(super) fn out_of_date(look: Look<'_>, path: &str) -> Response<Bytes> {
    let texts = &look.texts.message;
    notice(StatusCode::FORBIDDEN, look, (&texts.out_of_date, &texts.out_of_date_text), path)
}

/// The request is none that this page sends.
pub(super) fn unreadable(status: StatusCode, look: Look<'_>, path: &str) -> Response<Bytes> {
    notice(status, look, (&look.texts.message.unreadable, &look.texts.devices.unreadable_text), path)
}

fn notice(status: StatusCode, look: Look<'_>, (title, text): (&str, &str), path: &str) -> Response<Bytes> {
    render(status, title, look, &Notice { look, title, text, path }, None)
}

#[cfg(test)]
mod tests {
    use oauth_core::matrix::DeviceId;

    use super::*;
    use crate::pages::texts::pseudo::{self, Seen};

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_800_000_000, "2027-01-15")] {
            assert_eq!(day(UnixTime(seconds)), text);
        }
        assert_eq!(
            (day(UnixTime(1_703_980_799)), day(UnixTime(4_107_542_400))),
            ("2023-12-30".into(), "2100-03-01".into())
        );
    }

    #[test]
    fn the_page_has_no_text_that_is_not_of_a_language() {
        let texts = pseudo::texts();
        let (look, id) = (Look { site: "1.0.0.1", texts: &texts }, DeviceId::new("4").unwrap());
        let mut seen = Seen::default();
        for wanted in [Wanted::Overview, Wanted::View(id.clone()), Wanted::End(id)] {
            seen.page(&list(look, "2", &[], &wanted, "", ""), &[]);
        }
        seen.page(&unreadable(StatusCode::OK, look, ""), &[]);
        seen.page(&out_of_date(look, ""), &[]);
        // Those need a device, and so a store.
        let elsewhere = ["devices.id", "devices.since", "devices.last", "devices.end"];
        assert_eq!(seen.unseen(&["devices"]), elsewhere);
    }
}
