"""Makes every valid idempotency key that schemathesis draws a fresh one.

It likes to draw the same short key for different bodies, and to refuse those (422) is
what the header is for. Keys that the document does not allow are left as they are.
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
