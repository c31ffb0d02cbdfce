"""What Vonage's own SDK does, for tests: one JSON question on standard input, one answer.

    {"do": "sms", "arguments"}             the form fields of a message
    {"do": "sign", "secret", "fields"}     their signature (SHA-256 HMAC)
    {"do": "check", "secret", "fields"}    whether `sig` among them is right
    {"do": "call", "arguments"}            the JSON of a call
    {"do": "token", "public_key", "token"} the claims of an application's token
    {"do": "event", "secret", "claims"}    a token as webhooks carry it
    {"do": "believe", "secret", "token"}   whether the SDK believes a webhook's token
"""

import json
import sys

import jwt
from vonage_http_client.auth import Auth
from vonage_jwt.verify_jwt import verify_signature
from vonage_sms.requests import SmsMessage
from vonage_voice.models import CreateCallRequest


def auth(question):
    return Auth(
        api_key="abcd1234", signature_secret=question["secret"], signature_method="sha256"
    )


def sms(question):
    return SmsMessage(**question["arguments"]).model_dump(by_alias=True, exclude_none=True)


def call(question):
    request = CreateCallRequest(**question["arguments"])
    return request.model_dump(by_alias=True, exclude_none=True, mode="json")


def token(question):
    return {
        "header": jwt.get_unverified_header(question["token"]),
        "claims": jwt.decode(
            question["token"],
            question["public_key"],
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False},
        ),
    }


answers = {
    "sms": sms,
    "sign": lambda question: auth(question).sign_params(question["fields"]),
    "check": lambda question: auth(question).check_signature(question["fields"]),
    "call": call,
    "token": token,
    "event": lambda question: jwt.encode(question["claims"], question["secret"], "HS256"),
    "believe": lambda question: verify_signature(question["token"], question["secret"]),
}
question = json.load(sys.stdin)
print(json.dumps(answers[question["do"]](question)))
