//! Tests of the real binary, and of the project's own rules.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod baseline;
mod cache;
mod command;
mod database;
mod engine;
mod engines;
mod feeds;
mod floors;
mod formats;
mod hostile;
mod html;
mod init;
mod licenses;
mod osv_scanner;
mod registry;

mod rpm_feeds;
mod sbom;
mod secrets;
mod service;
mod support;
mod vex;
