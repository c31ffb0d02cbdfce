//! The fields of `Publish` ("Publish", SNS API reference, and "Publishing SMS messages to a
//! mobile phone", SNS developer guide).

use std::fmt::Write as _;

pub(super) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The form. `Transactional` is AWS's name for messages whose arrival matters more than
/// their price.
pub(super) fn form(to: &str, text: &str, from: Option<&str>, max_price: Option<&str>) -> String {
    let mut form = String::new();
    add(&mut form, "Action", "Publish");
    add(&mut form, "Version", "2010-03-31");
    add(&mut form, "PhoneNumber", to);
    add(&mut form, "Message", text);
    let sender = from.map(|from| {
        if from.starts_with('+') {
            ("AWS.MM.SMS.OriginationNumber", "String", from)
        } else {
            ("AWS.SNS.SMS.SenderID", "String", from)
        }
    });
    let price = max_price.map(|price| ("AWS.SNS.SMS.MaxPrice", "Number", price));
    // In the order of their names, as AWS's SDKs have them; it means nothing.
    let kind = Some(("AWS.SNS.SMS.SMSType", "String", "Transactional"));
    let attributes = [price, kind, sender];
    for (n, (name, kind, value)) in attributes.into_iter().flatten().enumerate() {
        let entry = format!("MessageAttributes.entry.{}", n + 1);
        add(&mut form, &format!("{entry}.Name"), name);
        add(&mut form, &format!("{entry}.Value.DataType"), kind);
        add(&mut form, &format!("{entry}.Value.StringValue"), value);
    }
    form
}

fn add(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    for byte in value.bytes() {
        // As AWS's own SDKs write it, since some services that speak AWS's protocol compute
        // the signature from what they have parsed and written again.
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else if byte == b' ' {
            form.push('+');
        } else {
            // Writing to a string cannot fail.
            let _ = write!(form, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn the_form_has_the_fields_of_the_reference() {
        assert_eq!(
            form("+4712345678", "Kode: 12+3 & æ=€\n", None, None),
            "Action=Publish&Version=2010-03-31&PhoneNumber=%2B4712345678\
             &Message=Kode%3A+12%2B3+%26+%C3%A6%3D%E2%82%AC%0A\
             &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType\
             &MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue=Transactional"
        );
    }

    #[test]
    fn sender_and_price_are_attributes() {
        let id = form("+4712345678", "x", Some("My-Brand"), Some("0.50"));
        assert!(
            id.ends_with(
                "&MessageAttributes.entry.1.Name=AWS.SNS.SMS.MaxPrice\
                 &MessageAttributes.entry.1.Value.DataType=Number\
                 &MessageAttributes.entry.1.Value.StringValue=0.50\
                 &MessageAttributes.entry.2.Name=AWS.SNS.SMS.SMSType\
                 &MessageAttributes.entry.2.Value.DataType=String\
                 &MessageAttributes.entry.2.Value.StringValue=Transactional\
                 &MessageAttributes.entry.3.Name=AWS.SNS.SMS.SenderID\
                 &MessageAttributes.entry.3.Value.DataType=String\
                 &MessageAttributes.entry.3.Value.StringValue=My-Brand"
            ),
            "{id}"
        );
        let number = form("+4712345678", "x", Some("+12065550100"), None);
        assert!(
            number.ends_with(
                "&MessageAttributes.entry.2.Name=AWS.MM.SMS.OriginationNumber\
                 &MessageAttributes.entry.2.Value.DataType=String\
                 &MessageAttributes.entry.2.Value.StringValue=%2B12065550100"
            ),
            "{number}"
        );
    }
}
