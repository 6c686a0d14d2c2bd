//! What the workspace builds on: every package is licensed as `deny.toml` allows and comes from
//! crates.io, and every crate that is published carries both licenses.

use serde_json::Value;
use std::{
    env, fs,
    iter::Peekable,
    path::{Path, PathBuf},
    process::Command,
};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_package_is_licensed_as_deny_toml_allows() {
    let allowed = allowed_licenses();
    let refused: Vec<String> = packages()
        .iter()
        .filter(|package| !permits(text(package, "license"), &allowed))
        .map(|package| format!("{} ({})", text(package, "name"), text(package, "license")))
        .collect();
    assert!(refused.is_empty(), "not licensed as deny.toml allows: {}", refused.join(", "));
}

#[test]
fn every_package_comes_from_crates_io_or_from_this_workspace() {
    let workspace = workspace();
    for package in packages() {
        match package["source"].as_str() {
            Some(source) => assert_eq!(source, CRATES_IO, "{}", text(&package, "name")),
            None => assert!(manifest(&package).starts_with(&workspace), "{package}"),
        }
    }
}

#[test]
fn every_published_crate_carries_both_licenses_and_a_readme() {
    let published: Vec<Value> =
        packages().into_iter().filter(|package| package["source"].is_null() && package["publish"].is_null()).collect();
    assert_eq!(published.len(), 3);
    for package in published {
        assert_eq!(text(&package, "license"), "MIT OR Apache-2.0");
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            let path = manifest(&package).with_file_name(file);
            assert!(path.is_file(), "{} is missing", path.display());
        }
    }
}

#[test]
fn a_license_expression_is_read_as_spdx_means_it() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for permitted in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "MIT AND (GPL-3.0 OR ISC)"] {
        assert!(permits(permitted, &allowed), "{permitted}");
    }
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR BSL-1.0)", "MIT WITH X"] {
        assert!(!permits(refused, &allowed), "{refused}");
    }
    assert!(permits("GPL-3.0 AND ISC OR MIT", &allowed), "AND binds closer than OR");
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the workspace is around this package").to_owned()
}

/// Every package of the lock file, on every platform, as `cargo metadata` tells it.
fn packages() -> Vec<Value> {
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

fn allowed_licenses() -> Vec<String> {
    let text = fs::read_to_string(workspace().join("deny.toml")).expect("deny.toml is there");
    let deny: toml::Table = text.parse().expect("deny.toml is TOML");
    deny["licenses"]["allow"].clone().try_into().expect("a list of licenses")
}

fn text<'a>(package: &'a Value, member: &str) -> &'a str {
    package[member].as_str().unwrap_or_default()
}

fn manifest(package: &Value) -> PathBuf {
    PathBuf::from(text(package, "manifest_path"))
}

/// Does this SPDX expression leave a choice in which every license is allowed? A `/` is an old `OR`.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words, allowed) && words.next().is_none()
}

fn any_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    let mut permitted = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        permitted |= all_of(words, allowed);
    }
    permitted
}

fn all_of<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    let mut permitted = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        permitted &= one(words, allowed);
    }
    permitted
}

fn one<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let permitted = any_of(words, allowed);
        return words.next_if_eq(&")").is_some() && permitted;
    }
    let mut license = words.next().unwrap_or_default().to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        license = format!("{license} WITH {}", words.next().unwrap_or_default());
    }
    allowed.contains(&license)
}
