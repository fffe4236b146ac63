//! XEP-0198: Stream Management 1.6
