//! The calls themselves: from what was asked to the verifier, and back to an answer.

mod check;
mod operator;
mod resend;
mod send;
mod session;

pub(crate) use self::check::check;
pub(crate) use self::operator::{destination, reset};
pub(crate) use self::resend::resend;
pub(crate) use self::send::send;
pub(crate) use self::session::{cancel, status};
