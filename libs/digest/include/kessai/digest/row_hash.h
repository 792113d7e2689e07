#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::digest {

/// An unsigned number modulo 2^128.
struct Sum128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    Sum128& operator+=(const Sum128& other) {
        low += other.low;
        high += other.high + (low < other.low ? 1 : 0);
        return *this;
    }
    Sum128& operator-=(const Sum128& other) {
        high -= other.high + (low < other.low ? 1 : 0);
        low -= other.low;
        return *this;
    }
    bool operator==(const Sum128&) const = default;

    /// 32 lower-case hexadecimal digits.
    std::string ToHex() const;
};

/// One change as both sides see it: what is digested.
struct Row {
    std::int64_t object_id = 0;
    std::uint32_t version = 0;
    BusinessDate business_date;
    std::int64_t merchant_id = 0;
    /// Minor units: positive for what came to the merchant, negative for what went back.
    std::int64_t signed_gross = 0;
};

/// SipHash-2-4 with 128-bit output (Aumasson, Bernstein 2012) over the row's fields in their order,
/// each as whole number of fixed width, little endian: 8, 4, 4 (yyyymmdd), 8, 8 bytes. The sum of
/// such hashes modulo 2^128 tells two sets of rows apart without regard to their order; the key
/// keeps whoever can choose rows from choosing a set that collides. Both sides hold the same key.
/// Immutable; thread safe.
class RowHasher {
 public:
    using Key = std::array<std::uint8_t, 16>;

    explicit RowHasher(const Key& key);

    /// From 32 hexadecimal digits; refuses with INVALID_ARGUMENT DIGEST_KEY_MALFORMED.
    static Result<RowHasher> FromHex(std::string_view key);

    Sum128 Hash(const Row& row) const;

 private:
    Key key_;
};

/// SipHash-2-4-128 of any bytes; exposed for its test vectors.
Sum128 SipHash128(const RowHasher::Key& key, std::string_view bytes);

}  // namespace kessai::digest
