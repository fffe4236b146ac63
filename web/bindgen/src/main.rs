//! bindgen IN.wasm OUT-FOLDER: what `wasm-bindgen --target web` does, in the version of the lock
//! file: the tool and the library must be the same.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(input), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: bindgen IN.wasm OUT-FOLDER".into());
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(PathBuf::from(input)).out_name("core").web(true)?.typescript(true);
    bindgen.generate(PathBuf::from(folder))?;
    Ok(())
}
