//! The pause that a provider asks for.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longer pauses are cut: whoever asks for a day has no answer for a person who waits.
const LONGEST: Duration = Duration::from_secs(3600);

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). A date is measured from the
/// answer's own `Date`, so that our clock does not matter; without one it says nothing.
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if text.bytes().all(|b| b.is_ascii_digit()) {
        // What has too many digits for a number is long in any case.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        until.duration_since(now).unwrap_or_default()
    };
    (!text.is_empty()).then_some(pause.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, read};
    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
    use std::time::Duration;

    fn pause(retry_after: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        read(&headers)
    }

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("7", Some(Duration::from_secs(7))),
            ("86400", Some(LONGEST)),
            ("99999999999999999999999", Some(LONGEST)),
            (
                "Sun, 06 Nov 1994 08:49:47 GMT",
                Some(Duration::from_secs(10)),
            ),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(Duration::ZERO)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(pause(text, date), expected, "{text:?}");
        }
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:47 GMT", None), None);
        assert_eq!(read(&HeaderMap::new()), None);
    }
}
