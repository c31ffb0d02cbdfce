//! A message centre that says anything at all: a delivery ends in time, once, and in a receipt
//! only if its submit was taken.
//!
//! An input is what the centre sends after the bind: octets, in which every PDU of a type of
//! answer is given the submit's sequence number if it has `0xffff_ffff` for one. It sends all
//! of it at once when the submit is there, and ends the connection.
#![no_main]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};

use countersign::{
    Channel, Code, DeliverError, Deliverer, Destination, FakeClock, Message, Receipt,
};
use countersign_messages::Messages;
use countersign_sms::smpp::{Smpp, SmppConfig};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const BIND_TRANSCEIVER: u32 = 9;
const SUBMIT_SM: u32 = 4;
const ANSWER: u32 = 0x8000_0000;
const HEADER: usize = 16;

fuzz_target!(|data: &[u8]| {
    let stage = Stage::get();
    stage.runtime.block_on(stage.play(data));
});

struct Stage {
    runtime: Runtime,
    words: Arc<Messages>,
    played: AtomicU16,
}

impl Stage {
    fn get() -> &'static Self {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        STAGE.get_or_init(|| Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            words: Arc::new(Messages::new("Example", None).expect("the built-in words")),
            played: AtomicU16::new(0),
        })
    }

    /// Another address of loopback each time: an ended connection keeps its port for a minute,
    /// and one address has 28,232 for the tens of thousands of centres that a minute sees.
    fn address(&self) -> Ipv4Addr {
        let [high, low] = self.played.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Ipv4Addr::new(127, high, low, 1)
    }

    async fn play(&self, data: &[u8]) {
        let listener = TcpListener::bind((self.address(), 0))
            .await
            .expect("a free port");
        let centre = listener.local_addr().expect("an address");
        let url = format!("smpp://user@{centre}");
        let config = SmppConfig::new(&url, "Example").password("secret");
        let clock = Arc::new(FakeClock::default());
        let smpp = Smpp::new(config, Arc::clone(&self.words), clock).expect("smpp");
        let reports = smpp.reports();
        let (delivered, said) = tokio::join!(deliver(&smpp), speak(&listener, data));
        drop(listener);
        assert_honest(&delivered, said);
        let mut reports = reports.expect("a receiver");
        while let Ok(report) = reports.try_recv() {
            assert_eq!(report.token, "token", "a report of a message that was sent");
            assert!(said, "a report of a message that was not taken");
        }
        smpp.close().await;
    }
}

async fn deliver(smpp: &Smpp) -> Result<Receipt, DeliverError> {
    let to = Destination::parse(Channel::Sms, "+4740000000").expect("a number");
    let code = Code::from_custom("918273").expect("a code");
    let mut message = Message::new(&to, Channel::Sms, &code);
    message.report_token = Some("token");
    message.expires_in = 300;
    smpp.deliver(message).await
}

fn assert_honest(delivered: &Result<Receipt, DeliverError>, taken: bool) {
    match delivered {
        Ok(receipt) => {
            assert!(taken, "a receipt for what nobody took");
            let reference = receipt.reference.as_deref().unwrap_or("-");
            assert!(reference.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(error) => assert!(!format!("{error} {error:?}").contains("918273")),
    }
}

/// Plays the centre; says whether its words hold a `submit_sm_resp` for the submit that says
/// that it was taken.
async fn speak(listener: &TcpListener, data: &[u8]) -> bool {
    let Ok((mut wire, _)) = listener.accept().await else {
        return false;
    };
    let Some((id, sequence)) = hear(&mut wire).await else {
        return false;
    };
    assert_eq!(id, BIND_TRANSCEIVER);
    let mut bound = Vec::new();
    for field in [17 + 3, ANSWER | BIND_TRANSCEIVER, 0, sequence] {
        bound.extend_from_slice(&u32::to_be_bytes(field));
    }
    bound.extend_from_slice(b"smc\0");
    if wire.write_all(&bound).await.is_err() {
        return false;
    }
    let Some((id, sequence)) = hear(&mut wire).await else {
        return false;
    };
    assert_eq!(id, SUBMIT_SM);
    let (words, taken) = addressed(data, sequence);
    let _ = wire.write_all(&words).await;
    let _ = wire.shutdown().await;
    // The other side says its last, and goes.
    let mut rest = [0; 1024];
    while matches!(wire.read(&mut rest).await, Ok(read) if read > 0) {}
    taken
}

/// The next PDU's type and sequence number.
async fn hear(wire: &mut TcpStream) -> Option<(u32, u32)> {
    let mut header = [0; HEADER];
    wire.read_exact(&mut header).await.ok()?;
    let length = usize::try_from(field(&header, 0)).ok()?;
    let mut body = vec![0; length.checked_sub(HEADER)?];
    wire.read_exact(&mut body).await.ok()?;
    Some((field(&header, 1), field(&header, 3)))
}

fn field(header: &[u8], at: usize) -> u32 {
    let bytes = header
        .get(at * 4..at * 4 + 4)
        .and_then(|four| four.try_into().ok());
    bytes.map_or(0, u32::from_be_bytes)
}

/// The input with the submit's number where one is left out.
fn addressed(data: &[u8], sequence: u32) -> (Vec<u8>, bool) {
    let (mut words, mut at, mut taken) = (data.to_vec(), 0, false);
    while let Some(header) = words.get_mut(at..at + HEADER) {
        if header[12..] == [0xff; 4] {
            header[12..].copy_from_slice(&sequence.to_be_bytes());
        }
        let for_submit = field(header, 3) == sequence;
        taken |= for_submit && field(header, 1) == ANSWER | SUBMIT_SM && field(header, 2) == 0;
        match usize::try_from(field(header, 0)) {
            Ok(length) if length >= HEADER => at += length,
            _ => break,
        }
    }
    (words, taken)
}
