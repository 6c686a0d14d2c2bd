//! What takes minutes, and is run by hand: a server at saturation, and a store that is full.

#![expect(
    dead_code,
    unused_imports,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is run by hand, and shares its servers with the tests, which use more of them"
)]

mod filling;
mod latency;
mod options;
mod process;
mod rows;
mod saturation;

#[path = "../../../support"]
mod support {
    mod answer;
    mod ask;
    mod authority;
    mod clients;
    mod cost;
    mod fill;
    mod folder;
    mod load;
    mod nodes;
    mod people;
    mod port;
    mod postgres;
    mod program;
    mod records;
    mod reference;
    mod remote;
    mod request;
    mod visitor;

    pub(crate) use self::{
        answer::{Answer, Tokens, response_at},
        ask::Ask,
        authority::{Authority, plain_client},
        clients::*,
        cost::*,
        fill::*,
        folder::Folder,
        load::*,
        nodes::{Node, nodes},
        people::PASSWORD,
        port::free_port,
        postgres::*,
        program::{Program, program, workspace},
        records::*,
        reference::{ALBUMS, Reference},
        remote::Remote,
        request::{post, redemption},
        visitor::Visitor,
    };
}

use std::process::ExitCode;

use self::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let good = match Options::parse(std::env::args().skip(1)) {
        Ok(Options::Help) => {
            print!("{}", options::USAGE);
            true
        }
        Ok(Options::Saturate { store, minutes, clients }) => saturation::run(&store, minutes, clients).await,
        Ok(Options::Fill { tokens, store, rounds }) => filling::run(&tokens, store.as_deref(), rounds).await,
        Err(wrong) => {
            print!("soak: {wrong}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    ExitCode::from(u8::from(!good))
}
