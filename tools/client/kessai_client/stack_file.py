"""What `access.json` says of a stack (tools/kessai/access.py writes it)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql


@dataclass(frozen=True)
class StackFile:
    path: Path
    content: dict[str, Any]

    @staticmethod
    def read(path: str | Path) -> "StackFile":
        return StackFile(Path(path), json.loads(Path(path).read_text()))

    @property
    def url(self) -> str:
        return str(self.content["gateway"]["url"])

    @property
    def ca_file(self) -> str:
        return str(self.content["tls"]["ca_file"])

    @property
    def kafka_brokers(self) -> str:
        return str(self.content["kafka"]["brokers"])

    def admin_url(self, service: str) -> str:
        return str(self.content["admin"][service])

    def database(
        self, service: str, user: str = "audit", read_timeout_s: float = 30
    ) -> "pymysql.connections.Connection[Any]":
        """A session in a service's schema; `audit` can only read. Each statement commits."""
        mysql = self.content["mysql"]
        login = mysql["users"][user]
        return pymysql.connect(
            host=mysql["host"],
            port=mysql["port"],
            user=login["user"],
            password=Path(login["password_file"]).read_text().strip(),
            database=mysql["schemas"][service],
            autocommit=True,
            connect_timeout=5,
            read_timeout=read_timeout_s,
        )
