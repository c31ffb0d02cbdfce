//! What others do for a check: each its own way, with the same people in the same order.
//!
//! Most keep codes in clear and so skip the hash; none of them has limits across sessions.

mod authrs;
mod authx;
mod fraiseql;
mod pylon;
mod totp;

pub use self::authrs::Authrs;
pub use self::authx::Authx;
pub use self::fraiseql::Fraiseql;
pub use self::pylon::Pylon;
pub use self::totp::Totp;
