//! What Anemone keeps on disk: narrow traits, the SQLite backend, and the suite every backend must pass.
