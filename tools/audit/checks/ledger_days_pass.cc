#include "checks/ledger_days_pass.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "kessai/mysql/query.h"
#include "model/values.h"
#include "model/wide.h"
#include "source/columns.h"

namespace kessai::audit {
namespace {

using enum Invariant;

// The merchant ledger's accounts as ledger_day numbers them (services/payout/README.md, "Ledger").
enum Account : std::size_t {
    kClearing,
    kPending,
    kAvailable,
    kInTransit,
    kFeeRevenue,
    kConsumptionTax,
    kBankSettlement,
    kAdjustments,
    kAccounts
};
constexpr std::array<std::string_view, kAccounts> kNames{
    "clearing",    "pending",         "available",       "in transit",
    "fee revenue", "consumption tax", "bank settlement", "adjustments"};

using Balances = std::array<Wide, kAccounts>;

constexpr mysql::Query kKept{"ledger_day.all", R"sql(
    SELECT business_date + 0, account, amount FROM ledger_day ORDER BY business_date, account)sql"};
constexpr mysql::Query kAccrued{"merchant_day_total.by_day", R"sql(
    SELECT business_date + 0, CAST(SUM(gross) AS CHAR), CAST(SUM(fee) AS CHAR)
    FROM merchant_day_total FORCE INDEX (PRIMARY)
    WHERE business_date IN (SELECT DISTINCT business_date FROM ledger_day)
    GROUP BY business_date)sql"};
constexpr mysql::Query kReleased{"merchant_release.by_day", R"sql(
    SELECT business_date + 0, CAST(SUM(gross) AS CHAR), CAST(SUM(fee) AS CHAR),
           CAST(SUM(tax) AS CHAR), CAST(SUM(net) AS CHAR)
    FROM merchant_release FORCE INDEX (PRIMARY)
    WHERE business_date IN (SELECT DISTINCT business_date FROM ledger_day)
    GROUP BY business_date)sql"};
constexpr mysql::Query kJournals{"merchant_journal.by_day", R"sql(
    SELECT business_date + 0, kind, CAST(SUM(amount) AS CHAR), CAST(SUM(fee) AS CHAR),
           CAST(SUM(tax) AS CHAR)
    FROM merchant_journal FORCE INDEX (merchant_journal_day)
    WHERE business_date IN (SELECT DISTINCT business_date FROM ledger_day)
    GROUP BY business_date, kind)sql"};

/// A sum of damaged rows may be beyond 64 bits: it is selected as a text.
Wide WideAt(const mysql::Rows& row, int column) {
    Wide number = 0;
    const std::string text = row.Text(column);
    const bool negative = text.starts_with('-');
    for (const char digit : std::string_view(text).substr(negative ? 1 : 0)) {
        if (digit < '0' || digit > '9') break;
        number = number * 10 + (digit - '0');
    }
    return negative ? -number : number;
}

/// Of the journals of a kind; false for a kind that is none.
bool AddJournals(int kind, Wide amount, Wide fee, Wide tax, Balances& moved) {
    const auto move = [&](Account from, Account to) {
        moved[from] -= amount;
        moved[to] += amount;
    };
    switch (kind) {
        case 1:
            moved[kAvailable] -= amount + fee + tax;
            moved[kInTransit] += amount;
            moved[kFeeRevenue] += fee;
            moved[kConsumptionTax] += tax;
            return true;
        case 2:
            move(kInTransit, kBankSettlement);
            return true;
        case 3:
            move(kInTransit, kAvailable);
            return true;
        case 4:
            move(kBankSettlement, kAvailable);
            return true;
        case 5:
            move(kAdjustments, kAvailable);
            return true;
        case 8:  // As 1, taken back.
            moved[kAvailable] += amount + fee + tax;
            moved[kInTransit] -= amount;
            moved[kFeeRevenue] -= fee;
            moved[kConsumptionTax] -= tax;
            return true;
        default:
            return false;
    }
}

Result<std::map<DayNumber, Balances>> SumDays(mysql::Session& session,
                                              std::set<DayNumber>& unknown) {
    std::map<DayNumber, Balances> days;
    KESSAI_ASSIGN_OR_RETURN(auto accrued, session.Select(kAccrued));
    while (accrued.Next()) {
        Balances& moved = days[Day(accrued, 0)];
        const Wide gross = WideAt(accrued, 1);
        const Wide fee = WideAt(accrued, 2);
        moved[kClearing] -= gross;
        moved[kPending] += gross - fee;
        moved[kFeeRevenue] += fee;
    }
    KESSAI_ASSIGN_OR_RETURN(auto released, session.Select(kReleased));
    while (released.Next()) {
        Balances& moved = days[Day(released, 0)];
        moved[kPending] -= WideAt(released, 1) - WideAt(released, 2);
        moved[kConsumptionTax] += WideAt(released, 3);
        moved[kAvailable] += WideAt(released, 4);
    }
    KESSAI_ASSIGN_OR_RETURN(auto journals, session.Select(kJournals));
    while (journals.Next()) {
        const DayNumber day = Day(journals, 0);
        if (!AddJournals(SmallInt(journals, 1), WideAt(journals, 2), WideAt(journals, 3),
                         WideAt(journals, 4), days[day])) {
            unknown.insert(day);
        }
    }
    return days;
}

}  // namespace

Status PassOverLedgerDays(mysql::Session& session, Report& report) {
    std::map<DayNumber, std::map<std::int64_t, std::int64_t>> kept;
    KESSAI_ASSIGN_OR_RETURN(auto rows, session.Select(kKept));
    while (rows.Next()) kept[Day(rows, 0)][rows.Int(1)] = rows.Int(2);
    // There are some only where a balance of a final day was asked for.
    if (kept.empty()) return OkStatus();
    report.LookedAt(kM2, "kept days of the merchant ledger", kept.size());
    std::set<DayNumber> unknown;
    KESSAI_ASSIGN_OR_RETURN(auto days, SumDays(session, unknown));
    for (const auto& [day, accounts] : kept) {
        // Its journal is a finding of M1.
        if (unknown.contains(day)) continue;
        const Balances& moved = days[day];
        for (std::size_t account = 0; account < kAccounts; ++account) {
            const auto found = accounts.find(static_cast<std::int64_t>(account));
            const auto subject = [&, day = day] {
                return Subject{{"day", DayText(day)}, {"account", std::string(kNames[account])}};
            };
            report.Expect(kM2, "kept day of the merchant ledger", subject, moved[account],
                          Wide{found == accounts.end() ? 0 : found->second});
        }
    }
    return OkStatus();
}

}  // namespace kessai::audit
