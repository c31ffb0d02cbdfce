//! Steps: through `apply`, provided or overridden, with a verifier on top.

use countersign::record::{Action, Charge, Effect, Step};
use countersign::store::Incarnation;
use countersign::{Limit, LimitName, Nonce, Tag, Verdict};

use crate::ground::{Boxed, Ground, cut_off, join_all, on_threads};
use crate::harness::Harness;
use crate::session::{GUESSES, Session, THREADS};
use crate::violation::{Outcome, Passed};

const UNCOUNTED: &str = "guesses pass uncounted, and a code can be found by trying";

/// Looking at what is not there leaves nothing behind.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_step_that_changes_nothing_writes_nothing(harness: &dyn Harness) -> Outcome {
    let rule = "a_step_that_changes_nothing_writes_nothing";
    let cost = "made-up ids fill the store";
    let ground = Ground::open(harness, rule, cost).await?;
    let key = ground.fresh_key()?;
    let look = Action::Look(Nonce::from_bytes(*b"nobody"));
    let step = Step {
        tag: Tag::default(),
        at: None,
        action: look,
    };
    let _ = ground.works(ground.store.apply(key, &step).await)?;
    let value = ground.value(key).await?;
    ground.expect(value.is_none(), || {
        "looking at an absent record stored one".to_owned()
    })?;
    Ok(Passed::Held)
}

/// 256 steps at once at one record, each of which changes it, are all answered and taken
/// once; and so are 256 more from several threads.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_hot_record_refuses_nobody(harness: &dyn Harness) -> Outcome {
    let cost = "the rightful person is refused while others guess";
    let ground = Ground::open(harness, "a_hot_record_refuses_nobody", cost).await?;
    let key = ground.fresh_key()?;
    let charges: Vec<_> = (1..)
        .map(|n| charge(n, u16::MAX))
        .take(2 * GUESSES)
        .collect();
    let (first, second) = charges.split_at(GUESSES);
    let apply = |step| ground.store.apply(key, step);
    let mut answers = join_all(first.iter().map(apply)).await;
    let batches: Vec<_> = second.chunks(GUESSES / THREADS).collect();
    let batch = |n: usize| -> Boxed<'_, _> { Box::pin(join_all(batches[n].iter().map(apply))) };
    answers.extend(on_threads(harness, THREADS, batch).into_iter().flatten());
    for answer in answers {
        let effect = answer.map_err(|error| ground.broken(format!("a step failed: {error}")))?;
        ground.expect(effect == Effect::Done, || {
            format!("a charge was answered {effect:?}")
        })?;
    }
    // One more is refused by a limit of exactly as many, and by no higher one.
    let counted = u16::try_from(2 * GUESSES).unwrap_or(u16::MAX);
    let at_least = ground.works(ground.store.apply(key, &charge(0, counted)).await)?;
    let at_most = ground.works(ground.store.apply(key, &charge(0, counted + 1)).await)?;
    ground.expect(at_least != Effect::Done && at_most == Effect::Done, || {
        format!("{counted} steps were answered, and not each was taken once")
    })?;
    Ok(Passed::Held)
}

fn charge(operation: u32, max: u16) -> Step {
    let (limit, name) = (Limit::new(max, 3600), LimitName::TenantSends);
    let action = Action::Charge(Charge::event(operation, name, limit));
    Step {
        tag: Tag::default(),
        at: None,
        action,
    }
}

/// Of 256 wrong guesses at once five are compared, and then not even the right one helps.
///
/// # Errors
/// [`crate::Violation`].
pub async fn wrong_guesses_are_charged_exactly_once(harness: &dyn Harness) -> Outcome {
    let rule = "wrong_guesses_are_charged_exactly_once";
    let ground = Ground::open(harness, rule, UNCOUNTED).await?;
    for in_one_task in [true, false] {
        let session = Session::open(&ground).await?;
        let wrong = session.wrong();
        let mut left = Vec::new();
        for verdict in session.at_once(&ground, &wrong, in_one_task).await {
            if let Ok(Verdict::WrongCode { attempts_remaining }) = verdict {
                left.push(attempts_remaining);
            }
        }
        left.sort_unstable();
        ground.expect(left.windows(2).all(|pair| pair[0] < pair[1]), || {
            format!(
                "of 256 wrong guesses {} were compared, with {left:?} left",
                left.len() + 1
            )
        })?;
        let charged = session.charged(&ground).await?;
        ground.expect(charged == 5, || {
            format!("of 5 attempts {charged} were charged")
        })?;
        let right = ground.works(session.check(session.code()).await)?;
        ground.expect(!right.is_verified(), || {
            "a sixth guess was compared".to_owned()
        })?;
    }
    Ok(Passed::Held)
}

/// Of 256 right guesses at once one is approved, and none later.
///
/// # Errors
/// [`crate::Violation`].
pub async fn one_of_many_right_guesses_is_approved(harness: &dyn Harness) -> Outcome {
    let cost = "one code lets several in";
    let ground = Ground::open(harness, "one_of_many_right_guesses_is_approved", cost).await?;
    for in_one_task in [true, false] {
        let session = Session::open(&ground).await?;
        let verdicts = session.at_once(&ground, session.code(), in_one_task).await;
        let later = session.check(session.code()).await;
        let approved =
            |verdict: &&Result<Verdict, _>| verdict.as_ref().is_ok_and(Verdict::is_verified);
        let approvals = verdicts.iter().chain([&later]).filter(approved).count();
        ground.expect(approvals == 1, || {
            format!("of 256 right guesses {approvals} were approved")
        })?;
    }
    Ok(Passed::Held)
}

/// A check that is dropped at any of its suspension points keeps its charge: what was
/// written once is never taken back, and whatever was told was charged.
///
/// # Errors
/// [`crate::Violation`].
pub async fn cancelled_apply_loses_no_charge(harness: &dyn Harness) -> Outcome {
    let ground = Ground::open(harness, "cancelled_apply_loses_no_charge", UNCOUNTED).await?;
    for polls in 1..24 {
        let session = Session::open(&ground).await?;
        let wrong = session.wrong();
        let mut most = 0;
        let mut told = 0;
        for _ in 0..2 {
            let mut check = Box::pin(session.check(&wrong));
            let verdict = cut_off(&mut check, polls).await;
            told += u8::from(verdict.is_some());
            // The check is still there, half-way; its charge may be.
            most = most.max(session.charged(&ground).await?);
            drop(check);
            let charged = session.charged(&ground).await?;
            ground.expect(charged >= most, || {
                format!("a check that was dropped after {polls} polls took its charge back")
            })?;
            ground.expect(charged >= told, || {
                "a guess was answered and not charged".to_owned()
            })?;
        }
        let right = ground.works(session.check(session.code()).await)?;
        ground.expect(right.is_verified(), || {
            format!(
                "after a dropped check the right code is refused: {}",
                right.reason()
            )
        })?;
    }
    Ok(Passed::Held)
}

/// A session that was opened before a crash is expired after it.
///
/// # Errors
/// [`crate::Violation`].
pub async fn a_session_of_another_life_is_expired(harness: &dyn Harness) -> Outcome {
    let rule = "a_session_of_another_life_is_expired";
    let cost = "a code that was used before a crash works again after it";
    let ground = Ground::open(harness, rule, cost).await?;
    let session = Session::open(&ground).await?;
    let life = ground.load(ground.fresh_key()?).await?.incarnation;
    if life == Incarnation::UNFENCED || !harness.new_life().await {
        return Ok(Passed::NotTried(
            "the store has no fence, or the harness cannot renew it",
        ));
    }
    let verdict = ground.works(session.check(session.code()).await)?;
    ground.expect(verdict == Verdict::Expired, || {
        format!(
            "the code of an earlier life was answered {}",
            verdict.reason()
        )
    })?;
    Ok(Passed::Held)
}
