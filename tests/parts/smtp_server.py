"""A real SMTP server (aiosmtpd) with scripted answers, for tests.

    smtp_server.py CERTIFICATE KEY

Prints one JSON object a line: first its ports, then what happens. It ends when its
standard input closes; a line there is answered by `settled`, after all that came before,
but for `go`: it lets the messages to `slow` go, which are held back until then.

Listeners: `starttls` (required, with login), `tls` (from the start, with login), `plain`
(no STARTTLS; takes a login all the same, as somebody who strips STARTTLS would; the one
that takes SMTPUTF8).
The recipient's local part chooses the answer; see RECIPIENTS and TEXTS.
"""

import asyncio
import json
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult
from mail_json import parsed

USER, PASSWORD = b"mailer", b"correct horse"

RECIPIENTS = {
    "later": "451 4.3.0 try again later",
    "unknown": "550 5.1.1 no such user",
    "full": "552 5.2.2 mailbox full",
    "policy": "550 5.7.1 not here",
}
TEXTS = {
    "spam": "554 5.6.0 looks like spam",
    "busy": "452 4.3.1 insufficient storage",
}


go = asyncio.Event()


def say(event: str, **members) -> None:
    print(json.dumps({"event": event, **members}), flush=True)


class Server(SMTP):
    """Reports connections and commands."""

    listener = ""

    def connection_made(self, transport):
        # STARTTLS makes a second call on the same connection.
        if self.transport is None:
            say("connection", listener=self.listener)
        super().connection_made(transport)

    async def smtp_MAIL(self, arg):
        say("mail", listener=self.listener)
        await super().smtp_MAIL(arg)

    async def smtp_AUTH(self, arg):
        say("login", listener=self.listener)
        await super().smtp_AUTH(arg)


class Handler:
    def __init__(self, listener: str):
        self.listener = listener

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "gone":
            server.transport.abort()
        if local in RECIPIENTS:
            return RECIPIENTS[local]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local in TEXTS:
            return TEXTS[local]
        if local == "slow":
            say("waiting")
            await go.wait()
        say(
            "message",
            listener=self.listener,
            tls=session.ssl is not None or self.listener == "tls",
            login=session.authenticated,
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            mail=parsed(envelope.original_content),
        )
        if local == "dropped":
            server.transport.abort()
        if local == "silent":
            await asyncio.Event().wait()
        return "250 2.0.0 OK"


def authenticator(server, session, envelope, mechanism, data):
    right = data.login == USER and data.password == PASSWORD
    # Not handled: then aiosmtpd itself answers 535.
    return AuthResult(success=right, handled=right)


async def main(certificate: str, key: str) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def listen(listener, tls=None, **options):
        def make():
            server = Server(
                Handler(listener), hostname="localhost", loop=loop, authenticator=authenticator, **options
            )
            server.listener = listener
            return server

        sock = socket.create_server(("127.0.0.1", 0))
        await loop.create_server(make, sock=sock, ssl=tls)
        return sock.getsockname()[1]

    ports = {
        "starttls": await listen("starttls", tls_context=context, require_starttls=True, auth_required=True),
        "tls": await listen("tls", tls=context, auth_required=True, auth_require_tls=False),
        "plain": await listen("plain", auth_require_tls=False, enable_SMTPUTF8=True),
    }
    say("ready", **ports)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "go\n":
            go.set()
        else:
            say("settled")


if __name__ == "__main__":
    import logging
    import os
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    asyncio.new_event_loop().run_until_complete(main(*sys.argv[1:3]))
    # A handler that was told to be silent would keep the loop's shutdown waiting.
    os._exit(0)
