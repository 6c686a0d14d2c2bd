//! What is asked of a server, and what it answers.

use redis::{Cmd, Pipeline, Value, cmd};

use super::{script::Script, slot::slot};
use crate::store::StoreError;

enum What {
    Script(&'static Script),
    Command { name: &'static str, writes: bool },
}

/// One step: a script or a command on keys of one slot.
pub(super) struct Request {
    pub(super) slot: u16,
    what: What,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

/// How a request is put this time.
#[derive(Clone, Copy, Default)]
pub(super) struct Manner {
    /// The server has not seen the script yet.
    pub(super) whole_script: bool,
    /// The slot is on its way to this server.
    pub(super) asking: bool,
}

impl Request {
    pub(super) fn script(script: &'static Script, keys: impl Into<Vec<String>>) -> Self {
        Self::new(What::Script(script), keys.into())
    }

    pub(super) fn reads(name: &'static str, key: String) -> Self {
        Self::new(What::Command { name, writes: false }, vec![key])
    }

    pub(super) fn writes(name: &'static str, key: String) -> Self {
        Self::new(What::Command { name, writes: true }, vec![key])
    }

    fn new(what: What, keys: Vec<String>) -> Self {
        let slot = keys.first().map_or(0, |key| slot(key));
        debug_assert!(keys.iter().all(|key| super::slot::slot(key) == slot));
        Self { slot, what, keys, args: Vec::new() }
    }

    pub(super) fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Whether it may change something, and must not be sent twice.
    pub(super) const fn changes(&self) -> bool {
        match self.what {
            What::Script(script) => script.writes,
            What::Command { writes, .. } => writes,
        }
    }

    /// Appends it to what is sent at once; returns which of the answers will
    /// be its own.
    pub(super) fn put(&self, pipeline: &mut Pipeline, manner: Manner) -> usize {
        if manner.asking {
            pipeline.add_command(cmd("ASKING"));
        }
        pipeline.add_command(self.command(manner));
        usize::from(manner.asking)
    }

    fn command(&self, manner: Manner) -> Cmd {
        let mut command = match self.what {
            What::Script(script) => {
                let (name, script) =
                    if manner.whole_script { ("EVAL", script.source) } else { ("EVALSHA", script.name()) };
                let mut command = cmd(name);
                command.arg(script).arg(self.keys.len());
                command
            }
            What::Command { name, .. } => cmd(name),
        };
        command.arg(&self.keys).arg(&self.args);
        command
    }
}

/// Names and values.
pub(super) type Hash = Vec<(Vec<u8>, Vec<u8>)>;

/// An answer is taken apart from left to right. Whatever does not fit is
/// damage, never a panic.
pub(super) struct Reply {
    values: std::vec::IntoIter<Value>,
    what: &'static str,
}

impl Reply {
    /// The answer of a step on `what`.
    pub(super) fn new(value: Value, what: &'static str) -> Self {
        let values = match value {
            Value::Array(values) => values,
            other => vec![other],
        };
        Self { values: values.into_iter(), what }
    }

    pub(super) fn damaged(&self) -> StoreError {
        StoreError::Corrupt(self.what)
    }

    fn next(&mut self) -> Result<Value, StoreError> {
        self.values.next().ok_or_else(|| self.damaged())
    }

    pub(super) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next()? {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::SimpleString(text) => Ok(Some(text.into_bytes())),
            _ => Err(self.damaged()),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.optional_bytes()?.ok_or_else(|| self.damaged())
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|_| self.damaged())
    }

    pub(super) fn list(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let Value::Array(values) = self.next()? else { return Err(self.damaged()) };
        let mut values = Self { values: values.into_iter(), what: self.what };
        (0..values.values.len()).map(|_| values.bytes()).collect()
    }

    pub(super) fn integer(&mut self) -> Result<i64, StoreError> {
        match self.next()? {
            Value::Int(number) => Ok(number),
            _ => Err(self.damaged()),
        }
    }

    /// A hash: what a script or a command says of it.
    pub(super) fn hash(&mut self) -> Result<Hash, StoreError> {
        let flat = match self.next()? {
            Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
            Value::Array(flat) => flat,
            _ => return Err(self.damaged()),
        };
        let mut flat = Self { values: flat.into_iter(), what: self.what };
        let mut fields = Vec::with_capacity(flat.values.len() / 2);
        while flat.values.len() > 0 {
            fields.push((flat.bytes()?, flat.bytes()?));
        }
        Ok(fields)
    }
}
