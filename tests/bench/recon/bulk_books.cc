#include "bench/recon/bulk_books.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"

namespace kessai::bench {
namespace {

constexpr mysql::BulkTarget kJournal{
    "bench.load_journal", "journal",
    "object_id, version, event_id, kind, business_date, occurred_at_us, merchant_id, user_id, "
    "currency, amount, merchant_payment_id, store_id, terminal_id, order_receipt_number, "
    "order_amount, captured_total, refunded_before, payment_date, payment_accepted_at_us, "
    "refund_id, merchant_refund_id, bucket"};
constexpr mysql::BulkTarget kAccruals{
    "bench.load_accruals", "accrual",
    "business_date, bucket, payment_id, version, merchant_id, kind, tax_class, currency, gross, "
    "fee, captured_total, refunded_before, plan_id, plan_version, event_id, recorded_at_us, "
    "content_hash"};
constexpr mysql::BulkTarget kMatches{
    "bench.load_matches", "change_match",
    "payment_id, version, state, bucket, business_date, currency, merchant_id, gross, "
    "payment_event_id, payment_content, payout_event_id, payout_content, matched_at_us, kind, "
    "tax_class, fee"};

// Closed, with its marks sent (payment's app::DayState); released (payout's domain::DayState), so
// that payout leaves it alone; compared (reconciliation_day).
constexpr mysql::Query kPaymentDay{"bench.payment_day", R"sql(
    INSERT INTO business_day (business_date, state, closing_at_us, closed_at_us)
    VALUES (?, 4, 1, 1))sql"};
constexpr mysql::Query kPayoutDay{"bench.payout_day", R"sql(
    INSERT INTO payout_day (business_date, state, rounds, closed_at_us, marked_at_us)
    VALUES (?, 4, 1, 1, 1))sql"};
constexpr mysql::Query kComparedDay{"bench.compared_day", R"sql(
    INSERT INTO reconciliation_day (business_date, state) VALUES (?, 3))sql"};
constexpr mysql::Query kMarks{"bench.day_marks", R"sql(
    INSERT INTO day_mark (business_date, source, partition_number, partition_count, received_at_us)
    VALUES {rows})sql"};

constexpr int kPartitions = 12;
constexpr int kSlot = 0;
constexpr std::int64_t kPaymentsPerBlock = 8'192;
constexpr std::int64_t kFirstPayment = 7'000'000'000'000;
constexpr std::int64_t kFirstEvent = 9'000'000'000'000;
constexpr std::int64_t kFirstMerchant = 10'000'000;
constexpr std::int64_t kFirstUser = 500'000'000;
constexpr std::int64_t kPaymentsPerRefund = 25;
constexpr std::int64_t kFeeBasisPoints = 198;
constexpr Duration kSessionWithin = std::chrono::seconds(10);
constexpr int kCompleted = 1;
constexpr int kRefunded = 3;
constexpr int kTaxClassStandard = 2;
constexpr int kMatched = 3;

std::uint64_t Mix(std::uint64_t number) {
    number += 0x9e3779b97f4a7c15ULL;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
    return number ^ (number >> 31);
}

/// No event's: what is loaded is never asked whether it is a repeat.
std::array<char, 16> ContentOf(std::int64_t event) {
    std::array<char, 16> content{};
    auto mixed = static_cast<std::uint64_t>(event);
    for (char& byte : content) {
        mixed = Mix(mixed);
        byte = static_cast<char>(mixed >> 56);
    }
    return content;
}

struct MadeChange {
    std::int64_t payment = 0;
    std::uint32_t version = 1;
    std::int64_t event = 0;
    std::int64_t merchant = 0;
    std::int64_t user = 0;
    /// What was paid, and what of it this change gives back.
    std::int64_t captured = 0;
    std::int64_t returned = 0;
    std::int64_t at_us = 0;

    std::int64_t gross() const { return version == 1 ? captured : -returned; }
    /// As payout charges it under the plan that there is from the beginning: deep runs compute it
    /// again, and compare what payout has with what it told.
    std::int64_t fee() const {
        const std::int64_t charged = captured * kFeeBasisPoints / 10'000;
        return version == 1 ? charged : -(charged * returned / captured);
    }
};

class Loader {
 public:
    Loader(const BookSchemas& schemas, const BooksRecipe& recipe, const digest::RowHasher& hasher,
           int threads)
        : recipe_(recipe),
          hasher_(hasher),
          threads_(threads),
          payment_(PoolOf(schemas.payment, threads)),
          payout_(PoolOf(schemas.payout, threads)),
          reconciliation_(PoolOf(schemas.reconciliation, threads)) {}

    Result<BooksFacts> Run() {
        KESSAI_RETURN_IF_ERROR(LoadBlocks());
        KESSAI_RETURN_IF_ERROR(CloseDay());
        return BooksFacts{changes_.load()};
    }

 private:
    static mysql::PoolOptions PoolOf(mysql::ConnectOptions connect, int threads) {
        connect.bulk_load = true;
        connect.read_timeout = std::chrono::minutes(30);
        return {.connect = std::move(connect), .sessions_max = threads + 1};
    }

    // What is summed while it is loaded cannot be summed again.
    static mysql::RetryPolicy Once() {
        mysql::RetryPolicy policy;
        policy.attempts_max = 1;
        policy.acquire_timeout = kSessionWithin;
        return policy;
    }

    Status LoadBlocks() {
        const std::int64_t blocks = (recipe_.payments + kPaymentsPerBlock - 1) / kPaymentsPerBlock;
        std::atomic<std::int64_t> next = 0;
        std::mutex mutex;
        Status refused = OkStatus();
        {
            std::vector<std::jthread> workers;
            for (int thread = 0; thread < threads_; ++thread) {
                workers.emplace_back([&] {
                    const Status loaded = LoadThem(next, blocks);
                    std::lock_guard lock(mutex);
                    if (refused.ok()) refused = loaded;
                });
            }
        }
        return refused;
    }

    /// One thread's blocks.
    Status LoadThem(std::atomic<std::int64_t>& next, std::int64_t blocks) {
        digest::Accumulator sums(hasher_);
        for (std::int64_t block = next++; block < blocks; block = next++) {
            const auto made = Make(block);
            if (const Status loaded = LoadBlock(made); !loaded.ok()) {
                next = blocks;
                return loaded;
            }
            for (const MadeChange& change : made) {
                sums.Add(
                    {change.payment, change.version, recipe_.day, change.merchant, change.gross()});
            }
            changes_ += static_cast<std::int64_t>(made.size());
        }
        for (mysql::Pool* pool : {&payment_, &payout_, &reconciliation_}) {
            KESSAI_RETURN_IF_ERROR(StoreDigest(*pool, sums));
        }
        return OkStatus();
    }

    std::vector<MadeChange> Make(std::int64_t block) const {
        std::vector<MadeChange> made;
        const std::int64_t first = block * kPaymentsPerBlock;
        const std::int64_t end = std::min(first + kPaymentsPerBlock, recipe_.payments);
        const std::int64_t opens_us = ToMicros(recipe_.day.StartsAt());
        for (std::int64_t i = first; i < end; ++i) {
            const std::uint64_t drawn =
                Mix(recipe_.seed * 0x1'0000'0001ULL + static_cast<std::uint64_t>(i));
            MadeChange change;
            change.payment = kFirstPayment + i;
            change.event = kFirstEvent + 2 * i;
            change.merchant =
                kFirstMerchant +
                static_cast<std::int64_t>(drawn % static_cast<std::uint64_t>(recipe_.merchants));
            change.user = kFirstUser + static_cast<std::int64_t>((drawn >> 20) % 3'000'000);
            change.captured = 100 + static_cast<std::int64_t>((drawn >> 40) % 30'000);
            change.at_us = opens_us + i;
            made.push_back(change);
            if (i % kPaymentsPerRefund != 0) continue;
            change.version = 2;
            ++change.event;
            change.returned = change.captured / 3;
            made.push_back(change);
        }
        return made;
    }

    Status LoadBlock(const std::vector<MadeChange>& made) {
        KESSAI_RETURN_IF_ERROR(Load(payment_, kJournal, made, [this](auto& rows, const auto& one) {
            AddJournal(rows, one);
        }));
        KESSAI_RETURN_IF_ERROR(Load(payout_, kAccruals, made, [this](auto& rows, const auto& one) {
            AddAccrual(rows, one);
        }));
        return Load(reconciliation_, kMatches, made,
                    [this](auto& rows, const auto& one) { AddMatch(rows, one); });
    }

    template <class Add>
    Status Load(mysql::Pool& pool, const mysql::BulkTarget& target,
                const std::vector<MadeChange>& made, Add add) {
        return mysql::InTransaction(pool, Once(), [&](mysql::Session& session) -> Status {
            mysql::BulkRows rows = session.NewBulkRows();
            for (const MadeChange& change : made) add(rows, change);
            return session.StoreBulk(target, rows);
        });
    }

    void AddJournal(mysql::BulkRows& rows, const MadeChange& change) const {
        const bool refund = change.version > 1;
        const std::int64_t amount = refund ? change.returned : change.captured;
        rows.Add(change.payment, change.version, change.event, refund ? kRefunded : kCompleted,
                 recipe_.day, change.at_us, change.merchant, change.user, "JPY", amount,
                 "order-" + std::to_string(change.payment), "store-1", "terminal-1", "",
                 change.captured, change.captured, 0, recipe_.day, change.at_us,
                 refund ? change.event : 0,
                 refund ? "refund-" + std::to_string(change.payment) : std::string(),
                 event::BucketOf(change.payment));
    }

    void AddAccrual(mysql::BulkRows& rows, const MadeChange& change) const {
        const bool refund = change.version > 1;
        std::optional<std::int64_t> captured;
        std::optional<std::int64_t> refunded;
        if (refund) {
            captured = change.captured;
            refunded = 0;
        }
        const auto content = ContentOf(change.event);
        rows.Add(recipe_.day, event::BucketOf(change.payment), change.payment, change.version,
                 change.merchant, refund ? kRefunded : kCompleted, kTaxClassStandard, "JPY",
                 change.gross(), change.fee(), captured, refunded, 1, 1, change.event, change.at_us,
                 mysql::Bytes{{content.data(), content.size()}});
    }

    void AddMatch(mysql::BulkRows& rows, const MadeChange& change) const {
        const auto content = ContentOf(change.event);
        const std::int64_t answer = change.event + 4 * recipe_.payments;
        const auto answered = ContentOf(answer);
        rows.Add(change.payment, change.version, kMatched, event::BucketOf(change.payment),
                 recipe_.day, "JPY", change.merchant, change.gross(), change.event,
                 mysql::Bytes{{content.data(), content.size()}}, answer,
                 mysql::Bytes{{answered.data(), answered.size()}}, change.at_us,
                 change.version > 1 ? kRefunded : kCompleted, kTaxClassStandard, change.fee());
    }

    /// A bucket has one row a day, as where its writers are partitions or shards of the outbox.
    Status StoreDigest(mysql::Pool& pool, const digest::Accumulator& sums) {
        return mysql::InTransaction(pool, Once(), [&](mysql::Session& session) {
            return digest::AddToDay(session, sums, kSlot);
        });
    }

    Status CloseDay() {
        const auto run = [](mysql::Pool& pool, auto work) -> Status {
            return mysql::InTransaction(pool, Once(), work);
        };
        const BusinessDate day = recipe_.day;
        KESSAI_RETURN_IF_ERROR(run(payment_, [day](mysql::Session& session) {
            return session.Execute(kPaymentDay, day).status();
        }));
        KESSAI_RETURN_IF_ERROR(run(payout_, [day](mysql::Session& session) {
            return session.Execute(kPayoutDay, day).status();
        }));
        mysql::RowList marks;
        for (const int source : {1, 2}) {
            for (int partition = 0; partition < kPartitions; ++partition) {
                marks.Add(day, source, partition, kPartitions, 1);
            }
        }
        return run(reconciliation_, [&](mysql::Session& session) -> Status {
            KESSAI_RETURN_IF_ERROR(session.Execute(kMarks, marks).status());
            return session.Execute(kComparedDay, day).status();
        });
    }

    const BooksRecipe recipe_;
    const digest::RowHasher& hasher_;
    const int threads_;
    mysql::Pool payment_;
    mysql::Pool payout_;
    mysql::Pool reconciliation_;
    std::atomic<std::int64_t> changes_ = 0;
};

}  // namespace

Result<BooksFacts> LoadBooks(const BookSchemas& schemas, const BooksRecipe& recipe,
                             const digest::RowHasher& hasher, int threads) {
    return Loader(schemas, recipe, hasher, threads).Run();
}

}  // namespace kessai::bench
