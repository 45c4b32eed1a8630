//! Finds the detectors: one file of a group each in `src/detectors`.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("detectors", "DETECTORS", "&[crate::Detector]")
}
