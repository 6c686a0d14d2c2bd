use std::{fs, path::Path};

use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::authorization_details::AuthorizationDetails;

use super::{
    about::About,
    texts::{
        Texts,
        pseudo::{self, Seen},
    },
    views::{self, Choose, Consent, Leave, ResourceLine, ScopeLine, SignIn},
    visit::Look,
};

const SITE: &str = "1.0.0.1";

fn sign_in<'a>(look: Look<'a>, problem: Option<&'a str>) -> Response<Bytes> {
    let again = Some(&*look.texts.sign_in.again).filter(|_| problem.is_some());
    SignIn { look, client: "2", action: "", csrf: "", username: "3", again, problem }.page(StatusCode::OK)
}

fn consent<'a>(
    look: Look<'a>,
    details: &'a AuthorizationDetails,
    change: impl FnOnce(&mut Consent<'a>),
) -> Response<Bytes> {
    let mut page = Consent {
        look,
        client: "2",
        user: "3",
        local: false,
        agreed_before: false,
        scopes: Vec::new(),
        known: Vec::new(),
        details,
        resources: Vec::new(),
        redirect_host: "4",
        about: About::default(),
        document_host: None,
        action: "",
        csrf: "",
        account: "",
    };
    change(&mut page);
    page.page("https://4.0.0.4")
}

fn consents(look: Look<'_>) -> Vec<Response<Bytes>> {
    let line = |text| vec![ScopeLine { token: "5", text }];
    let resource = |is_new| ResourceLine { identifier: "6", is_new };
    let (none, details) = (&AuthorizationDetails::default(), AuthorizationDetails::parse(r#"[{"type":"7"}]"#).unwrap());
    let about = |terms, policy| About { website: Some("8"), terms, policy };
    vec![
        consent(look, none, |page| page.local = true),
        consent(look, none, |page| (page.scopes, page.about) = (line(Some("9")), about(Some("10"), None))),
        consent(look, none, |page| (page.document_host, page.about) = (Some("11"), about(None, Some("10")))),
        consent(look, &details, |page| {
            (page.agreed_before, page.scopes, page.known) = (true, line(None), line(Some("9")));
            page.resources = vec![resource(true), resource(false)];
            page.about = about(Some("10"), Some("10"));
        }),
    ]
}

fn leave(look: Look<'_>) -> Response<Bytes> {
    let page = Leave { look, redirect_host: "4", error: "12", description: "13", action: "", csrf: "", account: "" };
    page.page("https://4.0.0.4")
}

#[test]
fn the_pages_of_an_interaction_have_no_text_that_is_not_of_a_language() {
    let texts = pseudo::texts();
    let look = Look { site: SITE, texts: &texts };
    let mut pages = consents(look);
    let choose = Choose { look, client: "2", user: "3", action: "", csrf: "", account: "" };
    pages.extend([choose.page("https://4.0.0.4"), leave(look), sign_in(look, None)]);
    pages.extend([sign_in(look, Some(&texts.sign_in.wrong)), sign_in(look, Some(&texts.sign_in.incomplete))]);
    pages.extend([views::sign_out(look, "3", "", ""), views::signed_out(look), views::unavailable(look)]);
    pages.extend([views::ended(StatusCode::OK, look), views::bad_request(StatusCode::OK, look)]);
    pages.push(views::foreign_form(look, Some(("", ""))));
    let mut seen = Seen::default();
    for page in &pages {
        seen.page(page, &["type"]);
    }
    // Those take a clock, or a client that asks for more than there is.
    let elsewhere = ["sign_in.another_way", "sign_in.limited"];
    let groups = ["common", "sign_in", "consent", "choose", "leave", "sign_out", "message"];
    assert_eq!(seen.unseen(&groups), elsewhere);
}

#[test]
fn no_template_has_a_text_of_its_own() {
    fn read(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let count = |path: std::path::PathBuf| match path.is_dir() {
            true => read(&path),
            false => {
                let text = fs::read_to_string(&path).unwrap();
                let own = [("{%", "%}"), ("{{", "}}"), ("<", ">")].into_iter().fold(text, |text, (begin, end)| {
                    let parts = text.split(begin);
                    parts.map(|part| part.split_once(end).map_or(part, |(_, text)| text)).collect()
                });
                assert!(!own.contains(char::is_alphabetic), "{}: {}", path.display(), own.trim());
                1
            }
        };
        entries.map(count).sum()
    }
    assert!(read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")) >= 10);
}

#[test]
fn what_a_translation_says_is_text_and_so_is_what_it_is_about() {
    let mut texts = Texts::new("\"><i>");
    for (name, english) in Texts::english() {
        texts.set(name, format!("<i>{english}")).unwrap();
    }
    let look = Look { site: "<i>", texts: &texts };
    let mut pages = consents(look);
    let none = AuthorizationDetails::default();
    pages.push(consent(look, &none, |page| (page.client, page.redirect_host) = ("<i>", "<i>")));
    pages.extend([leave(look), sign_in(look, Some("<i>")), views::sign_out(look, "<i>", "<i>", "<i>")]);
    pages.extend([views::signed_out(look), views::foreign_form(look, Some(("<i>", "<i>")))]);
    for page in &pages {
        assert!(!std::str::from_utf8(page.body()).unwrap().contains("<i>"));
    }
}

#[test]
fn a_language_that_is_written_from_right_to_left_turns_the_page() {
    let texts = Texts::new("he");
    let page = leave(Look { site: SITE, texts: &texts });
    let html = std::str::from_utf8(page.body()).unwrap();
    assert!(html.contains("<html lang=\"he\" dir=\"rtl\">"));
    // What stays English is marked.
    assert!(html.contains("<dd lang=\"en\" dir=\"ltr\">13</dd>"));
}
