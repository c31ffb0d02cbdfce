//! What is said on one bound connection until it ends: reading, writing, and asking
//! whether the other side is still there. Three loops at once, so that neither side can
//! make the other wait for ever.

use std::time::Duration;

use rusmpp::pdus::{DataSmResp, DeliverSmResp, SubmitSmResp};
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

use super::connector::Wire;
use super::frame::{Broken, Frame};
use super::receipt::DeliveryReceipt;
use super::session::{Outgoing, Session};
use super::tracker::Tracker;
use super::waiting::Answer;

/// An answer that is a minute late does not come any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a message centre may take to answer our leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// When to ask, and how long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) enquire_link: Duration,
    pub(super) timeout: Duration,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The other side ended it, or the network did.
    Gone,
    /// The other side did not answer.
    Silent,
    /// We took leave.
    Stopped,
}

/// Talks until the connection ends or `stop` says so.
pub(super) async fn converse(
    session: &Session,
    tracker: &Tracker,
    wire: Box<dyn Wire>,
    outgoing: mpsc::Receiver<Outgoing>,
    timing: Timing,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let (reader, writer) = tokio::io::split(wire);
    let end = tokio::select! {
        () = listen(session, tracker, reader) => End::Gone,
        () = write(outgoing, writer) => End::Gone,
        () = keep_alive(session, timing) => End::Silent,
        () = take_leave(session, stop) => End::Stopped,
    };
    session.close();
    end
}

async fn listen(session: &Session, tracker: &Tracker, mut reader: impl AsyncRead + Unpin) {
    loop {
        match Frame::read(&mut reader).await {
            Ok(frame) if frame.id == CommandId::Unbind => {
                let (ok, sequence) = (CommandStatus::EsmeRok, frame.sequence);
                return last_word(session, ok, sequence, Pdu::UnbindResp).await;
            }
            Ok(frame) => heard(session, tracker, frame).await,
            Err(Broken::Gone) => return,
            Err(Broken::Length) => {
                let status = CommandStatus::EsmeRinvcmdlen;
                return last_word(session, status, 0, Pdu::GenericNack).await;
            }
        }
    }
}

/// Says it, and leaves the end of the connection to the writer: ended here, it would go
/// unsaid.
async fn last_word(session: &Session, status: CommandStatus, sequence: u32, pdu: Pdu) {
    session.last_reply(status, sequence, pdu).await;
    std::future::pending::<()>().await;
}

async fn heard(session: &Session, tracker: &Tracker, frame: Frame) {
    let sequence = frame.sequence;
    match frame.id {
        CommandId::EnquireLink => {
            let ok = CommandStatus::EsmeRok;
            session.reply(ok, sequence, Pdu::EnquireLinkResp).await;
        }
        CommandId::DeliverSm => {
            let status = match frame.pdu() {
                Some(Pdu::DeliverSm(pdu)) => taken(tracker, DeliveryReceipt::of_deliver_sm(&pdu)),
                _ => CommandStatus::EsmeRxPAppn,
            };
            session
                .reply(status, sequence, DeliverSmResp::default())
                .await;
        }
        CommandId::DataSm => {
            let status = match frame.pdu() {
                Some(Pdu::DataSm(pdu)) => taken(tracker, DeliveryReceipt::of_data_sm(&pdu)),
                _ => CommandStatus::EsmeRxPAppn,
            };
            session.reply(status, sequence, DataSmResp::default()).await;
        }
        // There is no answer to it.
        CommandId::AlertNotification => {}
        // To answer an answer could go on for ever.
        id if u32::from(id) & 0x8000_0000 != 0 => answered(session, tracker, frame),
        _ => {
            let status = CommandStatus::EsmeRinvcmdid;
            session.reply(status, sequence, Pdu::GenericNack).await;
        }
    }
}

/// What to answer: a message from a person is taken and dropped, a receipt that we cannot
/// note now is to come again.
fn taken(tracker: &Tracker, receipt: Option<DeliveryReceipt>) -> CommandStatus {
    match receipt.map(|receipt| tracker.received(&receipt)) {
        None | Some(Ok(())) => CommandStatus::EsmeRok,
        Some(Err(_behind)) => CommandStatus::EsmeRxTAppn,
    }
}

fn answered(session: &Session, tracker: &Tracker, frame: Frame) {
    let Some(expected) = session.waiting.take(frame.sequence, frame.id) else {
        return;
    };
    session.was_useful();
    let status = match (frame.id, frame.status) {
        (CommandId::GenericNack, CommandStatus::EsmeRok) => CommandStatus::EsmeRunknownerr,
        (_, status) => status,
    };
    let message_id = match frame.pdu() {
        Some(Pdu::SubmitSmResp(pdu)) if status == CommandStatus::EsmeRok => id_of(&pdu),
        _ => None,
    };
    if let (Some(id), Some(part)) = (&message_id, expected.part) {
        tracker.taken(id, part);
    }
    // Nobody may wait any more; the receipt is wanted all the same.
    let _ = expected.answer.send(Answer { status, message_id });
}

fn id_of(pdu: &SubmitSmResp) -> Option<String> {
    let id = pdu.message_id().as_str();
    (!id.is_empty()).then(|| id.to_owned())
}

async fn write(mut outgoing: mpsc::Receiver<Outgoing>, mut writer: impl AsyncWrite + Unpin) {
    while let Some(next) = outgoing.recv().await {
        if next.ticket.is_some_and(|ticket| !ticket.begin()) {
            continue;
        }
        let written = writer.write_all(&next.octets).await;
        if written.is_err() || writer.flush().await.is_err() {
            return;
        }
        if next.is_last {
            // Behind TLS this says that nothing was cut off.
            let _ = writer.shutdown().await;
            return;
        }
    }
}

async fn keep_alive(session: &Session, timing: Timing) {
    loop {
        tokio::time::sleep(timing.enquire_link).await;
        session.waiting.give_up(PATIENCE);
        let asked = tokio::time::timeout(timing.timeout, session.enquire());
        if !matches!(asked.await, Ok(Ok(_))) {
            return;
        }
    }
}

async fn take_leave(session: &Session, stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could stop us is gone, which is the same.
    let _ = stop.wait_for(|stop| *stop).await;
    // Whether the message centre says goodbye is its own affair.
    let _ = tokio::time::timeout(FAREWELL, session.unbind()).await;
}

#[cfg(test)]
mod tests;
