//! What a technician does at the device: calibrate, read, identify. Works on a running agent through its socket
//! where it can; knows no MQTT.

pub mod calibrate;
mod dialogue;
pub mod identify;
pub mod read;
mod screen;
mod texts;
