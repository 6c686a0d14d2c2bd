//! Where a program of a test can listen.

use std::{
    iter,
    sync::atomic::{AtomicU16, Ordering},
};

/// A port of this machine that nobody listens on. Systems do not hand out ports below 32768 by themselves, so that
/// nobody takes it in the meantime.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 150).unwrap() * 100;
    let ports = iter::repeat_with(|| 12_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000);
    let mut free = ports.filter(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().unwrap()
}
