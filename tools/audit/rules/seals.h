#pragma once

#include <span>
#include <vector>

#include "model/payout_rows.h"
#include "report.h"
#include "rules/sha256.h"

namespace kessai::audit {

/// The seal of some of a day's totals, as services/payout/domain/seal.h documents it: SHA-256 over
/// the day (yyyymmdd) and, of each total in order of (merchant, slot, tax class): merchant, slot,
/// tax class, gross, fee and item count; each number is 8 bytes, most significant first.
class TotalsSeal {
 public:
    explicit TotalsSeal(DayNumber day) { Begin(day); }
    void Begin(DayNumber day);
    void Add(const TotalRow& total);
    Hash32 End() { return sha256_.End(); }

 private:
    Sha256 sha256_;
};

/// The seal of a day: SHA-256 over the day and its chunks' first and last merchant, number of
/// merchants and seal, in order.
Hash32 SealOfDay(DayNumber day, std::span<const ChunkRow> chunks);

/// M9 of one closed day's totals. They are sealed in chunks, runs of merchants that cover every id
/// without gap. Merchants that were open at close are in no chunk's seal.
class SealFollower {
 public:
    /// `chunks` by their number.
    SealFollower(const PayoutDayRow& day, std::vector<ChunkRow> chunks, Report& report);

    /// In order of (merchant, slot, tax class), without those of merchants that were open at close.
    void Follow(const TotalRow& total);
    /// After the last one.
    void End();

 private:
    void CheckRanges();
    void CheckDay();
    void CloseChunk();

    const PayoutDayRow& day_;
    const std::vector<ChunkRow> chunks_;
    Report& report_;
    TotalsSeal seal_;
    /// The chunk that totals are added to, and how many merchants it has had.
    std::size_t chunk_ = 0;
    std::int64_t merchants_ = 0;
    std::int64_t last_merchant_ = 0;
};

}  // namespace kessai::audit
