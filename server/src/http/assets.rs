//! The dashboard's files, embedded in the binary. Knows nothing of what they show.

use super::error::Problem;
use super::security::is_static;
use crate::digest::hex;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `npm run build` made, if it was run before the server was compiled (a debug build reads the folder each time).
#[derive(RustEmbed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Dashboard;

/// Shown instead of a dashboard that was not built.
const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tirta</title>\
    <h1>Tirta runs, but without its dashboard</h1>\
    <p>This server was compiled before the dashboard was built. Run <code>cargo xtask demo</code>, or \
    <code>npm ci &amp;&amp; npm run build</code> in <code>server/dashboard</code> and compile again. \
    The interface under <code>/api/v1</code> works.</p></html>";

/// Answers every path that is no operation: a file, the dashboard's page for its own paths, or a problem.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if !is_static(path) {
        return Problem::not_found("unknown_path", "there is no such path in this interface").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let detail = "this path can only be read";
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response();
    }
    let name = match path.trim_start_matches('/') {
        "docs" | "docs/" => "docs/index.html",
        name => name,
    };
    // What is large was packed when it was built, so that neither the program nor each answer pays for it.
    if let Some(file) = Dashboard::get(&format!("{name}.gz")) {
        let packed = [(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")];
        return (packed, answer(name, &file, false, &headers)).into_response();
    }
    if let Some(file) = Dashboard::get(name) {
        // Vite puts a hash of the content into the names below assets/: such a file never changes.
        let forever = name.starts_with("assets/");
        return answer(name, &file, forever, &headers);
    }
    // A path with an extension is a file that is missing; any other is one of the dashboard's own pages.
    if name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return Problem::not_found("unknown_path", "there is no such file").into_response();
    }
    match Dashboard::get("index.html") {
        Some(page) => answer("index.html", &page, false, &headers),
        None => (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-cache")], Html(MISSING)).into_response(),
    }
}

fn answer(name: &str, file: &EmbeddedFile, forever: bool, asked: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = format!("W/\"{}\"", hex(&hash[..16]));
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    if let Ok(kind) = HeaderValue::from_str(content_type(name, file)) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    (headers, file.data.clone().into_owned()).into_response()
}

/// The type of a file; text says that it is UTF-8.
fn content_type<'a>(name: &str, file: &'a EmbeddedFile) -> &'a str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => file.metadata.mimetype(),
    }
}
