#include "storage/row_mapping.h"

#include <algorithm>
#include <string>

#include "kessai/digest/accumulator.h"
#include "kessai/money/money.h"
#include "kessai/result/check.h"
#include "storage/audit_chain.h"

namespace kessai::reconciliation::storage {

namespace {

/// As the column holds it.
constexpr std::size_t kEvidenceBytesMax = 2'000;

Currency ReadCurrency(const mysql::Rows& row, int column) {
    const auto currency = Currency::Parse(row.Text(column));
    KESSAI_CHECK(currency.ok(), "a currency that was stored is one that parses");
    return *currency;
}

template <class Id>
Id ReadId(const mysql::Rows& row, int column) {
    return Id(row.Int(column));
}

template <class Enum>
Enum ReadEnum(const mysql::Rows& row, int column) {
    return static_cast<Enum>(row.Int(column));
}

std::uint32_t ReadCount(const mysql::Rows& row, int column) {
    return static_cast<std::uint32_t>(row.Uint(column));
}

}  // namespace

domain::ContentHash ReadHash(const mysql::Rows& row, int column) {
    const std::string bytes = row.Bytes(column);
    domain::ContentHash hash;
    KESSAI_CHECK(bytes.size() == hash.size(), "the column is BINARY(16)");
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

mysql::Bytes BytesOf(const domain::ContentHash& hash) {
    return {{reinterpret_cast<const char*>(hash.data()), hash.size()}};
}

domain::Match ReadMatch(const mysql::Rows& row) {
    return {.key = {ReadId<domain::PaymentId>(row, 0), ReadCount(row, 1)},
            .state = ReadEnum<domain::MatchState>(row, 2),
            .terms = {.business_date = row.Date(5),
                      .merchant = ReadId<domain::MerchantId>(row, 7),
                      .gross = Money(row.Int(8), ReadCurrency(row, 6))},
            .payment_event = ReadId<domain::EventId>(row, 9),
            .payment_content = ReadHash(row, 10),
            .payout_event = ReadId<domain::EventId>(row, 11),
            .payout_content = ReadHash(row, 12),
            .differences = domain::Differences(static_cast<std::uint8_t>(row.Uint(3))),
            .overdue = row.Bool(4),
            .matched_at = row.At(13),
            .kind = static_cast<domain::PaymentKindNumber>(row.Uint(14)),
            .told_fee = {row.Int(16), static_cast<domain::TaxClass>(row.Uint(15))}};
}

void AddMatch(const domain::Match& match, mysql::RowList& rows) {
    rows.Add(match.key.payment, match.key.version, static_cast<int>(match.state),
             static_cast<int>(match.differences.bits()), match.overdue, match.terms.business_date,
             match.terms.gross.currency().code(), match.terms.merchant, match.terms.gross.minor(),
             match.payment_event, BytesOf(match.payment_content), match.payout_event,
             BytesOf(match.payout_content), match.matched_at, static_cast<int>(match.kind),
             static_cast<int>(match.told_fee.tax_class), match.told_fee.fee,
             digest::BucketOf(match.key.payment.value()));
}

domain::Discrepancy ReadDiscrepancy(const mysql::Rows& row) {
    domain::Discrepancy discrepancy;
    discrepancy.id = ReadId<domain::DiscrepancyId>(row, 0);
    domain::Finding& finding = discrepancy.finding;
    finding.subject = {.business_date = row.Date(1),
                       .kind = ReadEnum<domain::DiscrepancyKind>(row, 2),
                       .change = {ReadId<domain::PaymentId>(row, 3), ReadCount(row, 4)}};
    if (row.Int(5) != 0) {
        finding.subject.book = ReadEnum<domain::Book>(row, 5);
        finding.subject.bucket = ReadCount(row, 6);
    }
    if (domain::IsAboutTransfer(finding.subject.kind)) {
        finding.subject.transfer = ReadId<domain::TransferId>(row, 18);
    } else {
        finding.subject.held_merchant = ReadId<domain::MerchantId>(row, 18);
    }
    finding.merchant = ReadId<domain::MerchantId>(row, 7);
    finding.currency = ReadCurrency(row, 8);
    finding.payment_gross = row.OptionalInt(9);
    finding.payout_gross = row.OptionalInt(10);
    finding.evidence = row.Text(11);
    discrepancy.latest = {.number = ReadCount(row, 13),
                          .state = ReadEnum<domain::DiscrepancyState>(row, 12),
                          .actor = row.Text(19),
                          .note = row.Text(20),
                          .at = row.At(21)};
    discrepancy.last_event = ReadId<domain::EventId>(row, 14);
    discrepancy.found_at = row.At(15);
    discrepancy.found_by_run = ReadCount(row, 16);
    discrepancy.found_by_deep_run = row.Bool(17);
    discrepancy.owner = row.Text(22);
    discrepancy.open_repair = ReadCount(row, 23);
    discrepancy.corrected_by = ReadCount(row, 24);
    discrepancy.last_hash = ReadChainHash(row, 25);
    discrepancy.latest.repair = ReadCount(row, 26);
    return discrepancy;
}

std::int64_t HeldObject(const domain::Subject& subject) {
    return domain::IsAboutTransfer(subject.kind) ? subject.transfer.value()
                                                 : subject.held_merchant.value();
}

std::string_view StoredEvidence(const domain::Finding& finding) {
    return domain::CutText(finding.evidence, kEvidenceBytesMax);
}

void AddDiscrepancy(const domain::Discrepancy& discrepancy, mysql::RowList& rows) {
    const domain::Finding& finding = discrepancy.finding;
    const domain::Subject& subject = finding.subject;
    rows.Add(discrepancy.id, subject.business_date, static_cast<int>(subject.kind),
             subject.change.payment, subject.change.version,
             subject.book ? static_cast<int>(*subject.book) : 0, subject.bucket, finding.merchant,
             finding.currency.code(), finding.payment_gross, finding.payout_gross,
             StoredEvidence(finding), static_cast<int>(discrepancy.latest.state),
             discrepancy.latest.number, discrepancy.last_event, discrepancy.found_at,
             discrepancy.found_by_run, discrepancy.found_by_deep_run, HeldObject(subject),
             discrepancy.owner, discrepancy.open_repair, discrepancy.corrected_by);
}

domain::DayRun ReadDayRun(const mysql::Rows& row) {
    return {.business_date = row.Date(0),
            .number = ReadCount(row, 1),
            .deep = row.Bool(2),
            .state = ReadEnum<domain::DayRunState>(row, 3),
            .buckets_compared = ReadCount(row, 4),
            .buckets_different = ReadCount(row, 5),
            .rows_listed = row.Uint(6),
            .discrepancies_found = ReadCount(row, 7),
            .started_at = row.At(8),
            .finished_at = row.At(9),
            .failure = row.Text(10)};
}

void AddDayRun(const domain::DayRun& run, domain::EventId event, mysql::RowList& rows) {
    rows.Add(run.business_date, run.number, run.deep, static_cast<int>(run.state),
             run.buckets_compared, run.buckets_different, run.rows_listed, run.discrepancies_found,
             run.started_at, run.finished_at, run.failure, event);
}

}  // namespace kessai::reconciliation::storage
