//! Sections and keys of features that are not built yet. Each may be absent,
//! or have a value that leaves the feature as it is.

use super::reader::Reader;

pub(super) fn read(top: &mut Reader<'_>) {
    top.choice("profile", &[("oauth21", Some(())), ("fapi2", None), ("matrix", None), ("mcp", None)]);
    off(top, "status_list", &["enabled"]);
    reciprocal(top);
    matrix(top);
}

/// An empty list.
const NONE: Vec<&str> = Vec::new();

/// A section of switches, all of them off.
fn off(top: &mut Reader<'_>, section: &str, switches: &[&str]) {
    let mut section = top.section(section);
    switches.iter().for_each(|switch| section.not_built(switch, &[false]));
}

fn reciprocal(top: &mut Reader<'_>) {
    let mut reciprocal = top.section("reciprocal");
    reciprocal.not_built("enabled", &[false]);
    reciprocal.not_built("code_lifetime", &[600]);
    reciprocal.not_built("retries", &[5]);
    reciprocal.not_built("retry_seconds", &[1]);
    reciprocal.not_built("peers", &[NONE]);
    reciprocal.not_built("initiators", &[NONE]);
}

fn matrix(top: &mut Reader<'_>) {
    let mut matrix = top.section("matrix");
    matrix.not_built("server_name", &["localhost"]);
    matrix.not_built("oauth", &[true]);
    matrix.not_built("homeserver_url", &[""]);
    matrix.never("introspection_secret");
    matrix.not_built("synapse", &[false]);
    matrix.not_built("legacy_query_token", &[false]);
    matrix.not_built("appservices", &[NONE]);
}
