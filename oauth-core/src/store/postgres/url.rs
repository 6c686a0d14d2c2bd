//! The URL of a server: what it means, and what of it may be shown.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use super::{
    error::Cause,
    tls::{Files, Tls},
};

/// Where the server is, and how to get there.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    /// Hosts and database: no user, no password, no parameter.
    pub(super) shown: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, Cause> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Cause::new("the URL must begin with postgres:// or postgresql://"));
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (ours, drivers): (Vec<_>, Vec<_>) = pairs(query).partition(|(key, _)| key.starts_with("ssl"));
        let drivers: Vec<_> = drivers.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        // The driver's errors name parameters, never their values.
        let parsed = format!("{place}?{}", drivers.join("&")).parse();
        let mut config: Config = parsed.map_err(|error| Cause::of(&error))?;
        if config.get_application_name().is_none() {
            config.application_name("oauth-core");
        }
        if !query.contains("keepalives_idle") {
            config.keepalives_idle(Duration::from_secs(60));
        }
        let files = tls(&ours, config.get_hosts())?;
        config.ssl_mode(if files.is_some() { SslMode::Require } else { SslMode::Disable });
        let tls = files.as_ref().map(Tls::new).transpose()?;
        let shown = shown(&config);
        Ok(Self { config, tls, shown })
    }

    /// Adds a setting to what the server is told when a connection begins.
    pub(super) fn set(&mut self, setting: &str) {
        let options = self.config.get_options().unwrap_or_default();
        let options = format!("-c {setting} {options}");
        self.config.options(options.trim_end());
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// `None` for a connection in the clear.
fn tls(parameters: &[(&str, &str)], hosts: &[Host]) -> Result<Option<Files>, Cause> {
    let mut files = Files::default();
    let mut wanted = !hosts.iter().all(is_local);
    for (key, value) in parameters {
        let value = percent_decode_str(value).decode_utf8_lossy();
        let path = || Some(PathBuf::from(value.as_ref()));
        match (*key, value.as_ref()) {
            ("sslmode", "disable") => wanted = false,
            ("sslmode", "require" | "verify-ca" | "verify-full") => wanted = true,
            ("sslmode", _) => return Err(Cause::new("sslmode must be disable, require, verify-ca or verify-full")),
            ("sslrootcert", "system") => files.root = None,
            ("sslrootcert", _) => files.root = path(),
            ("sslcert", _) => files.certificate = path(),
            ("sslkey", _) => files.key = path(),
            _ => return Err(Cause::new(format!("the URL has a parameter that is not known: {key}"))),
        }
    }
    Ok(wanted.then_some(files))
}

/// Whether what goes there stays on this machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    };
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let hosts: Vec<_> =
        config.get_hosts().iter().enumerate().map(|(at, name)| format!("{}:{}", host(name), port(at))).collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Target {
        Target::parse(url).unwrap_or_else(|cause| panic!("{url}: {cause}"))
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_url_says_otherwise() {
        for (url, encrypted) in [
            ("postgres://db.example/oauth", true),
            ("postgresql://localhost/oauth", false),
            ("postgres://127.0.0.1:1234/oauth", false),
            ("postgres://u@%2Frun%2Fpostgresql/oauth", false),
            ("postgres://localhost,db.example/oauth", true),
            ("postgres://db.example/oauth?sslmode=disable", false),
            ("postgres://localhost/oauth?sslmode=require", true),
            ("postgres://localhost/oauth?connect_timeout=3&sslmode=verify-full", true),
        ] {
            let target = parsed(url);
            assert_eq!(target.tls.is_some(), encrypted, "{url}");
            let mode = if encrypted { SslMode::Require } else { SslMode::Disable };
            assert_eq!(target.config.get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn what_would_fall_back_to_the_clear_is_refused() {
        for mode in ["prefer", "allow", "", "Require"] {
            assert!(Target::parse(&format!("postgres://db.example/oauth?sslmode={mode}")).is_err(), "{mode}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let target = parsed("postgres://root:hunter2@one.example:5,two.example:6/oauth?options=-c%20x%3Dhunter2");
        assert_eq!(target.shown, "one.example:5,two.example:6/oauth");
        for wrong in [
            "postgres://root:hunter2@db.example:hunter2/oauth",
            "postgres://root:hunter2@db.example/oauth?port=hunter2",
            "postgres://root:hunter2@db.example/oauth?sslmode=hunter2",
            "postgres://root:hunter2@db.example/oauth?sslrootcert=/nowhere&password=hunter2",
            "mysql://root:hunter2@db.example/oauth",
        ] {
            let cause = Target::parse(wrong).map(drop).unwrap_err();
            assert!(!cause.to_string().contains("hunter2"), "{cause}");
            assert!(!format!("{cause:?}").contains("hunter2"), "{cause:?}");
        }
    }

    #[test]
    fn settings_are_added_to_those_of_the_url() {
        let mut target = parsed("postgres://localhost/oauth?options=-c%20search_path%3Dauth");
        target.set("statement_timeout=5000");
        assert_eq!(target.config.get_options(), Some("-c statement_timeout=5000 -c search_path=auth"));
    }
}
