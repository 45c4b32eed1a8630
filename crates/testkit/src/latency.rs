//! A way to a server that takes time.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Bytes read at once.
const PIECE: usize = 64 << 10;
/// Pieces on their way at once: a window of 16 MiB.
const ON_THE_WAY: usize = 256;

/// Forwards whole connections to a server on loopback, every byte a while
/// later in each direction, the first one later by a handshake; the bandwidth
/// stays as it is. Serves until it is
/// dropped.
#[derive(Debug)]
pub struct Latency {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    accepting: Option<JoinHandle<()>>,
}

impl Latency {
    /// A way to `upstream` (`127.0.0.1:PORT`) that takes `delay` each way.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn start(upstream: &str, delay: Duration) -> io::Result<Self> {
        Latency::open(upstream, delay, None)
    }

    /// The same, and all connections together bring so many bytes a second
    /// from the server.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn narrow(upstream: &str, delay: Duration, bytes: u64) -> io::Result<Self> {
        let next = Mutex::new(Instant::now());
        Latency::open(upstream, delay, Some(Arc::new(Width { bytes, next })))
    }

    fn open(upstream: &str, delay: Duration, width: Option<Arc<Width>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let received = Arc::new(AtomicU64::new(0));
        let (stop, count) = (Arc::clone(&is_over), Arc::clone(&received));
        let upstream = upstream.to_owned();
        let accepting = thread::Builder::new().spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (count, width) = (Arc::clone(&count), width.clone());
                let Ok(stream) = stream else { continue };
                let upstream = upstream.clone();
                drop(thread::Builder::new().spawn(move || {
                    // The two ways of TCP's handshake.
                    thread::sleep(delay * 2);
                    drop(join(stream, &upstream, delay, count, width));
                }));
            }
        })?;
        Ok(Latency {
            address,
            is_over,
            received,
            accepting: Some(accepting),
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Bytes that came from the server so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }
}

impl Drop for Latency {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

/// What connections share.
#[derive(Debug)]
struct Width {
    /// Bytes a second.
    bytes: u64,
    /// When the next byte may pass.
    next: Mutex<Instant>,
}

impl Width {
    /// Waits until so many bytes have passed.
    fn pass(&self, bytes: usize) {
        let time = Duration::from_secs_f64(bytes as f64 / self.bytes as f64);
        let end = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(Instant::now()) + time;
            *next
        };
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }
}

fn join(
    client: TcpStream,
    upstream: &str,
    delay: Duration,
    count: Arc<AtomicU64>,
    width: Option<Arc<Width>>,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let nobody = Arc::new(AtomicU64::new(0));
    forward(
        client.try_clone()?,
        server.try_clone()?,
        delay,
        nobody,
        None,
    )?;
    forward(server, client, delay, count, width)
}

/// Two threads: one stamps what comes, the other sends it when its time has
/// come.
fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    delay: Duration,
    count: Arc<AtomicU64>,
    width: Option<Arc<Width>>,
) -> io::Result<()> {
    let (sender, pieces) = mpsc::sync_channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    thread::Builder::new().spawn(move || {
        loop {
            let mut piece = vec![0; PIECE];
            let read = from.read(&mut piece).unwrap_or(0);
            piece.truncate(read);
            count.fetch_add(read as u64, Ordering::SeqCst);
            if let Some(width) = &width {
                width.pass(read);
            }
            if sender.send((Instant::now() + delay, piece)).is_err() || read == 0 {
                break;
            }
        }
        drop(from.shutdown(Shutdown::Read));
    })?;
    thread::Builder::new().spawn(move || {
        for (due, piece) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if piece.is_empty() || to.write_all(&piece).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
    })?;
    Ok(())
}
