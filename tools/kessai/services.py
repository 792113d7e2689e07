"""The four services of a stack: what configuration each gets, and how it is started.

A service binary takes `serve|migrate|check-config --config FILE` and one environment variable per
configuration path; `_KEYS` is the one place that says which paths a stack sets. A service refuses
variables that it does not know, so each gets exactly its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from . import build, credentials, kafka, mariadb, pki
from .diagnosis import Diagnosis
from .stack import HOST, ROOT, SERVICES, Stack
from .supervisor import Process, digest

ALL = SERVICES
GATEWAY = ("gateway",)
LEDGERS = ("payment", "payout", "reconciliation")  # all but the gateway: they serve gRPC
WITH_REDIS = ("gateway",)  # those whose code reads redis.…
ASKERS = ("gateway", "reconciliation")  # who asks payment and payout
FILES = ("reconciliation",)  # who makes merchants' files

Value = Callable[[Stack, str], object]


def _code_url(stack: Stack, service: str) -> str:
    return f"https://localhost:{stack.port('gateway-https')}/qr/{{codeId}}"


# path | services that have it | its value for a stack and a service
_KEYS: Sequence[tuple[str, Sequence[str], Value]] = (
    ("service.admin_host", ALL, lambda s, name: HOST),
    ("service.admin_port", ALL, lambda s, name: s.port(f"{name}-admin")),
    # No load balancer has to hear of an end first.
    ("service.drain_delay", ALL, lambda s, name: "200ms"),
    ("mysql.host", ALL, lambda s, name: HOST),
    ("mysql.port", ALL, lambda s, name: s.port("mariadb")),
    ("mysql.user", ALL, lambda s, name: mariadb.schema(name)),
    ("mysql.password_file", ALL, lambda s, name: credentials.password_file(s, f"mysql-{name}")),
    ("mysql.schema", ALL, lambda s, name: mariadb.schema(name)),
    ("redis.host", WITH_REDIS, lambda s, name: HOST),
    ("redis.port", WITH_REDIS, lambda s, name: s.port(f"redis-{name}")),
    ("redis.password_file", WITH_REDIS, lambda s, name: credentials.password_file(s, f"redis-{name}")),
    ("kafka.brokers", ALL, lambda s, name: kafka.address(s)),
    ("tls.ca_file", ALL, lambda s, name: pki.ca_file(s)),
    ("tls.cert_file", ALL, lambda s, name: pki.certificate(s, name)),
    ("tls.key_file", ALL, lambda s, name: pki.key(s, name)),
    ("internal_token.key_file", ALL, lambda s, name: credentials.token_key_ring(s)),
    ("grpc.listen_host", LEDGERS, lambda s, name: HOST),
    ("grpc.listen_port", LEDGERS, lambda s, name: s.port(f"{name}-grpc")),
    ("digest.key_file", LEDGERS, lambda s, name: credentials.digest_key(s)),
    ("audit.key_file", ("reconciliation",), lambda s, name: credentials.audit_key(s)),
    # Money for trying it out: no bank stands behind it.
    ("policy.development_funding", ("payment",), lambda s, name: "true"),
    ("https.host", GATEWAY, lambda s, name: HOST),
    ("https.port", GATEWAY, lambda s, name: s.port("gateway-https")),
    ("https.cert_file", GATEWAY, lambda s, name: pki.certificate(s, "gateway-https")),
    ("https.key_file", GATEWAY, lambda s, name: pki.key(s, "gateway-https")),
    ("upstreams.payment", ASKERS, lambda s, name: f"{HOST}:{s.port('payment-grpc')}"),
    ("upstreams.payout", ASKERS, lambda s, name: f"{HOST}:{s.port('payout-grpc')}"),
    ("upstreams.reconciliation", GATEWAY, lambda s, name: f"{HOST}:{s.port('reconciliation-grpc')}"),
    ("file_store.directory.path", FILES, lambda s, name: s.files),
    ("files.work_folder", FILES, lambda s, name: s.files_work),
    ("secrets.key_file", GATEWAY, lambda s, name: credentials.secrets_key(s)),
    # Receivers of webhooks that somebody runs here to try them.
    ("webhooks.allow_private_addresses", GATEWAY, lambda s, name: "true"),
    ("partner.code_url_template", GATEWAY, _code_url),
    ("files.base_url", GATEWAY, lambda s, name: f"https://localhost:{s.port('gateway-https')}"),
    ("dev_issuer.enabled", GATEWAY, lambda s, name: "true"),
    ("dev_issuer.key_file", GATEWAY, lambda s, name: pki.dev_issuer_key(s)),
)


@dataclass(frozen=True)
class Service:
    name: str
    stack: Stack
    preset: str

    @property
    def program(self) -> Path:
        return build.binary(self.preset, f"kessai-{self.name}")

    @property
    def config_file(self) -> Path:
        return ROOT / "services" / self.name / "config" / f"{self.name}.yaml"

    def environment(self) -> dict[str, str]:
        """The variables that fit the service to its stack, overrides by `restart --set` included."""
        settings = {
            variable(path): str(value(self.stack, self.name))
            for path, owners, value in _KEYS
            if self.name in owners
        }
        return {**settings, **overrides(self.stack, self.name)}

    def process(self) -> Process:
        return Process(
            name=self.name,
            command=[str(self.program), "serve", "--config", str(self.config_file)],
            listens=self.stack.listens(self.name),
            environment=self.environment(),
            depends_on=[_file_digest(self.config_file)],
            stop_grace_s=40,  # its own drain and shutdown are bounded below this
        )

    def require_program(self) -> None:
        for path, what in ((self.program, "program"), (self.config_file, "configuration")):
            if not path.exists():
                raise Diagnosis(
                    f"the {what} of the service {self.name} is not there: {path.relative_to(ROOT)}",
                    "it belongs to the tree and its build: git status, then ./kessai build",
                )

    def run(self, sub_command: str, timeout_s: float = 120) -> str:
        """Runs `check-config`, `migrate` or `fault-points` to its end; returns what it printed."""
        command = [str(self.program), sub_command, "--config", str(self.config_file)]
        try:
            result = subprocess.run(
                command, env={**_BASE_ENVIRONMENT, **self.environment()}, cwd=self.stack.directory,
                capture_output=True, text=True, timeout=timeout_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Diagnosis(
                f"{self.name}: {sub_command} did not end within {timeout_s:.0f} s",
                "look for a lock in its schema, or at the database: ./kessai logs mariadb",
            ) from None
        if result.returncode != 0:
            raise Diagnosis(
                f"{self.name}: {sub_command} failed with exit code {result.returncode}",
                "; ".join(filter(None, [self.override_remedy(), "see its messages"])),
                (result.stdout + result.stderr).strip()[-3000:],
            )
        return result.stdout

    def override_remedy(self) -> str:
        """What to do about the settings of earlier `restart --set`, if there are any."""
        kept = shown_overrides(self.stack, self.name)
        if not kept:
            return ""
        named = "" if self.stack.name == "dev" else f" --stack {self.stack.name}"
        return (
            f"it has settings of an earlier restart --set, which stay until they are cleared: "
            f"{', '.join(kept)}; without them: ./kessai restart {self.name} --clear{named}"
        )

    def not_ready(self) -> str:
        """Empty when /readyz says so, else why it does not."""
        url = f"http://{HOST}:{self.stack.port(f'{self.name}-admin')}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return "" if answer.status == 200 else f"/readyz answers {answer.status}"
        except urllib.error.HTTPError as error:
            return why_not_ready(error.read(_READINESS_BYTES)) or f"/readyz answers {error.code}"
        except OSError as error:
            return f"/readyz: {getattr(error, 'reason', error)}"


_READINESS_BYTES = 64 << 10
_SECRET = re.compile(r"(PASSWORD|SECRET|KEY|TOKEN)$")
_BASE_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def why_not_ready(readiness: bytes) -> str:
    """What /readyz says in a few words: the state, unless it is serving, and what is not ready."""
    text = readiness.decode(errors="replace")
    try:
        content = json.loads(text)
        state = "" if content["state"] == "serving" else str(content["state"])
        waiting = [
            f"{part['name']} ({part['reason']})" if part.get("reason") else str(part["name"])
            for part in content["components"]
            if not part["ready"]
        ]
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:500]
    return ": ".join(filter(None, [state, "; ".join(waiting)]))


def all_services(stack: Stack, preset: str) -> list[Service]:
    return [Service(name, stack, preset) for name in SERVICES]


def variable(path: str) -> str:
    """The environment variable that overrides a configuration path."""
    return "KESSAI_" + path.upper().replace(".", "_").replace("-", "_")


def overrides(stack: Stack, service: str) -> dict[str, str]:
    try:
        text = _overrides_file(stack, service).read_text()
    except FileNotFoundError:
        return {}
    return dict(json.loads(text))


def shown_overrides(stack: Stack, service: str) -> list[str]:
    """The overrides as NAME=value, without the values of secrets."""
    return [
        f"{name}={'…' if _SECRET.search(name) else value}"
        for name, value in overrides(stack, service).items()
    ]


def merged_overrides(
    kept: dict[str, str], assignments: Sequence[str], clear: bool
) -> dict[str, str]:
    """`kept` (or nothing, to `clear`) with `path=value` or `KESSAI_…=value` assignments over it."""
    entries = {} if clear else dict(kept)
    for assignment in assignments:
        path, separator, value = assignment.partition("=")
        if not separator or not path:
            raise Diagnosis(f"'{assignment}' sets nothing", "write --set executor.batch_max=1")
        entries[path if path.startswith("KESSAI_") else variable(path)] = value
    return entries


def save_overrides(stack: Stack, service: str, entries: dict[str, str]) -> None:
    """Keeps settings for this and later starts of the service in this stack."""
    file = _overrides_file(stack, service)
    if entries:
        file.write_text(json.dumps(entries, indent=2) + "\n")
    else:
        file.unlink(missing_ok=True)


def _overrides_file(stack: Stack, service: str) -> Path:
    return stack.config / f"{service}.overrides.json"


def _file_digest(path: Path) -> str:
    return digest(path.read_text()) if path.exists() else "none"
