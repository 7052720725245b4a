//! The server's one MQTT connection: the only module that polls it. Knows topics and bytes, not what they mean.
