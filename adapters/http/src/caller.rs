//! Who calls: a tenant and what it may do.

use std::fmt;

use axum::http::Extensions;
use countersign::Tenant;

use crate::problem::{Problem, ProblemKind};

/// The authenticated caller of a request, put into its extensions by whatever
/// authenticates: [`ApiKeys::protect`](crate::ApiKeys::protect), or an app's own layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// Whose sessions the call is about.
    pub tenant: Tenant,
    /// What the caller may do.
    pub scopes: Scopes,
}

impl Caller {
    /// A caller of `tenant` that may do what `scopes` says.
    #[must_use]
    pub const fn new(tenant: Tenant, scopes: Scopes) -> Self {
        Self { tenant, scopes }
    }

    /// Takes the caller out of a request's extensions, if it may do one of `wanted`.
    pub(crate) fn take(extensions: &mut Extensions, wanted: &[Scope]) -> Result<Self, Problem> {
        let caller = extensions
            .remove::<Self>()
            .ok_or_else(Problem::unauthorised)?;
        if wanted.iter().any(|scope| caller.scopes.has(*scope)) {
            return Ok(caller);
        }
        let needed: Vec<_> = wanted.iter().map(|scope| scope.name()).collect();
        let needed = needed.join("` or `");
        Err(Problem::new(
            ProblemKind::Forbidden,
            format!("this call needs the scope `{needed}`"),
        ))
    }
}

/// One thing that a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Send and resend codes, cancel sessions, read their status.
    Send,
    /// Check codes, read the status of sessions.
    Check,
    /// Reset and inspect destinations.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Send, Self::Check, Self::Admin];

    /// The stable name: `send`, `check` or `admin`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Check => "check",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Send => 1,
            Self::Check => 2,
            Self::Admin => 4,
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// What an application's backend needs: `send` and `check`.
    pub const SEND_AND_CHECK: Self = Self(3);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// These and `scope`.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Their names, in a stable order.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        Scope::ALL
            .into_iter()
            .filter(|scope| self.has(*scope))
            .map(Scope::name)
            .collect()
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        if bits <= Self::ALL.0 {
            Some(Self(bits))
        } else {
            None
        }
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({})", self.names().join(" "))
    }
}
