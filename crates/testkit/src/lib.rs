//! An XMPP test client, the play runner and an in-process server for tests.
