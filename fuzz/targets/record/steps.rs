//! Steps as a verifier makes them. Digests and key ids have no public constructor, so the
//! steps that hold them are taken from a verifier's own and changed where anybody may.

use std::sync::{Arc, OnceLock};

use arbitrary::{Result, Unstructured};
use countersign::record::{
    Action, Against, Begin, Charge, Check, DeliveryOutcome, Effect, Fit, Moment, Open, Posted,
    Record, Resend, Step,
};
use countersign::store::Incarnation;
use countersign::{
    Alphabet, Channel, CheckRequest, Clock, CodeForm, Conversion, Destination, FakeClock, Kind,
    LaneLimits, Limit, LimitName, MemoryStore, Mode, Nonce, Policy, RecordKey, ResendPolicy,
    ResendRequest, SendRequest, Tag, Tenant, Timestamp,
};
use countersign_fuzz::{Desk, START, ready};

use crate::tap::Tap;

/// A valid policy, and the limit of a record that has only one.
pub(crate) struct Rules(Policy, Limit);

impl Rules {
    pub(crate) fn of(number: u8) -> Self {
        let mut policy = match number {
            2 => Policy::for_console(),
            _ => Policy::default(),
        };
        match number {
            1 => policy.resend = ResendPolicy::KeepLast(3),
            3 => {
                policy.destination.failures = [Limit::new(1000, 3600); 2];
                policy.resend = ResendPolicy::KeepLast(2);
                policy.max_attempts = 3;
            }
            _ => {}
        }
        policy.validate().expect("a valid policy");
        let limit = match number {
            0 => Limit::new(20, 3600),
            1 => Limit::new(1, 1),
            2 => Limit::new(60, 600),
            _ => Limit::new(40_000, 31 * 24 * 3600),
        };
        Self(policy, limit)
    }
}

/// What steps are made from.
#[derive(Clone)]
pub(crate) struct Templates {
    tag: Tag,
    open: Open,
    check: Check,
    resend: Resend,
    policy: Policy,
    limit: Limit,
}

impl Templates {
    pub(crate) fn get() -> &'static Self {
        static TAKEN: OnceLock<Templates> = OnceLock::new();
        TAKEN.get_or_init(Self::take)
    }

    /// The same under these rules.
    pub(crate) fn with(&self, rules: &Rules) -> Self {
        let mut own = self.clone();
        (own.policy, own.limit) = (rules.0.clone(), rules.1);
        let (open, device) = (own.policy.destination, own.policy.known_device);
        (own.check.limits, own.check.device_limits) = (open, device);
        (own.resend.limits, own.resend.device_limits) = (open, device);
        own.open.max_attempts = own.policy.max_attempts;
        own.resend.resend = own.policy.resend;
        own
    }

    /// A send, a check and a resend of a real verifier.
    fn take() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(START)));
        let memory = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let store = Arc::new(Tap::over(memory));
        let desk = Desk::over(Arc::clone(&store) as _, clock, |builder| builder);
        let tenant = Tenant::new("acme").expect("a name");
        let to = Destination::parse(Channel::Email, "a@example.com").expect("an address");
        let request = SendRequest::new(&tenant, Channel::Email, &to);
        let sent = ready(desk.verifier.send(&request)).expect("a first send");
        let id = sent.session_id.to_string();
        let code = desk.post.last_code().expect("a message");
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let judged = ready(desk.verifier.check(&CheckRequest::new(&tenant, &id, wrong)));
        assert!(judged.is_ok_and(|verdict| !verdict.is_verified()));
        desk.clock.advance_secs(60);
        let again = ResendRequest::new(&tenant, sent.session_id, &to);
        ready(desk.verifier.resend(&again)).expect("a resend");
        let steps: Vec<_> = store.steps().iter().map(|(_, step)| step.clone()).collect();
        Self::found_in(&steps).expect("one step of each sort")
    }

    fn found_in(steps: &[Step]) -> Option<Self> {
        let open = steps.iter().find_map(|step| match &step.action {
            Action::Open(open) => Some((step.tag, *open)),
            _ => None,
        });
        let check = steps.iter().find_map(|step| match &step.action {
            Action::Check(check) => Some(*check),
            _ => None,
        });
        let resend = steps.iter().find_map(|step| match &step.action {
            Action::Resend(resend) => Some(*resend),
            _ => None,
        });
        let (tag, open) = open?;
        Some(Self {
            tag,
            open,
            check: check?,
            resend: resend?,
            policy: Policy::default(),
            limit: Limit::new(20, 3600),
        })
    }

    /// A step on `record`, mostly one of its own kind and owner.
    pub(crate) fn step(&self, from: &mut Unstructured, record: Option<&Record>) -> Result<Step> {
        let kind = match record.map(Record::encode) {
            Some(bytes) if !from.ratio(1, 16)? => bytes.get(1).copied().unwrap_or(1),
            _ => *from.choose(&[1, 1, 1, 2, 3, 6, 7])?,
        };
        let action = match kind {
            2 => charge(from, Kind::Limit, |_| Ok(Against::Events(self.limit)))?,
            3 => idempotency(from)?,
            6 if from.ratio(1, 4)? => Action::LookSpend,
            6 => charge(from, Kind::Spend, spend)?,
            7 if from.ratio(1, 3)? => Action::CountApproval,
            7 => charge(from, Kind::Conversion, conversion)?,
            _ => self.on_destination(from, record)?,
        };
        let own = record.map_or(self.tag, Record::tag);
        let tag = if from.ratio(1, 32)? {
            Tag::of("tenant", "other")
        } else {
            own
        };
        Ok(Step {
            tag,
            at: None,
            action,
        })
    }

    /// When, mostly not far from the start, and in which of two lives.
    pub(crate) fn moment(&self, from: &mut Unstructured) -> Result<Moment> {
        let now = if from.ratio(15, 16)? {
            Timestamp::from_secs(START).plus_millis(from.int_in_range(0..=0x3ff_ffff)?)
        } else {
            Timestamp::from_millis(from.int_in_range(0..=u64::from(u32::MAX) * 1000)?)
        };
        let incarnation = Incarnation::new(u64::from(from.ratio(1, 16)?));
        Ok(Moment { now, incarnation })
    }

    fn on_destination(&self, from: &mut Unstructured, record: Option<&Record>) -> Result<Action> {
        let nonce = nonce(from, record)?;
        let (open, device) = (self.policy.destination, self.policy.known_device);
        Ok(match from.int_in_range(0..=14)? {
            0..=2 => Action::Open(self.open(from, nonce)?),
            3 => Action::PeekOpen(self.open(from, nonce)?),
            4..=6 => Action::Check(self.check(from, nonce)?),
            7 => Action::Resend(self.resend(from, nonce)?),
            8 => Action::PeekResend(self.resend(from, nonce)?),
            9 => Action::Cancel(nonce),
            10 => Action::Outcome(posted(from, nonce)?, outcome(from)?),
            11 => Action::Report(posted(from, nonce)?, outcome(from)?),
            12 => Action::Turn(posted(from, nonce)?, channel(from)?),
            13 => Action::Reset,
            _ if from.arbitrary()? => Action::Look(nonce),
            _ => Action::Inspect(open, device),
        })
    }

    fn open(&self, from: &mut Unstructured, nonce: Nonce) -> Result<Open> {
        let mut open = self.open;
        let bits: u8 = from.arbitrary()?;
        let bit = |n: u8| bits >> n & 1 == 1;
        open.nonce = nonce;
        open.known_device = bit(0);
        open.decoy = bit(1);
        open.custom = bit(2);
        open.limits = lane(&self.policy, open.known_device);
        open.replaces = bit(3).then_some(small(bits >> 6));
        open.prefix = bit(4).then_some(RecordKey::from_bytes([bits; 8]));
        open.channel = channel(from)?;
        open.form = form(bits);
        open.ceiling_seconds = self.policy.ceiling_seconds(open.channel);
        open.lifetime_seconds = from.int_in_range(1..=open.ceiling_seconds)?;
        Ok(open)
    }

    fn check(&self, from: &mut Unstructured, nonce: Nonce) -> Result<Check> {
        let mut check = self.check;
        let bits: u8 = from.arbitrary()?;
        let fits = CodeForm::SIX_DIGITS;
        let form = if bits & 1 == 0 { fits } else { form(bits) };
        check.nonce = nonce;
        check.fit = Fit {
            length: form.length(),
            digits: form.alphabet() == Alphabet::Digits,
            alphanumeric: form.alphabet() == Alphabet::Alphanumeric || bits & 2 == 0,
        };
        // The digest of another message: right where a session holds that.
        if bits & 0x30 == 0 {
            check.digest = self.open.digest;
        }
        if bits & 8 != 0 {
            check.purpose = WRITTEN.0;
        }
        check.attempt = (bits & 0x40 != 0).then_some([bits >> 7; 8]);
        Ok(check)
    }

    fn resend(&self, from: &mut Unstructured, nonce: Nonce) -> Result<Resend> {
        let mut resend = self.resend;
        resend.nonce = nonce;
        if from.arbitrary()? {
            (resend.purpose, resend.exact) = WRITTEN;
        }
        resend.channel = channel(from)?;
        resend.ceiling_seconds = self.policy.ceiling_seconds(resend.channel);
        Ok(resend)
    }
}

/// Purpose and destination of the sessions in the corpus, whose bytes were written by hand.
const WRITTEN: (Tag, Tag) = (Tag::from_bytes([2; 8]), Tag::from_bytes([3; 8]));

fn lane(policy: &Policy, known_device: bool) -> LaneLimits {
    if known_device {
        policy.known_device
    } else {
        policy.destination
    }
}

fn form(bits: u8) -> CodeForm {
    let alphabet = if bits & 4 == 0 {
        Alphabet::Digits
    } else {
        Alphabet::Alphanumeric
    };
    CodeForm::new(4 + (bits >> 3) % 7, alphabet).unwrap_or(CodeForm::SIX_DIGITS)
}

/// Mostly that of a session in the record, or of the few that steps open.
fn nonce(from: &mut Unstructured, record: Option<&Record>) -> Result<Nonce> {
    let choice: u8 = from.arbitrary()?;
    let held = record.map(nonces).unwrap_or_default();
    let at = usize::from(choice >> 1);
    Ok(match held.len() {
        n if n > 0 && choice & 1 == 0 => held[at % n],
        _ => small(choice >> 1 & 7),
    })
}

const fn small(number: u8) -> Nonce {
    Nonce::from_bytes([0, 0, 0, 0, 0, number])
}

fn nonces(record: &Record) -> Vec<Nonce> {
    let limits = Policy::default().destination;
    let action = Action::Inspect(limits, limits);
    let step = Step {
        tag: record.tag(),
        at: None,
        action,
    };
    let now = Timestamp::from_secs(START);
    let moment = Moment {
        now,
        incarnation: Incarnation::UNFENCED,
    };
    match record.clone().step(&step, moment) {
        Ok(Effect::Inspection(seen)) => seen.sessions.iter().map(|view| view.nonce).collect(),
        _ => Vec::new(),
    }
}

fn posted(from: &mut Unstructured, nonce: Nonce) -> Result<Posted> {
    let number = from.int_in_range(1..=4)?;
    Ok(Posted {
        nonce,
        number,
        channel: channel(from)?,
    })
}

fn channel(from: &mut Unstructured) -> Result<Channel> {
    from.choose(&Channel::ALL).copied()
}

fn outcome(from: &mut Unstructured) -> Result<DeliveryOutcome> {
    use DeliveryOutcome::{Accepted, Delivered, Failed, Undeliverable};
    from.choose(&[Accepted, Failed, Undeliverable, Delivered])
        .copied()
}

fn charge(
    from: &mut Unstructured,
    kind: Kind,
    against: impl FnOnce(&mut Unstructured) -> Result<Against>,
) -> Result<Action> {
    let sort = from.int_in_range(0..=5)?;
    let charge = Charge {
        operation: u32::from(from.arbitrary::<u8>()?),
        name: LimitName::TenantSends,
        against: against(from)?,
        mode: if from.ratio(1, 4)? {
            Mode::Report
        } else {
            Mode::Enforce
        },
        decoy: from.ratio(1, 4)?,
    };
    Ok(match sort {
        0 => Action::PeekCharge(charge),
        1 => Action::Refund(charge),
        2 if kind != Kind::Spend => Action::Forget(kind),
        _ => Action::Charge(charge),
    })
}

fn spend(from: &mut Unstructured) -> Result<Against> {
    let bound = *from.choose(&[1, 1_000_000, u64::MAX])?;
    Ok(Against::Spend {
        price_micros: from.int_in_range(0..=bound)?,
        cap_micros: from.int_in_range(1..=bound)?,
    })
}

fn conversion(from: &mut Unstructured) -> Result<Against> {
    let mut rule = Conversion::default();
    rule.messages = *from.choose(&[10, 50, 100])?;
    rule.percent = from.int_in_range(1..=90)?;
    let grace_seconds = from.int_in_range(1..=3600)?;
    Ok(Against::Conversion {
        rule,
        grace_seconds,
    })
}

fn idempotency(from: &mut Unstructured) -> Result<Action> {
    let nonce = small(from.int_in_range(0..=3)?);
    Ok(match from.int_in_range(0..=5)? {
        0..=2 => Action::Begin(Begin {
            fingerprint: [from.int_in_range(0..=1)?; 16],
            nonce,
        }),
        3 | 4 => Action::Finish(nonce, vec![7; from.int_in_range(0..=64)?]),
        // Of a lease that may be the one held, or another.
        _ => Action::Release(
            nonce,
            Timestamp::from_secs(START + from.int_in_range(0..=180)?),
        ),
    })
}
