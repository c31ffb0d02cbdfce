//! What others do for a check: each its own way, with the same people in the same order.
//!
//! Most keep codes in clear and so skip the hash; none of them is measured with limits across
//! sessions.

mod authrs;
mod authx;
mod fraiseql;
mod pylon;
mod rustauth;
mod totp;

pub use self::authrs::Authrs;
pub use self::authx::Authx;
pub use self::fraiseql::Fraiseql;
pub use self::pylon::Pylon;
pub use self::rustauth::Rustauth;
pub use self::totp::Totp;
