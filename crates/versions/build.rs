//! Finds the schemes: one file in `src/schemes` each.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("schemes", "SCHEME", "crate::Scheme")
}
