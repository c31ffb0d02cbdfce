//! The last look at a message before it is handed over.

/// The longest line without its end (RFC 5322, 2.1.1).
const MAX_LINE: usize = 998;

/// Whether these bytes mean the same to every server: ASCII, every CR followed by LF and
/// every LF preceded by CR, no other control but the tab, no overlong line. A lone CR or
/// LF is what servers disagree on, and what smuggles a second message.
pub(crate) fn is_unambiguous(bytes: &[u8]) -> bool {
    let mut line = 0;
    let mut after_cr = false;
    for &byte in bytes {
        match byte {
            b'\n' if after_cr => line = 0,
            _ if after_cr => return false,
            b'\r' => {}
            b'\t' | b' '..=b'~' => line += 1,
            _ => return false,
        }
        if line > MAX_LINE {
            return false;
        }
        after_cr = byte == b'\r';
    }
    !after_cr
}

#[cfg(test)]
mod tests {
    use super::is_unambiguous;

    #[test]
    fn a40_what_servers_read_differently_is_seen() {
        assert!(is_unambiguous(b"Subject: a\r\n\r\n.\r\n\tb\r\n"));
        assert!(is_unambiguous(
            format!("{}\r\n", "a".repeat(998)).as_bytes()
        ));
        for bytes in [
            &b"a\n.\nb"[..],
            b"a\r.\rb",
            b"a\r",
            b"a\r\r\n",
            b"\n",
            b"a\0",
            b"a\x0bb",
            "ø".as_bytes(),
            b"\x7f",
        ] {
            assert!(!is_unambiguous(bytes), "{bytes:?}");
        }
        assert!(!is_unambiguous("a".repeat(999).as_bytes()));
    }
}
