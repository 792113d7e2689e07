"""The official partner SDKs, unmodified, each behind the same few calls.

They are installed once into `.cache/partner-sdk` (pip and npm, pinned versions), and each call is a
process of its own, as if a merchant's server had just been started.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kessai_client.partner import Credential
from kessai_client.stack_file import StackFile

HERE = Path(__file__).resolve().parent / "sdk"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "partner-sdk"
INSTALL_LIMIT_S = 300
CALL_LIMIT_S = 60


class Sdk:
    """What the tests ask of an SDK; every call gives (resultInfo, data)."""

    name = ""

    def __init__(self, stack: StackFile, credential: Credential, clock_shift_s: int = 0) -> None:
        self._stack = stack
        self._credential = credential
        self._clock_shift_s = clock_shift_s

    def _order(self, call: Any, argument: Any) -> bytes:
        order = {
            "key": self._credential.api_key,
            "secret": self._credential.api_secret,
            "clockShiftSeconds": self._clock_shift_s,
            "url": self._stack.url,
            "host": urlsplit(self._stack.url).hostname,
            "port": urlsplit(self._stack.url).port,
            "call": call,
            "argument": argument,
        }
        return json.dumps(order).encode()

    def create(self, merchant_payment_id: str, amount: int) -> tuple[Any, Any]:
        raise NotImplementedError

    def details(self, merchant_payment_id: str) -> tuple[Any, Any]:
        raise NotImplementedError

    def payment(self, merchant_payment_id: str) -> tuple[Any, Any]:
        raise NotImplementedError

    def delete(self, code_id: str) -> tuple[Any, Any]:
        raise NotImplementedError

    def cancel(self, merchant_payment_id: str) -> tuple[Any, Any]:
        raise NotImplementedError

    def refund(self, merchant_refund_id: str, payment_id: str, amount: int) -> tuple[Any, Any]:
        raise NotImplementedError

    def refund_details(self, merchant_refund_id: str) -> tuple[Any, Any]:
        raise NotImplementedError


def _code(merchant_payment_id: str, amount: int) -> dict[str, Any]:
    return {
        "merchantPaymentId": merchant_payment_id,
        "amount": {"amount": amount, "currency": "JPY"},
        "codeType": "ORDER_QR",
        "orderDescription": "コーヒー豆 & <パン>",
        "orderItems": [
            {"name": "豆", "quantity": 1, "unitPrice": {"amount": amount, "currency": "JPY"}}
        ],
        "isAuthorization": False,
        "redirectUrl": "https://shop.example/thanks?a=1&b=2",
        "redirectType": "WEB_LINK",
    }


def _refund(merchant_refund_id: str, payment_id: str, amount: int) -> dict[str, Any]:
    return {
        "merchantRefundId": merchant_refund_id,
        "paymentId": payment_id,
        "amount": {"amount": amount, "currency": "JPY"},
        "requestedAt": int(time.time()),
        "reason": "返品",
    }


class PythonSdk(Sdk):
    name = "python"

    def _call(self, resource: str, method: str, argument: Any) -> tuple[Any, Any]:
        environment = {**os.environ, "REQUESTS_CA_BUNDLE": self._stack.ca_file}
        answer = _run(
            [str(python_environment() / "bin" / "python"), "-W", "ignore", str(HERE / "drive_python.py")],
            self._order([resource, method], argument),
            environment,
        )
        return answer["resultInfo"], answer["data"]

    def create(self, merchant_payment_id: str, amount: int) -> tuple[Any, Any]:
        return self._call("Code", "create_qr_code", _code(merchant_payment_id, amount))

    def details(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("Code", "get_payment_details", merchant_payment_id)

    def payment(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("Payment", "get_payment_details", merchant_payment_id)

    def delete(self, code_id: str) -> tuple[Any, Any]:
        return self._call("Code", "delete_qr_code", code_id)

    def cancel(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("Payment", "cancel_payment", merchant_payment_id)

    def refund(self, merchant_refund_id: str, payment_id: str, amount: int) -> tuple[Any, Any]:
        return self._call(
            "Payment", "refund_payment", _refund(merchant_refund_id, payment_id, amount)
        )

    def refund_details(self, merchant_refund_id: str) -> tuple[Any, Any]:
        return self._call("Payment", "refund_details", merchant_refund_id)


class NodeSdk(Sdk):
    name = "node"

    def _call(self, call: str, argument: Any) -> tuple[Any, Any]:
        environment = {
            **os.environ,
            "NODE_EXTRA_CA_CERTS": self._stack.ca_file,
            "NODE_PATH": str(node_modules()),
        }
        answer = _run(
            ["node", str(HERE / "drive_node.js")], self._order(call, argument), environment
        )
        assert answer.get("ERROR") is None and answer["BODY"] is not None, answer
        return answer["BODY"]["resultInfo"], answer["BODY"]["data"]

    def create(self, merchant_payment_id: str, amount: int) -> tuple[Any, Any]:
        return self._call("qrCodeCreate", _code(merchant_payment_id, amount))

    def details(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("getCodePaymentDetails", [merchant_payment_id])

    def payment(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("getPaymentDetails", [merchant_payment_id])

    def delete(self, code_id: str) -> tuple[Any, Any]:
        return self._call("qrCodeDelete", [code_id])

    def cancel(self, merchant_payment_id: str) -> tuple[Any, Any]:
        return self._call("paymentCancel", [merchant_payment_id])

    def refund(self, merchant_refund_id: str, payment_id: str, amount: int) -> tuple[Any, Any]:
        return self._call("paymentRefund", _refund(merchant_refund_id, payment_id, amount))

    def refund_details(self, merchant_refund_id: str) -> tuple[Any, Any]:
        return self._call("getRefundDetails", [merchant_refund_id])


def python_environment() -> Path:
    def install(folder: Path) -> None:
        _check([sys.executable, "-m", "venv", str(folder)])
        # No newer releases of anything: what is named is all there is.
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
        _check([*pip, "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")])

    return _installed("python", HERE / "requirements.txt", install)


def node_modules() -> Path:
    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        _check(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)

    return _installed("node", HERE / "package-lock.json", install) / "node_modules"


def _installed(name: str, pins: Path, install: Any) -> Path:
    """A folder for exactly these pins, made by one process at a time."""
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            (folder / "complete").touch()
    return folder


def _check(command: list[str], directory: Path | None = None) -> None:
    result = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
    )
    assert result.returncode == 0, f"{' '.join(command)}:\n{result.stdout}{result.stderr}"


def _run(command: list[str], feed: bytes, environment: dict[str, str]) -> Any:
    result = subprocess.run(
        command, input=feed, env=environment, capture_output=True, timeout=CALL_LIMIT_S, check=False
    )
    assert result.returncode == 0, result.stderr.decode(errors="replace")[-3000:]
    return json.loads(result.stdout)
