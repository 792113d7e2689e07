"""A named problem with what to do about it; the command prints it instead of a traceback."""

from __future__ import annotations


class Diagnosis(Exception):
    """Something that keeps a command from going on and that its user can put right."""

    def __init__(self, problem: str, remedy: str, details: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.details = details

    def text(self) -> str:
        lines = [f"kessai: {self.problem}"]
        lines += [f"    | {line}" for line in self.details.splitlines()]
        lines.append(f"  what to do: {self.remedy}")
        return "\n".join(lines)
