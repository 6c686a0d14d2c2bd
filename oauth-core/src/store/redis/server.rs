//! Whether a server is fit for the work.

use redis::{Pipeline, Value, cmd};

use super::{
    call::Servers,
    error::{Cause, Failure},
};
use crate::store::StoreError;

/// Asks every server that leads for its version and for what it does when
/// memory is full.
pub(super) async fn inspect(servers: &Servers, eviction: bool) -> Result<(), StoreError> {
    for (_, node) in servers.topology.leaders().await? {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(cmd("INFO"));
        let answer = node.send(&pipeline, 1).await?.pop().unwrap_or_default();
        let info = match answer.extract_error().map_err(Failure::of)? {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => String::new(),
        };
        if let Some(wrong) = unfit(&info, eviction) {
            return Err(StoreError::unavailable(Cause::new(format!("{}: {wrong}", node.address))));
        }
    }
    Ok(())
}

/// What is wrong with the server that says this of itself.
fn unfit(info: &str, eviction: bool) -> Option<&'static str> {
    let field = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim()
    };
    let major: u32 = field("redis_version").split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    let evicts = field("maxmemory") != "0" && field("maxmemory_policy") != "noeviction";
    if major < 7 {
        Some("its version is below 7")
    } else if matches!(field("role"), "slave" | "replica") {
        Some("it is a replica")
    } else if evicts && !eviction {
        Some("it removes keys when memory is full: set maxmemory-policy to noeviction")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_forgets_is_refused() {
        let info = |version: &str, memory: &str, policy: &str, role: &str| {
            format!(
                "# Server\r\nredis_version:{version}\r\nrole:{role}\r\nmaxmemory:{memory}\r\nmaxmemory_policy:{policy}\r\n"
            )
        };
        assert_eq!(unfit(&info("7.0.15", "0", "volatile-lru", "master"), false), None);
        assert_eq!(unfit(&info("7.2.4", "100", "noeviction", "master"), false), None);
        assert!(unfit(&info("7.2.4", "100", "volatile-ttl", "master"), false).is_some());
        assert_eq!(unfit(&info("7.2.4", "100", "volatile-ttl", "master"), true), None);
        assert!(unfit(&info("6.2.0", "0", "noeviction", "master"), false).is_some());
        assert!(unfit(&info("7.2.4", "0", "noeviction", "slave"), false).is_some());
        assert!(unfit("", true).is_some());
    }
}
