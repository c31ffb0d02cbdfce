"""Makes what schemathesis draws valid where a schema cannot say what is.

Every valid idempotency key becomes a fresh one: it likes to draw the same short key for
different bodies, and to refuse those (422) is what the header is for. Every phone number
in E.164's form becomes one that can be read: which digits can be somebody's, and where a
zero has no business, is the number plan's to say and no pattern's. What the document does
not allow is left as it is.
"""

import re
import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    for name, value in list(headers.items()):
        if name.lower() == "idempotency-key" and re.fullmatch(r"[!-~]{1,219}", str(value)):
            headers[name] = f"{value}{uuid.uuid4().hex}"
    body = case.body
    if isinstance(body, dict):
        for name in ("to", "recipient"):
            digits = re.fullmatch(r"\+([1-9][0-9]{6,14})", str(body.get(name)))
            if digits:
                body[name] = f"+474{digits[1][-7:]}"
