//! The homeserver, where it is another process: it must know a device before the first
//! token of it is used.

use std::{fmt, sync::Arc};

use crate::{
    engine::policy::HostFuture,
    matrix::{DeviceId, UserId},
};

/// A device that is about to get its tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewDevice<'a> {
    /// Whose.
    pub user: &'a UserId,
    /// Its id; the user may have had it before.
    pub device: &'a DeviceId,
    /// What to call it: the name of its client.
    pub name: Option<&'a str>,
}

impl<'a> NewDevice<'a> {
    /// A device without a name.
    #[must_use]
    pub const fn new(user: &'a UserId, device: &'a DeviceId) -> Self {
        Self { user, device, name: None }
    }

    /// Sets its name.
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }
}

/// The homeserver's side of users and devices.
pub trait Homeserver: fmt::Debug + Send + Sync + 'static {
    /// Makes `device` known, and its user if need be; called before its tokens are answered, for
    /// the client uses them at once.
    ///
    /// A failure is 503, and the client may come again with the same code.
    fn upsert<'a>(&'a self, device: NewDevice<'a>) -> HostFuture<'a, ()>;

    /// `device` is gone: its session has ended. It may be told twice, and of a device that was never
    /// there. A failure is not for ever: whoever tells it comes again, so this need not wait for a
    /// homeserver that is away.
    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()>;

    /// `devices` are all that `user` has; any other is gone. For hosts that put a homeserver in order
    /// while nobody signs in: it would also take away what a sign-in under way has just made, and
    /// the devices that application services have made. Neither the server nor anything that comes with
    /// it calls this; what was missed is told device by device, by
    /// [`device_sessions_of`](crate::server::AuthorizationServer::device_sessions_of).
    fn sync<'a>(&'a self, user: &'a UserId, devices: &'a [DeviceId]) -> HostFuture<'a, ()>;
}

impl<H: Homeserver + ?Sized> Homeserver for Arc<H> {
    fn upsert<'a>(&'a self, device: NewDevice<'a>) -> HostFuture<'a, ()> {
        (**self).upsert(device)
    }

    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
        (**self).delete(user, device)
    }

    fn sync<'a>(&'a self, user: &'a UserId, devices: &'a [DeviceId]) -> HostFuture<'a, ()> {
        (**self).sync(user, devices)
    }
}
