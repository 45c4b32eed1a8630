//! Tests of the real binary, and of the project's own rules.

mod command;
mod floors;
mod formats;
mod service;
mod support;
