"""Goal: what tests and tools say of digests is what services keep.
Method: the reference vectors of SipHash-2-4-128, and rows that come and go."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))

from kessai_client.day_digest import DigestChange, DigestedRow, RowHasher, bucket_of  # noqa: E402

KEY = bytes(range(16)).hex()


def test_hashes_are_those_of_the_reference():
    hasher = RowHasher(KEY)
    for data, expected in (
        (b"", "a3817f04ba25a8e66df67214c7550293"),
        (b"\0", "da87c1d86b99af44347659119b22fc45"),
    ):
        assert hasher.hash_bytes(data).to_bytes(16, "little").hex() == expected


def test_a_row_that_came_and_went_leaves_nothing():
    change = DigestChange(RowHasher(KEY))
    row = DigestedRow(7_000_000_000_001, 2, 20261122, 10_000_001, -300)
    change.add(row)
    bucket = bucket_of(row.payment)
    assert change.of(bucket)[:2] == (1, -300)
    change.remove(row)
    assert change.of(bucket) == (0, 0, 0)
    assert change.buckets() == [bucket]


def test_a_row_of_another_amount_has_another_hash():
    hasher = RowHasher(KEY)
    row = DigestedRow(1, 1, 20261122, 2, 300)
    assert hasher.hash(row) != hasher.hash(DigestedRow(1, 1, 20261122, 2, 301))
