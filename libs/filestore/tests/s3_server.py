"""Runs moto's S3 on a port of 127.0.0.1 until its standard input ends, and says in one line of JSON, into
the file given, where it is and by which credentials. From then on every signature is verified.

    s3_server.py READY_FILE [CERTIFICATE KEY]
"""

import json
import os
import sys
import threading
from pathlib import Path

import boto3
import moto.core.authorization
import moto.iam.access_control
from moto import settings
from moto.iam.access_control import S3IAMRequest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "files"
REGION = "ap-northeast-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


_asked = threading.local()


def remembering_target(application):
    """Moto hands a decoded path to its check of signatures, which then refuses what AWS's own client signs:
    a name with a plus, say. So that it checks what was sent, the target is kept as it came."""

    def run(environ, start_response):
        _asked.target = environ["RAW_URI"]
        return application(environ, start_response)

    return run


class CheckedAsSent(S3IAMRequest):
    def __init__(self, account_id, method, path, *rest, **named):
        super().__init__(account_id, method, _asked.target, *rest, **named)


def main() -> None:
    ready, tls = Path(sys.argv[1]), tuple(sys.argv[2:4]) or None
    os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"
    server = make_server(
        "127.0.0.1", 0, remembering_target(DomainDispatcherApplication(create_backend_app)),
        threaded=True, ssl_context=tls,
    )  # fmt: skip
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scheme = "https" if tls else "http"
    address = {
        "endpoint_url": f"{scheme}://localhost:{server.port}",
        "region_name": REGION,
        "verify": False,
    }
    anybody = {**address, "aws_access_key_id": "anybody", "aws_secret_access_key": "anybody"}
    iam = boto3.client("iam", **anybody)
    iam.create_user(UserName="store")
    iam.put_user_policy(UserName="store", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="store")["AccessKey"]
    boto3.client("s3", **anybody).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    # Who asks from now on must be the user, and sign as AWS says.
    moto.iam.access_control.S3IAMRequest = CheckedAsSent
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    moto.core.authorization.ActionAuthenticatorMixin.request_count = 0
    said = {
        "port": server.port,
        "bucket": BUCKET,
        "region": REGION,
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
    }
    ready.with_suffix(".new").write_text("\n".join(f"{name}={value}" for name, value in said.items()) + "\n")
    ready.with_suffix(".new").rename(ready)
    threading.Event().wait()


if __name__ == "__main__":
    main()
