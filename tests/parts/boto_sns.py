"""What AWS's own SDK sends, for tests: one JSON question on standard input.

    {"url", "region", "key": [id, secret, session token or null], "arguments"}
        makes the request of `client("sns").publish(**arguments)`
"""

import json
import sys

import boto3
from botocore.config import Config

question = json.load(sys.stdin)
key, secret, token = question["key"]
client = boto3.client(
    "sns",
    region_name=question["region"],
    endpoint_url=question["url"],
    aws_access_key_id=key,
    aws_secret_access_key=secret,
    aws_session_token=token,
    config=Config(retries={"total_max_attempts": 1}),
)
print(json.dumps(client.publish(**question["arguments"])["MessageId"]))
