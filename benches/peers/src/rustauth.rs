//! `rustauth-plugins`: email OTP by requests to its router, codes in clear on its adapter in
//! memory. That adapter has no index: a check looks at every code and at half of the users,
//! a send at all users, so both take as much longer as there are more people.
//!
//! Its rate limiter, which counts requests by address and path, is off: it would refuse
//! nearly all of them, and be what is measured. Its check leaves a right code as good as it
//! was; the endpoints that consume one sign in or change a user too, which is more work.

use std::sync::Arc;

use countersign_benches::{Contender, People, another_code, ready};
use http::{Request, StatusCode};
use rustauth_core::api::{ApiResponse, AuthRouter, core_auth_async_endpoints};
use rustauth_core::context::create_auth_context_with_adapter;
use rustauth_core::db::MemoryAdapter;
use rustauth_core::options::{
    AdvancedOptions, BackgroundTaskFuture, BackgroundTaskRunner, RateLimitOptions, RustAuthOptions,
};
use rustauth_core::outbound::ready_outbound;
use rustauth_core::user::{CreateUserInput, DbUserStore};
use rustauth_plugins::email_otp::{EmailOtpOptions, EmailOtpPayload, email_otp};

/// Its router, with the codes that it drew.
pub struct Rustauth {
    router: AuthRouter,
    codes: Vec<String>,
}

impl Rustauth {
    /// What one of the plugin's endpoints answers about this person.
    fn ask(&self, endpoint: &str, people: &People, person: usize, code: &str) -> ApiResponse {
        // It reads over an `otp` where it wants none.
        let email = email(people, person);
        let body = format!(r#"{{"email":"{email}","type":"sign-in","otp":"{code}"}}"#);
        let request = Request::post(format!("http://localhost/api/auth/email-otp/{endpoint}"))
            .header("content-type", "application/json")
            .body(body.into_bytes())
            .expect("a request");
        ready(self.router.handle_async(request)).expect("an answer")
    }

    fn check(&self, people: &People, person: usize, code: &str) -> ApiResponse {
        self.ask("check-verification-otp", people, person, code)
    }
}

impl Contender for Rustauth {
    const NAME: &'static str = "rustauth-plugins";

    fn open(people: &People) -> Self {
        let adapter = MemoryAdapter::new();
        let users = DbUserStore::new(&adapter);
        let mut opened = Self {
            router: router(&adapter),
            codes: vec![String::new(); people.count()],
        };
        for person in people.order() {
            // Its check wants a user, which a newcomer's send does not make.
            let user = CreateUserInput::new("Somebody", email(people, person));
            ready(users.create_user(user)).expect("a user");
            let created = opened.ask("create-verification-otp", people, person, "");
            let code = String::from_utf8(created.into_body()).expect("a code");
            opened.codes[person] = code.trim_matches('"').to_owned();
        }
        opened
    }

    fn right(&mut self, people: &People, person: usize) -> bool {
        let judged = self.check(people, person, &self.codes[person]);
        judged.status() == StatusCode::OK
    }

    fn wrong(&mut self, people: &People, person: usize) -> bool {
        let code = another_code(&self.codes[person]);
        let judged = self.check(people, person, code);
        let named = str::from_utf8(judged.body()).is_ok_and(|body| body.contains("INVALID_OTP"));
        judged.status() == StatusCode::BAD_REQUEST && named
    }

    fn send(&mut self, people: &People, n: usize) -> bool {
        let sent = self.ask("send-verification-otp", people, people.count() + n, "");
        sent.status() == StatusCode::OK
    }
}

/// Its endpoints and the plugin's on this adapter, with a sender that takes everything.
fn router(adapter: &MemoryAdapter) -> AuthRouter {
    let sender = |_: EmailOtpPayload, _: Option<&Request<Vec<u8>>>| ready_outbound(Ok(()));
    let plugin = email_otp(EmailOtpOptions::new(Arc::new(sender))).expect("a plugin");
    let options = RustAuthOptions {
        secret: Some("a secret of a bench, which nobody has to guess".to_owned()),
        advanced: AdvancedOptions::new().background_tasks(Arc::new(AtOnce)),
        rate_limit: RateLimitOptions::new().enabled(false),
        plugins: vec![plugin],
        ..RustAuthOptions::default()
    };
    let context = create_auth_context_with_adapter(options, Arc::new(adapter.clone()));
    let endpoints = core_auth_async_endpoints();
    AuthRouter::with_async_endpoints(context.expect("a context"), Vec::new(), endpoints)
        .expect("a router")
}

/// The address made of a person's number.
fn email(people: &People, person: usize) -> String {
    format!(
        "{}@example.com",
        people.number(person).trim_start_matches('+')
    )
}

/// Runs where it is called what would go to a runtime, of which there is none.
struct AtOnce;

impl BackgroundTaskRunner for AtOnce {
    fn spawn(&self, task: BackgroundTaskFuture) {
        ready(task);
    }
}
