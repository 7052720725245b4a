//! The TLS listener of both MQTT and HTTPS: hand-shakes with a time-out and beside each other, so that a silent connection stops nobody.
