//! Callbacks of providers, signed as they sign them or not at all.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::{Callback, ReportReader};
use countersign_messages::Messages;
use countersign_provider::Credential;
use countersign_provider::twilio::Reports;
use countersign_sms::vonage::VonageReceipts;
use countersign_voice::vonage::VonageEvents;
use countersign_webhook::{Webhook, WebhookConfig};
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, Key, sign};

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "0123456789abcdef01234567";

/// Who reads the reports of whom.
pub(crate) struct Callbacks {
    twilio: Reports,
    receipts: VonageReceipts,
    events: VonageEvents,
    webhook: Arc<dyn ReportReader>,
}

impl Callbacks {
    pub(crate) fn get() -> &'static Self {
        static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();
        CALLBACKS.get_or_init(Self::new)
    }

    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let words = Arc::new(Messages::new("Example", None).expect("the built-in words"));
        let secret = format!("whsec_{}", STANDARD.encode(SECRET));
        let webhook = WebhookConfig::new("http://127.0.0.1:1", secret);
        Self {
            twilio: Reports::new([Credential::new(SECRET)]),
            receipts: VonageReceipts::new(Credential::new(SECRET)),
            events: VonageEvents::new(Credential::new(SECRET)),
            webhook: Arc::new(Webhook::new(webhook, words).expect("webhook").reports()),
        }
    }

    /// A callback comes. Unless it is signed it is refused; signed, it says what it says.
    pub(crate) fn told(&self, provider: &str, query: &str, body: &str, signed: bool) {
        let mut url = format!("https://example.com/r/{provider}?{query}");
        let (mut headers, mut body) = (Vec::new(), body.to_owned());
        let reader: &dyn ReportReader = match provider {
            "twilio" => {
                headers.push(("x-twilio-signature", twilio(&url, &body)));
                &self.twilio
            }
            "vonage" => {
                receipt(&mut url, &mut body, signed);
                &self.receipts
            }
            "calls" => {
                headers.push(("authorization", event(&body, query)));
                &self.events
            }
            "webhook" => {
                headers.push(("webhook-id", "msg_1".to_owned()));
                headers.push(("webhook-timestamp", NOW.to_string()));
                headers.push(("webhook-signature", webhook(&body)));
                &*self.webhook
            }
            _ => return,
        };
        if !signed {
            // What stands there instead is the input's own.
            for (_, value) in &mut headers {
                query.clone_into(value);
            }
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let callback = Callback {
            url: &url,
            headers: &headers,
            body: body.as_bytes(),
        };
        match reader.read(&callback, NOW) {
            Ok(_) => assert!(signed, "believed without a signature"),
            Err(_) => assert!(
                !is_whole(provider, signed, &body),
                "a signature is not believed"
            ),
        }
    }
}

/// Whether nothing but the signature decides if it is believed.
fn is_whole(provider: &str, signed: bool, body: &str) -> bool {
    signed && (provider == "webhook" || (provider == "twilio" && body.is_empty()))
}

fn twilio(url: &str, body: &str) -> String {
    let mut fields: Vec<(String, String)> = body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    fields.sort();
    fields.dedup();
    let fields = fields.into_iter().flat_map(|(name, value)| [name, value]);
    let content = format!("{url}{}", fields.collect::<String>());
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    STANDARD.encode(sign(&key, content.as_bytes()))
}

/// Adds time and signature to the parameters of a form, in the body or in the query.
fn receipt(url: &mut String, body: &mut String, signed: bool) {
    let form = if body.is_empty() { url } else { body };
    if !signed {
        return;
    }
    form.push_str(&format!("&timestamp={NOW}"));
    let start = form.find('?').map_or(0, |at| at + 1);
    let mut fields: Vec<_> = form[start..]
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    fields.sort_unstable();
    let parts = fields
        .iter()
        .map(|(name, value)| format!("&{name}={}", value.replace('=', "_")));
    let content: String = parts.collect();
    let key = Key::new(HMAC_SHA256, SECRET.as_bytes());
    form.push_str(&format!(
        "&sig={}",
        hex(sign(&key, content.as_bytes()).as_ref())
    ));
}

fn event(body: &str, query: &str) -> String {
    // The claims may be the input's own, as far as they are JSON.
    let claims = match query.split_once("claims=") {
        Some((_, claims)) => claims.to_owned(),
        None => {
            let hash = hex(digest(&SHA256, body.as_bytes()).as_ref());
            format!(r#"{{"iat":{NOW},"payload_hash":"{hash}"}}"#)
        }
    };
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let content = format!("{}.{}", part(r#"{"alg":"HS256"}"#), part(&claims));
    let key = Key::new(HMAC_SHA256, SECRET.as_bytes());
    let signature = sign(&key, content.as_bytes());
    format!("Bearer {content}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn webhook(body: &str) -> String {
    let content = format!("msg_1.{NOW}.{body}");
    let key = Key::new(HMAC_SHA256, SECRET.as_bytes());
    format!("v1,{}", STANDARD.encode(sign(&key, content.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
