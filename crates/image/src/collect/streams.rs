//! Content that is wanted as it goes by.

use super::Collector;
use crate::Need;

impl Collector<'_> {
    /// Takes those out of the wanted that need the file as a stream, and starts
    /// them.
    pub(super) fn begin_streams(&mut self) {
        let matcher = self.reading.matcher;
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.retain(|index| {
            let Some(analyser) = matcher.analyser(*index) else {
                return false;
            };
            if analyser.need() != Need::Stream {
                return true;
            }
            if let Some(stream) = analyser.begin(&self.file()) {
                self.streams.push((*index, stream));
            }
            false
        });
        self.wanted = wanted;
    }

    /// Hands a chunk to the streams; whether one wants more.
    pub(super) fn feed_streams(&mut self, bytes: &[u8]) -> bool {
        let mut at = 0;
        while let Some((_, stream)) = self.streams.get_mut(at) {
            if stream.feed(bytes) {
                at += 1;
                continue;
            }
            let (index, stream) = self.streams.swap_remove(at);
            let result = stream.end();
            self.keep_result(index, result);
        }
        at > 0
    }

    pub(super) fn end_streams(&mut self) {
        for (index, stream) in std::mem::take(&mut self.streams) {
            let result = stream.end();
            self.keep_result(index, result);
        }
    }
}
