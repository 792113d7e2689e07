#include "rules/seals.h"

#include <limits>
#include <utility>

namespace kessai::audit {
namespace {

using enum Invariant;

Subject OfDay(DayNumber day) {
    return {{"day", DayText(day)}};
}

Subject OfChunk(const ChunkRow& chunk) {
    return {{"day", DayText(chunk.business_date)}, {"chunk", std::int64_t{chunk.chunk}}};
}

}  // namespace

void TotalsSeal::Begin(DayNumber day) {
    sha256_.Begin();
    sha256_.AddBigEndian(day);
}

void TotalsSeal::Add(const TotalRow& total) {
    sha256_.AddBigEndian(total.merchant_id);
    sha256_.AddBigEndian(total.slot);
    sha256_.AddBigEndian(total.tax_class);
    sha256_.AddBigEndian(total.gross);
    sha256_.AddBigEndian(total.fee);
    sha256_.AddBigEndian(total.item_count);
}

Hash32 SealOfDay(DayNumber day, std::span<const ChunkRow> chunks) {
    Sha256 sha256;
    sha256.Begin();
    sha256.AddBigEndian(day);
    for (const ChunkRow& chunk : chunks) {
        sha256.AddBigEndian(chunk.merchant_first);
        sha256.AddBigEndian(chunk.merchant_last);
        sha256.AddBigEndian(chunk.merchant_count);
        sha256.Add({reinterpret_cast<const char*>(chunk.seal.data()), chunk.seal.size()});
    }
    return sha256.End();
}

SealFollower::SealFollower(const PayoutDayRow& day, std::vector<ChunkRow> chunks, Report& report)
    : day_(day), chunks_(std::move(chunks)), report_(report), seal_(day.business_date) {
    CheckRanges();
    CheckDay();
}

void SealFollower::CheckRanges() {
    std::int64_t next = std::numeric_limits<std::int64_t>::min();
    bool whole = !chunks_.empty();
    for (const ChunkRow& chunk : chunks_) {
        whole = whole && chunk.merchant_first == next && chunk.merchant_last >= next;
        next = chunk.merchant_last == INT64_MAX ? INT64_MAX : chunk.merchant_last + 1;
    }
    if (whole && chunks_.back().merchant_last == INT64_MAX) return;
    report_.Found(kM9, "sealed chunks", [&] {
        return Finding{OfDay(day_.business_date), "ranges that cover every merchant",
                       std::to_string(chunks_.size()) + " chunks with gaps"};
    });
}

void SealFollower::CheckDay() {
    const auto subject = [&] { return OfDay(day_.business_date); };
    std::int64_t merchants = 0;
    for (const ChunkRow& chunk : chunks_) merchants += chunk.merchant_count;
    report_.Expect(kM9, "sealed merchants of day", subject, merchants, day_.merchant_count);
    const Hash32 seal = SealOfDay(day_.business_date, chunks_);
    if (!day_.seal.has_value()) {
        report_.Found(kM9, "seal of day", [&] { return Finding{subject(), ToText(seal), "none"}; });
        return;
    }
    report_.Expect(kM9, "seal of day", subject, seal, *day_.seal);
}

void SealFollower::Follow(const TotalRow& total) {
    while (chunk_ < chunks_.size() && total.merchant_id > chunks_[chunk_].merchant_last) {
        CloseChunk();
    }
    if (chunk_ == chunks_.size()) return;
    if (merchants_ == 0 || total.merchant_id != last_merchant_) ++merchants_;
    last_merchant_ = total.merchant_id;
    seal_.Add(total);
}

void SealFollower::CloseChunk() {
    const ChunkRow& chunk = chunks_[chunk_];
    const auto subject = [&] { return OfChunk(chunk); };
    report_.Expect(kM9, "sealed merchants of chunk", subject, chunk.merchant_count, merchants_);
    report_.Expect(kM9, "seal of chunk's totals", subject, chunk.seal, seal_.End());
    seal_.Begin(day_.business_date);
    merchants_ = 0;
    ++chunk_;
}

void SealFollower::End() {
    while (chunk_ < chunks_.size()) CloseChunk();
}

}  // namespace kessai::audit
