//! Why there is no connection to the message centre, and what that means.

use countersign::{DeliverError, Permanent};
use rusmpp::CommandStatus;

/// What went wrong before anything was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No TCP connection.
    Unreachable,
    /// TLS failed.
    Tls,
    /// No answer in time.
    TimedOut,
    /// The connection ended, or what came was not SMPP.
    Lost,
    /// The bind was refused.
    Refused(CommandStatus),
}

impl Failure {
    /// Whether the message centre refuses us: another try of the same bind fails alike.
    pub(super) const fn is_about_us(self) -> bool {
        matches!(
            self,
            Self::Refused(
                CommandStatus::EsmeRbindfail
                    | CommandStatus::EsmeRinvpaswd
                    | CommandStatus::EsmeRinvsysid
                    | CommandStatus::EsmeRinvsystyp
            )
        )
    }

    /// The same for whoever asked for the delivery. TLS trouble is transient: it is
    /// cured by the operator or by the end of an attack, and nothing has left.
    pub(super) const fn for_caller(self) -> DeliverError {
        if self.is_about_us() {
            DeliverError::permanent(Permanent::Unauthorised)
        } else {
            DeliverError::transient()
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign::Permanent;
    use rusmpp::CommandStatus;

    use super::Failure;

    #[test]
    fn a_refused_login_is_told_from_trouble() {
        for status in [
            CommandStatus::EsmeRinvpaswd,
            CommandStatus::EsmeRbindfail,
            CommandStatus::EsmeRinvsysid,
            CommandStatus::EsmeRinvsystyp,
        ] {
            let error = Failure::Refused(status).for_caller();
            assert_eq!(error.reason(), Some(Permanent::Unauthorised));
        }
        for failure in [
            Failure::Unreachable,
            Failure::Tls,
            Failure::TimedOut,
            Failure::Lost,
            Failure::Refused(CommandStatus::EsmeRalybnd),
            Failure::Refused(CommandStatus::EsmeRsyserr),
            Failure::Refused(CommandStatus::EsmeRthrottled),
        ] {
            let error = failure.for_caller();
            assert!(
                error.is_transient() && !error.left_possibly(),
                "{failure:?}"
            );
        }
    }
}
