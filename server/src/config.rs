//! The configuration file (TOML). Knows only names and bounds, opens nothing.
