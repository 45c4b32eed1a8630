//! Finds the ecosystems: one file in `src/ecosystems` each.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("ecosystems", "ECOSYSTEM", "crate::Ecosystem")
}
