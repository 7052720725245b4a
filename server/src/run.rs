//! Puts the parts together, starts them, and stops them in order.
