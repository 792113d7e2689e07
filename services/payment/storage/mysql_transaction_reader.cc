#include "storage/mysql_transaction_reader.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "kessai/mysql/query.h"
#include "kessai/mysql/scan_session.h"
#include "kessai/mysql/transaction.h"
#include "kessai/result/check.h"
#include "storage/mysql_ledger_store.h"

namespace kessai::payment::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(1);

#define KESSAI_TRANSACTION_COLUMNS                                              \
    "object_id, version, kind, occurred_at_us, merchant_id, currency, amount, " \
    "merchant_payment_id, store_id, terminal_id, order_receipt_number, merchant_refund_id"

// By the table's own order: of a day's payments each of its pages is read once, which their buckets
// would read some dozen times.
constexpr mysql::Query kPageById{"journal.transactions_by_id",
                                 "SELECT " KESSAI_TRANSACTION_COLUMNS R"sql(, business_date
    FROM journal FORCE INDEX (PRIMARY)
    WHERE object_id >= ? AND object_id < ? AND (object_id > ? OR version > ?) AND
          business_date BETWEEN ? AND ? AND occurred_at_us >= ? AND occurred_at_us < ? AND
          merchant_id > 0
    ORDER BY object_id, version LIMIT ?)sql"};
// The same of all merchants of one day of the books, whatever their times: each condition and each
// column less is a few hundredths of what the server does for a row. Top-ups and releases have no
// merchant.
constexpr mysql::Query kPageOfDayById{"journal.transactions_of_day_by_id",
                                      "SELECT " KESSAI_TRANSACTION_COLUMNS R"sql(
    FROM journal FORCE INDEX (PRIMARY)
    WHERE object_id >= ? AND object_id < ? AND (object_id > ? OR version > ?) AND
          business_date = ? AND merchant_id > 0
    ORDER BY object_id, version LIMIT ?)sql"};
// Refunds of older payments, and what was paid by a clock that was off. The index has the ids, so
// that the table is read for these only.
constexpr mysql::Query kPageByDay{"journal.transactions_by_day",
                                  "SELECT " KESSAI_TRANSACTION_COLUMNS R"sql(, business_date, bucket
    FROM journal FORCE INDEX (by_day)
    WHERE business_date = ? AND bucket BETWEEN ? AND ? AND
          (bucket > ? OR object_id > ? OR (object_id = ? AND version > ?)) AND
          (object_id < ? OR object_id >= ?) AND
          occurred_at_us >= ? AND occurred_at_us < ? AND merchant_id > 0
    ORDER BY bucket, object_id, version LIMIT ?)sql"};
// The index has the ids in their order.
constexpr mysql::Query kPageOfMerchant{"journal.transactions_of_merchant",
                                       "SELECT " KESSAI_TRANSACTION_COLUMNS R"sql(
    FROM journal FORCE INDEX (by_merchant)
    WHERE business_date = ? AND merchant_id = ? AND
          (object_id > ? OR (object_id = ? AND version > ?)) AND
          occurred_at_us >= ? AND occurred_at_us < ?
    ORDER BY object_id, version LIMIT ?)sql"};
constexpr mysql::Query kEndedDays{"business_day.ended", R"sql(
    SELECT business_date, closing_at_us FROM business_day ORDER BY business_date)sql"};
constexpr mysql::Query kFence{
    "gate.fence", "UPDATE gate SET last_time_us = GREATEST(last_time_us, ?) WHERE slot = ?"};

constexpr std::size_t kDateColumn = 12;
constexpr std::size_t kBucketColumn = 13;

std::int64_t Number(std::string_view cell) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    KESSAI_CHECK(error == std::errc() && end == cell.data() + cell.size(),
                 "a column of numbers holds numbers");
    return number;
}

/// Reads the pages of a range, one statement after the other.
class Pages {
 public:
    using Take = std::function<bool(const app::TransactionRow&)>;

    Pages(mysql::ScanSession& session, const app::TransactionRange& range, const Take& take,
          int rows_per_page)
        : session_(session), range_(range), take_(take), rows_per_page_(rows_per_page) {}

    Status Read() {
        position_ = range_.after;
        if (!range_.merchant.is_none()) {
            if (position_.pass == 0) position_ = {.pass = 1, .date = range_.first_date};
            return EachDay([this] { return PageOfMerchant(); });
        }
        if (position_.pass == 0) {
            if (position_.object < range_.part_first) position_.object = range_.part_first;
            KESSAI_RETURN_IF_ERROR(Each([this] { return PageById(); }));
            position_ = {.pass = 1, .date = range_.first_date};
        }
        return EachDay([this] { return PageByDay(); });
    }

 private:
    template <class F>
    Status EachDay(F page) {
        while (!ended_ && position_.date <= range_.last_date) {
            KESSAI_RETURN_IF_ERROR(Each(page));
            position_ = {.pass = 1, .date = position_.date.Next()};
        }
        return OkStatus();
    }
    /// Until a page is not full.
    template <class F>
    Status Each(F page) {
        do {
            rows_ = 0;
            KESSAI_RETURN_IF_ERROR(page());
        } while (!ended_ && rows_ == rows_per_page_);
        return OkStatus();
    }
    Status PageById() {
        const app::TransactionPosition from = position_;
        if (range_.is_whole_day) {
            return session_.ReadTexts(
                kPageOfDayById, [this](auto cells) { return TakeRow(cells); }, from.object,
                range_.part_last, from.object, from.version, range_.first_date, rows_per_page_);
        }
        return session_.ReadTexts(
            kPageById, [this](auto cells) { return TakeRow(cells); }, from.object, range_.part_last,
            from.object, from.version, range_.first_date, range_.last_date, range_.from, range_.to,
            rows_per_page_);
    }
    Status PageByDay() {
        const app::TransactionPosition from = position_;
        const int bucket = std::max(from.bucket, range_.bucket_first);
        return session_.ReadTexts(
            kPageByDay, [this](auto cells) { return TakeRow(cells); }, from.date, bucket,
            range_.bucket_last, bucket, from.object, from.object, from.version, range_.ids_first,
            range_.ids_last, range_.from, range_.to, rows_per_page_);
    }
    Status PageOfMerchant() {
        const app::TransactionPosition from = position_;
        return session_.ReadTexts(
            kPageOfMerchant, [this](auto cells) { return TakeRow(cells); }, from.date,
            range_.merchant, from.object, from.object, from.version, range_.from, range_.to,
            rows_per_page_);
    }

    Status TakeRow(std::span<const std::string_view> cells) {
        if (ended_) return OkStatus();
        ++rows_;
        app::TransactionRow row;
        row.object = Number(cells[0]);
        row.version = static_cast<std::uint32_t>(Number(cells[1]));
        const std::int64_t kind = Number(cells[2]);
        if (!domain::IsChangeKind(kind)) {
            return Status(
                Code::kDataLoss, "CHANGE_KIND_UNKNOWN",
                "a journal of " + std::to_string(row.object) + " has kind " + std::to_string(kind));
        }
        row.kind = static_cast<domain::ChangeKind>(kind);
        row.business_date = cells.size() > kDateColumn ? DateOf(cells[kDateColumn])
                            : position_.pass == 1      ? position_.date
                                                       : range_.first_date;
        row.occurred_us = Number(cells[3]);
        row.merchant = Number(cells[4]);
        row.currency = cells[5];
        row.amount = Number(cells[6]);
        row.merchant_payment_id = cells[7];
        row.store_id = cells[8];
        row.terminal_id = cells[9];
        row.order_receipt_number = cells[10];
        row.merchant_refund_id = cells[11];
        position_.object = row.object;
        position_.version = row.version;
        // As it is stored: even a wrong one does not lead backwards.
        if (position_.pass == 1 && range_.merchant.is_none()) {
            position_.bucket = static_cast<int>(Number(cells[kBucketColumn]));
        }
        row.position = position_;
        ended_ = !take_(row);
        return OkStatus();
    }
    /// Nearly always the one of the row before.
    BusinessDate DateOf(std::string_view text) {
        if (text != date_text_) {
            date_text_ = text;
            date_ = BusinessDate::Parse(text).value();
        }
        return date_;
    }

    mysql::ScanSession& session_;
    const app::TransactionRange& range_;
    const Take& take_;
    const int rows_per_page_;
    app::TransactionPosition position_;
    std::string date_text_;
    BusinessDate date_;
    int rows_ = 0;
    bool ended_ = false;
};

}  // namespace

Status MysqlTransactionReader::Read(const app::TransactionRange& range,
                                    const std::function<bool(const app::TransactionRow&)>& take) {
    KESSAI_ASSIGN_OR_RETURN(const auto session, pool_.ConnectScan());
    return Pages(*session, range, take, rows_per_page_).Read();
}

Result<std::vector<app::EndedDay>> MysqlTransactionReader::EndedDays() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kEndedDays));
    std::vector<app::EndedDay> days;
    while (rows.Next()) days.push_back({rows.Date(0), rows.At(1)});
    return days;
}

Status MysqlTransactionReader::FenceGates(Instant time) {
    mysql::RetryPolicy policy;
    policy.rerun_unknown = true;  // A gate that was fenced twice is fenced.
    for (int slot = 0; slot < kGateSlots; ++slot) {
        // One gate at a time: each executor waits for one short update, at most.
        KESSAI_RETURN_IF_ERROR(
            mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
                return session.Execute(kFence, time, slot).status();
            }));
    }
    return OkStatus();
}

}  // namespace kessai::payment::storage
