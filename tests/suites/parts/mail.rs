//! A message as it arrived, read by Python's parser.

use serde_json::Value;

/// See `tests/parts/mail_json.py`.
#[derive(Clone, Debug)]
pub(crate) struct Mail(pub(crate) Value);

impl Mail {
    /// The names of all headers, in lower case, in order.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let headers = self.0["headers"].as_array().expect("headers");
        headers
            .iter()
            .map(|header| header[0].as_str().expect("a name"))
            .collect()
    }

    /// The decoded value of the one header of this name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let headers = self.0["headers"].as_array().expect("headers");
        let mut found = headers.iter().filter(|header| header[0] == name);
        let one = found.next().unwrap_or_else(|| panic!("no header {name}"));
        assert!(found.next().is_none(), "header {name} twice");
        one[1].as_str().expect("a value")
    }

    /// Media types of the parts, in order.
    pub(crate) fn part_types(&self) -> Vec<&str> {
        self.parts()
            .iter()
            .map(|part| part["type"].as_str().expect("a type"))
            .collect()
    }

    /// Transfer encodings of the parts, in order.
    pub(crate) fn encodings(&self) -> Vec<&str> {
        self.parts()
            .iter()
            .map(|part| part["encoding"].as_str().expect("an encoding"))
            .collect()
    }

    /// The decoded text part.
    pub(crate) fn text(&self) -> String {
        self.part(0)
    }

    /// The decoded HTML part.
    pub(crate) fn html(&self) -> String {
        self.part(1)
    }

    fn part(&self, index: usize) -> String {
        let text = self.parts()[index]["text"].as_str().expect("a text");
        text.replace("\r\n", "\n").trim_end().to_owned()
    }

    fn parts(&self) -> &Vec<Value> {
        self.0["parts"].as_array().expect("parts")
    }
}
