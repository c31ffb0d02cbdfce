use rusmpp::CommandStatus;

use super::{References, Submission};
use crate::smpp::address::Address;
use crate::smpp::frame::octets;

fn submission(text: &str) -> Option<Submission> {
    let sender = Address::sender("Example").unwrap();
    let to = Address::number("+4790000000").unwrap();
    Submission::new(&sender, to, text, &References::new())
}

fn wire(text: &str, left: u64, receipt: bool) -> Vec<u8> {
    let pdu = submission(text).unwrap().part(0, left, receipt).unwrap();
    octets(CommandStatus::EsmeRok, 2, pdu).to_vec()
}

#[test]
fn a_submit_is_on_the_wire_as_the_standard_lays_it_out() {
    let mut expected = vec![0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2];
    expected.push(0); // service_type
    expected.extend_from_slice(b"\x05\x00Example\0"); // source: alphanumeric
    expected.extend_from_slice(b"\x01\x014790000000\0"); // destination: international, E.164
    expected.extend_from_slice(&[0, 0, 0]); // esm_class, protocol_id, priority_flag
    expected.push(0); // schedule_delivery_time
    expected.extend_from_slice(b"000000000459000R\0"); // validity_period
    expected.extend_from_slice(&[1, 0, 0, 0]); // registered_delivery, replace, data_coding, canned
    expected.extend_from_slice(b"\x09\x02a\x1b\x6512\x003\x7f"); // sm_length, short_message
    expected[3] = u8::try_from(expected.len()).unwrap();
    assert_eq!(wire("$a€12@3à", 299, true), expected);
}

#[test]
fn no_receipt_is_asked_for_unless_it_is_wanted() {
    let (with, without) = (wire("a", 300, true), wire("a", 300, false));
    let differ: Vec<_> = (0..with.len())
        .filter(|at| with[*at] != without[*at])
        .collect();
    assert_eq!(differ.len(), 1);
    assert_eq!((with[differ[0]], without[differ[0]]), (1, 0));
}

#[test]
fn what_gsm7_does_not_hold_goes_as_ucs2() {
    let sent = submission("я😀").unwrap().part(0, 300, false).unwrap();
    assert_eq!(u8::from(sent.data_coding), 8);
    assert_eq!(u8::from(sent.esm_class), 0);
    assert_eq!(
        sent.short_message()[..],
        [0x04, 0x4f, 0xd8, 0x3d, 0xde, 0x00]
    );
}

#[test]
fn parts_carry_their_header_and_one_reference() {
    let long = submission(&"a".repeat(400)).unwrap();
    assert_eq!(long.parts(), 3);
    let mut references = std::collections::HashSet::new();
    for (index, length) in [153, 153, 94].into_iter().enumerate() {
        let part = long.part(index, 300, false).unwrap();
        assert_eq!(u8::from(part.esm_class), 0x40);
        assert_eq!(usize::from(part.sm_length()), 6 + length);
        let header = &part.short_message()[..6];
        assert_eq!(header[..3], [5, 0, 3]);
        assert_eq!(usize::from(header[5]), index + 1);
        assert_eq!(header[4], 3);
        references.insert(header[3]);
    }
    assert_eq!(references.len(), 1);
    assert!(long.part(3, 300, false).is_none());
}

#[test]
fn the_longest_part_fits_and_a_longer_text_is_refused() {
    let longest = submission(&"a".repeat(153 * 255)).unwrap();
    assert_eq!(longest.parts(), 255);
    let last = longest.part(254, 300, false).unwrap();
    assert_eq!(
        last.short_message()[..6],
        [5, 0, 3, longest.reference, 255, 255]
    );
    assert!(submission(&"a".repeat(153 * 255 + 1)).is_none());
}

#[test]
fn two_messages_have_different_references() {
    let references = References::new();
    let numbers: Vec<_> = (0..256).map(|_| references.next()).collect();
    let different: std::collections::HashSet<_> = numbers.iter().collect();
    assert_eq!(different.len(), 256);
    assert_eq!(references.next(), numbers[0], "they wrap");
}
