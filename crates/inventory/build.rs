//! Finds the ecosystems, one file in `src/ecosystems` each, and the groups of
//! fingerprints in `src/fingerprints`.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("ecosystems", "ECOSYSTEM", "crate::Ecosystem")?;
    seawall_discover::write_table("fingerprints", "GROUP", "crate::fingerprint::Group")
}
