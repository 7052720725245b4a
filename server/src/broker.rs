//! The in-process MQTT broker: who may connect, what they may say, and how they are thrown out. Knows no reading.
