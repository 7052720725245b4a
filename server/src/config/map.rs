//! The part `[map]` of the configuration: whose tiles the map of the dashboard shows, and where it opens. Knows only names and
//! bounds; asks nobody.

use super::ConfigError;
use hyper::Uri;
use serde::Deserialize;

/// The deepest zoom that the map has.
const DEEPEST: u8 = 19;
/// What is said below the map has to fit there.
const LONGEST_ATTRIBUTION: usize = 200;

/// The map of the dashboard. Without tiles it draws an outline of its own, and no browser asks anybody else for anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map {
    /// Whose tiles it shows.
    pub tiles: Option<Tiles>,
    /// Where it opens; without it, it shows all devices.
    pub view: Option<View>,
}

/// A server of tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiles {
    /// The address of a tile, with `{z}`, `{x}` and `{y}` in it.
    pub template: String,
    /// Where it is: the only other place that browsers may load pictures from.
    pub origin: String,
    /// Whose map it is, said on the map.
    pub attribution: String,
    /// Where that leads.
    pub attribution_url: Option<String>,
    /// The deepest zoom that it has.
    pub max_zoom: u8,
}

/// A part of the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Degrees north (WGS 84) of its middle.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How near.
    pub zoom: u8,
}

/// The table as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    tiles: Option<String>,
    attribution: Option<String>,
    attribution_url: Option<String>,
    max_zoom: Option<u8>,
    center: Option<[f64; 2]>,
    zoom: Option<u8>,
}

impl Table {
    pub(super) fn check(self) -> Result<Map, ConfigError> {
        let view = view(self.center, self.zoom)?;
        let Some(template) = self.tiles else {
            let lone = [
                ("map.attribution", self.attribution.is_some()),
                ("map.attribution_url", self.attribution_url.is_some()),
                ("map.max_zoom", self.max_zoom.is_some()),
            ];
            return match lone.into_iter().find(|(_, said)| *said) {
                Some((key, _)) => Err(wrong(key, "it is about map.tiles, which is not given")),
                None => Ok(Map { tiles: None, view }),
            };
        };
        let origin = origin_of(&template).ok_or_else(|| {
            let form = "write https://HOST/…/{z}/{x}/{y}.png with a host in small letters; {r} may stand for @2x, and there are no \
                        other placeholders: instead of {s} name one host";
            wrong("map.tiles", &format!("{template:?}: {form}"))
        })?;
        let attribution = self.attribution.unwrap_or_default().trim().to_owned();
        if attribution.is_empty()
            || attribution.chars().count() > LONGEST_ATTRIBUTION
            || attribution.contains(char::is_control)
        {
            let why =
                format!("say in 1 to {LONGEST_ATTRIBUTION} characters whose map it is, as its server asks for it");
            return Err(wrong("map.attribution", &why));
        }
        if let Some(url) = &self.attribution_url
            && !is_https(url)
        {
            return Err(wrong("map.attribution_url", &format!("{url:?} is not the address of a page with https://")));
        }
        let max_zoom = self.max_zoom.unwrap_or(DEEPEST);
        in_reach("map.max_zoom", max_zoom)?;
        Ok(Map {
            tiles: Some(Tiles { template, origin, attribution, attribution_url: self.attribution_url, max_zoom }),
            view,
        })
    }
}

fn wrong(key: &'static str, why: &str) -> ConfigError {
    ConfigError::Value { key, why: why.to_owned() }
}

fn in_reach(key: &'static str, zoom: u8) -> Result<(), ConfigError> {
    let why = format!("{zoom} is not between 1 (the world) and {DEEPEST} (a yard)");
    if (1..=DEEPEST).contains(&zoom) { Ok(()) } else { Err(wrong(key, &why)) }
}

fn view(center: Option<[f64; 2]>, zoom: Option<u8>) -> Result<Option<View>, ConfigError> {
    let (latitude, longitude, zoom) = match (center, zoom) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(wrong("map.zoom", "map.center needs it")),
        (None, Some(_)) => return Err(wrong("map.center", "map.zoom needs it")),
        (Some([latitude, longitude]), Some(zoom)) => (latitude, longitude, zoom),
    };
    // The map ends before the poles.
    if !(latitude.abs() <= 85.0 && longitude.abs() <= 180.0) {
        let why = "write [degrees north, degrees east], such as [-6.2, 106.8]: -85 to 85 and -180 to 180";
        return Err(wrong("map.center", why));
    }
    in_reach("map.zoom", zoom)?;
    Ok(Some(View { latitude, longitude, zoom }))
}

/// Where the tiles of an address are, if it is one of tiles. It becomes a part of the content security policy: nothing that
/// means something there is in it.
fn origin_of(template: &str) -> Option<String> {
    let mut plain = template.to_owned();
    for place in ["{z}", "{x}", "{y}"] {
        if !plain.contains(place) {
            return None;
        }
        plain = plain.replace(place, "0");
    }
    plain = plain.replace("{r}", "");
    let host = template.strip_prefix("https://")?.split('/').next()?;
    let harmless = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]".contains(c);
    (!plain.contains(['{', '}']) && is_https(&plain) && host.chars().all(harmless)).then(|| format!("https://{host}"))
}

fn is_https(text: &str) -> bool {
    text.starts_with("https://") && text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Map, String> {
        toml::from_str::<Table>(text).map_err(|e| e.to_string())?.check().map_err(|e| e.to_string())
    }

    #[test]
    fn without_a_word_nobody_else_is_asked_for_anything() {
        assert_eq!(table("").unwrap(), Map::default());
    }

    #[test]
    fn tiles_come_from_one_host_over_https_and_say_whose_they_are() {
        let map = table(
            "tiles = \"https://tiles.example:8443/osm/{z}/{x}/{y}{r}.png?key=k1\"\nattribution = \" © Peta \"\n\
             attribution_url = \"https://tiles.example/about\"\nmax_zoom = 16",
        );
        let expected = Tiles {
            template: "https://tiles.example:8443/osm/{z}/{x}/{y}{r}.png?key=k1".to_owned(),
            origin: "https://tiles.example:8443".to_owned(),
            attribution: "© Peta".to_owned(),
            attribution_url: Some("https://tiles.example/about".to_owned()),
            max_zoom: 16,
        };
        assert_eq!(map.unwrap().tiles, Some(expected));
    }

    #[test]
    fn an_address_that_is_none_of_tiles_or_would_open_more_than_one_host_is_refused_by_name() {
        for bad in [
            "http://tiles.example/{z}/{x}/{y}.png",
            "https://tiles.example/{z}/{x}.png",
            "https://{s}.tiles.example/{z}/{x}/{y}.png",
            "https://tiles.example/{style}/{z}/{x}/{y}.png",
            "https://*.example/{z}/{x}/{y}.png",
            "https://a.example;script-src/{z}/{x}/{y}.png",
            "https://me@tiles.example/{z}/{x}/{y}.png",
            "https://Tiles.example/{z}/{x}/{y}.png",
            "https:///{z}/{x}/{y}.png",
            "https://tiles.example/ {z}/{x}/{y}.png",
            "/tiles/{z}/{x}/{y}.png",
            "",
        ] {
            let why = table(&format!("tiles = {bad:?}\nattribution = \"Peta\"")).unwrap_err();
            assert!(why.contains("map.tiles: ") && why.contains("https://HOST"), "{bad}: {why}");
        }
    }

    #[test]
    fn what_is_missing_or_beyond_its_bounds_is_named() {
        let tiles = "tiles = \"https://tiles.example/{z}/{x}/{y}.png\"\n";
        let owned = format!("{tiles}attribution = \"Peta\"\n");
        for (text, key) in [
            (tiles.to_owned(), "map.attribution"),
            (format!("{tiles}attribution = \" \""), "map.attribution"),
            (format!("{owned}attribution_url = \"javascript:alert(1)\""), "map.attribution_url"),
            (format!("{owned}max_zoom = 20"), "map.max_zoom"),
            ("attribution = \"Peta\"".to_owned(), "map.attribution"),
            ("max_zoom = 3".to_owned(), "map.max_zoom"),
            ("center = [-6.2, 106.8]".to_owned(), "map.zoom"),
            ("zoom = 9".to_owned(), "map.center"),
            ("center = [106.8, -6.2]\nzoom = 9".to_owned(), "map.center"),
            ("center = [-6.2, 190]\nzoom = 9".to_owned(), "map.center"),
            ("center = [-6.2, 106.8]\nzoom = 0".to_owned(), "map.zoom"),
            ("tile = \"x\"".to_owned(), "tile"),
        ] {
            let why = table(&text).unwrap_err();
            assert!(why.contains(key), "{text}: {why}");
        }
        let view = View { latitude: -6.0, longitude: 106.8, zoom: 9 };
        assert_eq!(table("center = [-6, 106.8]\nzoom = 9").unwrap().view, Some(view));
    }
}
