//! From a payload to a commit to an ack. Judges nothing about values; knows MQTT only as a queue of messages.
