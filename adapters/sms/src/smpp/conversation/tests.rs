use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use countersign::{FakeClock, Report};
use rusmpp::pdus::{DeliverSm, DeliverSmResp, SubmitSm, SubmitSmResp};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::EsmClass;
use rusmpp::{CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{End, Timing, converse};
use crate::smpp::frame::{Frame, octets};
use crate::smpp::session::{Session, Unanswered};
use crate::smpp::ticket::Ticket;
use crate::smpp::tracker::{Part, Tracker};
use crate::smpp::waiting::Answer;

const OK: CommandStatus = CommandStatus::EsmeRok;

/// A conversation with a message centre that this test plays.
struct Stage {
    session: Arc<Session>,
    tracker: Arc<Tracker>,
    reports: Receiver<Report>,
    far: DuplexStream,
    stop: watch::Sender<bool>,
    talk: JoinHandle<End>,
}

impl Stage {
    fn set(window: usize) -> Self {
        Self::set_with(window, 2, 4096)
    }

    /// With another first sequence number, and room for so many octets on the way.
    fn set_with(window: usize, first: u32, room: usize) -> Self {
        let (near, far) = tokio::io::duplex(room);
        let (session, outgoing) = Session::new(window, first);
        let tracker = Arc::new(Tracker::new(Arc::new(FakeClock::default())));
        let reports = tracker.reports().unwrap();
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let timing = Timing {
            enquire_link: Duration::from_secs(30),
            timeout: Duration::from_secs(8),
        };
        let (talking, tracking) = (Arc::clone(&session), Arc::clone(&tracker));
        let talk = tokio::spawn(async move {
            let wire = Box::new(near);
            converse(&talking, &tracking, wire, outgoing, timing, &mut stopped).await
        });
        Self {
            session,
            tracker,
            reports,
            far,
            stop,
            talk,
        }
    }

    fn submit(&self) -> Submitted {
        let part = self.tracker.message("token", 1, 300);
        self.submit_part(part)
    }

    fn submit_part(&self, part: Option<Part>) -> Submitted {
        let (session, ticket) = (Arc::clone(&self.session), Arc::new(Ticket::default()));
        let held = Arc::clone(&ticket);
        let answer =
            tokio::spawn(async move { session.submit(SubmitSm::default(), &held, part).await });
        Submitted { answer, ticket }
    }

    async fn hear(&mut self) -> (CommandId, CommandStatus, u32) {
        let frame = Frame::read(&mut self.far).await.expect("a PDU");
        (frame.id, frame.status, frame.sequence)
    }

    async fn say(&mut self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) {
        self.far
            .write_all(&octets(status, sequence, pdu))
            .await
            .unwrap();
    }

    async fn take(&mut self, sequence: u32, id: &str) {
        let id = COctetString::from_str(id).unwrap();
        self.say(OK, sequence, SubmitSmResp::builder().message_id(id).build())
            .await;
    }

    async fn receipt(&mut self, sequence: u32, text: &str) {
        let mut pdu = DeliverSm::default();
        pdu.esm_class = EsmClass::from(4);
        pdu.set_short_message(OctetString::from_slice(text.as_bytes()).unwrap());
        self.say(OK, sequence, pdu).await;
    }
}

struct Submitted {
    answer: JoinHandle<Result<Answer, Unanswered>>,
    ticket: Arc<Ticket>,
}

impl Submitted {
    async fn answer(self) -> Result<Answer, Unanswered> {
        self.answer.await.unwrap()
    }
}

#[tokio::test]
async fn answers_find_their_submits_in_any_order() {
    let mut stage = Stage::set(2);
    let (first, second) = (stage.submit(), stage.submit());
    assert_eq!(stage.hear().await, (CommandId::SubmitSm, OK, 2));
    assert_eq!(stage.hear().await, (CommandId::SubmitSm, OK, 3));
    stage
        .say(CommandStatus::EsmeRthrottled, 3, SubmitSmResp::default())
        .await;
    stage.take(2, "77").await;
    let mut statuses = Vec::new();
    for submitted in [first, second] {
        let answer = submitted.answer().await.unwrap();
        statuses.push((answer.status, answer.message_id));
    }
    statuses.sort();
    let refused = (CommandStatus::EsmeRthrottled, None);
    assert_eq!(statuses, [(OK, Some("77".to_owned())), refused]);
}

#[tokio::test]
async fn sequence_numbers_wrap_on_the_wire() {
    let mut stage = Stage::set_with(4, 0x7fff_ffff, 4096);
    let (first, second) = (stage.submit(), stage.submit());
    assert_eq!(stage.hear().await.2, 0x7fff_ffff);
    assert_eq!(stage.hear().await.2, 1);
    stage.take(1, "b").await;
    stage.take(0x7fff_ffff, "a").await;
    assert!(first.answer().await.is_ok() && second.answer().await.is_ok());
}

#[tokio::test]
async fn no_more_wait_for_an_answer_than_the_window_allows() {
    let mut stage = Stage::set(1);
    let first = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    let second = stage.submit();
    // The answer to a question of ours is behind all that was written before.
    stage.say(OK, 9, Pdu::EnquireLink).await;
    assert_eq!(stage.hear().await, (CommandId::EnquireLinkResp, OK, 9));
    stage.take(2, "77").await;
    assert_eq!(stage.hear().await, (CommandId::SubmitSm, OK, 3));
    stage.take(3, "78").await;
    assert!(first.answer().await.is_ok() && second.answer().await.is_ok());
}

#[tokio::test]
async fn a_submit_given_up_before_it_is_written_is_never_written() {
    let mut stage = Stage::set(1);
    let first = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    let second = stage.submit();
    tokio::task::yield_now().await;
    second.answer.abort();
    assert!(second.ticket.withdraw());
    stage.take(2, "77").await;
    assert!(first.answer().await.is_ok());
    let third = stage.submit();
    assert_eq!(stage.hear().await.0, CommandId::SubmitSm);
    stage.take(3, "79").await;
    assert_eq!(
        third.answer().await.unwrap().message_id.as_deref(),
        Some("79")
    );
}

#[tokio::test]
async fn a_submit_withdrawn_from_the_queue_is_never_written() {
    // Room for less than one PDU: the first is being written, the second is queued.
    let mut stage = Stage::set_with(2, 2, 8);
    let first = stage.submit();
    while first.ticket.is_queued() {
        tokio::task::yield_now().await;
    }
    let second = stage.submit();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!first.ticket.withdraw() && second.ticket.withdraw());
    assert_eq!(stage.hear().await, (CommandId::SubmitSm, OK, 2));
    stage.say(OK, 9, Pdu::EnquireLink).await;
    assert_eq!(stage.hear().await.0, CommandId::EnquireLinkResp);
    second.answer.abort();
    first.answer.abort();
}

#[tokio::test]
async fn a_submit_given_up_after_it_was_written_keeps_its_place_and_its_receipt() {
    let mut stage = Stage::set(1);
    let lost = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    lost.answer.abort();
    assert!(!lost.ticket.withdraw(), "it may have left");
    let next = stage.submit();
    stage.say(OK, 9, Pdu::EnquireLink).await;
    assert_eq!(
        stage.hear().await.0,
        CommandId::EnquireLinkResp,
        "the window is full"
    );
    stage.take(2, "77").await;
    assert_eq!(stage.hear().await, (CommandId::SubmitSm, OK, 3));
    stage.receipt(10, "id:77 stat:DELIVRD").await;
    assert_eq!(stage.hear().await, (CommandId::DeliverSmResp, OK, 10));
    assert_eq!(stage.reports.recv().await.unwrap().token, "token");
    next.answer.abort();
}

#[tokio::test]
async fn a_receipt_right_behind_the_answer_finds_its_message() {
    let mut stage = Stage::set(1);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    // Both in one segment: the submitter has no chance to wake up in between.
    let id = COctetString::from_str("1A2B").unwrap();
    let mut both = octets(OK, 2, SubmitSmResp::builder().message_id(id).build()).to_vec();
    let mut pdu = DeliverSm::default();
    pdu.esm_class = EsmClass::from(4);
    pdu.set_short_message(OctetString::from_static_slice(b"id:6699 stat:UNDELIV").unwrap());
    both.extend_from_slice(&octets(OK, 1, pdu));
    stage.far.write_all(&both).await.unwrap();
    assert_eq!(stage.hear().await, (CommandId::DeliverSmResp, OK, 1));
    assert!(submitted.answer().await.is_ok());
    let report = stage.reports.recv().await.unwrap();
    assert_eq!(report.outcome, countersign::DeliveryOutcome::Failed);
}

#[tokio::test]
async fn requests_are_answered_each_in_its_way() {
    let mut stage = Stage::set(1);
    stage.say(OK, 1, Pdu::EnquireLink).await;
    assert_eq!(stage.hear().await, (CommandId::EnquireLinkResp, OK, 1));
    // A message from a person: taken, and nothing comes of it.
    stage.say(OK, 2, DeliverSm::default()).await;
    assert_eq!(stage.hear().await, (CommandId::DeliverSmResp, OK, 2));
    let data = rusmpp::pdus::DataSm::default();
    stage.say(OK, 3, data).await;
    assert_eq!(stage.hear().await, (CommandId::DataSmResp, OK, 3));
    // A deliver_sm that cannot be read: once is enough.
    let bad = [0, 0, 0, 17, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 4, b'x'];
    stage.far.write_all(&bad).await.unwrap();
    let permanent = CommandStatus::EsmeRxPAppn;
    assert_eq!(stage.hear().await, (CommandId::DeliverSmResp, permanent, 4));
    // Unknown, and known but not ours to answer.
    let unknown = CommandStatus::EsmeRinvcmdid;
    let odd = [0, 0, 0, 16, 0, 0, 0x0e, 0xee, 0, 0, 0, 0, 0, 0, 0, 5];
    stage.far.write_all(&odd).await.unwrap();
    assert_eq!(stage.hear().await, (CommandId::GenericNack, unknown, 5));
    stage.say(OK, 6, SubmitSm::default()).await;
    assert_eq!(stage.hear().await, (CommandId::GenericNack, unknown, 6));
    // Answers to nothing and alert_notification have no answer.
    stage.say(OK, 7, DeliverSmResp::default()).await;
    stage
        .say(CommandStatus::EsmeRsyserr, 8, Pdu::GenericNack)
        .await;
    let alert = rusmpp::pdus::AlertNotification::default();
    stage.say(OK, 9, alert).await;
    stage.say(OK, 10, Pdu::EnquireLink).await;
    assert_eq!(stage.hear().await, (CommandId::EnquireLinkResp, OK, 10));
}

#[tokio::test]
async fn a_generic_nack_is_an_answer_and_never_an_approval() {
    let mut stage = Stage::set(2);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    stage
        .say(CommandStatus::EsmeRinvmsglen, 2, Pdu::GenericNack)
        .await;
    let status = submitted.answer().await.unwrap().status;
    assert_eq!(status, CommandStatus::EsmeRinvmsglen);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 3);
    stage.say(OK, 3, Pdu::GenericNack).await;
    let status = submitted.answer().await.unwrap().status;
    assert_eq!(status, CommandStatus::EsmeRunknownerr);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_answer_without_an_id() {
    let mut stage = Stage::set(1);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    let bad = [
        0, 0, 0, 18, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b',
    ];
    stage.far.write_all(&bad).await.unwrap();
    let answer = submitted.answer().await.unwrap();
    assert_eq!((answer.status, answer.message_id), (OK, None));
}

#[tokio::test]
async fn unbind_is_answered_and_ends_it() {
    let mut stage = Stage::set(1);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    stage.say(OK, 5, Pdu::Unbind).await;
    assert_eq!(stage.hear().await, (CommandId::UnbindResp, OK, 5));
    assert_eq!(stage.talk.await.unwrap(), End::Gone);
    assert_eq!(submitted.answer().await, Err(Unanswered));
    assert!(!stage.session.is_open());
    assert_eq!(stage.far.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn unbind_is_sent_when_we_stop() {
    let mut stage = Stage::set(1);
    stage.stop.send_replace(true);
    assert_eq!(stage.hear().await, (CommandId::Unbind, OK, 2));
    assert!(!stage.session.is_open());
    stage.say(OK, 2, Pdu::UnbindResp).await;
    assert_eq!(stage.talk.await.unwrap(), End::Stopped);
}

#[tokio::test]
async fn a_length_of_four_gigabytes_is_nacked_and_ends_it() {
    let mut stage = Stage::set(1);
    stage.far.write_all(&[0xff; 16]).await.unwrap();
    let status = CommandStatus::EsmeRinvcmdlen;
    assert_eq!(stage.hear().await, (CommandId::GenericNack, status, 0));
    assert_eq!(stage.talk.await.unwrap(), End::Gone);
}

#[tokio::test]
async fn half_a_pdu_and_the_end_is_the_end() {
    let mut stage = Stage::set(1);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.2, 2);
    let half = &octets(OK, 2, SubmitSmResp::default())[..12];
    stage.far.write_all(half).await.unwrap();
    stage.far.shutdown().await.unwrap();
    assert_eq!(stage.talk.await.unwrap(), End::Gone);
    assert_eq!(submitted.answer().await, Err(Unanswered));
}

#[tokio::test(start_paused = true)]
async fn a_silent_message_centre_is_noticed() {
    let mut stage = Stage::set(1);
    let submitted = stage.submit();
    assert_eq!(stage.hear().await.0, CommandId::SubmitSm);
    assert_eq!(stage.hear().await, (CommandId::EnquireLink, OK, 3));
    stage.say(OK, 3, Pdu::EnquireLinkResp).await;
    assert_eq!(stage.hear().await, (CommandId::EnquireLink, OK, 4));
    assert_eq!(stage.talk.await.unwrap(), End::Silent);
    assert_eq!(submitted.answer().await, Err(Unanswered));
    assert!(stage.session.is_useful());
}

#[tokio::test(start_paused = true)]
async fn a_message_centre_that_does_not_read_is_noticed() {
    let mut stage = Stage::set(1);
    // It asks on and on, and never takes an answer: our own writing must not hold us up.
    let question = octets(OK, 1, Pdu::EnquireLink);
    let asked = tokio::spawn(async move {
        while stage.far.write_all(&question).await.is_ok() {}
        stage.far
    });
    assert_eq!(stage.talk.await.unwrap(), End::Silent);
    assert!(asked.await.is_ok());
}

#[tokio::test]
async fn a_reader_of_reports_that_is_behind_lets_the_receipt_come_again() {
    let mut stage = Stage::set(1);
    for id in 0..1025 {
        let part = stage.tracker.message("token", 1, 300).unwrap();
        stage.tracker.taken(&format!("x{id}"), part);
    }
    for id in 0..1024 {
        stage.receipt(1, &format!("id:x{id} stat:DELIVRD")).await;
        assert_eq!(stage.hear().await.1, OK);
    }
    stage.receipt(1, "id:x1024 stat:DELIVRD").await;
    assert_eq!(stage.hear().await.1, CommandStatus::EsmeRxTAppn);
    while stage.reports.try_recv().is_ok() {}
    stage.receipt(1, "id:x1024 stat:DELIVRD").await;
    assert_eq!(stage.hear().await.1, OK);
    assert!(stage.reports.try_recv().is_ok());
}
