//! A code sent and checked inside one's own program, without a server.

use std::error::Error;
use std::sync::Arc;

use countersign::{Channel, CheckRequest, Destination, KeyRing, MemoryStore, Recorder};
use countersign::{SendRequest, Tenant, Verifier};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let post = Arc::new(Recorder::new());
    let verifier = Verifier::builder(KeyRing::generate()?, Arc::new(MemoryStore::new()))
        .deliverer(Channel::Email, post.clone())
        .build()?;
    let tenant = Tenant::new("acme")?;
    let to = Destination::parse(Channel::Email, "person@example.com")?;
    let request = SendRequest::new(&tenant, Channel::Email, &to);
    let session = verifier.send(&request).await?.session_id.to_string();
    let typed = post.last_code().ok_or("no message was sent")?;
    let check = CheckRequest::new(&tenant, &session, &typed);
    println!("{:?}", verifier.check(&check).await?);
    Ok(())
}
