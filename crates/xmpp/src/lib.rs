//! XMPP without sockets, clocks or files: XML, stanzas, stream negotiation, SASL, stream management.
