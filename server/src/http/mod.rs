//! The HTTP interface: a router per resource, one error type. Knows use cases and the store, no MQTT.
