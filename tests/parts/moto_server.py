"""AWS as moto plays it, for tests: SNS behind real Signature Version 4 and IAM.

Prints one line of JSON: the port, and four keys [id, secret, session token or null]:
`user` and `session` (a role's) may publish, `reader` may see the settings too, `forbidden`
may do nothing. Then answers each line on
standard input with the short messages so far, as [number, text]; ends when that closes.
"""

import json
import sys

import boto3
from moto import settings
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sns.models import sns_backends

ACCOUNT = "123456789012"
REGION = "eu-north-1"

def may(*actions):
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def client(service, port):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="setup",
        aws_secret_access_key="setup",
    )


def user(iam, name, *actions):
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="sns", PolicyDocument=may(*actions))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return [key["AccessKeyId"], key["SecretAccessKey"], None]


def session(iam, sts):
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="role", PolicyName="sns", PolicyDocument=may("sns:Publish"))
    assumed = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="test")
    key = assumed["Credentials"]
    return [key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]]


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    iam, sts = client("iam", port), client("sts", port)
    ready = {
        "port": port,
        "user": user(iam, "user", "sns:Publish"),
        "reader": user(iam, "reader", "sns:Publish", "sns:GetSMSAttributes"),
        "forbidden": user(iam, "forbidden"),
        "session": session(iam, sts),
    }
    # From here on every request must be signed by a key that may do what it asks for.
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        messages = sns_backends[ACCOUNT][REGION].sms_messages
        print(json.dumps(list(messages.values())), flush=True)


main()
