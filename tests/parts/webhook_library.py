"""What the reference library of Standard Webhooks says, for tests: one JSON question on
standard input, one answer.

    {"do": "verify", "secret", "headers", "body"}     whether it believes the request
    {"do": "sign", "secret", "id", "at", "body"}      the header `webhook-signature`
"""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook, WebhookVerificationError

question = json.load(sys.stdin)
webhook = Webhook(question["secret"])
if question["do"] == "sign":
    at = datetime.fromtimestamp(question["at"], timezone.utc)
    answer = webhook.sign(question["id"], at, question["body"])
else:
    try:
        webhook.verify(question["body"], question["headers"])
        answer = True
    except WebhookVerificationError:
        answer = False
print(json.dumps(answer))
