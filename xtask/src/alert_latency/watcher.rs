//! Somebody who watches by WebSocket, as a browser does, and notes when news of alerts come.

use super::Heard;
use crate::error::Error;
use crate::fleet::{Fleet, now_ms};
use futures_util::StreamExt;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

/// Begins to watch, until this program ends.
pub(super) async fn watch(fleet: &Fleet, heard: Heard) -> Result<(), Error> {
    let failed = |error: tungstenite::Error| Error::Verdict(format!("the WebSocket is refused: {error}"));
    let url = format!("{}/api/v1/live", fleet.server.http_url().replacen("http", "ws", 1));
    let mut request = url.into_client_request().map_err(failed)?;
    let bearer = fleet.client().authorization().and_then(|bearer| bearer.parse().ok());
    request.headers_mut().extend(bearer.map(|bearer| (hyper::header::AUTHORIZATION, bearer)));
    let (mut socket, _) = connect_async(request).await.map_err(failed)?;
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let now = now_ms();
            let event: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            if event["type"] == "alert" {
                heard.take(&event["news"], now);
            }
        }
    });
    Ok(())
}
