#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "domain/packed_totals.h"
#include "domain/recount.h"

namespace kessai::payout::domain {

using Seal = std::array<std::uint8_t, 32>;

/// SHA-256 over a day's totals, in the order they are added: each is 8 bytes, most significant
/// first, of merchant, slot, tax class, gross, fee and item count; before them the day (yyyymmdd).
/// Not thread safe.
class TotalsSealer {
 public:
    explicit TotalsSealer(BusinessDate day);
    TotalsSealer(TotalsSealer&&) noexcept;
    TotalsSealer& operator=(TotalsSealer&&) noexcept;
    ~TotalsSealer();

    void Add(const SlotTotal& total);
    /// To be called once.
    Seal Finish();

 private:
    struct Context;
    std::unique_ptr<Context> context_;
};

/// The seal of a set of totals in order of (merchant, slot, tax class).
Seal SealOf(BusinessDate day, std::span<const SlotTotal> totals);

/// A run of merchants whose totals were sealed together, and are released in one transaction.
struct SealedChunk {
    MerchantRange range;
    std::int64_t merchant_count = 0;
    Seal seal{};
    /// What was sealed, packed. Nothing if that takes more than kPackedTotalsMax.
    std::optional<std::string> totals = std::string();

    bool operator==(const SealedChunk&) const = default;
};

/// The seal of a whole day: SHA-256 over the day and its chunks' ranges and seals, in order.
Seal SealOfDay(BusinessDate day, std::span<const SealedChunk> chunks);

/// Cuts a day's totals, added in order of (merchant, slot, tax class), into sealed chunks of some
/// `merchants_per_chunk` merchants. The chunks' ranges cover every merchant id without gap.
class ChunkSealer {
 public:
    /// Precondition: merchants_per_chunk > 0.
    ChunkSealer(BusinessDate day, std::int64_t merchants_per_chunk);

    void Add(const SlotTotal& total);
    /// At least one chunk. To be called once.
    std::vector<SealedChunk> Finish();

 private:
    void Cut(MerchantId next_first);

    BusinessDate day_;
    std::int64_t merchants_per_chunk_;
    TotalsSealer sealer_;
    TotalsPacker packer_;
    MerchantId current_;
    std::vector<SealedChunk> chunks_;
    SealedChunk open_;
};

}  // namespace kessai::payout::domain
