//! Load generator, TLS relay and peer runner behind make bench.
