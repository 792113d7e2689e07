#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/outside_books.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/session.h"

namespace kessai::reconciliation::storage {

/// What is kept of accounts outside, in MySQL, in the transaction that is open on `session`.
class MysqlOutsideBooks final : public app::OutsideBooks {
 public:
    /// Both must outlive it.
    MysqlOutsideBooks(mysql::Session& session, const lease::LeasedIds& ids)
        : session_(session), ids_(ids) {}

    Result<app::StoredText> PutText(app::TextKind kind, std::string_view name,
                                    std::string_view yaml, std::string_view actor,
                                    Instant now) override;
    Result<std::optional<app::StoredText>> LatestText(app::TextKind kind,
                                                      std::string_view name) override;
    Status LockImports() override;
    Result<std::optional<app::StatementImport>> FindImportOf(std::string_view sha256) override;
    Result<app::StatementImport> FindImport(domain::StatementImportId id) override;
    Result<std::vector<app::StatementImport>> ListImports(domain::StatementImportId before,
                                                          int limit) override;
    /// Also UNAVAILABLE WORKER_NUMBER_NOT_HELD, as all that gives ids.
    Result<domain::StatementImportId> NextImportId() override;
    Status InsertImport(const app::StatementImport& import) override;
    Result<std::set<std::string>> KnownEntries(std::span<const std::string> identities) override;
    Status InsertItems(std::span<const app::NewOutsideItem> items) override;
    Result<std::vector<app::KnownExpected>> FindExpected(
        std::span<const domain::ExpectedKey> keys) override;
    Status MarkDue(std::string_view account) override;
    Result<std::vector<std::string>> ListDue() override;
    Result<app::AccountState> FindAccount(std::string_view account) override;
    Result<app::AccountState> LockAccount(std::string_view account) override;
    Status UpdateAccount(std::string_view account, const app::AccountState& state) override;
    Result<app::UnmatchedCounts> CountUnmatched(std::string_view account,
                                                const app::DayRange& days) override;
    Result<std::vector<domain::OutsideItem>> LoadUnmatched(std::string_view account,
                                                           domain::OutsideSide side,
                                                           const app::DayRange& days) override;
    Result<std::vector<domain::OutsideApart>> ListApart(std::string_view account) override;
    Result<std::vector<domain::OutsideMatchRecord>> ListOf(
        std::string_view account, domain::OutsideMatchState state) override;
    Result<std::vector<domain::OutsideMatchRecord>> FindSets(
        std::string_view account, std::span<const domain::OutsideMatchRecord> sets) override;
    Status Store(std::span<const app::MatchChange> changes) override;
    Result<domain::OutsideMatchRecord> FindMatch(domain::OutsideMatchId id) override;
    Result<std::vector<domain::OutsideStep>> Steps(domain::OutsideMatchId id) override;
    Result<std::vector<domain::OutsideMatchRecord>> ListMatches(
        const app::MatchFilter& filter) override;
    Result<std::vector<domain::OutsideMatchRecord>> SuggestionsOf(
        std::span<const domain::OutsideItemId> items) override;
    Result<std::vector<domain::OutsideRecord>> FindItems(
        std::span<const domain::OutsideItemId> ids) override;
    Result<std::vector<domain::OutsideRecord>> ListUnmatched(
        const app::UnmatchedFilter& filter) override;
    Result<std::vector<app::UnmatchedDay>> UnmatchedDays() override;

 private:
    Status ReadImportDetails(app::StatementImport& import);
    /// Adds the items of each.
    Status ReadMembers(std::vector<domain::OutsideMatchRecord>& records);

    mysql::Session& session_;
    const lease::LeasedIds& ids_;
};

/// Transactions of their own, on sessions of a pool. Thread safe.
class MysqlOutsideTransactions final : public app::OutsideTransactions {
 public:
    /// Both must outlive it.
    MysqlOutsideTransactions(mysql::Pool& pool, const lease::LeasedIds& ids)
        : pool_(pool), ids_(ids) {}

    Status Run(const std::function<Status(app::OutsideBooks&)>& work) override;

 private:
    mysql::Pool& pool_;
    const lease::LeasedIds& ids_;
};

}  // namespace kessai::reconciliation::storage
