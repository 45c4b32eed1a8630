//! A connection to a Unix socket, within a time.

use std::{io, os::unix::net::UnixStream, path::Path, time::Duration};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    net::{AddressFamily, SocketAddrUnix, SocketType, connect as to, socket, sockopt},
};

/// Connects to `path`. When nobody accepts and the queue before the socket is
/// full, connecting waits for its turn; [`UnixStream::connect`] would wait for
/// ever. The timeout holds for what is written later too.
///
/// # Errors
/// When nothing listens there, or nobody accepts within `wait`.
pub(crate) fn connect(path: &Path, wait: Duration) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(wait))?;
    to(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use rustix::net::{bind, listen};

    use super::*;

    #[test]
    fn a_full_queue_is_not_waited_for_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let server = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&server, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        listen(&server, 0).unwrap();
        let wait = Duration::from_millis(50);
        let mut kept = Vec::new();
        let error = loop {
            match connect(&path, wait) {
                Ok(stream) => kept.push(stream),
                Err(error) => break error,
            }
        };
        // Linux lets one more in than it was told.
        assert!(kept.len() <= 2, "{}", kept.len());
        assert!(crate::is_timeout(&error), "{error}");
    }
}
