//! `countersign secret new`: the content of a fresh secret file.

use crate::failure::Failure;
use crate::secrets::Secrets;

/// Prints it; nothing is written anywhere.
pub(crate) fn new() -> Result<(), Failure> {
    let secrets =
        Secrets::generate().map_err(|error| Failure::runtime("cannot make secrets", &error))?;
    super::print(&secrets.render())
}
