//! What it means when a submit is not taken.

use std::time::Duration;

use countersign::{DeliverError, Permanent};
use rusmpp::CommandStatus as Status;

/// SMPP names no pause. More submits than agreed are a matter of the next second; a full
/// queue takes longer to empty.
const THROTTLED: Duration = Duration::from_secs(1);
const QUEUE_FULL: Duration = Duration::from_secs(10);

/// The error for a `command_status` other than `ESME_ROK` (SMPP 3.4, 5.1.3).
pub(super) const fn refusal(status: Status) -> DeliverError {
    match status {
        Status::EsmeRthrottled => DeliverError::throttled(THROTTLED),
        Status::EsmeRmsgqful => DeliverError::throttled(QUEUE_FULL),
        // Not bound, says the message centre: the next bind cures it.
        Status::EsmeRsyserr
        | Status::EsmeRsubmitfail
        | Status::EsmeRinvbndsts
        | Status::EsmeRxTAppn => DeliverError::transient(),
        Status::EsmeRinvdstadr => DeliverError::permanent(Permanent::InvalidDestination),
        // Every message of this sender is refused, not this one only.
        Status::EsmeRinvsrcadr
        | Status::EsmeRinvsrcton
        | Status::EsmeRinvsrcnpi
        | Status::EsmeRinvsystyp => DeliverError::permanent(Permanent::Unauthorised),
        _ => DeliverError::permanent(Permanent::Refused),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign::Permanent::{self, InvalidDestination, Refused, Unauthorised};
    use rusmpp::CommandStatus;

    use super::refusal;

    #[test]
    fn a_status_means_what_the_standard_says() {
        type Expected = (u32, Option<Permanent>, Option<u64>);
        let table: [Expected; 15] = [
            (0x58, None, Some(1)),
            (0x14, None, Some(10)),
            (0x08, None, None),
            (0x45, None, None),
            (0x04, None, None),
            (0x64, None, None),
            (0x0b, Some(InvalidDestination), None),
            (0x0a, Some(Unauthorised), None),
            (0x48, Some(Unauthorised), None),
            (0x49, Some(Unauthorised), None),
            (0x53, Some(Unauthorised), None),
            (0x01, Some(Refused), None),
            (0x65, Some(Refused), None),
            (0xff, Some(Refused), None),
            (0x0400, Some(Refused), None),
        ];
        for (status, reason, pause) in table {
            let error = refusal(CommandStatus::from(status));
            assert_eq!(error.reason(), reason, "{status:#x}");
            assert_eq!(
                error.retry_after(),
                pause.map(Duration::from_secs),
                "{status:#x}"
            );
            assert!(!error.left_possibly());
        }
    }
}
