//! bun.lockb, the binary lock file that Bun wrote before 1.2, is a gap.

use seawall_image::{Analyser, Body, Entry, Interest, Need};
use seawall_model::GapKind;

use crate::{Context, Ecosystem, declared, record::Writer};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "bun-lockb",
    contexts: &[Context::Project],
    analysers: &[&Binary],
    read: |view, inventory| declared::read("bun-lockb", view, inventory),
};

struct Binary;

impl Analyser for Binary {
    fn name(&self) -> &'static str {
        "bun-lockb"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("bun.lockb")]
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut out = Writer::default();
        out.gap(
            GapKind::Unsupported,
            "it is Bun's binary lock file, which is not read; `bun install --save-text-lockfile` \
             writes bun.lock in its place",
        );
        Ok(out.finish())
    }
}
