"""A real SMTP server (aiosmtpd) whose mailboxes a test reads.

Prints its port, then one line of JSON for each message it took. The recipient's local
part is the script: `refuse…` is answered 550, `later…` 451, and `slow…` waits until a
line comes on standard input. It ends when standard input does.
"""

import asyncio
import json
import sys
import threading
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

go = threading.Event()


class Mailboxes:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("slow") for address in envelope.rcpt_tos):
            print(json.dumps({"waiting": True}), flush=True)
            while not go.is_set():
                await asyncio.sleep(0.02)
        message = message_from_bytes(envelope.original_content, policy=policy.default)
        text = message.get_body(("plain",))
        print(
            json.dumps(
                {
                    "recipients": envelope.rcpt_tos,
                    "to": message.get_all("To", []),
                    "headers": message.keys(),
                    "subject": message["Subject"],
                    "text": text.get_content() if text else "",
                }
            ),
            flush=True,
        )
        return "250 OK"


controller = Controller(
    Mailboxes(), hostname="127.0.0.1", port=int(sys.argv[1]), enable_SMTPUTF8=True
)
controller.start()
print(json.dumps({"port": controller.port}), flush=True)
for _ in sys.stdin:
    go.set()
controller.stop()
