//! Finds the rules: one file in `src/rules` each.

fn main() -> Result<(), seawall_discover::Error> {
    seawall_discover::write_table("rules", "RULE", "seawall_model::Rule")
}
