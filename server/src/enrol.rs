//! The use case "a device asks for an identity". Knows the store and the authority, not HTTP.
