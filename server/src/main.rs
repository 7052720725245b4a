//! The Tirta server.
fn main() {}
