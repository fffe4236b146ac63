//! `anemone serve`.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use store::OpenError;

use crate::{
    admin::{Fault, FaultCode},
    config::Home,
    serve::{self, After, ServeError},
};

/// Serves until it is told to stop, and begins anew when it is told that.
///
/// # Errors
/// Why it could not serve.
pub(super) fn run(home: &Home) -> Result<ExitCode, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Fault::new(FaultCode::Configuration, format!("the system gives no threads: {error}"))
    })?;
    match runtime.block_on(serve::run(home.clone())) {
        Ok(After::Stop) => Ok(ExitCode::SUCCESS),
        Ok(After::Restart) => {
            drop(runtime);
            Err(again())
        }
        Err(error) => {
            let code = match error {
                ServeError::Open(OpenError::InUse { .. }) => FaultCode::Running,
                ServeError::Store(_) | ServeError::Fatal(_) => FaultCode::Storage,
                _ => FaultCode::Configuration,
            };
            Err(Fault::new(code, error.to_string()))
        }
    }
}

/// Begins anew in the same process, with the program as it is on disk now. Returns only if that fails.
fn again() -> Fault {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let error = Command::new(&program).args(arguments).exec();
    let message = format!("{} cannot be started again: {error}", program.display());
    Fault::new(FaultCode::Configuration, message)
}
