//! How registries are talked to.

use std::{sync::Arc, time::Duration};

use crate::{Credentials, Hosts};

/// How registries are talked to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection may take, with its handshakes.
    pub connect: Duration,
    /// How long a registry may be silent, before an answer and between the
    /// pieces of one.
    pub silence: Duration,
    /// Bytes a second that an answer has to bring, over the time of `silence`.
    pub slowest: u64,
    /// How long a small answer may take, such as a manifest or a page of tags,
    /// with all its tries but without the pauses between them; and how long a
    /// token may.
    pub small: Duration,
    /// How often a request is made again, all that it takes to read one blob
    /// being one request.
    pub tries: u32,
    /// How long the first of these waits, at most; each further one waits
    /// twice as long.
    pub pause: Duration,
    /// How long any of them waits, also where the registry asks for more: then
    /// it is given up.
    pub longest_pause: Duration,
    /// What is set for single registries.
    pub hosts: Hosts,
    /// Where credentials are looked for.
    pub credentials: Arc<Credentials>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            slowest: 256,
            small: Duration::from_secs(120),
            tries: 8,
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(60),
            hosts: Hosts::default(),
            credentials: Arc::default(),
        }
    }
}
