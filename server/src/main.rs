//! The Tirta server.
fn main() { print!("{}", server::http::openapi::document().unwrap_or_default()); }
