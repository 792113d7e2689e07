#include "storage/mysql_check_reader.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/tax.h"
#include "kessai/digest/lines.h"
#include "kessai/mysql/query.h"
#include "storage/mysql_day_store.h"
#include "storage/row_mapping.h"
#include "storage/running_balances.h"

namespace kessai::payout::storage {
namespace {

using domain::JournalKind;
using domain::MerchantId;
using domain::TaxClass;

constexpr Duration kAcquireTimeout = std::chrono::seconds(5);
/// Merchants read at once, and so many times for one page: of few buckets most are passed over.
constexpr int kMerchantsPerBlock = 5'000;
constexpr int kBlocksPerPage = 20;
/// With the days of a cycle some thousand ranges.
constexpr std::size_t kMerchantsPerStatement = 250;

constexpr mysql::Query kRounds{"payout_day.rounds", R"sql(
    SELECT state, rounds FROM payout_day WHERE business_date = ?)sql"};
constexpr mysql::Query kAccrued{"merchant_day_total.check_day", R"sql(
    SELECT merchant_id, tax_class, gross, fee, item_count
    FROM merchant_day_total FORCE INDEX (PRIMARY) WHERE business_date = ?
    ORDER BY merchant_id)sql"};
constexpr mysql::Query kReleased{"merchant_release.check_day", R"sql(
    SELECT merchant_id, tax_class, gross, fee, tax, net, item_count
    FROM merchant_release FORCE INDEX (PRIMARY) WHERE business_date = ? AND round < ?
    ORDER BY merchant_id, tax_class)sql"};
#define KESSAI_TOLD_RELEASE_COLUMNS \
    "business_date, round, merchant_count, gross, fee, tax, net, told_date"
constexpr mysql::Query kRoundsOf{"release_round.check_day",
                                 "SELECT " KESSAI_TOLD_RELEASE_COLUMNS R"sql(
    FROM release_round FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND finished_at_us IS NOT NULL ORDER BY round)sql"};
constexpr mysql::Query kToldOn{"release_round.told_on", "SELECT " KESSAI_TOLD_RELEASE_COLUMNS R"sql(
    FROM release_round FORCE INDEX (release_round_told)
    WHERE told_date = ? ORDER BY business_date, round)sql"};
constexpr mysql::Query kRoundStarts{"release_round.starts", R"sql(
    SELECT round, started_at_us FROM release_round FORCE INDEX (PRIMARY)
    WHERE business_date = ?)sql"};
// Days and merchants are both given one by one, so that each pair is a range of the key.
constexpr mysql::Query kCycleFeesBefore{"merchant_release.cycle_fees_before", R"sql(
    SELECT r.merchant_id, r.tax_class, SUM(r.fee)
    FROM merchant_release r FORCE INDEX (PRIMARY) STRAIGHT_JOIN release_round e
        ON e.business_date = r.business_date AND e.round = r.round
    WHERE r.business_date IN ({keys}) AND r.merchant_id IN ({keys}) AND e.started_at_us < ?
    GROUP BY r.merchant_id, r.tax_class)sql"};
constexpr mysql::Query kCountHeld{"merchant_hold.count", R"sql(
    SELECT COUNT(*) FROM merchant_hold
    WHERE business_date = ? AND released_round IS NULL AND merchant_id <> 0)sql"};

// Ends a block: in the order of the key, so that it reads no further.
constexpr mysql::Query kBlockEnd{"merchant_day_total.block_end", R"sql(
    SELECT merchant_id FROM merchant_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ?
    GROUP BY merchant_id ORDER BY merchant_id LIMIT 1 OFFSET ?)sql"};
constexpr mysql::Query kAccruedOfBlock{"merchant_day_total.check_block", R"sql(
    SELECT merchant_id, tax_class, SUM(gross), SUM(fee), SUM(item_count)
    FROM merchant_day_total FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? AND merchant_id <= ?
    GROUP BY merchant_id, tax_class)sql"};
constexpr mysql::Query kReleasedOfBlock{"merchant_release.check_block", R"sql(
    SELECT merchant_id, tax_class, gross, fee, tax, net, item_count, round
    FROM merchant_release FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? AND merchant_id <= ? AND round < ?)sql"};
constexpr mysql::Query kHeldOfBlock{"merchant_hold.check_block", R"sql(
    SELECT merchant_id FROM merchant_hold FORCE INDEX (PRIMARY)
    WHERE business_date = ? AND merchant_id > ? AND merchant_id <= ?
      AND released_round IS NULL)sql"};
constexpr mysql::Query kFees{"accrual.check_fees", R"sql(
    SELECT payment_id, version, tax_class, fee FROM accrual FORCE INDEX (PRIMARY)
    WHERE business_date = ?)sql"};

// Transfers only: 5 is an adjustment.
constexpr mysql::Query kSumTransfers{"merchant_journal.check_day", R"sql(
    SELECT kind, COUNT(*), SUM(amount), SUM(fee), SUM(tax)
    FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date = ? AND kind <> 5
    GROUP BY kind ORDER BY kind)sql"};
constexpr mysql::Query kLedgerDate{"ledger_gate.date", R"sql(
    SELECT business_date FROM ledger_gate WHERE id = 1)sql"};
constexpr mysql::Query kListSteps{"merchant_journal.check_steps", R"sql(
    SELECT journal_id, kind, object_id, merchant_id, amount, fee, tax
    FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date = ? AND journal_id > ? AND kind <> 5
    ORDER BY journal_id LIMIT ?)sql"};
constexpr mysql::Query kMoved{"merchant_journal.check_moved", R"sql(
    SELECT DISTINCT merchant_id FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date = ? AND merchant_id > ? ORDER BY merchant_id LIMIT ?)sql"};
// The account and what its journals sum to in one statement, so they are of one moment.
constexpr mysql::Query kJournalsOf{"merchant_journal.check_merchants", R"sql(
    SELECT a.merchant_id, a.moved_available, a.in_transit, j.kind, SUM(j.amount),
           SUM(j.fee) + SUM(j.tax)
    FROM merchant_account a FORCE INDEX (PRIMARY)
    JOIN merchant_journal j FORCE INDEX (merchant_journal_merchant)
        ON j.merchant_id = a.merchant_id
    WHERE a.merchant_id IN ({keys})
    GROUP BY a.merchant_id, a.moved_available, a.in_transit, j.kind)sql"};
constexpr mysql::Query kMadeOn{"merchant_journal.check_made", R"sql(
    SELECT merchant_id, object_id, amount
    FROM merchant_journal FORCE INDEX (merchant_journal_merchant)
    WHERE business_date = ? AND kind = 1 AND merchant_id IN ({keys})
    ORDER BY merchant_id, journal_id)sql"};
// Days are some hundreds a year, and each is a look-up by key.
constexpr mysql::Query kReleasedTo{"merchant_release.check_merchants", R"sql(
    SELECT r.merchant_id, SUM(r.net)
    FROM payout_day d JOIN merchant_release r FORCE INDEX (PRIMARY)
        ON r.business_date = d.business_date
    WHERE r.merchant_id IN ({keys}) GROUP BY r.merchant_id)sql"};
/// How many rounds of a closed day are finished, and its state.
Result<std::pair<domain::DayState, std::int64_t>> LoadRounds(mysql::Session& session,
                                                             BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kRounds, day));
    const bool known = rows.Next();
    const auto state = known ? static_cast<domain::DayState>(rows.Int(0)) : domain::DayState::kOpen;
    if (state == domain::DayState::kOpen) {
        return Status(Code::kFailedPrecondition, domain::reason::kDayOpen,
                      day.ToString() + " is not closed");
    }
    return std::pair(state, rows.Int(1));
}

domain::ReleaseLine ReadReleaseLine(const mysql::Rows& row) {
    return {.merchant = MerchantId(row.Int(0)),
            .tax_class = ReadTaxClass(row, 1),
            .sums = {row.Int(2), row.Int(3), row.Int(6)},
            .tax = row.Int(4),
            .net = row.Int(5)};
}

digest::MerchantLine ToLine(MerchantId merchant, TaxClass tax_class, const domain::Sums& sums) {
    return {.merchant_id = merchant.value(),
            .tax_class = static_cast<std::uint8_t>(tax_class),
            .gross = sums.gross,
            .fee = sums.fee,
            .item_count = sums.item_count};
}

/// The digest of the day's totals, each merchant's slots summed.
Result<digest::DayDigest> DigestAccrued(mysql::Session& session, BusinessDate day,
                                        const digest::RowHasher& hasher) {
    digest::Accumulator sums(hasher);
    MerchantId merchant;
    std::map<TaxClass, domain::Sums> lines;
    const auto finish = [&] {
        for (const auto& [tax_class, line] : lines) {
            digest::AddLine(day, ToLine(merchant, tax_class, line), sums);
        }
        lines.clear();
    };
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.SelectStreamed(kAccrued, day));
    while (rows.Next()) {
        const MerchantId next(rows.Int(0));
        if (next != merchant) finish();
        merchant = next;
        domain::Sums& line = lines[ReadTaxClass(rows, 1)];
        line = line + domain::Sums{rows.Int(2), rows.Int(3), rows.Int(4)};
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    finish();
    return sums.Day(day);
}

/// Reads a block of merchants above `after`, at most up to `last`.
Result<std::map<MerchantId, app::CheckedMerchant>> ReadBlock(mysql::Session& session,
                                                             BusinessDate day, std::int64_t rounds,
                                                             MerchantId after, MerchantId last) {
    std::map<MerchantId, app::CheckedMerchant> found;
    std::map<std::pair<MerchantId, TaxClass>, app::MerchantDayLine> lines;
    KESSAI_ASSIGN_OR_RETURN(auto accrued, session.Select(kAccruedOfBlock, day, after, last));
    while (accrued.Next()) {
        const TaxClass tax_class = ReadTaxClass(accrued, 1);
        lines[{MerchantId(accrued.Int(0)), tax_class}] = {
            .tax_class = tax_class,
            .accrued = {accrued.Int(2), accrued.Int(3), accrued.Int(4)},
            .released = std::nullopt,
            .round = 0,
            .cycle_fee_before = 0};
    }
    KESSAI_ASSIGN_OR_RETURN(auto released,
                            session.Select(kReleasedOfBlock, day, after, last, rounds));
    while (released.Next()) {
        const domain::ReleaseLine line = ReadReleaseLine(released);
        app::MerchantDayLine& of_class = lines[{line.merchant, line.tax_class}];
        of_class.tax_class = line.tax_class;
        of_class.released = line;
        of_class.round = static_cast<int>(released.Int(7));
    }
    for (auto& [key, line] : lines) {
        app::CheckedMerchant& merchant = found[key.first];
        merchant.merchant = key.first;
        merchant.lines.push_back(line);
    }
    KESSAI_ASSIGN_OR_RETURN(auto held, session.Select(kHeldOfBlock, day, after, last));
    while (held.Next()) {
        app::CheckedMerchant& merchant = found[MerchantId(held.Int(0))];
        merchant.merchant = MerchantId(held.Int(0));
        merchant.held_back = true;
    }
    return found;
}

app::ToldRelease ReadToldRelease(const mysql::Rows& row) {
    app::ToldRelease told{.day = row.Date(0),
                          .round = static_cast<int>(row.Int(1)),
                          .told_date = std::nullopt,
                          .sums = {row.Int(2), 0, row.Int(3), row.Int(4), row.Int(5), row.Int(6)}};
    if (!row.IsNull(7)) told.told_date = row.Date(7);
    return told;
}

/// Says of the released lines what their cycle released in rounds before their own.
Status FillCycleFees(mysql::Session& session, BusinessDate day,
                     std::vector<app::CheckedMerchant>& merchants) {
    std::map<int, std::vector<MerchantId>> by_round;
    for (const app::CheckedMerchant& merchant : merchants) {
        std::set<int> rounds;
        for (const app::MerchantDayLine& line : merchant.lines) {
            if (line.released && rounds.insert(line.round).second) {
                by_round[line.round].push_back(merchant.merchant);
            }
        }
    }
    if (by_round.empty()) return OkStatus();
    std::map<int, std::int64_t> starts;
    KESSAI_ASSIGN_OR_RETURN(auto rounds, session.Select(kRoundStarts, day));
    while (rounds.Next()) starts[static_cast<int>(rounds.Int(0))] = rounds.Int(1);
    mysql::KeyList days;
    const BusinessDate cycle = domain::CycleStart(day);
    for (BusinessDate one = cycle; one <= domain::CycleEnd(cycle); one = one.Next()) days.Add(one);

    std::map<std::tuple<int, MerchantId, TaxClass>, std::int64_t> fees;
    for (const auto& [round, listed] : by_round) {
        for (std::size_t at = 0; at < listed.size(); at += kMerchantsPerStatement) {
            const std::size_t count = std::min(kMerchantsPerStatement, listed.size() - at);
            const std::span<const MerchantId> some = std::span(listed).subspan(at, count);
            const mysql::KeyList keys(some);
            KESSAI_ASSIGN_OR_RETURN(auto rows,
                                    session.Select(kCycleFeesBefore, days, keys, starts[round]));
            while (rows.Next()) {
                fees[{round, MerchantId(rows.Int(0)), ReadTaxClass(rows, 1)}] = rows.Int(2);
            }
        }
    }
    for (app::CheckedMerchant& merchant : merchants) {
        for (app::MerchantDayLine& line : merchant.lines) {
            const auto found = fees.find({line.round, merchant.merchant, line.tax_class});
            if (line.released && found != fees.end()) line.cycle_fee_before = found->second;
        }
    }
    return OkStatus();
}

void AddJournals(JournalKind kind, std::int64_t amount, std::int64_t price,
                 app::MovedFunds& funds) {
    switch (kind) {
        case JournalKind::kTransferCreated:
            funds.paid += amount;
            funds.prices += price;
            funds.open_transfers += amount;
            return;
        case JournalKind::kTransferCancelled:
            funds.paid -= amount;
            funds.prices -= price;
            funds.open_transfers -= amount;
            return;
        case JournalKind::kTransferSettled:
            funds.open_transfers -= amount;
            return;
        case JournalKind::kTransferFailed:
            funds.came_back += amount;
            funds.open_transfers -= amount;
            return;
        case JournalKind::kTransferReturned:
            funds.came_back += amount;
            return;
        case JournalKind::kAdjustment:
            funds.adjusted += amount;
            return;
    }
}

Result<std::map<MerchantId, std::int64_t>> SumReleases(mysql::Session& session,
                                                       const mysql::KeyList& keys) {
    std::map<MerchantId, std::int64_t> sums;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kReleasedTo, keys));
    while (rows.Next()) sums[MerchantId(rows.Int(0))] = rows.Int(1);
    return sums;
}

/// Adds what was released by the rows, and by the balances that are kept. A release changes both in
/// one transaction, but they are two statements here: so only merchants whose rows were the same
/// before and after count, which are given.
Result<std::set<MerchantId>> ReadReleases(mysql::Session& session,
                                          std::span<const MerchantId> merchants,
                                          const mysql::KeyList& keys,
                                          std::map<MerchantId, app::MovedFunds>& funds) {
    KESSAI_ASSIGN_OR_RETURN(auto before, SumReleases(session, keys));
    KESSAI_ASSIGN_OR_RETURN(const auto balances, LoadNewestBalances(session, merchants));
    KESSAI_ASSIGN_OR_RETURN(auto after, SumReleases(session, keys));
    std::set<MerchantId> settled;
    for (const MerchantId merchant : merchants) {
        if (before[merchant] != after[merchant]) continue;
        settled.insert(merchant);
        funds[merchant].released = after[merchant];
    }
    for (const domain::RunningBalance& balance : balances) {
        funds[balance.merchant].available += balance.released;
    }
    return settled;
}

/// In order of merchant; without whom something is being released to.
Result<std::vector<app::MovedFunds>> ReadFunds(mysql::Session& session, BusinessDate day,
                                               std::span<const MerchantId> merchants) {
    std::vector<app::MovedFunds> read;
    if (merchants.empty()) return read;
    std::map<MerchantId, app::MovedFunds> funds;
    for (const MerchantId merchant : merchants) funds[merchant].merchant = merchant;
    const mysql::KeyList keys(merchants);
    KESSAI_ASSIGN_OR_RETURN(auto journals, session.Select(kJournalsOf, keys));
    while (journals.Next()) {
        app::MovedFunds& one = funds[MerchantId(journals.Int(0))];
        one.available = journals.Int(1);
        one.in_transit = journals.Int(2);
        AddJournals(static_cast<JournalKind>(journals.Int(3)), journals.Int(4), journals.Int(5),
                    one);
    }
    KESSAI_ASSIGN_OR_RETURN(auto made, session.Select(kMadeOn, day, keys));
    while (made.Next()) {
        funds[MerchantId(made.Int(0))].made.push_back(
            {domain::TransferId(made.Int(1)), made.Int(2)});
    }
    KESSAI_ASSIGN_OR_RETURN(const auto settled, ReadReleases(session, merchants, keys, funds));
    for (auto& [merchant, one] : funds) {
        if (settled.contains(merchant)) read.push_back(std::move(one));
    }
    return read;
}

}  // namespace

Result<app::DayCheck> MysqlCheckReader::CheckDay(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const auto rounds, LoadRounds(*session, day));
    app::DayCheck check;
    check.state = rounds.first;
    KESSAI_ASSIGN_OR_RETURN(check.accrued, DigestAccrued(*session, day, hasher_));

    digest::Accumulator released(hasher_);
    MerchantId last;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->SelectStreamed(kReleased, day, rounds.second));
    while (rows.Next()) {
        const domain::ReleaseLine line = ReadReleaseLine(rows);
        digest::AddLine(day, ToLine(line.merchant, line.tax_class, line.sums), released);
        KESSAI_ASSIGN_OR_RETURN(check.released_sums, domain::AddLine(check.released_sums, line));
        if (line.merchant != last) ++check.released_sums.merchant_count;
        last = line.merchant;
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    check.released = released.Day(day);

    KESSAI_ASSIGN_OR_RETURN(auto finished, session->Select(kRoundsOf, day));
    while (finished.Next()) {
        const app::ToldRelease round = ReadToldRelease(finished);
        KESSAI_ASSIGN_OR_RETURN(check.round_sums, domain::Add(check.round_sums, round.sums));
        // As MysqlReleaseStore::Finish tells of them.
        if (round.round == 0 || round.sums.merchant_count > 0) check.told.push_back(round);
    }
    KESSAI_ASSIGN_OR_RETURN(auto held, session->Select(kCountHeld, day));
    if (held.Next()) check.round_sums.held_back_count = held.Int(0);
    return check;
}

Result<std::vector<app::ToldRelease>> MysqlCheckReader::ListToldReleases(BusinessDate told_date) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kToldOn, told_date));
    std::vector<app::ToldRelease> told;
    while (rows.Next()) told.push_back(ReadToldRelease(rows));
    return told;
}

Result<app::CheckPage<app::CheckedMerchant, MerchantId>> MysqlCheckReader::ListMerchants(
    BusinessDate day, const std::set<int>& buckets, MerchantId after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(const auto rounds, LoadRounds(*session, day));
    app::CheckPage<app::CheckedMerchant, MerchantId> page;
    bool more = true;
    for (int block = 0; more && page.next.is_none() && block < kBlocksPerPage; ++block) {
        KESSAI_ASSIGN_OR_RETURN(auto end,
                                session->Select(kBlockEnd, day, after, kMerchantsPerBlock - 1));
        more = end.Next();
        const MerchantId last =
            more ? MerchantId(end.Int(0)) : MerchantId(std::numeric_limits<std::int64_t>::max());
        KESSAI_ASSIGN_OR_RETURN(auto found, ReadBlock(*session, day, rounds.second, after, last));
        for (auto& [merchant, checked] : found) {
            if (!buckets.empty() && !buckets.contains(digest::BucketOf(merchant.value()))) continue;
            page.items.push_back(std::move(checked));
            if (page.items.size() < static_cast<std::size_t>(limit)) continue;
            page.next = merchant;
            break;
        }
        after = last;
    }
    if (more && page.next.is_none()) page.next = after;
    KESSAI_RETURN_IF_ERROR(FillCycleFees(*session, day, page.items));
    return page;
}

Result<digest::DayDigest> MysqlCheckReader::FeeDigests(BusinessDate day) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_RETURN_IF_ERROR(LoadRounds(*session, day).status());
    digest::Accumulator sums(hasher_);
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->SelectStreamed(kFees, day));
    while (rows.Next()) {
        sums.Add(digest::FeeRow(rows.Int(0), static_cast<std::uint32_t>(rows.Int(1)), day,
                                static_cast<std::uint8_t>(rows.Int(2)), rows.Int(3)));
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    return sums.Day(day);
}

Result<app::TransferSums> MysqlCheckReader::SumTransfers(BusinessDate day, BusinessDate today) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    app::TransferSums found;
    // Before the journals: a day that is final now has all that is read after it.
    KESSAI_ASSIGN_OR_RETURN(auto gate, session->Select(kLedgerDate));
    found.final = day < today || (gate.Next() && day < gate.Date(0));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kSumTransfers, day));
    while (rows.Next()) {
        found.steps.push_back({.sum = {.kind = static_cast<JournalKind>(rows.Int(0)),
                                       .amount = rows.Int(2),
                                       .fee = rows.Int(3),
                                       .tax = rows.Int(4)},
                               .count = rows.Int(1)});
    }
    return found;
}

Result<app::CheckPage<app::NumberedJournal, std::int64_t>> MysqlCheckReader::ListTransferSteps(
    BusinessDate day, std::int64_t after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kListSteps, day, after, limit));
    app::CheckPage<app::NumberedJournal, std::int64_t> page;
    while (rows.Next()) {
        page.items.push_back({rows.Int(0),
                              {.kind = static_cast<JournalKind>(rows.Int(1)),
                               .merchant = MerchantId(rows.Int(3)),
                               .object = rows.Int(2),
                               .amount = rows.Int(4),
                               .fee = rows.Int(5),
                               .tax = rows.Int(6)}});
    }
    if (page.items.size() == static_cast<std::size_t>(limit)) {
        page.next = page.items.back().journal;
    }
    return page;
}

Result<app::CheckPage<app::MovedFunds, MerchantId>> MysqlCheckReader::ListMovedFunds(
    BusinessDate day, MerchantId after, int limit) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    app::CheckPage<app::MovedFunds, MerchantId> page;
    std::vector<MerchantId> merchants;
    KESSAI_ASSIGN_OR_RETURN(auto moved, session->Select(kMoved, day, after, limit));
    while (moved.Next()) merchants.emplace_back(moved.Int(0));
    KESSAI_ASSIGN_OR_RETURN(page.items, ReadFunds(*session, day, merchants));
    if (merchants.size() == static_cast<std::size_t>(limit)) page.next = merchants.back();
    return page;
}

Result<std::vector<app::MovedFunds>> MysqlCheckReader::FindFunds(
    BusinessDate day, std::span<const MerchantId> merchants) {
    KESSAI_ASSIGN_OR_RETURN(auto session, bulk_.Acquire(kAcquireTimeout));
    return ReadFunds(*session, day, merchants);
}

}  // namespace kessai::payout::storage
