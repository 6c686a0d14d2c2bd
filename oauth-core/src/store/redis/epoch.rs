//! The epoch: a key of its own.

use redis::Value;

use super::{
    RedisStore,
    request::{Reply, Request},
    row::time,
    script::RAISE_EPOCH,
};
use crate::{
    clock::UnixTime,
    store::{Epoch, StoreError, StoreFuture},
};

impl Epoch for RedisStore {
    fn epoch(&self) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move {
            match self.ask(&Request::reads("GET", self.keys().epoch())).await? {
                Value::Nil => Ok(UnixTime(0)),
                found => read(found),
            }
        })
    }

    fn raise_epoch(&self, to: UnixTime) -> StoreFuture<'_, UnixTime> {
        Box::pin(async move {
            let script = Request::script(&RAISE_EPOCH, [self.keys().epoch()]).arg(time(to));
            read(self.ask(&script).await?)
        })
    }
}

fn read(value: Value) -> Result<UnixTime, StoreError> {
    let mut reply = Reply::new(value, "epoch");
    reply.text()?.parse().map(UnixTime).map_err(|_| reply.damaged())
}
