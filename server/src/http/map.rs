//! What the map of the dashboard is drawn with, as the configuration says. Where the devices stand is theirs to say.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::Problems;
use crate::config::{Tiles, View};
use crate::run::App;
use axum::{Json, extract::State};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How the map is drawn.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapConfig {
    /// Whose tiles it shows; null: the outline that comes with the dashboard, and no other site is asked for anything.
    #[schema(required)]
    tiles: Option<MapTiles>,
    /// Where it opens; null: where it shows all devices.
    #[schema(required)]
    view: Option<MapView>,
}

/// A server of tiles. The content security policy lets browsers load pictures from it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapTiles {
    /// The address of a tile, with `{z}`, `{x}` and `{y}` in it, and perhaps `{r}` for sharp screens.
    template: String,
    /// Whose map it is: to be shown on it.
    attribution: String,
    /// Where that leads.
    #[schema(required)]
    attribution_url: Option<String>,
    /// The deepest zoom that it has.
    #[schema(minimum = 1, maximum = 19)]
    max_zoom: u8,
}

/// A part of the world.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapView {
    /// Degrees north (WGS 84) of its middle.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
    /// How near.
    #[schema(minimum = 1, maximum = 19)]
    zoom: u8,
}

impl From<&Tiles> for MapTiles {
    fn from(tiles: &Tiles) -> Self {
        let Tiles { template, attribution, attribution_url, max_zoom, .. } = tiles.clone();
        Self { template, attribution, attribution_url, max_zoom }
    }
}

impl From<View> for MapView {
    fn from(View { latitude, longitude, zoom }: View) -> Self {
        Self { latitude, longitude, zoom }
    }
}

/// How the map is drawn.
#[utoipa::path(get, path = "/api/v1/map", operation_id = "getMap", tag = "devices",
    responses((status = 200, body = MapConfig), Problems))]
pub async fn show(State(app): State<Arc<App>>) -> Json<MapConfig> {
    let map = &app.config.map;
    Json(MapConfig { tiles: map.tiles.as_ref().map(MapTiles::from), view: map.view.map(MapView::from) })
}
