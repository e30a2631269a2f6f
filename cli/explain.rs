//! `weir explain`: the page of a diagnostic code.

use crate::script::{FAILED, fail};
use clap::Args;
use weir_syntax::suggest::closest;

/// Explain a diagnostic code such as E0203
#[derive(Args)]
pub struct Explain {
    /// The code; without one, all codes are listed
    code: Option<String>,
}

/// Runs the command.
pub fn run(command: Explain) -> Result<(), u8> {
    let Some(wanted) = command.code else {
        weir_driver::codes().for_each(|c| println!("{}  {}", c.code, c.title));
        return Ok(());
    };
    match weir_driver::explain(&wanted) {
        Some(code) => {
            println!("{}: {}\n\n{}", code.code, code.title, code.explanation.trim_end());
            Ok(())
        }
        None => {
            let wanted = wanted.to_uppercase();
            let near = closest(&wanted, weir_driver::codes().map(|c| c.code));
            let hint = near.map_or(String::new(), |c| format!("; did you mean {c}?"));
            Err(fail(FAILED, &format!("there is no diagnostic {wanted}{hint}")))
        }
    }
}
