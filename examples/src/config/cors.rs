//! `[cors]`: whose scripts may call this server.

use oauth_axum_rs::Cors;

use super::reader::Reader;

/// `["*"]` for everybody's; `None` for nobody's.
pub(super) fn read(top: &mut Reader<'_>) -> Option<Cors> {
    let mut section = top.section("cors");
    let origins: Vec<(String, String)> = section.list("origins");
    if origins.iter().any(|(_, origin)| origin == "*") {
        if origins.len() > 1 {
            section.wrong("origins", "`*` is all there are");
        }
        return Some(Cors::any_origin());
    }
    for (key, origin) in &origins {
        if let Err(error) = Cors::origins([origin]) {
            section.wrong(key, error);
        }
    }
    let all = Cors::origins(origins.iter().map(|(_, origin)| origin));
    all.ok().filter(|_| !origins.is_empty())
}
