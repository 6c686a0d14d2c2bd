//! What a stranger may have this server ask, and what is read out of the answer.

mod freshness;
mod purposes;
mod urls;

use super::*;
