//! AWS Signature Version 4 ("Signing AWS API requests", IAM user guide), as far as a `POST`
//! without a query needs it.

use countersign::Timestamp;
use countersign_provider::Credential;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, Tag};
use time::OffsetDateTime;

use crate::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// An access key.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: Credential,
    pub(super) session_token: Option<Credential>,
}

/// What is signed.
pub(super) struct Post<'a> {
    /// The path, which needs no percent-encoding.
    pub(super) path: &'a str,
    /// Lower-case names in alphabetical order, all of them before `x-amz-date`, and values
    /// without spaces at their ends or doubled inside.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// The headers that sign a request, to be added to it.
pub(super) fn sign(
    post: &Post<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let moment = moment(now);
    let (day, _) = moment.split_at(8);
    let mut headers = post.headers.to_vec();
    headers.push(("x-amz-date", &moment));
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token", token.reveal()));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");

    let canonical = canonical(post, &headers, &names);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!(
        "{ALGORITHM}\n{moment}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let key = key(&credentials.secret, &[day, region, service, "aws4_request"]);
    let signature = hex::encode(ring::hmac::sign(&key, to_sign.as_bytes()).as_ref());

    let id = &credentials.id;
    let authorization = format!(
        "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let mut added = vec![("authorization", authorization), ("x-amz-date", moment)];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.reveal().to_owned()));
    }
    added
}

fn canonical(post: &Post<'_>, headers: &[(&str, &str)], names: &str) -> String {
    let mut text = format!("POST\n{}\n\n", post.path);
    for (name, value) in headers {
        for piece in [name, ":", value, "\n"] {
            text.push_str(piece);
        }
    }
    for piece in ["\n", names, "\n", &hash(post.body)] {
        text.push_str(piece);
    }
    text
}

/// The key of one day, region and service.
fn key(secret: &Credential, scope: &[&str]) -> Key {
    let first = zeroize::Zeroizing::new(format!("AWS4{}", secret.reveal()));
    let first = Key::new(HMAC_SHA256, first.as_bytes());
    let next = |key: Key, part: &&str| {
        let tag: Tag = ring::hmac::sign(&key, part.as_bytes());
        Key::new(HMAC_SHA256, tag.as_ref())
    };
    scope.iter().fold(first, next)
}

/// ISO 8601's basic form in UTC, `20150830T123600Z`.
fn moment(now: Timestamp) -> String {
    let seconds = i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX);
    // A clock beyond the year 9999 gets a signature that AWS refuses.
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30 12:36:00 UTC, the moment of AWS's published test suite.
    const NOW: Timestamp = Timestamp::from_secs(1_440_938_160);
    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Credential::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: token.map(Credential::new),
        }
    }

    fn signed(
        headers: &[(&str, &str)],
        body: &str,
        token: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let post = Post {
            path: "/",
            headers,
            body: body.as_bytes(),
        };
        sign(&post, &credentials(token), "us-east-1", "service", NOW)
    }

    fn authorization(names: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={names}, Signature={signature}"
        )
    }

    /// Those cases of `aws-sig-v4-test-suite` that are a `POST` without a query.
    #[test]
    fn the_published_vectors_come_out() {
        let form = "application/x-www-form-urlencoded";
        let charset = "application/x-www-form-urlencoded; charset=utf8";
        for (content_type, body, names, signature) in [
            (
                None,
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Some(form),
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                Some(charset),
                "Param1=value1",
                "content-type;host;x-amz-date",
                "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
            ),
        ] {
            let first = content_type.map(|value| ("content-type", value));
            let headers: Vec<_> = first.into_iter().chain([HOST]).collect();
            let added = signed(&headers, body, None);
            assert_eq!(added.len(), 2);
            assert_eq!(added[0].1, authorization(names, signature));
            assert_eq!(added[1], ("x-amz-date", "20150830T123600Z".to_owned()));
        }
    }

    #[test]
    fn a_session_token_is_signed_and_sent() {
        let added = signed(&[HOST], "", Some(TOKEN));
        let expected = authorization(
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        );
        assert_eq!(added[0].1, expected);
        assert_eq!(added[2], ("x-amz-security-token", TOKEN.to_owned()));
    }

    #[test]
    fn every_part_changes_the_signature() {
        let base = Post {
            path: "/",
            headers: &[HOST],
            body: b"a",
        };
        let of = |post: &Post<'_>, region: &str, service: &str, now: Timestamp| {
            sign(post, &credentials(None), region, service, now)[0]
                .1
                .clone()
        };
        let mut all = vec![
            of(&base, "us-east-1", "sns", NOW),
            of(&base, "us-east-2", "sns", NOW),
            of(&base, "us-east-1", "sqs", NOW),
            of(&base, "us-east-1", "sns", NOW.plus_secs(1)),
            of(&Post { path: "/x", ..base }, "us-east-1", "sns", NOW),
            of(&Post { body: b"b", ..base }, "us-east-1", "sns", NOW),
        ];
        let host = [("host", "sns.example.com")];
        let other = Post {
            headers: &host,
            ..base
        };
        all.push(of(&other, "us-east-1", "sns", NOW));
        let signatures: std::collections::BTreeSet<_> = all
            .iter()
            .filter_map(|text| text.split("Signature=").nth(1))
            .collect();
        assert_eq!(signatures.len(), 7, "{all:?}");
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        for (secs, expected) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (4_102_444_799, "20991231T235959Z"),
        ] {
            assert_eq!(moment(Timestamp::from_secs(secs)), expected);
        }
        assert_eq!(moment(Timestamp::from_millis(1_999)), "19700101T000001Z");
        assert_eq!(moment(Timestamp::from_millis(u64::MAX)), "19700101T000000Z");
    }
}
