//! One PDU on the wire: a header of 16 octets, and as many more as it says.
//!
//! The codec's own framing is not used: after a body that it cannot read it has taken a
//! part of it only, and everything that follows is out of step. Here the body is taken
//! whole, so that one bad PDU costs no more than itself.

use bytes::{Buf, BytesMut};
use rusmpp::decode::DecodeWithKeyOptional;
use rusmpp::encode::{Encode, Length};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

const HEADER: usize = 16;
/// Room for the longest PDU with a `message_payload` of 64 KiB. What claims to be longer
/// is not read, and nothing is set aside for it.
const LONGEST: usize = 70_000;

/// A PDU whose header is read, and whose body is not yet.
///
/// `Debug` is withheld: a receipt often repeats the beginning of its message.
pub(super) struct Frame {
    pub(super) id: CommandId,
    pub(super) status: CommandStatus,
    pub(super) sequence: u32,
    body: BytesMut,
}

/// Why no more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The connection ended, possibly in the middle of a PDU.
    Gone,
    /// A length that no PDU has: where the next one begins cannot be told.
    Length,
}

impl Frame {
    /// The next PDU.
    pub(super) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> Result<Self, Broken> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)
            .await
            .map_err(|_| Broken::Gone)?;
        let mut fields = header.as_slice();
        let length = usize::try_from(fields.get_u32()).map_err(|_| Broken::Length)?;
        if !(HEADER..=LONGEST).contains(&length) {
            return Err(Broken::Length);
        }
        let (id, status, sequence) = (fields.get_u32(), fields.get_u32(), fields.get_u32());
        let mut body = BytesMut::zeroed(length - HEADER);
        from.read_exact(&mut body).await.map_err(|_| Broken::Gone)?;
        Ok(Self {
            id: CommandId::from(id),
            status: CommandStatus::from(status),
            sequence,
            body,
        })
    }

    /// The body; none if there is none, or if it is not what the header promises.
    pub(super) fn pdu(mut self) -> Option<Pdu> {
        let length = self.body.len();
        let read = Pdu::decode(self.id, &mut self.body, length).ok()?;
        read.map(|(pdu, _)| pdu)
    }
}

/// A PDU as octets. They may hold a code, so they are wiped on drop.
pub(super) fn octets(
    status: CommandStatus,
    sequence: u32,
    pdu: impl Into<Pdu>,
) -> Zeroizing<Vec<u8>> {
    let command = Command::new(status, sequence, pdu);
    let length = size_of::<u32>() + command.length();
    let mut octets = Zeroizing::new(vec![0; length]);
    if let Some((prefix, rest)) = octets.split_at_mut_checked(size_of::<u32>()) {
        prefix.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        command.encode(rest);
    }
    octets
}

#[cfg(test)]
mod tests {
    use rusmpp::{CommandId, CommandStatus, Pdu};

    use super::{Broken, Frame, octets};

    async fn read(mut octets: &[u8]) -> Result<Frame, Broken> {
        Frame::read(&mut octets).await
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let written = octets(CommandStatus::EsmeRok, 7, Pdu::EnquireLink);
        assert_eq!(
            *written,
            [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 7]
        );
        let frame = read(&written).await.ok().unwrap();
        assert_eq!((frame.id, frame.sequence), (CommandId::EnquireLink, 7));
        assert_eq!(frame.status, CommandStatus::EsmeRok);
        assert_eq!(frame.pdu(), Some(Pdu::EnquireLink));
    }

    #[tokio::test]
    async fn a_length_that_no_pdu_has_is_refused_before_anything_is_set_aside() {
        for length in [0, 15, 70_001, 0x7fff_ffff, u32::MAX] {
            let mut header = [0; 16];
            header[..4].copy_from_slice(&u32::to_be_bytes(length));
            assert_eq!(read(&header).await.err(), Some(Broken::Length), "{length}");
        }
    }

    #[tokio::test]
    async fn a_pdu_that_is_cut_is_none() {
        let written = octets(CommandStatus::EsmeRok, 7, Pdu::EnquireLink);
        for length in 0..written.len() {
            assert_eq!(read(&written[..length]).await.err(), Some(Broken::Gone));
        }
        let promised = [0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(read(&promised).await.err(), Some(Broken::Gone));
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_costs_no_more_than_itself() {
        // A submit_sm_resp whose message id does not end, then an enquire_link.
        let mut both = vec![
            0, 0, 0, 18, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, b'a', b'b',
        ];
        both.extend_from_slice(&octets(CommandStatus::EsmeRok, 2, Pdu::EnquireLink));
        let mut stream = both.as_slice();
        let bad = Frame::read(&mut stream).await.ok().unwrap();
        assert_eq!((bad.id, bad.sequence), (CommandId::SubmitSmResp, 1));
        assert_eq!(bad.pdu(), None);
        let good = Frame::read(&mut stream).await.ok().unwrap();
        assert_eq!((good.id, good.sequence), (CommandId::EnquireLink, 2));
    }
}
