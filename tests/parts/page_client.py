"""An application that verifies a phone number, as a developer would write it.

It knows the send and check calls only, and takes their place and key from the
environment, the number from its argument and the code from standard input. It prints
`granted` or `refused`.
"""

import os
import sys

import requests

BASE = os.environ["BASE"]
HEADERS = {"X-API-Key": os.environ["VERIFY_API_KEY"], "Content-Type": "application/json"}

sent = requests.post(
    f"{BASE}/send", headers=HEADERS, json={"to": sys.argv[1], "channel": "sms"}, timeout=20
)
session_id = sent.json()["session_id"]

checked = requests.post(
    f"{BASE}/check",
    headers=HEADERS,
    json={"session_id": session_id, "code": input()},
    timeout=20,
)
print("granted" if checked.json()["status"] == "verified" else "refused")
