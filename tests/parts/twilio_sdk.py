"""What Twilio's own SDK does, for tests: one JSON question on standard input, one answer.

    {"do": "message" | "call", "url", "account", "token", "key", "arguments"}
        makes the request of `client.messages.create` or `client.calls.create`
    {"do": "sign", "token", "requests": [{"url", "body"}]}
        gives the signature of each
    {"do": "validate", "token", "requests": [{"url", "body", "signature"}]}
        says which of them are valid
    {"do": "twiml", "language", "text"}
        gives the words of a call as the SDK writes them
"""

import json
import sys
from urllib.parse import parse_qs

from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import VoiceResponse


def create(question):
    login = question["key"] or [question["account"], question["token"]]
    client = Client(*login, account_sid=question["account"])
    client.api.base_url = question["url"]
    resource = client.messages if question["do"] == "message" else client.calls
    return resource.create(**question["arguments"]).sid


class Fields(dict):
    """A body as Django gives it to the SDK's validator: a field may be there twice."""

    def __init__(self, request):
        super().__init__(parse_qs(request["body"], keep_blank_values=True))

    getlist = dict.__getitem__


def sign(question):
    validator = RequestValidator(question["token"])
    return [
        validator.compute_signature(request["url"], Fields(request))
        for request in question["requests"]
    ]


def validate(question):
    validator = RequestValidator(question["token"])
    return [
        validator.validate(request["url"], Fields(request), request["signature"])
        for request in question["requests"]
    ]


def twiml(question):
    response = VoiceResponse()
    response.pause(length=1)
    response.say(question["text"], language=question["language"])
    return str(response)


question = json.load(sys.stdin)
answers = {
    "message": create,
    "call": create,
    "sign": sign,
    "validate": validate,
    "twiml": twiml,
}
print(json.dumps(answers[question["do"]](question)))
