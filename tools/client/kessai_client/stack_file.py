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

    def database(self, service: str) -> "pymysql.connections.Connection[Any]":
        """A session that can only read, in which every statement sees what is committed."""
        mysql = self.content["mysql"]
        user = mysql["users"]["audit"]
        return pymysql.connect(
            host=mysql["host"],
            port=mysql["port"],
            user=user["user"],
            password=Path(user["password_file"]).read_text().strip(),
            database=mysql["schemas"][service],
            autocommit=True,
            connect_timeout=5,
            read_timeout=30,
        )
