//! How much is in a store.

use std::path::PathBuf;

use crate::support::raw;

/// Where the rows are.
pub(crate) enum Rows {
    /// Nobody else can see them.
    Hidden,
    Sqlite(PathBuf),
    Postgres(tokio_postgres::Client),
}

const COUNT: &str = "SELECT (SELECT count(*) FROM oauth_grants) + (SELECT count(*) FROM oauth_access_tokens)";

impl Rows {
    pub(crate) async fn of(store: &str, folder: &std::path::Path) -> Self {
        match store.split_once(':') {
            Some(("sqlite", path)) => Self::Sqlite(folder.join(path)),
            Some(("postgres" | "postgresql", _)) => Self::Postgres(raw(store).await),
            _ => Self::Hidden,
        }
    }

    /// Grants and access tokens; `-` if that cannot be seen.
    pub(crate) async fn count(&self) -> String {
        let count: i64 = match self {
            Self::Hidden => return "-".to_owned(),
            Self::Sqlite(path) => {
                let database = rusqlite::Connection::open(path).unwrap();
                database.query_row(COUNT, [], |row| row.get(0)).unwrap()
            }
            Self::Postgres(client) => client.query_one(COUNT, &[]).await.unwrap().get(0),
        };
        count.to_string()
    }
}
