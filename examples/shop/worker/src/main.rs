// The shop's mail.
fn main() {}
