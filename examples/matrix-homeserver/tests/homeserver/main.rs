//! What clients see of the example, in ruma's own types and without a socket.

#![cfg(test)]

mod house;
mod rooms;
mod sessions;
mod wrong;
