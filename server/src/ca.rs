//! The fleet's certificate authority: makes itself on first start, signs devices. Knows no database and no network.
