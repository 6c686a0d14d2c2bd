//! `[[matrix.appservices]]`.

use oauth_axum_rs::{Secret, matrix::Appservice};
use oauth_core::matrix::UserId;
use regex::Regex;

use super::secrets;
use crate::config::reader::Reader;

/// Those that are right; every mistake of the others is named.
pub(super) fn read(section: &mut Reader<'_>, server_name: Option<&str>, development: bool) -> Vec<Appservice> {
    let mut tokens: Vec<Secret> = Vec::new();
    let mut all = Vec::new();
    for (at, mut table) in section.sections("appservices").into_iter().enumerate() {
        let token: Option<Secret> = table.require("as_token");
        if let Some(token) = &token {
            if secrets::check_filled_in(&table, "as_token", token, development) {
                secrets::check_header(&table, "as_token", token);
            }
            // Whoever has it would be whichever comes first.
            if tokens.contains(token) {
                table.wrong("as_token", "is the one of another of `matrix.appservices` too");
            }
            tokens.push(token.clone());
        }
        let sender = read_sender(&mut table, server_name);
        let users = read_users(&mut table);
        let (Some(token), Some(sender)) = (token, sender) else { continue };
        let service = Appservice::new(format!("appservice {at}"), token, sender);
        all.push(match users {
            Some(users) => service.users(move |user| is_whole(&users, user.as_str())),
            None => service,
        });
    }
    all
}

/// `server_name` is `None` where it is none, and nothing can be said.
fn read_sender(table: &mut Reader<'_>, server_name: Option<&str>) -> Option<String> {
    let sender: String = table.require("sender_localpart")?;
    if server_name.is_some_and(|server| UserId::new(&sender, server).is_err()) {
        table.wrong("sender_localpart", "is no localpart: what stands between `@` and `:` in a user's id");
    }
    Some(sender)
}

fn read_users(table: &mut Reader<'_>) -> Option<Regex> {
    let users: String = table.take("users")?;
    // Its error shows the text over several lines, and says what it is in the last.
    let wrong = |error: regex::Error| {
        let text = error.to_string();
        let what = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        table.wrong("users", format_args!("is no regular expression: {what}"));
    };
    Regex::new(&users).map_err(wrong).ok()
}

/// Over the full user id: what matches a part of it is none.
fn is_whole(users: &Regex, user: &str) -> bool {
    users.find(user).is_some_and(|found| found.len() == user.len())
}
