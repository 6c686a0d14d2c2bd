//! The statements, and what goes into them.

use std::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, WrongType};

use super::{clients, consents, grants, interactions, keys, row::number, step, uses};
use crate::clock::UnixTime;

/// One statement: one transaction of its own, since nothing here begins any.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) text: &'static str,
    /// Whether it changes nothing, so that it may be tried again whatever
    /// became of it.
    pub(super) only_reads: bool,
}

impl Sql {
    pub(super) const fn reads(text: &'static str) -> Self {
        Self { text, only_reads: true }
    }

    pub(super) const fn writes(text: &'static str) -> Self {
        Self { text, only_reads: false }
    }
}

/// What every connection prepares when it is opened. The rest is rare, or
/// (the sweep) better planned for the values of the day.
const PREPARED: &[&Sql] = &[
    &grants::GRANT,
    &grants::ACCESS,
    &grants::INSERT,
    &grants::INSERT_ACCESS,
    &grants::REVOKE,
    &grants::REVOKE_ACCESS,
    &step::REDEEM,
    &step::ROTATE,
    &interactions::PARK,
    &interactions::INTERACTION,
    &interactions::DROP,
    &interactions::FINISH,
    &clients::CLIENT,
    &keys::KEYS,
    &super::PROBE,
    // Since version 2 of the schema.
    &uses::FIRST,
    &uses::COUNT,
    &uses::USES,
    // Since version 3.
    &consents::CONSENT,
    &consents::FIRST,
    &consents::NEXT,
];

/// What a program prepares that knows the schema up to version `known`.
pub(super) fn prepared(known: usize) -> &'static [&'static Sql] {
    let later = match known {
        0..2 => 6,
        2 => 3,
        _ => 0,
    };
    PREPARED.get(..PREPARED.len() - later).unwrap_or(PREPARED)
}

/// A value for a statement. It knows its type, so that the server need not
/// be asked, and does not show itself to the driver's log.
#[derive(Clone, Copy)]
pub(super) enum Param<'a> {
    Number(Option<i64>),
    Bytes(Option<&'a [u8]>),
    Text(Option<&'a str>),
    Flag(Option<bool>),
}

impl<'a> Param<'a> {
    pub(super) fn number(value: u64) -> Self {
        Self::Number(Some(number(value)))
    }

    pub(super) fn time(value: impl Into<Option<UnixTime>>) -> Self {
        Self::Number(value.into().map(|time| number(time.0)))
    }

    pub(super) fn bytes(value: &'a [u8]) -> Self {
        Self::Bytes(Some(value))
    }

    pub(super) fn text(value: &'a str) -> Self {
        Self::Text(Some(value))
    }

    pub(super) const fn kind(&self) -> Type {
        match self {
            Self::Number(_) => Type::INT8,
            Self::Bytes(_) => Type::BYTEA,
            Self::Text(_) => Type::TEXT,
            Self::Flag(_) => Type::BOOL,
        }
    }
}

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

type Written = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Param<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Written {
        match self {
            Self::Number(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Flag(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Written {
        if *kind != self.kind() {
            return Err(Box::new(WrongType::new::<Self>(kind.clone())));
        }
        self.to_sql(kind, out)
    }
}
