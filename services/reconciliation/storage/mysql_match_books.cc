#include "storage/mysql_match_books.h"

#include <algorithm>
#include <string>

#include "kessai/digest/store.h"
#include "storage/matched_totals.h"
#include "storage/row_mapping.h"

namespace kessai::reconciliation::storage {

namespace {

using domain::ChangeKey;
using domain::Match;

/// MariaDB turns longer IN lists into joins (in_predicate_conversion_threshold is 1,000).
constexpr std::size_t kKeysPerStatement = 500;
constexpr std::size_t kRowsPerStatement = 1'000;
/// Writers have so many slots for each tax class, so that a row is of one.
constexpr int kSlotsPerClass = 256;
/// Which of these; what has no class is where it was before there were any.
int BlockOf(domain::TaxClass tax_class) {
    switch (tax_class) {
        case domain::TaxClass::kNotNoted:
            return 0;
        case domain::TaxClass::kNone:
            return 1;
        case domain::TaxClass::kStandard8:
            return 2;
        case domain::TaxClass::kStandard10:
            return 3;
        case domain::TaxClass::kUnknown:
            return 4;
    }
    return 4;
}

// By payment alone, because MariaDB makes no ranges of (a, b) IN (…); a payment has few versions.
constexpr mysql::Query kFind{"change_match.find", R"sql(
    SELECT )sql" KESSAI_MATCH_COLUMNS R"sql(
    FROM change_match FORCE INDEX (PRIMARY)
    WHERE payment_id IN ({keys})
    ORDER BY payment_id, version)sql"};
constexpr mysql::Query kLock{"change_match.lock", R"sql(
    SELECT )sql" KESSAI_MATCH_COLUMNS R"sql(
    FROM change_match FORCE INDEX (PRIMARY)
    WHERE payment_id IN ({keys})
    ORDER BY payment_id, version
    FOR UPDATE)sql"};

// Nearly all changes are heard of from payment first and then match: those two have statements of
// their own with only the columns that are not yet as they should be. Parsing is a quarter of what
// a statement costs the server.
constexpr mysql::Query kInsertPayments{"change_match.insert_payments", R"sql(
    INSERT INTO change_match (payment_id, version, state, bucket, business_date, currency,
                              merchant_id, gross, payment_event_id, payment_content, kind)
    VALUES {rows})sql"};
constexpr mysql::Query kInsert{"change_match.insert", R"sql(
    INSERT INTO change_match ()sql" KESSAI_MATCH_COLUMNS R"sql(, bucket)
    VALUES {rows})sql"};
// Where both sides say the same the row has payment's part already, whichever came first. The rows
// are there and locked, so nothing is inserted.
constexpr mysql::Query kMarkMatched{"change_match.mark_matched", R"sql(
    INSERT INTO change_match (payment_id, version, state, payout_event_id, payout_content,
                              matched_at_us, tax_class, fee, kind)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE state = VALUES(state),
                            kind = VALUES(kind),
                            tax_class = VALUES(tax_class),
                            fee = VALUES(fee),
                            overdue = 0,
                            payout_event_id = VALUES(payout_event_id),
                            payout_content = VALUES(payout_content),
                            matched_at_us = VALUES(matched_at_us))sql"};
constexpr mysql::Query kUpdate{"change_match.update", R"sql(
    INSERT INTO change_match ()sql" KESSAI_MATCH_COLUMNS R"sql(, bucket)
    VALUES {rows}
    ON DUPLICATE KEY UPDATE state = VALUES(state),
                            differences = VALUES(differences),
                            overdue = VALUES(overdue),
                            business_date = VALUES(business_date),
                            currency = VALUES(currency),
                            merchant_id = VALUES(merchant_id),
                            gross = VALUES(gross),
                            payment_event_id = VALUES(payment_event_id),
                            payment_content = VALUES(payment_content),
                            payout_event_id = VALUES(payout_event_id),
                            payout_content = VALUES(payout_content),
                            matched_at_us = VALUES(matched_at_us),
                            kind = VALUES(kind),
                            tax_class = VALUES(tax_class),
                            fee = VALUES(fee))sql"};

constexpr mysql::Query kListDay{"change_match.list_day", R"sql(
    SELECT )sql" KESSAI_MATCH_COLUMNS R"sql(
    FROM change_match FORCE INDEX (change_match_by_day)
    WHERE business_date = ? AND bucket = ?
      AND (payment_id > ? OR (payment_id = ? AND version > ?))
    ORDER BY payment_id, version
    LIMIT ?)sql"};

// 3: matched (domain::MatchState).
constexpr mysql::Query kSumMatched{"change_match.sum", R"sql(
    SELECT merchant_id, tax_class, SUM(gross), SUM(fee), COUNT(*)
    FROM change_match FORCE INDEX (change_match_by_day)
    WHERE business_date = ? AND bucket >= ? AND bucket < ? AND state = 3
    GROUP BY merchant_id, tax_class)sql"};

template <class T>
std::vector<std::span<const T>> Chunks(std::span<const T> all, std::size_t size) {
    std::vector<std::span<const T>> chunks;
    for (std::size_t at = 0; at < all.size(); at += size) {
        chunks.push_back(all.subspan(at, std::min(size, all.size() - at)));
    }
    return chunks;
}

/// The payments of keys that rise, each once.
mysql::KeyList PaymentsOf(std::span<const ChangeKey> keys) {
    mysql::KeyList payments;
    domain::PaymentId last;
    for (const ChangeKey& key : keys) {
        if (key.payment != last) payments.Add(key.payment);
        last = key.payment;
    }
    return payments;
}

bool IsAmong(std::span<const ChangeKey> keys, const ChangeKey& key) {
    return std::ranges::binary_search(keys, key);
}

Result<std::vector<Match>> SelectMatches(mysql::Session& session, const mysql::Query& query,
                                         std::span<const ChangeKey> keys) {
    std::vector<Match> found;
    for (const auto chunk : Chunks(keys, kKeysPerStatement)) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(query, PaymentsOf(chunk)));
        while (rows.Next()) {
            Match match = ReadMatch(rows);
            if (IsAmong(chunk, match.key)) found.push_back(match);
        }
    }
    return found;
}

void AddPayment(const Match& match, mysql::RowList& rows) {
    rows.Add(match.key.payment, match.key.version, static_cast<int>(match.state),
             digest::BucketOf(match.key.payment.value()), match.terms.business_date,
             match.terms.gross.currency().code(), match.terms.merchant, match.terms.gross.minor(),
             match.payment_event, BytesOf(match.payment_content), static_cast<int>(match.kind));
}

void AddMatched(const Match& match, mysql::RowList& rows) {
    rows.Add(match.key.payment, match.key.version, static_cast<int>(match.state),
             match.payout_event, BytesOf(match.payout_content), match.matched_at,
             static_cast<int>(match.told_fee.tax_class), match.told_fee.fee,
             static_cast<int>(match.kind));
}

/// Writes those that `is_common` by the one statement, the others by the other, each in order.
Status Write(mysql::Session& session, std::span<const Match> matches,
             bool (*is_common)(const Match&), const mysql::Query& common,
             void (*add_common)(const Match&, mysql::RowList&), const mysql::Query& other) {
    mysql::RowList common_rows;
    mysql::RowList other_rows;
    for (const auto chunk : Chunks(matches, kRowsPerStatement)) {
        common_rows.Clear();
        other_rows.Clear();
        for (const Match& match : chunk) {
            if (is_common(match)) {
                add_common(match, common_rows);
            } else {
                AddMatch(match, other_rows);
            }
        }
        if (!common_rows.empty()) {
            KESSAI_RETURN_IF_ERROR(session.Execute(common, common_rows).status());
        }
        if (!other_rows.empty()) {
            KESSAI_RETURN_IF_ERROR(session.Execute(other, other_rows).status());
        }
    }
    return OkStatus();
}

}  // namespace

Result<std::vector<Match>> MysqlMatchBooks::Find(std::span<const ChangeKey> keys) {
    return SelectMatches(session_, kFind, keys);
}

Result<std::vector<Match>> MysqlMatchBooks::Lock(std::span<const ChangeKey> keys) {
    return SelectMatches(session_, kLock, keys);
}

Status MysqlMatchBooks::Insert(std::span<const Match> matches) {
    return Write(
        session_, matches,
        [](const Match& match) { return match.state == domain::MatchState::kWaitingForPayout; },
        kInsertPayments, AddPayment, kInsert);
}

Status MysqlMatchBooks::Update(std::span<const Match> matches) {
    return Write(
        session_, matches,
        [](const Match& match) { return match.state == domain::MatchState::kMatched; },
        kMarkMatched, AddMatched, kUpdate);
}

Status MysqlMatchBooks::AddSums(const app::MatchedSums& sums, int slot) {
    mysql::RowList rows;
    for (const auto& [day, total] : sums.totals()) {
        rows.Add(day.business_date, day.merchant, day.currency.code(),
                 slot + kSlotsPerClass * BlockOf(day.tax_class), static_cast<int>(day.tax_class),
                 total.gross, total.fee, total.item_count);
    }
    if (!rows.empty()) KESSAI_RETURN_IF_ERROR(session_.Execute(kAddMatchedTotals, rows));
    return digest::AddToDay(session_, sums.digest(), slot);
}

Result<digest::DayDigest> MysqlMatchBooks::KeptDigest(BusinessDate business_date) {
    return digest::LoadDay(session_, business_date);
}

Result<std::vector<Match>> MysqlMatchBooks::ListDay(BusinessDate business_date, int bucket,
                                                    ChangeKey after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session_.Select(kListDay, business_date, bucket, after.payment, after.payment,
                                   after.version, limit));
    std::vector<Match> listed;
    while (rows.Next()) listed.push_back(ReadMatch(rows));
    return listed;
}

Result<std::vector<app::MatchedLine>> MysqlMatchBooks::SumMatched(BusinessDate business_date,
                                                                  digest::BucketRange buckets) {
    KESSAI_ASSIGN_OR_RETURN(
        auto rows, session_.Select(kSumMatched, business_date, buckets.first, buckets.end()));
    std::vector<app::MatchedLine> lines;
    while (rows.Next()) {
        lines.push_back({domain::MerchantId(rows.Int(0)),
                         static_cast<domain::TaxClass>(rows.Int(1)),
                         {rows.Int(2), rows.Int(3), rows.Int(4)}});
    }
    return lines;
}

}  // namespace kessai::reconciliation::storage
