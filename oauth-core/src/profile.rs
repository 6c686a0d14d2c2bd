//! Profiles: what another specification asks of a server, as defaults and as checks
//! when it starts. What they ask beyond settings is in [`engine`](crate::engine).

mod matrix;

pub use self::matrix::Matrix;
use crate::server::AuthorizationServerBuilder;

/// Settings that belong together; see [`AuthorizationServerBuilder::profile`].
pub trait Profile {
    /// Makes them the builder's. Whoever calls it may then change single ones.
    fn apply(self, builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder;
}
