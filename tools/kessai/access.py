"""How to reach a stack: written for programs as `access.json`, printed for people."""

from __future__ import annotations

import json
from typing import Any

from . import build, credentials, kafka, kafka_jars, mariadb, pki, redis, s3_environment, topics
from .stack import HOST, SERVICES, Stack


def write(stack: Stack, preset: str) -> None:
    text = json.dumps(describe(stack, preset), indent=2) + "\n"
    credentials.write_private(stack.directory / "access.json", text.encode())


def describe(stack: Stack, preset: str) -> dict[str, Any]:
    """Where everything is, for tests, benches and tools. Secrets are named by file."""
    return {
        "stack": stack.name,
        "directory": str(stack.directory),
        "binaries": str(build.directory(preset) / "bin"),
        "gateway": {
            "url": f"https://localhost:{stack.port('gateway-https')}",
            "host": HOST,
            "port": stack.port("gateway-https"),
        },
        "tls": {
            "ca_file": str(pki.ca_file(stack)),
            "cert_file": str(pki.certificate(stack, "operator")),
            "key_file": str(pki.key(stack, "operator")),
        },
        "grpc": {
            service: f"{HOST}:{stack.port(f'{service}-grpc')}"
            for service in SERVICES
            if service != "gateway"
        },
        "admin": {
            service: f"http://{HOST}:{stack.port(f'{service}-admin')}" for service in SERVICES
        },
        "mysql": {
            "host": HOST,
            "port": stack.port("mariadb"),
            "schemas": {service: mariadb.schema(service) for service in SERVICES},
            "users": {
                "root": _mysql_user(stack, "root", "mysql-root"),
                "audit": _mysql_user(stack, "kessai_audit", "mysql-audit"),
                **{
                    service: _mysql_user(stack, mariadb.schema(service), f"mysql-{service}")
                    for service in SERVICES
                },
            },
        },
        "redis": {
            service: {
                "host": HOST,
                "port": stack.port(redis.name(service)),
                "password_file": str(credentials.password_file(stack, redis.name(service))),
            }
            for service in SERVICES
        },
        "kafka": {"brokers": kafka.address(stack), "topics_file": str(topics.FILE)},
        "keys": {
            "internal_token": str(credentials.token_key_ring(stack)),
            "digest": str(credentials.digest_key(stack)),
            "audit": str(credentials.audit_key(stack)),
            "dev_issuer": str(pki.dev_issuer_key(stack)),
        },
    }


def test_environment(stack: Stack) -> dict[str, str]:
    """How integration tests find the servers of a stack."""
    return {
        "KESSAI_TEST_MYSQL": mariadb.url(stack),
        "KESSAI_TEST_REDIS": redis.url(stack, "gateway"),
        "KESSAI_TEST_KAFKA": kafka.address(stack),
        "KESSAI_TEST_KAFKA_JARS": str(kafka_jars.directory()),  # for brokers of a test's own
        "KESSAI_TEST_S3_PYTHON": str(s3_environment.python()),  # for an S3 of a test's own
    }


def lines(stack: Stack) -> list[str]:
    """What someone needs who wants to try it by hand."""
    shown = stack.directory.name
    admin = "  ".join(f"{service} {stack.port(f'{service}-admin')}" for service in SERVICES)
    return [
        f"gateway       https://localhost:{stack.port('gateway-https')}",
        f"  trust it    curl --cacert .kessai/{shown}/pki/ca.crt …",
        f"probes        http://{HOST}:PORT/livez /readyz /metrics, PORT of {admin}",
        f"MariaDB       mariadb --defaults-file=.kessai/{shown}/secrets/mysql-root.cnf kessai_payment",
        f"Kafka         {kafka.address(stack)}",
        f"secrets       .kessai/{shown}/secrets/, for programs: .kessai/{shown}/access.json",
        "next          ./kessai status, logs [service], test, down",
    ]


def _mysql_user(stack: Stack, user: str, password_name: str) -> dict[str, str]:
    return {"user": user, "password_file": str(credentials.password_file(stack, password_name))}
