//! As much of HTTP/1.1 (RFC 9112) as a local engine needs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// What went wrong.
pub(crate) enum Failure {
    Io(io::Error),
    Protocol(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// Bytes of a status line with all header fields, those of interim answers
/// included.
const HEAD_LIMIT: u64 = 64 << 10;

/// How the end of a body is told (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    /// Bytes left of the current chunk; `None` before the next size line.
    Chunked(Option<u64>),
    UntilClose,
    Done,
}

/// A connection, and how long its other end may be silent.
struct Wire {
    stream: UnixStream,
    patience: Patience,
}

#[derive(Clone, Copy)]
enum Patience {
    /// Everything has to be there by then: an end that lets a byte drip now and
    /// again hangs too.
    Until(Instant),
    /// The socket's own timeout counts, from one piece to the next.
    Each,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Patience::Until(end) = self.patience {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
        }
        self.stream.read(buffer)
    }
}

/// An answer whose body is read from it.
pub(crate) struct Response {
    status: u16,
    framing: Framing,
    reader: BufReader<Wire>,
}

/// Asks for `path`; the head of the answer has to be there by `end`.
pub(crate) fn get(mut stream: UnixStream, path: &str, end: Instant) -> Result<Response, Failure> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: seawall\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let wire = Wire {
        stream,
        patience: Patience::Until(end),
    };
    let mut reader = BufReader::with_capacity(256 << 10, wire);
    let mut left = HEAD_LIMIT;
    loop {
        let head = read_head(&mut reader, &mut left)?;
        let (status, framing) = parse_head(&head).map_err(Failure::Protocol)?;
        // Interim answers precede the real one (RFC 9110, section 15.2).
        if status >= 200 {
            return Ok(Response {
                status,
                framing,
                reader,
            });
        }
    }
}

/// One head with the empty line that ends it, of at most `left` bytes.
fn read_head(reader: &mut impl BufRead, left: &mut u64) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        let read = reader.by_ref().take(*left).read_until(b'\n', &mut head)?;
        *left -= read as u64;
        let line = head.get(before..).unwrap_or_default();
        if !line.ends_with(b"\n") {
            let what = if *left == 0 {
                "its header is too long"
            } else {
                "it hung up early"
            };
            return Err(Failure::Protocol(what));
        }
        if matches!(line, b"\r\n" | b"\n") && before > 0 {
            return Ok(head);
        }
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Framing), &'static str> {
    let text = std::str::from_utf8(head).map_err(|_| "its header is no text")?;
    let mut lines = text.lines();
    let status = lines.next().unwrap_or_default();
    let mut words = status.split(' ');
    if !words.next().unwrap_or_default().starts_with("HTTP/1.") {
        return Err("its first line is no status line");
    }
    let status = words.next().and_then(|code| code.parse().ok());
    let status: u16 = status
        .filter(|code| (100..600).contains(code))
        .ok_or("it has no status")?;
    let mut framing = Framing::UntilClose;
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("a header field has no colon")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err("it uses a transfer encoding other than chunked");
            }
            framing = Framing::Chunked(None);
        } else if name.eq_ignore_ascii_case("content-length") {
            let length = value
                .parse()
                .map_err(|_| "its content length is no number")?;
            // A transfer encoding overrides a length (RFC 9112, section 6.3).
            if framing == Framing::UntilClose {
                framing = Framing::Length(length);
            }
        }
    }
    if matches!(status, 100..=199 | 204 | 304) {
        framing = Framing::Done;
    }
    Ok((status, framing))
}

/// Reads the head of an answer and gives its status: for tests with hostile
/// input.
///
/// # Errors
/// What is wrong with it.
pub fn parse_response_head(head: &[u8]) -> Result<u16, &'static str> {
    parse_head(head).map(|(status, _)| status)
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// From here on the answer may take its time, as long as no pause is longer
    /// than `wait`.
    pub(crate) fn allow_pauses(&mut self, wait: Duration) -> io::Result<()> {
        let wire = self.reader.get_mut();
        wire.patience = Patience::Each;
        wire.stream.set_read_timeout(Some(wait))
    }

    fn next_chunk(&mut self) -> io::Result<u64> {
        let bad = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let mut line = Vec::new();
        loop {
            line.clear();
            self.reader
                .by_ref()
                .take(4096)
                .read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // An empty line ends the chunk before.
            if !matches!(line.as_slice(), b"\r\n" | b"\n") {
                break;
            }
        }
        let text = std::str::from_utf8(&line).map_err(|_| bad("a chunk's size is no number"))?;
        let size = text.split(';').next().unwrap_or_default().trim();
        u64::from_str_radix(size, 16).map_err(|_| bad("a chunk's size is no number"))
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let left = match self.framing {
            Framing::Done | Framing::Length(0) => return Ok(0),
            Framing::UntilClose => return self.reader.read(buffer),
            Framing::Length(left) | Framing::Chunked(Some(left @ 1..)) => left,
            Framing::Chunked(_) => {
                let size = self.next_chunk()?;
                if size == 0 {
                    self.framing = Framing::Done;
                    return Ok(0);
                }
                self.framing = Framing::Chunked(Some(size));
                size
            }
        };
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self
            .reader
            .read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - read as u64;
        self.framing = match self.framing {
            Framing::Length(_) => Framing::Length(left),
            _ => Framing::Chunked(Some(left)),
        };
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// What a server that says exactly this is understood to say.
    fn ask(answer: &[u8]) -> Result<(u16, io::Result<Vec<u8>>), &'static str> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let answer = answer.to_vec();
        let server = thread::spawn(move || {
            let mut request = [0; 1024];
            let _ = theirs.read(&mut request);
            let _ = theirs.write_all(&answer);
        });
        let response = get(ours, "/x", Instant::now() + Duration::from_secs(30));
        let said = match response {
            Ok(mut response) => {
                let mut body = Vec::new();
                let end = response.read_to_end(&mut body).map(|_| body);
                Ok((response.status(), end))
            }
            Err(Failure::Protocol(what)) => Err(what),
            Err(Failure::Io(error)) => panic!("{error}"),
        };
        server.join().unwrap();
        said
    }

    #[test]
    fn bodies_end_where_they_say() {
        let (status, body) = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").unwrap();
        assert_eq!((status, body.unwrap()), (200, b"abc".to_vec()));
        let chunked = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\
            Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(ask(chunked).unwrap().1.unwrap(), b"abcde");
        assert_eq!(
            ask(b"HTTP/1.0 404 X\r\n\r\nrest").unwrap().1.unwrap(),
            b"rest"
        );
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        assert!(
            ask(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
                .unwrap()
                .1
                .is_err()
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";
        assert!(ask(chunked).unwrap().1.is_err());
        let endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
        assert!(ask(endless).unwrap().1.is_err());
    }

    #[test]
    fn what_is_no_http_is_refused() {
        assert!(ask(b"SSH-2.0-x\r\n\r\n").is_err());
        assert!(ask(b"HTTP/1.1 abc\r\n\r\n").is_err());
        assert!(ask(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n").is_err());
        assert!(ask(b"HTTP/1.1 200 OK\r\n").is_err());
    }

    #[test]
    fn a_head_has_an_end() {
        let fields = "X-Y: z\r\n".repeat(20_000);
        let endless = format!("HTTP/1.1 200 OK\r\n{fields}");
        assert_eq!(
            ask(endless.as_bytes()).unwrap_err(),
            "its header is too long"
        );
        let line = format!("HTTP/1.1 200 {}", "O".repeat(100_000));
        assert_eq!(ask(line.as_bytes()).unwrap_err(), "its header is too long");
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000);
        assert_eq!(
            ask(interim.as_bytes()).unwrap_err(),
            "its header is too long"
        );
    }
}
