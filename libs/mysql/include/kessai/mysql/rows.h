#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "kessai/time/clock.h"

namespace kessai::mysql {

/// What a SELECT gave. Columns count from 0. Reading a NULL with anything but IsNull and the
/// Optional… getters, a column that does not exist, or a text as a number is a broken invariant
/// and stops the process: the query and its reader stand beside each other.
/// Buffered rows outlive their session. One thread at a time.
class Rows {
 public:
    Rows(Rows&&) noexcept;
    Rows& operator=(Rows&&) noexcept;
    ~Rows();

    /// Steps to the next row (at first: the first). False at the end, and for a streamed result
    /// also when the connection was lost on the way: see status().
    bool Next();
    /// For streamed rows after Next() was false: not ok if rows are missing, or the next one has a
    /// sum beyond 64 bits. Buffered: always ok.
    const Status& status() const;

    bool IsNull(int column) const;
    /// BIGINT, INT, … and DECIMAL without a fraction (SUM gives it; one beyond 64 bits refuses the
    /// result that it is in as DATA_LOSS SUM_OUT_OF_RANGE, before anything of it is read).
    std::int64_t Int(int column) const;
    std::uint64_t Uint(int column) const;
    bool Bool(int column) const { return Int(column) != 0; }
    std::string Text(int column) const;
    std::string Bytes(int column) const { return Text(column); }
    /// A DATE.
    BusinessDate Date(int column) const;
    /// A BIGINT of microseconds since 1970.
    Instant At(int column) const { return FromMicros(Int(column)); }

    std::optional<std::int64_t> OptionalInt(int column) const;
    std::optional<std::string> OptionalText(int column) const;

    /// Number of rows; buffered results only (0 for streamed ones).
    std::size_t size() const;
    bool empty() const { return size() == 0; }

 private:
    friend class Session;
    struct Impl;
    explicit Rows(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::mysql
