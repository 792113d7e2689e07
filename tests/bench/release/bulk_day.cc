#include "bench/release/bulk_day.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "app/parallel.h"
#include "bench/release/measured_payout.h"
#include "domain/accrual.h"
#include "domain/day_part.h"
#include "domain/packed_totals.h"
#include "domain/recount.h"
#include "domain/release.h"
#include "kessai/event/bucket.h"
#include "kessai/mysql/transaction.h"
#include "storage/gate.h"
#include "storage/plan_rows.h"

namespace kessai::bench {
namespace {

using payout::domain::Accrual;
using payout::domain::MerchantId;
using payout::domain::MerchantSums;
using payout::domain::PaymentChange;
using payout::domain::SegmentSums;
using payout::domain::SlotTotal;

constexpr mysql::BulkTarget kAccruals{
    "bench.load_accruals", "accrual",
    "business_date, bucket, payment_id, version, merchant_id, kind, tax_class, currency, gross, "
    "fee, captured_total, refunded_before, plan_id, plan_version, event_id, recorded_at_us, "
    "content_hash"};
constexpr mysql::BulkTarget kTotals{
    "bench.load_totals", "merchant_day_total",
    "business_date, merchant_id, slot, tax_class, currency, gross, fee, item_count"};
constexpr mysql::BulkTarget kDayParts{
    "bench.load_day_parts", "merchant_day_part",
    "business_date, merchant_id, slot, tax_class, part, gross, fee, item_count, payment_first, "
    "payment_last"};
constexpr mysql::Query kOpenDay{"bench.open_day",
                                "INSERT INTO payout_day (business_date, state) VALUES (?, ?)"};
constexpr mysql::Query kMarkSlots{"bench.mark_slots",
                                  "UPDATE slot_gate SET closed_through = ? WHERE slot < ?"};

constexpr std::int64_t kBlocksPerTransaction = 4;
constexpr std::int64_t kMerchantsPerTransaction = 20'000;

// What is summed while it is loaded cannot be summed again.
mysql::RetryPolicy Once() {
    mysql::RetryPolicy policy;
    policy.attempts_max = 1;
    return policy;
}

/// What one thread has loaded.
struct Part {
    std::array<SegmentSums, kPartitions> slots;
    /// Of what was given back, all of it on the day of its sale.
    std::array<SegmentSums, kPartitions> returns;
};

/// No event's: a bulk-loaded row is never asked whether it is a repeat.
std::array<char, 16> HashOf(const PaymentChange& change) {
    std::array<char, 16> hash{};
    auto mixed = static_cast<std::uint64_t>(change.event.value());
    for (char& byte : hash) {
        mixed = mixed * 0x9e3779b97f4a7c15ULL + 1;
        byte = static_cast<char>(mixed >> 56);
    }
    return hash;
}

void AddRow(mysql::BulkRows& rows, const Accrual& accrual, std::string_view hash) {
    std::optional<std::int64_t> captured;
    std::optional<std::int64_t> refunded;
    if (accrual.gross < 0) {
        captured = accrual.captured_total;
        refunded = accrual.refunded_before;
    }
    rows.Add(accrual.business_date, event::BucketOf(accrual.key.payment.value()),
             accrual.key.payment, accrual.key.version, accrual.merchant,
             static_cast<int>(accrual.kind), static_cast<int>(accrual.tax_class),
             accrual.currency.code(), accrual.gross, accrual.fee, captured, refunded, accrual.plan,
             accrual.plan_version, accrual.event, accrual.event.value(), mysql::Bytes{hash});
}

class Loader {
 public:
    Loader(mysql::Pool& pool, const GeneratedDay& day, int threads)
        : pool_(pool), day_(day), threads_(threads), parts_(static_cast<std::size_t>(threads)) {}

    Result<DayFacts> Run() {
        KESSAI_RETURN_IF_ERROR(ReadPlans());
        KESSAI_RETURN_IF_ERROR(LoadAccruals());
        ReduceTotals();
        KESSAI_RETURN_IF_ERROR(LoadTotals());
        KESSAI_RETURN_IF_ERROR(OpenDay());
        DayFacts facts;
        for (const DayFacts& part : facts_) {
            facts.accruals += part.accruals;
            facts.merchants += part.merchants;
            facts.gross += part.gross;
            facts.fee += part.fee;
            facts.largest = std::max(facts.largest, part.largest);
        }
        return facts;
    }

 private:
    Status ReadPlans() {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kSessionWithin));
        KESSAI_ASSIGN_OR_RETURN(const auto plans, payout::storage::LoadPlansAfter(*session, 0));
        plans_.Add(plans);
        return OkStatus();
    }

    Status LoadAccruals() {
        const auto steps = static_cast<int>((day_.block_count() + kBlocksPerTransaction - 1) /
                                            kBlocksPerTransaction);
        return payout::app::RunInParallel(steps, threads_, [&](int step, int thread) {
            return mysql::InTransaction(pool_, Once(), [&](mysql::Session& session) {
                return LoadBlocks(session, step * kBlocksPerTransaction,
                                  parts_[static_cast<std::size_t>(thread)]);
            });
        });
    }

    Status LoadBlocks(mysql::Session& session, std::int64_t first, Part& part) {
        mysql::BulkRows rows = session.NewBulkRows();
        std::vector<PaymentChange> changes;
        for (std::int64_t block = first;
             block < std::min(first + kBlocksPerTransaction, day_.block_count()); ++block) {
            day_.Make(block, changes);
            for (const PaymentChange& change : changes) {
                KESSAI_ASSIGN_OR_RETURN(
                    const Accrual accrual,
                    payout::domain::Accrue(change, plans_, payout::domain::TaxTable::Japan()));
                const auto hash = HashOf(change);
                AddRow(rows, accrual, {hash.data(), hash.size()});
                const int slot = event::PartitionOf(accrual.key.payment.value(), kPartitions);
                const payout::domain::AccruedAmount amount{accrual.merchant, accrual.tax_class,
                                                           accrual.gross, accrual.fee};
                part.slots[static_cast<std::size_t>(slot)].Add(amount);
                if (payout::domain::PartOf(accrual)) {
                    part.returns[static_cast<std::size_t>(slot)].Add(amount);
                }
            }
            KESSAI_RETURN_IF_ERROR(session.StoreBulk(kAccruals, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    void ReduceTotals() {
        for (std::size_t slot = 0; slot < kPartitions; ++slot) {
            std::vector<std::vector<MerchantSums>> sorted;
            std::vector<std::vector<MerchantSums>> returns;
            for (Part& part : parts_) {
                sorted.push_back(part.slots[slot].TakeSorted());
                returns.push_back(part.returns[slot].TakeSorted());
            }
            slots_.emplace_back(std::move(sorted));
            returns_.emplace_back(std::move(returns));
        }
    }

    Status LoadTotals() {
        const std::int64_t merchants = day_.recipe().merchants;
        const auto steps =
            static_cast<int>((merchants + kMerchantsPerTransaction - 1) / kMerchantsPerTransaction);
        facts_.resize(static_cast<std::size_t>(steps));
        return payout::app::RunInParallel(steps, threads_, [&](int step, int) {
            const std::int64_t first =
                day_.first_merchant().value() + step * kMerchantsPerTransaction;
            const payout::domain::MerchantRange range{
                MerchantId(first), MerchantId(first + kMerchantsPerTransaction - 1)};
            return mysql::InTransaction(pool_, Once(), [&](mysql::Session& session) -> Status {
                KESSAI_RETURN_IF_ERROR(
                    LoadTotalsOf(session, range, facts_[static_cast<std::size_t>(step)]));
                return LoadReturnsOf(session, range);
            });
        });
    }

    /// By merchant, then slot.
    static std::vector<SlotTotal> TotalsOf(const std::vector<payout::domain::Recount>& slots,
                                           const payout::domain::MerchantRange& range) {
        std::vector<SlotTotal> totals;
        for (std::size_t slot = 0; slot < slots.size(); ++slot) {
            for (const MerchantSums& part : slots[slot].Reduce(range)) {
                totals.push_back({static_cast<std::uint32_t>(slot), part});
            }
        }
        std::stable_sort(totals.begin(), totals.end(), [](const SlotTotal& a, const SlotTotal& b) {
            return a.part.merchant < b.part.merchant;
        });
        return totals;
    }

    Status LoadTotalsOf(mysql::Session& session, const payout::domain::MerchantRange& range,
                        DayFacts& facts) {
        const std::vector<SlotTotal> totals = TotalsOf(slots_, range);
        facts = {};
        std::int64_t of_merchant = 0;
        mysql::BulkRows rows = session.NewBulkRows();
        for (std::size_t i = 0; i < totals.size(); ++i) {
            const MerchantSums& part = totals[i].part;
            if (i == 0 || totals[i - 1].part.merchant != part.merchant) {
                ++facts.merchants;
                of_merchant = 0;
            }
            of_merchant += part.sums.item_count;
            facts.largest = std::max(facts.largest, of_merchant);
            facts.accruals += part.sums.item_count;
            facts.gross += part.sums.gross;
            facts.fee += part.sums.fee;
            rows.Add(day_.recipe().day, part.merchant, totals[i].slot,
                     static_cast<int>(part.tax_class), payout::domain::kBookCurrency.code(),
                     part.sums.gross, part.sums.fee, part.sums.item_count);
            if (rows.bytes() < kStatementBytes && i + 1 < totals.size()) continue;
            KESSAI_RETURN_IF_ERROR(session.StoreBulk(kTotals, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    Status LoadReturnsOf(mysql::Session& session, const payout::domain::MerchantRange& range) {
        const std::vector<SlotTotal> returns = TotalsOf(returns_, range);
        const BusinessDate day = day_.recipe().day;
        mysql::BulkRows rows = session.NewBulkRows();
        for (std::size_t i = 0; i < returns.size(); ++i) {
            const MerchantSums& part = returns[i].part;
            rows.Add(day, part.merchant, returns[i].slot, static_cast<int>(part.tax_class),
                     static_cast<int>(payout::domain::DayPartKind::kReturns), part.sums.gross,
                     part.sums.fee, part.sums.item_count, day, day);
            if (rows.bytes() < kStatementBytes && i + 1 < returns.size()) continue;
            KESSAI_RETURN_IF_ERROR(session.StoreBulk(kDayParts, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    Status OpenDay() {
        KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kSessionWithin));
        KESSAI_RETURN_IF_ERROR(session->Execute(kOpenDay, day_.recipe().day,
                                                static_cast<int>(payout::domain::DayState::kOpen)));
        return internal::TakeStatus(session->Execute(kMarkSlots, day_.recipe().day, kPartitions));
    }

    static constexpr std::size_t kStatementBytes = std::size_t{4} << 20;

    mysql::Pool& pool_;
    const GeneratedDay& day_;
    const int threads_;
    payout::domain::PlanBook plans_;
    std::vector<Part> parts_;
    std::vector<payout::domain::Recount> slots_;
    std::vector<payout::domain::Recount> returns_;
    std::vector<DayFacts> facts_;
};

}  // namespace

Result<DayFacts> LoadDay(mysql::Pool& pool, const GeneratedDay& day, int threads) {
    return Loader(pool, day, threads).Run();
}

}  // namespace kessai::bench
