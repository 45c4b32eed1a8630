//! Finds the feeds: one file in `src/feeds` each.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("feeds", "FEED", "crate::feed::Feed")
}
