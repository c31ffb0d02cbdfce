//! `countersign openapi`: the document of the API.

use crate::failure::Failure;

/// Prints the OpenAPI 3.1 document.
pub(crate) fn print() -> Result<(), Failure> {
    super::print(&format!("{:#}\n", countersign_http::openapi()))
}
