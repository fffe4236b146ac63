//! What the program asks of the system it runs on.

use std::io;

/// Keeps the memory of this process, which holds keys and messages, out of core dumps and away from
/// debuggers.
///
/// # Errors
/// The system refuses.
pub fn hide_memory() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn there_are_no_core_dumps() {
        super::hide_memory().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        // Once more: there is nothing to give up any more.
        super::hide_memory().unwrap();
    }
}
