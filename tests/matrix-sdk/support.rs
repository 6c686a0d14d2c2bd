//! What these tests share with the others.

// Not everything of it is of use here.
#![allow(dead_code, unreachable_pub)]

#[path = "../support/answer.rs"]
mod answer;
#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/clients.rs"]
mod clients;
#[path = "../support/folder.rs"]
mod folder;
#[path = "../support/people.rs"]
mod people;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/remote.rs"]
mod remote;
#[path = "../support/request.rs"]
mod request;
#[path = "../support/visitor.rs"]
mod visitor;

pub(crate) use self::{
    answer::Answer,
    authority::Authority,
    clients::{CALLBACK, Caller, ISSUER, VERIFIER},
    folder::Folder,
    people::{PASSWORD, People},
    port::free_port,
    program::{Program, workspace},
    remote::Remote,
    request::post,
    visitor::{Page, Visitor},
};
