"""The digests of a day, as libs/digest documents them, and those that services keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BUCKETS = 1024
_MASK = (1 << 64) - 1
_SUM_MASK = (1 << 128) - 1
_LIMBS = ("hash0", "hash1", "hash2", "hash3")


def bucket_of(object_id: int) -> int:
    """As libs/event documents it."""
    x = object_id
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & _MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & _MASK
    x ^= x >> 31
    return x % BUCKETS


@dataclass(frozen=True)
class DigestedRow:
    """A change as all three books see it."""

    payment: int
    version: int
    day: int  # yyyymmdd
    merchant: int
    gross: int


class RowHasher:
    """SipHash-2-4 with 128 bits of output over a row's fields."""

    def __init__(self, key_hex: str) -> None:
        key = bytes.fromhex(key_hex.strip())
        assert len(key) == 16, "a digest key is 32 hexadecimal digits"
        self._k0 = int.from_bytes(key[:8], "little")
        self._k1 = int.from_bytes(key[8:], "little")

    def hash(self, row: DigestedRow) -> int:
        return self.hash_bytes(
            row.payment.to_bytes(8, "little", signed=True)
            + row.version.to_bytes(4, "little")
            + row.day.to_bytes(4, "little")
            + row.merchant.to_bytes(8, "little", signed=True)
            + row.gross.to_bytes(8, "little", signed=True)
        )

    def hash_bytes(self, data: bytes) -> int:
        v = [
            self._k0 ^ 0x736F6D6570736575,
            self._k1 ^ 0x646F72616E646F6D ^ 0xEE,
            self._k0 ^ 0x6C7967656E657261,
            self._k1 ^ 0x7465646279746573,
        ]
        whole = len(data) - len(data) % 8
        words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
        words.append((len(data) & 0xFF) << 56 | int.from_bytes(data[whole:], "little"))
        for word in words:
            v[3] ^= word
            _rounds(v, 2)
            v[0] ^= word
        v[2] ^= 0xEE
        _rounds(v, 4)
        low = v[0] ^ v[1] ^ v[2] ^ v[3]
        v[1] ^= 0xDD
        _rounds(v, 4)
        return low | (v[0] ^ v[1] ^ v[2] ^ v[3]) << 64


def _rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = (v[0] + v[1]) & _MASK
        v[1] = _turned(v[1], 13) ^ v[0]
        v[0] = _turned(v[0], 32)
        v[2] = (v[2] + v[3]) & _MASK
        v[3] = _turned(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & _MASK
        v[3] = _turned(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & _MASK
        v[1] = _turned(v[1], 17) ^ v[2]
        v[2] = _turned(v[2], 32)


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


class DigestChange:
    """What rows that come and go do to the digest of a day: added up by bucket, then stored at once."""

    def __init__(self, hasher: RowHasher) -> None:
        self._hasher = hasher
        self._buckets: dict[int, list[int]] = {}

    def add(self, row: DigestedRow, sign: int = 1) -> None:
        self.damage(bucket_of(row.payment), sign, sign * row.gross, sign * self._hasher.hash(row))

    def damage(self, bucket: int, count: int, gross: int, hash_sum: int) -> None:
        """What no rows explain."""
        change = self._buckets.setdefault(bucket, [0, 0, 0])
        change[0] += count
        change[1] += gross
        change[2] += hash_sum

    def remove(self, row: DigestedRow) -> None:
        self.add(row, -1)

    def buckets(self) -> list[int]:
        return sorted(self._buckets)

    def of(self, bucket: int) -> tuple[int, int, int]:
        """By how much the bucket's count, gross and hash sum change."""
        count, gross, hash_sum = self._buckets.get(bucket, (0, 0, 0))
        return count, gross, hash_sum & _SUM_MASK

    def store(self, session: Any, date: str) -> None:
        """Into `day_digest` of the session's schema, as its service would have kept it."""
        with session.cursor() as cursor:
            for bucket, (count, gross, hashes) in sorted(self._buckets.items()):
                cursor.execute(
                    f"SELECT slot, {', '.join(_LIMBS)} FROM day_digest"
                    " WHERE business_date = %s AND bucket = %s ORDER BY slot LIMIT 1",
                    (date, bucket),
                )
                slot, *limbs = cursor.fetchone()
                stored = sum(limb << 32 * at for at, limb in enumerate(limbs))
                total = (stored + hashes) & _SUM_MASK
                cursor.execute(
                    "UPDATE day_digest SET row_count = row_count + %s,"
                    f" signed_gross = signed_gross + %s, {', '.join(f'{limb} = %s' for limb in _LIMBS)}"
                    " WHERE business_date = %s AND bucket = %s AND slot = %s",
                    (count, gross, *(total >> 32 * at & 0xFFFFFFFF for at in range(4)),
                     date, bucket, slot),
                )  # fmt: skip
