"""The tree as the rules see it: files by path, and C++ without its comments and strings."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

# What is looked at. Build output, data of a stack and version control are not the product.
TOP_FOLDERS = ("libs", "services", "proto", "tests")
SKIPPED_FOLDERS = {"build", ".git", ".kessai", "node_modules", "__pycache__"}
CPP_SUFFIXES = {".h", ".cc"}

_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


@dataclass(frozen=True)
class Include:
    path: str
    quoted: bool
    line: int


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class SourceFile:
    """One file; its text is read when a rule first asks for it."""

    def __init__(self, root: Path, path: str):
        self.path = path
        self.parts = PurePosixPath(path).parts
        self.name = self.parts[-1]
        self.suffix = PurePosixPath(path).suffix
        self._root = root

    @cached_property
    def text(self) -> str:
        return (self._root / self.path).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        """The text with comments and the contents of literals blanked; lines keep their numbers."""
        return blank_comments_and_literals(self.text)

    @cached_property
    def string_literals(self) -> list[tuple[int, str]]:
        """(line, contents) of every string literal, raw ones included."""
        found = []
        for match in _TOKEN.finditer(self.text):
            if match.lastgroup in ("raw", "string"):
                token = match.group()
                body = match.group("raw_body") if match.lastgroup == "raw" else token[1:-1]
                found.append((line_of(self.text, match.start()), body))
        return found

    @cached_property
    def includes(self) -> list[Include]:
        # Paths of includes are literals: so they are read from the text, where the code still has
        # the directive (a commented one is gone there).
        found = []
        for match in _INCLUDE.finditer(self.text):
            hash_at = self.text.index("#", match.start())
            if self.code[hash_at] == "#":
                found.append(Include(match.group(2), match.group(1) == '"',
                                     line_of(self.text, hash_at)))
        return found


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        self.files = [SourceFile(self.root, path) for path in sorted(_walk(self.root))]
        self.paths = {file.path for file in self.files}

    @cached_property
    def cpp(self) -> list[SourceFile]:
        return [file for file in self.files if file.suffix in CPP_SUFFIXES]

    def folders_in(self, top: str) -> list[str]:
        """Names of the folders directly in `top` ("libs": its libraries)."""
        folder = self.root / top
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir()
                      if entry.is_dir() and entry.name not in SKIPPED_FOLDERS)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# One alternative a kind of token that can hide others, tried from left to right. A quote between
# digits (1'000) begins no character literal.
_TOKEN = re.compile(
    r"""
    (?P<line_comment>//(?:\\\n|[^\n])*)
  | (?P<block_comment>/\*.*?(?:\*/|\Z))
  | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\((?P<raw_body>.*?)\)(?P=delimiter)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<number>\b[0-9](?:'?[0-9a-zA-Z_.])*)
  | (?P<character>'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL)


def blank_comments_and_literals(text: str) -> str:
    def blank(match):
        kind = match.lastgroup
        token = match.group()
        if kind == "number":
            return token
        blanked = re.sub(r"[^\n]", " ", token)
        if kind in ("string", "character"):
            return token[0] + blanked[1:-1] + token[-1]
        return blanked
    return _TOKEN.sub(blank, text)


def _walk(root: Path):
    for top in TOP_FOLDERS:
        for folder, names, files in os.walk(root / top):
            names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
            for file in files:
                yield (Path(folder) / file).relative_to(root).as_posix()
