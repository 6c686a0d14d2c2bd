//! Where the server listens, by what means, and where it keeps things.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::http::HeaderName;
use oauth_axum_rs::{ClientCertificates, Secret, TlsConfig, TlsError};
use oauth_tower::proxy::{Cidr, TrustedProxies};
use url::{Host, Url};

use super::{reader::Reader, report::Report, value::Parsed};
use crate::proxy::Front;

/// `listen`, `[tls]` and who may speak for whom.
#[derive(Debug)]
pub struct Listen {
    /// `listen`.
    pub address: SocketAddr,
    /// `development`.
    pub development: bool,
    /// `trusted_proxies`.
    pub trusted_proxies: TrustedProxies,
    /// `tls.certificate_header`.
    pub certificate_header: Option<HeaderName>,
    /// `[tls]`, unless it has a `certificate_header` and nothing else.
    pub tls: Option<TlsConfig>,
    /// Whether clients may show certificates, here or to a proxy.
    pub mutual_tls: bool,
    /// Whether what such a certificate says of its owner can be believed: an
    /// authority of clients is named, or the proxy knows one.
    pub verified_certificates: bool,
    /// `tls.proxy_verifies_certificates`.
    pub proxy_verifies_certificates: bool,
}

/// `store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// `memory:`.
    Memory,
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`: the URL, which may have a password in it.
    Postgres(Secret),
    /// `redis://…`, several with commas between them: the URLs, which may have
    /// a password in them.
    Redis(Vec<Secret>),
    /// With a `short_lived_store` beside it.
    Composite {
        /// `store`: a file or a PostgreSQL server.
        durable: Box<Self>,
        /// `short_lived_store`: the URLs, as of [`StoreKind::Redis`].
        short_lived: Vec<Secret>,
    },
}

/// `[keys]`.
#[derive(Debug)]
pub struct Keys {
    /// `secret_file`; a store in memory needs none.
    pub secret_file: Option<PathBuf>,
    /// `previous_secret_files`.
    pub previous: Vec<PathBuf>,
}

impl Listen {
    pub(super) fn read(top: &mut Reader<'_>, folder: &Path) -> Self {
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 9443));
        let address = top.address("listen").unwrap_or(default);
        // What could not be read may have been `true`.
        let development = top.take("development").unwrap_or_else(|| top.blames("development"));
        let trusted_proxies: Vec<Parsed<Cidr>> = top.take("trusted_proxies").unwrap_or_default();
        let trusted_proxies: Vec<Cidr> = trusted_proxies.into_iter().map(|Parsed(range)| range).collect();
        if development && !top.blames("development") && !address.ip().is_loopback() {
            top.wrong("development", "needs a loopback address in `listen`");
        }
        let section = top.table("tls").map(|tls| Tls::read(tls, folder)).unwrap_or_default();
        if !section.given && !top.blames("tls") {
            let proxied = !trusted_proxies.is_empty() || top.blames("trusted_proxies");
            if !development && !proxied {
                top.wrong("tls", "is missing: plain http needs `development = true` or `trusted_proxies`");
            }
        }
        let Tls { config: tls, asks, verifies, certificate_header, proxy_verifies, .. } = section;
        let verified_certificates = verifies || (proxy_verifies && certificate_header.is_some());
        let mutual_tls = asks || certificate_header.is_some();
        let trusted_proxies = trusted_proxies.into_iter().collect();
        Self {
            address,
            development,
            trusted_proxies,
            certificate_header,
            tls,
            mutual_tls,
            verified_certificates,
            proxy_verifies_certificates: proxy_verifies,
        }
    }

    /// What stands in front of everything that is served here.
    #[must_use]
    pub fn front(&self) -> Front {
        let (proxies, certificate_header) = (self.trusted_proxies.clone(), self.certificate_header.clone());
        let verified_certificates = self.proxy_verifies_certificates;
        Front { proxies, certificate_header, verified_certificates, development: self.development }
    }

    /// RFC 8414 section 2, and that the scheme is the one that is served.
    pub(super) fn check_issuer(&self, issuer: &str, report: &Report) {
        if report.blames("issuer") {
            return;
        }
        let wrong = |what: &str| report.wrong("issuer", what);
        let Some(url) = Url::parse(issuer).ok().filter(|url| ["https", "http"].contains(&url.scheme())) else {
            return wrong("must be an https URL");
        };
        if issuer.contains(['?', '#', '@']) || issuer.ends_with('/') {
            wrong("must have no query, no fragment, no user name, and no slash at the end");
        } else if url.as_str().trim_end_matches('/') != issuer {
            wrong(&format!("must be spelled as URLs are: {}", url.as_str().trim_end_matches('/')));
        }
        if url.scheme() == "https" {
            return;
        }
        if !self.development {
            wrong("plain http needs `development = true`");
        } else if self.tls.is_some() {
            wrong("is plain http, but `[tls]` is there");
        } else if !is_loopback(&url) {
            wrong("plain http is for localhost and loopback addresses only");
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// `[tls]`.
#[derive(Default)]
struct Tls {
    /// There is a certificate to serve with, or there should be.
    given: bool,
    config: Option<TlsConfig>,
    /// Clients are asked for certificates.
    asks: bool,
    /// With good chains only.
    verifies: bool,
    certificate_header: Option<HeaderName>,
    proxy_verifies: bool,
}

impl Tls {
    /// A proxy that ends TLS can pass certificates on, so that a section with
    /// nothing but `certificate_header` is about plain http.
    fn read(mut tls: Reader<'_>, folder: &Path) -> Self {
        let header: Option<String> = tls.take("certificate_header").filter(|name: &String| !name.is_empty());
        let named = header.is_some();
        let certificate_header = header.and_then(|name| header_name(&tls, &name));
        let proxy_verifies = tls.or("proxy_verifies_certificates", false);
        if proxy_verifies && !named {
            tls.wrong("proxy_verifies_certificates", "needs a `certificate_header`");
        }
        let authorities = tls.has("client_ca");
        let certificates = client_certificates(&mut tls, folder);
        let (asks, verifies) = (certificates.is_some(), certificates.is_some() && authorities);
        let given = tls.has("certificate") || tls.has("private_key") || asks || !named;
        let config = if given { server_certificate(&mut tls, certificates.as_ref(), folder) } else { None };
        Self { given, config, asks, verifies, certificate_header, proxy_verifies }
    }
}

fn header_name(tls: &Reader<'_>, name: &str) -> Option<HeaderName> {
    name.parse().map_err(|_| tls.wrong("certificate_header", "must be the name of a header")).ok()
}

/// `None` for `off`, which is the default. Then nobody looks at `client_ca`.
fn client_certificates(tls: &mut Reader<'_>, folder: &Path) -> Option<ClientCertificates> {
    let authorities = tls.take("client_ca").map(|path: String| folder.join(path));
    let modes = [
        ("off", Some(None)),
        ("optional", Some(Some(ClientCertificates::optional()))),
        ("required", Some(Some(ClientCertificates::required()))),
    ];
    let certificates = tls.choice("client_certificates", &modes).flatten()?;
    Some(match authorities {
        Some(file) => certificates.verified_by(file),
        None => certificates,
    })
}

/// The files, read and found to fit.
fn server_certificate(
    tls: &mut Reader<'_>,
    certificates: Option<&ClientCertificates>,
    folder: &Path,
) -> Option<TlsConfig> {
    let certificate = tls.require::<String>("certificate").map(|path| folder.join(path));
    let private_key = tls.require::<String>("private_key").map(|path| folder.join(path));
    let (certificate, private_key) = (certificate?, private_key?);
    let found = TlsConfig::from_pem_files(&certificate, &private_key);
    let config = found.map_err(|error| tls.wrong(blamed(&error, &certificate), &error)).ok()?;
    match certificates {
        Some(asked) => config.client_certificates(asked).map_err(|error| tls.wrong("client_ca", &error)).ok(),
        None => Some(config),
    }
}

fn blamed(error: &TlsError, certificate: &Path) -> &'static str {
    match error {
        TlsError::Certificate(_) => "certificate",
        TlsError::Read { path, .. } if path == certificate => "certificate",
        _ => "private_key",
    }
}

impl StoreKind {
    /// `None` after a mistake.
    pub(super) fn read(top: &mut Reader<'_>, folder: &Path) -> Option<Self> {
        let store = Self::read_one(top, folder);
        let Some(text) = top.take::<String>("short_lived_store") else { return store };
        let short_lived = redis_urls(&text);
        if short_lived.is_none() {
            top.wrong("short_lived_store", "must be redis://USER:PASSWORD@HOST");
        }
        match (store?, short_lived) {
            (durable @ (Self::Sqlite(_) | Self::Postgres(_)), Some(short_lived)) => {
                Some(Self::Composite { durable: Box::new(durable), short_lived })
            }
            (_, Some(_)) => {
                top.wrong("short_lived_store", "needs a `store` that is sqlite:PATH or postgres://");
                None
            }
            (store, None) => Some(store),
        }
    }

    fn read_one(top: &mut Reader<'_>, folder: &Path) -> Option<Self> {
        let store: String = top.or("store", "memory:".to_owned());
        match store.split_once(':') {
            Some(("memory", "")) => return Some(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => return Some(Self::Sqlite(folder.join(path))),
            Some(("postgres" | "postgresql", place)) if place.starts_with("//") => {
                return Some(Self::Postgres(Secret::new(store.as_str())));
            }
            _ => {}
        }
        let redis = redis_urls(&store).map(Self::Redis);
        if redis.is_none() {
            top.wrong(
                "store",
                "must be memory:, sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or redis://USER:PASSWORD@HOST",
            );
        }
        redis
    }
}

/// One server, or several of a cluster with commas between them.
fn redis_urls(text: &str) -> Option<Vec<Secret>> {
    let (scheme, place) = text.split_once(':')?;
    let redis = matches!(scheme, "redis" | "rediss" | "valkey" | "valkeys") && place.starts_with("//");
    redis.then(|| text.split(',').map(|url| Secret::new(url.trim())).collect())
}

impl Keys {
    pub(super) fn read(top: &mut Reader<'_>, folder: &Path, store: Option<&StoreKind>) -> Self {
        let mut keys = top.section("keys");
        let in_folder = |path: String| folder.join(path);
        let secret_file: Option<String> = match store {
            None | Some(StoreKind::Memory) => keys.take("secret_file"),
            // Its name is what is missing, not the file.
            Some(_) if !keys.has("secret_file") && !keys.blames("secret_file") => {
                keys.wrong(
                    "secret_file",
                    "must name a file, as `store` outlives the process; the first start makes it",
                );
                None
            }
            Some(_) => keys.take("secret_file"),
        };
        let previous: Vec<String> = keys.take("previous_secret_files").unwrap_or_default();
        if secret_file.is_none() && !previous.is_empty() && !keys.blames("secret_file") {
            keys.wrong("previous_secret_files", "needs a `secret_file` that is the current one");
        }
        Self { secret_file: secret_file.map(in_folder), previous: previous.into_iter().map(in_folder).collect() }
    }
}
