//! Prints how much of `tests/checklist.md` the tests claim, row by row.
//!
//! A test claims rows by a comment on or above it: the comment mark, `spec:`, then the ids, separated
//! by commas. Only test code counts: files in a folder named `tests`, `benches` or `fuzz`, files
//! named `conformance.rs`, and in any other Rust file the lines after `#[cfg(test)]`.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

const USAGE: &str = "\
How much of tests/checklist.md the tests claim.

usage: spec-coverage [--area TOK] [--missing] [--where TOK-17]

  --area AREA  only this area's rows
  --missing    also list the rows that no test claims
  --where ID   show one row and the tests that claim it

Exits 1 if a test claims a row that the checklist does not have.
";

const TEST_FOLDERS: [&str; 3] = ["tests", "benches", "fuzz"];
const SKIPPED_FOLDERS: [&str; 2] = ["target", "node_modules"];
const SOURCE_EXTENSIONS: [&str; 5] = ["rs", "sh", "py", "mjs", "ts"];

#[expect(clippy::print_stderr, reason = "where a command names its faults")]
fn main() -> ExitCode {
    run().unwrap_or_else(|fault| {
        eprintln!("spec-coverage: {fault}");
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse(env::args().skip(1))?;
    if options.help {
        io::stdout().write_all(USAGE.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().ok_or("no workspace around the package")?;
    let mut checklist = Checklist::parse(&read(&package.join("checklist.md"))?);
    checklist.claim_folder(root, root)?;

    let report = match &options.row {
        Some(id) => checklist.row(id)?,
        None => checklist.coverage(&options)?,
    };
    io::stdout().write_all(report.as_bytes())?;
    Ok(ExitCode::from(u8::from(!checklist.unknown.is_empty())))
}

#[derive(Default)]
struct Options {
    area: Option<String>,
    row: Option<String>,
    missing: bool,
    help: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--area" => options.area = Some(value()?.to_ascii_uppercase()),
                "--where" => options.row = Some(value()?.to_ascii_uppercase()),
                "--missing" => options.missing = true,
                "-h" | "--help" => options.help = true,
                other => return Err(format!("unknown argument {other}; try --help")),
            }
        }
        Ok(options)
    }
}

/// The rows with the places that claim them, and the claims that cannot stand. A place is `path:line`.
struct Checklist {
    rows: Vec<Row>,
    unknown: BTreeMap<String, Vec<String>>,
    outside_tests: Vec<String>,
}

struct Row {
    id: String,
    level: String,
    text: String,
    claimed_at: Vec<String>,
}

impl Checklist {
    fn parse(text: &str) -> Self {
        Self {
            rows: text.lines().filter_map(Row::parse).collect(),
            unknown: BTreeMap::new(),
            outside_tests: Vec::new(),
        }
    }

    /// Takes the claims of every source file under `folder`, in the order of their paths.
    fn claim_folder(&mut self, root: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && !is_skipped(&path) {
                self.claim_folder(root, &path)?;
            } else if kind.is_file() && is_source(&path) {
                self.claim_file(path.strip_prefix(root)?, &read(&path)?);
            }
        }
        Ok(())
    }

    fn claim_file(&mut self, path: &Path, source: &str) {
        let mut in_test_code = is_test_file(path);
        for (line, number) in source.lines().zip(1..) {
            in_test_code |= line.contains("#[cfg(test)]");
            for id in claimed_ids(line) {
                self.claim(id, format!("{}:{number}", path.display()), in_test_code);
            }
        }
    }

    fn claim(&mut self, id: &str, place: String, in_test_code: bool) {
        match self.rows.iter_mut().find(|row| row.id == id) {
            None => self.unknown.entry(id.into()).or_default().push(place),
            Some(row) if in_test_code => row.claimed_at.push(place),
            Some(_) => self.outside_tests.push(format!("{id} at {place}")),
        }
    }

    /// A line for each area, for each missing row if asked, for each claim that cannot stand; the total.
    fn coverage(&self, options: &Options) -> Result<String, Box<dyn Error>> {
        let asked = |row: &&Row| options.area.as_deref().is_none_or(|area| area == row.area());
        let rows: Vec<&Row> = self.rows.iter().filter(asked).collect();
        if rows.is_empty() {
            return Err("the checklist has no such area".into());
        }
        let mut out = String::new();
        for area in rows.chunk_by(|one, next| one.area() == next.area()) {
            let name = area.first().map_or("", |row| row.area());
            writeln!(out, "{name:5}{:3} of {}", claimed(area), area.len())?;
        }
        for row in rows.iter().filter(|row| options.missing && !row.is_claimed()) {
            writeln!(out, "missing {} {}: {}", row.id, row.level, row.text)?;
        }
        for claim in &self.outside_tests {
            writeln!(out, "claim outside test code: {claim}")?;
        }
        for (id, places) in &self.unknown {
            writeln!(out, "unknown id {id} at {}", places.join(", "))?;
        }
        let is_must = |row: &&Row| row.level == "MUST";
        let musts: Vec<&Row> = rows.iter().copied().filter(is_must).collect();
        writeln!(
            out,
            "spec rows: {} covered of {} (MUST {} of {}), {} unknown ids",
            claimed(&rows),
            rows.len(),
            claimed(&musts),
            musts.len(),
            self.unknown.len(),
        )?;
        Ok(out)
    }

    /// One row, and where it is claimed.
    fn row(&self, id: &str) -> Result<String, &'static str> {
        let row = self.rows.iter().find(|row| row.id == id);
        let row = row.ok_or("the checklist has no such row")?;
        let places = match row.claimed_at.as_slice() {
            [] => "no test claims it".into(),
            places => places.join("\n"),
        };
        Ok(format!("{} {}: {}\n{places}\n", row.id, row.level, row.text))
    }
}

impl Row {
    /// `| TOK-17 | MUST | AS | Redemption is atomic ... |`; any other line is no row.
    fn parse(line: &str) -> Option<Self> {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let (id, level, _role, text) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
        (is_id(id) && matches!(level, "MUST" | "SHOULD" | "MAY")).then(|| Self {
            id: id.into(),
            level: level.into(),
            text: text.into(),
            claimed_at: Vec::new(),
        })
    }

    fn area(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    fn is_claimed(&self) -> bool {
        !self.claimed_at.is_empty()
    }
}

fn claimed(rows: &[&Row]) -> usize {
    rows.iter().filter(|row| row.is_claimed()).count()
}

/// The ids after a comment's `spec:`; none in a line without one.
fn claimed_ids(line: &str) -> impl Iterator<Item = &str> {
    let (before, after) = line.split_once("spec:").unwrap_or_default();
    let before = before.trim_end().trim_end_matches('!');
    let is_comment = before.ends_with("//") || before.ends_with('#');
    after.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(move |word| is_comment && is_id(word))
}

/// Two to four capitals, a hyphen, two digits.
fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(area, number)| {
        (2..=4).contains(&area.len())
            && area.bytes().all(|b| b.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

fn is_skipped(folder: &Path) -> bool {
    let name = folder.file_name().and_then(OsStr::to_str);
    name.is_none_or(|name| name.starts_with('.') || SKIPPED_FOLDERS.contains(&name))
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| SOURCE_EXTENSIONS.contains(&extension))
}

fn is_test_file(path: &Path) -> bool {
    let mut parts = path.iter().filter_map(OsStr::to_str);
    path.ends_with("conformance.rs") || parts.any(|part| TEST_FOLDERS.contains(&part))
}

fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CHECKLIST: &str = "\
| ID | Level | Role | Check | Source |
|---|---|---|---|---|
| AAA-01 | MUST | AS | First. | RFC 1 |
| AAA-02 | SHOULD | RS | Second. | RFC 2 |
| BBB-01 | MUST | AS | Third | in two columns | RFC 3 |
";

    /// A comment that claims `ids`, put together so that this file claims nothing itself.
    fn comment(mark: &str, ids: &str) -> String {
        format!("{mark} {}: {ids}", "spec")
    }

    fn checklist(path: &str, source: &str) -> Checklist {
        let mut checklist = Checklist::parse(CHECKLIST);
        checklist.claim_file(Path::new(path), source);
        checklist
    }

    fn options(arguments: &[&str]) -> Result<Options, String> {
        Options::parse(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn every_comment_mark_claims() {
        for mark in ["//", "///", "//!", "#", "let x = 1; //"] {
            let line = comment(mark, "AAA-01, BBB-01 (both)");
            assert!(claimed_ids(&line).eq(["AAA-01", "BBB-01"]), "{line}");
        }
        for line in [comment("let", "AAA-01"), comment("//", "RFC-7009, AAA-1, aaa-01")] {
            assert_eq!(claimed_ids(&line).count(), 0, "{line}");
        }
    }

    #[test]
    fn only_test_code_claims() {
        let claim = comment("//", "AAA-01");
        for path in ["tests/a.rs", "x/tests/b/c.py", "benches/a.rs", "x/store/conformance.rs"] {
            let row = checklist(path, &claim).row("AAA-01").unwrap();
            assert_eq!(row, format!("AAA-01 MUST: First.\n{path}:1\n"));
        }
        let both = format!("{claim}\n#[cfg(test)]\nmod tests {{\n{claim}\n}}");
        let checklist = checklist("src/a.rs", &both);
        assert_eq!(checklist.row("AAA-01").unwrap(), "AAA-01 MUST: First.\nsrc/a.rs:4\n");
        assert_eq!(checklist.outside_tests, ["AAA-01 at src/a.rs:1"]);
    }

    #[test]
    fn the_report_counts_by_area_and_closes_with_the_total() {
        let checklist = checklist("tests/a.rs", &comment("//", "AAA-01"));
        assert_eq!(
            checklist.coverage(&options(&["--missing"]).unwrap()).unwrap(),
            "AAA    1 of 2\nBBB    0 of 1\n\
             missing AAA-02 SHOULD: Second.\nmissing BBB-01 MUST: Third\n\
             spec rows: 1 covered of 3 (MUST 1 of 2), 0 unknown ids\n"
        );
        assert_eq!(
            checklist.coverage(&options(&["--area", "bbb"]).unwrap()).unwrap(),
            "BBB    0 of 1\nspec rows: 0 covered of 1 (MUST 0 of 1), 0 unknown ids\n"
        );
        assert!(checklist.coverage(&options(&["--area", "ccc"]).unwrap()).is_err());
    }

    #[test]
    fn an_unknown_id_is_named_with_its_place() {
        let checklist = checklist("tests/a.rs", &comment("\n//", "CCC-09"));
        let report = checklist.coverage(&Options::default()).unwrap();
        assert!(report.contains("unknown id CCC-09 at tests/a.rs:2\n"), "{report}");
        assert!(report.ends_with(", 1 unknown ids\n"), "{report}");
    }

    #[test]
    fn a_row_without_a_test_says_so_and_an_unknown_row_is_refused() {
        let checklist = Checklist::parse(CHECKLIST);
        let row = checklist.row("BBB-01").unwrap();
        assert_eq!(row, "BBB-01 MUST: Third\nno test claims it\n");
        assert!(checklist.row("CCC-01").is_err());
    }

    #[test]
    fn a_wrong_argument_is_refused() {
        for wrong in [["--aera", "TOK"], ["--missing", "--area"], ["TOK", "REV"]] {
            assert!(options(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_row_of_the_checklist_has_its_own_id() {
        let rows = Checklist::parse(include_str!("../../checklist.md")).rows;
        let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert!(rows.len() > 300, "{} rows", rows.len());
        assert_eq!(ids.len(), rows.len());
    }
}
