#include "storage/accrual_details.h"

#include <charconv>

#include "kessai/event/bucket.h"
#include "kessai/mysql/rows.h"

namespace kessai::payout::storage {
namespace {

#define KESSAI_DETAIL_COLUMNS \
    "business_date, bucket, payment_id, version, captured_methods, methods, store_id"

constexpr mysql::Query kInsert{"accrual_detail.insert",
                               "INSERT INTO accrual_detail "
                               "(" KESSAI_DETAIL_COLUMNS ") VALUES {rows}"};
constexpr mysql::Query kOfBuckets{"accrual_detail.of_buckets", "SELECT " KESSAI_DETAIL_COLUMNS
                                                               R"sql(
    FROM accrual_detail FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND bucket BETWEEN ? AND ?)sql"};
constexpr mysql::Query kFind{"accrual_detail.find", "SELECT " KESSAI_DETAIL_COLUMNS R"sql(
    FROM accrual_detail
    WHERE business_date = ? AND bucket = ? AND payment_id = ? AND version = ?)sql"};

/// A number from `text`, which it takes off; nothing when there is none.
template <class Number>
std::optional<Number> TakeNumber(std::string_view& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

std::string SplitText(const domain::MethodSplit& split) {
    std::string text;
    for (const domain::MethodAmount& part : split) {
        if (!text.empty()) text.push_back(' ');
        text += std::to_string(static_cast<int>(part.method)) + ":" + std::to_string(part.amount);
    }
    return text;
}

domain::MethodSplit ReadSplit(std::string_view text) {
    domain::MethodSplit split;
    while (!text.empty()) {
        if (!split.empty() && text.starts_with(' ')) text.remove_prefix(1);
        const auto method = TakeNumber<std::uint8_t>(text);
        if (!method || !text.starts_with(':')) return {{static_cast<domain::Method>(0), 0}};
        text.remove_prefix(1);
        const auto amount = TakeNumber<std::int64_t>(text);
        if (!amount) return {{static_cast<domain::Method>(0), 0}};
        split.push_back({static_cast<domain::Method>(*method), *amount});
    }
    return split;
}

Result<AccrualDetails> AccrualDetails::Load(mysql::Session& session, BusinessDate day,
                                            int first_bucket, int last_bucket) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kOfBuckets, day, first_bucket, last_bucket));
    AccrualDetails details;
    details.Read(rows);
    return details;
}

Result<AccrualDetails> AccrualDetails::LoadOne(mysql::Session& session, BusinessDate day,
                                               domain::EffectKey key) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows,
        session.Select(kFind, day, event::BucketOf(key.payment.value()), key.payment, key.version));
    AccrualDetails details;
    details.Read(rows);
    return details;
}

void AccrualDetails::Read(mysql::Rows& rows) {
    while (rows.Next()) {
        details_[{domain::PaymentId(rows.Int(2)), static_cast<std::uint32_t>(rows.Int(3))}] = {
            ReadSplit(rows.Text(4)), ReadSplit(rows.Text(5)), rows.Text(6)};
    }
}

void AccrualDetails::AddTo(domain::Accrual& accrual) const {
    if (details_.empty()) return;
    const auto found = details_.find(accrual.key);
    if (found == details_.end()) return;
    accrual.captured_methods = found->second.captured_methods;
    accrual.methods = found->second.methods;
    accrual.store = found->second.store;
}

void DetailRows::Add(const domain::Accrual& accrual) {
    if (accrual.captured_methods.empty() && accrual.methods.empty() && accrual.store.empty()) {
        return;
    }
    rows_.Add(accrual.business_date, event::BucketOf(accrual.key.payment.value()),
              accrual.key.payment, accrual.key.version, SplitText(accrual.captured_methods),
              SplitText(accrual.methods), accrual.store);
}

Status DetailRows::AddTo(mysql::StatementBatch& statements) const {
    return rows_.empty() ? OkStatus() : statements.Add(kInsert, rows_);
}

}  // namespace kessai::payout::storage
