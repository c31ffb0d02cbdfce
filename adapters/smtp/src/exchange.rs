//! One message over one connection: MAIL, RCPT, DATA, the text.

use std::sync::atomic::{AtomicBool, Ordering};

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};

use crate::composer::Composed;
use crate::failure::{Failure, Stage};

/// Sends the message. `handed_over` is set just before the final dot is written: until
/// then the server has no whole message and must throw away what it has.
pub(crate) async fn send(
    connection: &mut AsyncSmtpConnection,
    message: &Composed,
    handed_over: &AtomicBool,
) -> Result<(), Failure> {
    connection
        .command(Mail::new(Some(message.from.clone()), Vec::new()))
        .await
        .map_err(|error| Failure::at(Stage::Sender, &error))?;
    connection
        .command(Rcpt::new(message.to.clone(), Vec::new()))
        .await
        .map_err(|error| Failure::at(Stage::Recipient, &error))?;
    let ready = connection
        .command(Data)
        .await
        .map_err(|error| Failure::at(Stage::Data, &error))?;
    if !ready.has_code(354) {
        return Err(Failure::unexpected(Stage::Data));
    }
    let mut text = Some(message.bytes.as_slice());
    let parts = std::iter::from_fn(|| {
        let part = text.take();
        if part.is_none() {
            handed_over.store(true, Ordering::Relaxed);
        }
        part
    });
    let answer = connection.message_iter(parts).await.map_err(|error| {
        let handed_over = handed_over.load(Ordering::Relaxed);
        Failure::at(
            if handed_over {
                Stage::Answer
            } else {
                Stage::Data
            },
            &error,
        )
    })?;
    // A 3xx here would be the answer to something else.
    if !(200..300).contains(&u16::from(answer.code())) {
        return Err(Failure::unexpected(Stage::Answer));
    }
    Ok(())
}
