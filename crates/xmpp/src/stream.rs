//! RFC 6120 §4: stream negotiation
