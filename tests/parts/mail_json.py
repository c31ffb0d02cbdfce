"""Reads a message with Python's own parser, so that ours is judged by somebody else's.

As a program: `mail_json.py FILE` prints it as one line of JSON.
"""

import email
import email.policy
import json
import re
import sys


def parsed(raw: bytes) -> dict:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = []
    for part in message.walk():
        if part.is_multipart():
            continue
        parts.append(
            {
                "type": part.get_content_type(),
                "encoding": str(part["content-transfer-encoding"]),
                "text": part.get_content(),
            }
        )
    return {
        "type": message.get_content_type(),
        "headers": [[name.lower(), str(value)] for name, value in message.items()],
        "parts": parts,
        "defects": [str(defect) for defect in message.defects],
        "longest_line": max((len(line) for line in raw.split(b"\r\n")), default=0),
        "lone_line_ends": len(re.findall(rb"\r(?!\n)|(?<!\r)\n", raw)),
        "ascii": raw.isascii(),
    }


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(json.dumps(parsed(file.read())))
