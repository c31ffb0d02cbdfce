//! API keys: of all texts exactly those are accepted that are the one key of the store or
//! the one of the configuration, in `authenticate` and as a header.
//!
//! A text is made from the input by `$KEY` and `$FIXED`, which stand for the two, and by `$SUM`
//! at its end for the checksum that it would need.
#![no_main]

use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use countersign::Tenant;
use countersign_fuzz::{Desk, ready};
use countersign_http::{ApiKeys, Scopes, StaticKey};
use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tower::ServiceExt as _;

fuzz_target!(|text: &str| {
    let stand = Stand::get();
    let text = text
        .replace("$KEY", &stand.key)
        .replace("$FIXED", &stand.fixed);
    let text = match text.strip_suffix("$SUM") {
        Some(signed) => format!("{signed}{}", checksum(signed)),
        None => text,
    };
    let expected = match &text {
        text if *text == stand.key => Some("stored"),
        text if *text == stand.fixed => Some("fixed"),
        _ => None,
    };
    let caller = ready(stand.keys.authenticate(&text)).expect("a store that works");
    assert_eq!(caller.as_ref().map(|caller| caller.tenant.name()), expected);
    assert_eq!(ready(stand.asked(&text)), expected.is_some());
    assert!(!ready(stand.keys.revoke(&text)).expect("a store that works"));
});

/// One key in a store, and one that is not.
struct Stand {
    keys: ApiKeys,
    router: Router,
    key: String,
    fixed: String,
}

impl Stand {
    fn get() -> &'static Self {
        static STAND: OnceLock<Stand> = OnceLock::new();
        STAND.get_or_init(Self::new)
    }

    fn new() -> Self {
        let desk = Desk::new();
        let tenant = |name| Tenant::new(name).expect("a name");
        let (fixed, held) = StaticKey::draw(tenant("fixed"), Scopes::ALL).expect("a key");
        let keys = ApiKeys::builder(desk.verifier).static_keys([held]).build();
        let key = ready(keys.create(&tenant("stored"), Scopes::SEND_AND_CHECK)).expect("a key");
        let inner = Router::new().route("/", get(|| async { "in" }));
        Self {
            router: keys.protect(inner),
            keys,
            key: key.reveal().to_owned(),
            fixed: fixed.reveal().to_owned(),
        }
    }

    /// Whether a request with this header comes through.
    async fn asked(&self, key: &str) -> bool {
        let request = Request::get("/").header("x-api-key", key);
        let Ok(request) = request.body(Body::empty()) else {
            return false;
        };
        let response = self.router.clone().oneshot(request).await;
        response.expect("a router answers").status() == 200
    }
}

/// Six symbols of base 62: the first four bytes of SHA-256.
fn checksum(signed: &str) -> String {
    const SYMBOLS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = digest(&SHA256, signed.as_bytes());
    let first = hash.as_ref().iter().take(4);
    let mut number = first.fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    let mut symbols = [b'0'; 6];
    for symbol in symbols.iter_mut().rev() {
        *symbol = SYMBOLS[(number % 62) as usize];
        number /= 62;
    }
    symbols.map(char::from).iter().collect()
}
