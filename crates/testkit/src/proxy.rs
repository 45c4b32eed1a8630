//! A proxy in front of a server that does what servers and networks do on bad
//! days.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Bytes written at once where nothing else is said.
const PIECE: usize = 64 << 10;

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was sent along.
    pub body: Vec<u8>,
}

impl Asked {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// An answer, from the server or made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// `Content-Length` is added unless it is here.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without headers of its own.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with a header in place of those of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// How a body is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As it is.
    Whole,
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// Nothing more comes after so many bytes of the body; the connection
    /// stays open until the client ends it.
    Stall(usize),
    /// So many bytes at once, with a pause between.
    Slow(usize, Duration),
    /// The body again and again, without a length, until the client ends it.
    Endless,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// The server's own answer.
    Pass,
    /// The server's answer, handed on in another way.
    Deliver(Delivery),
    /// The server's answer, changed.
    Edit(fn(Answer) -> Answer),
    /// The server is not asked.
    Say(Answer, Delivery),
    /// The connection ends without an answer.
    Hang,
}

type Rule = dyn FnMut(&Asked) -> Act + Send;

struct Shared {
    upstream: String,
    rule: Mutex<Box<Rule>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    broken: AtomicUsize,
    is_over: AtomicBool,
}

/// A proxy on loopback; serves until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// A proxy before `upstream` (`127.0.0.1:PORT`); `rule` decides about each
    /// request, in the order in which they come.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn start(
        upstream: &str,
        rule: impl FnMut(&Asked) -> Act + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            rule: Mutex::new(Box::new(rule)),
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            broken: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let accepting = thread::Builder::new().spawn(move || {
            for stream in listener.incoming() {
                if own.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                own.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&own);
                drop(thread::Builder::new().spawn(move || drop(serve(stream, &shared))));
            }
        })?;
        Ok(Proxy {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// A server of its own: `rule` has an answer for everything.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn alone(mut rule: impl FnMut(&Asked) -> Answer + Send + 'static) -> io::Result<Self> {
        Proxy::start("127.0.0.1:0", move |asked| {
            Act::Say(rule(asked), Delivery::Whole)
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The requests that came so far.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Answers whose client went away before their end.
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

/// Serves the requests of one connection.
fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    while let Some((asked, is_last)) = read_request(&mut input, &mut output)? {
        let act = {
            let mut seen = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(asked.clone());
            let mut rule = shared.rule.lock().unwrap_or_else(PoisonError::into_inner);
            rule(&asked)
        };
        let (answer, delivery) = match act {
            Act::Pass => (forward(&asked, &shared.upstream)?, Delivery::Whole),
            Act::Deliver(delivery) => (forward(&asked, &shared.upstream)?, delivery),
            Act::Edit(edit) => (edit(forward(&asked, &shared.upstream)?), Delivery::Whole),
            Act::Say(answer, delivery) => (answer, delivery),
            Act::Hang => return output.shutdown(Shutdown::Both),
        };
        let given = give(&mut output, &asked, &answer, delivery);
        if given.is_err() {
            shared.broken.fetch_add(1, Ordering::SeqCst);
        }
        if !given? || is_last {
            return output.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

/// Hands an answer on; whether the connection can serve another.
fn give(
    output: &mut TcpStream,
    asked: &Asked,
    answer: &Answer,
    delivery: Delivery,
) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {} x\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let has_length = answer.header("content-length").is_some();
    let is_head = asked.method == "HEAD" || matches!(answer.status, 204 | 304);
    if !has_length && !is_head && delivery != Delivery::Endless {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head.push_str("\r\n");
    output.write_all(head.as_bytes())?;
    if is_head {
        return Ok(true);
    }
    let body = answer.body.as_slice();
    let part = |length: usize| body.get(..length).unwrap_or(body);
    match delivery {
        Delivery::Whole => output.write_all(body)?,
        Delivery::Cut(length) => {
            output.write_all(part(length))?;
            return Ok(false);
        }
        Delivery::Stall(length) => {
            output.write_all(part(length))?;
            // Until the client has had enough.
            output.read(&mut [0]).map(drop)?;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Delivery::Slow(piece, pause) => {
            for piece in body.chunks(piece.max(1)) {
                output.write_all(piece)?;
                thread::sleep(pause);
            }
        }
        Delivery::Endless => loop {
            let piece = if body.is_empty() { &[0; PIECE] } else { body };
            output.write_all(piece)?;
        },
    }
    // Where the length was a lie, nothing can follow.
    let length = answer.header("content-length");
    Ok(length.is_none_or(|length| length == body.len().to_string()))
}

/// A request, and whether its client wants no other answer; `None` at the end
/// of the connection.
fn read_request(
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Option<(Asked, bool)>> {
    let Some((first, headers)) = read_head(input)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut asked = Asked {
        method: word(),
        target: word(),
        headers,
        body: Vec::new(),
    };
    if asked.header("expect").is_some() {
        output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = asked.header("content-length").unwrap_or("0");
    let length = length.parse().map_err(io::Error::other)?;
    input.take(length).read_to_end(&mut asked.body)?;
    let is_last = first.ends_with("/1.0") || asked.header("connection") == Some("close");
    Ok(Some((asked, is_last)))
}

/// A first line, and headers whose names are in lower case.
type Head = (String, Vec<(String, String)>);

fn read_head(input: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let first = line.trim_end().to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        input.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => return Ok(Some((first, headers))),
        }
    }
}

/// The server's answer. It is asked in HTTP 1.0, so that its body has no
/// encoding and ends with the connection.
fn forward(asked: &Asked, upstream: &str) -> io::Result<Answer> {
    let mut server = TcpStream::connect(upstream)?;
    let mut head = format!("{} {} HTTP/1.0\r\n", asked.method, asked.target);
    for (name, value) in &asked.headers {
        if !matches!(name.as_str(), "connection" | "expect") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    server.write_all(head.as_bytes())?;
    // A server may answer and hang up without reading what is sent along.
    let is_sent = server.write_all(&asked.body);
    let mut input = BufReader::new(server);
    let head = read_head(&mut input)?;
    if head.is_none() {
        is_sent?;
    }
    let (first, mut headers) = head.ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = first.split(' ').nth(1).unwrap_or_default();
    let status = status.parse().map_err(io::Error::other)?;
    let mut body = Vec::new();
    if asked.method != "HEAD" {
        let read = input.read_to_end(&mut body);
        if asked.body.is_empty() {
            read?;
        }
        headers.retain(|(name, _)| name != "content-length");
    }
    headers.retain(|(name, _)| name != "connection");
    Ok(Answer {
        status,
        headers,
        body,
    })
}
