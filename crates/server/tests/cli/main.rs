//! The program as its operator uses it: every command on a stopped and on a running server, with
//! its messages, its JSON and its exit codes.

mod backups;
mod people;
mod record;
mod server;
mod trial;
