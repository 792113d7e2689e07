"""What a job refuses, by name."""

from __future__ import annotations


class Refusal(Exception):
    """Ends a job before it has an outcome. `reason` is for programs, the message for people.

    The service's reasons (services/payout/domain/reason.h) keep their names here: DAY_UNKNOWN,
    DAY_OPEN, RELEASE_RUNNING, PLAN_INVALID, PLAN_OVERLAPS. Of the jobs alone are:
      ARGUMENT_INVALID    an argument that means nothing
      SCHEMA_UNKNOWN      tables of another version than these rules were written for
      BOOKS_MOVED         the day's books changed while the job read them
      EXPORT_INCOMPLETE   a folder or a table without a finished export
      EXPORT_MISMATCH     an export of another day, seal, target or format than is asked for
      EXPORT_DIFFERS      what was written is not what was read
      OUTPUT_EXISTS       a folder that already has an outcome
      TABLE_UNUSABLE      a DynamoDB table of another shape
      THROTTLED           DynamoDB refused for longer than the job waits
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message

    def __reduce__(self) -> tuple[type[Refusal], tuple[str, str]]:
        return Refusal, (self.reason, self.message)  # from an executor to the driver
