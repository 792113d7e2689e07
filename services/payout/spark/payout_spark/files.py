"""Small files beside an export's or a recount's data, by Hadoop's file systems: a folder, HDFS or S3."""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession

from .refusal import Refusal


class Files:
    """Files of one folder, by names relative to it. A file appears whole or not at all."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        """ARGUMENT_INVALID when Hadoop knows no file system for it."""
        self._jvm: Any = spark.sparkContext._jvm
        self.root = root.rstrip("/")
        try:
            self._system = self._path("").getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
        except (Py4JJavaError, IllegalArgumentException) as error:
            why = error.java_exception.getMessage() if isinstance(error, Py4JJavaError) else error
            raise Refusal("ARGUMENT_INVALID", f"'{root}' is no folder: {why}") from error

    def _path(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}" if name else self.root)

    def at(self, name: str) -> str:
        """The place for Spark's readers and writers."""
        return f"{self.root}/{name}"

    def exists(self, name: str) -> bool:
        return bool(self._system.exists(self._path(name)))

    def list(self, name: str) -> list[str]:
        """Names in a sub-folder, in order; none if it is not there."""
        if not self.exists(name):
            return []
        return sorted(status.getPath().getName() for status in self._system.listStatus(self._path(name)))

    def read(self, name: str) -> str | None:
        if not self.exists(name):
            return None
        stream = self._system.open(self._path(name))
        try:
            return str(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write(self, name: str, text: str) -> None:
        """Precondition: it is not there."""
        draft = self._path(f"{name}.draft")
        stream = self._system.create(draft, True)
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()
        if not self._system.rename(draft, self._path(name)):
            raise FileExistsError(self.at(name))
