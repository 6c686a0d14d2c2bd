//! What the command line says.

pub(crate) const USAGE: &str = "\
What takes minutes, and is run by hand.

usage: soak saturate [--store STORE] [--minutes 10] [--clients 32]
       soak fill [--tokens 1000,1000000] [--store postgres://...] [--rounds 30]

saturate  An authorization server, a process of its own, answers as many mixed requests as it can: every 10 s it
          prints requests a second, how long an answer takes, the server's memory, and the rows of its store. What it
          issues lives for half a minute, so that after four minutes as much ends as begins. Exits 1 if its memory then
          still grows, or an answer was wrong.
fill      Databases side by side, each with a number of live tokens: what a step of the store costs in each, in
          microseconds and in proportion to the first. 10^3, 10^4 and 10^5 are always there.

  --store STORE  memory, sqlite, sqlite:PATH, postgres or postgres://...; by default memory for saturate. With
                 `postgres`, and for fill without a store, a server is started, and goes with its data at the end:
                 10^7 tokens need 8 GB in the folder for temporary files (TMPDIR).
                 At postgres://... fill makes databases soak_NUMBER, and removes those that are there already.
";

#[derive(Debug)]
pub(crate) enum Options {
    Help,
    Saturate { store: String, minutes: u64, clients: usize },
    Fill { tokens: Vec<u64>, store: Option<String>, rounds: usize },
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mode = arguments.next().unwrap_or_default();
        let (mut store, mut minutes, mut clients, mut rounds) = (None, 10, 32, 30);
        let mut tokens = vec![1_000_000];
        while let Some(name) = arguments.next() {
            if name == "--help" {
                return Ok(Self::Help);
            }
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match (mode.as_str(), name.as_str()) {
                (_, "--store") => store = Some(value),
                ("saturate", "--minutes") => minutes = number(&name, &value)?,
                ("saturate", "--clients") => clients = number(&name, &value)?,
                ("fill", "--rounds") => rounds = number(&name, &value)?,
                ("fill", "--tokens") => {
                    tokens = value.split(',').map(|one| number(&name, one)).collect::<Result<_, _>>()?;
                }
                _ => return Err(format!("{mode} knows no {name}")),
            }
        }
        match mode.as_str() {
            "saturate" => Ok(Self::Saturate { store: store.unwrap_or("memory".to_owned()), minutes, clients }),
            "fill" => Ok(Self::Fill { tokens, store, rounds }),
            "--help" | "help" => Ok(Self::Help),
            other => Err(format!("there is no {other:?}")),
        }
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} {text:?} is no number"))
}
