//! Bytes that another thread brings, read as one stream.

use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, RecvError},
};

/// Pieces that wait between who brings a layer and who reads it: two MiB.
pub(crate) const QUEUE: usize = 16;
/// Bytes of a piece.
pub(crate) const PIECE: usize = 128 << 10;

/// Some bytes, or why there are no more.
pub(crate) type Piece = io::Result<Vec<u8>>;

/// Pieces from a queue, read as one stream. Its end is the end of the queue.
pub(crate) struct Pieces {
    receiver: Receiver<Piece>,
    piece: Vec<u8>,
    at: usize,
}

impl Pieces {
    pub(crate) fn new(receiver: Receiver<Piece>) -> Self {
        Pieces {
            receiver,
            piece: Vec::new(),
            at: 0,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            match self.receiver.recv() {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvError) => return Ok(0),
            }
        }
        let mut rest = self.piece.get(self.at..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
