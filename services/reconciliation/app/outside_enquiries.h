#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/outside_books.h"
#include "domain/outside_record.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::app {

/// A match or suggestion with its items and its history.
struct MatchDetails {
    domain::OutsideMatchRecord record = {};
    /// Expected before booked, by id.
    std::vector<domain::OutsideRecord> items = {};
    std::vector<domain::OutsideStep> history = {};
};

/// The unmatched items of an account, of both sides.
struct AccountSummary {
    domain::OutsideAccount account = {};
    domain::UnmatchedTotal expected = {};
    domain::UnmatchedTotal booked = {};
    /// Imported items wait for a run.
    bool run_is_due = false;
    /// 0: it has no rules.
    std::uint32_t rules_version = 0;
};

/// What can be asked about accounts outside, and the texts that operators put. Thread safe.
class OutsideEnquiries {
 public:
    /// All must outlive it.
    OutsideEnquiries(OutsideTransactions& transactions, const domain::OutsideAccounts& accounts,
                     const Clock& clock)
        : transactions_(transactions), accounts_(accounts), clock_(clock) {}

    /// Refuses with CONFIG_INVALID, naming each problem with its line.
    Result<StoredText> PutTemplate(std::string_view name, std::string_view yaml,
                                   std::string_view actor);
    /// STATEMENT_TEMPLATE_UNKNOWN.
    Result<StoredText> FindTemplate(std::string_view name);
    /// OUTSIDE_ACCOUNT_UNKNOWN, CONFIG_INVALID, naming each problem with its line.
    Result<StoredText> PutRules(std::string_view account, std::string_view yaml,
                                std::string_view actor);
    /// OUTSIDE_ACCOUNT_UNKNOWN, OUTSIDE_RULES_MISSING.
    Result<StoredText> FindRules(std::string_view account);

    Result<StatementImport> FindImport(domain::StatementImportId id);
    Result<std::vector<StatementImport>> ListImports(domain::StatementImportId before, int limit);
    Result<MatchDetails> FindMatch(domain::OutsideMatchId id);
    /// With their items and without history. OUTSIDE_ACCOUNT_UNKNOWN.
    Result<std::vector<MatchDetails>> ListMatches(const MatchFilter& filter);
    /// OUTSIDE_ACCOUNT_UNKNOWN.
    Result<std::vector<domain::OutsideRecord>> ListUnmatched(const UnmatchedFilter& filter);
    /// That have imported items which no run has seen.
    Result<std::vector<std::string>> DueAccounts();
    /// Of every account, in the order of the configuration.
    Result<std::vector<AccountSummary>> Summaries();

 private:
    Status CheckAccount(std::string_view name) const;

    OutsideTransactions& transactions_;
    const domain::OutsideAccounts& accounts_;
    const Clock& clock_;
};

}  // namespace kessai::reconciliation::app
