#include "app/outside_enquiries.h"

#include <algorithm>
#include <optional>

#include "app/outside_rules.h"
#include "kessai/statementfile/csv_template.h"

namespace kessai::reconciliation::app {
namespace {

using domain::OutsideMatchRecord;
using domain::OutsideRecord;

std::vector<domain::OutsideItemId> ItemsOf(const OutsideMatchRecord& record) {
    std::vector<domain::OutsideItemId> items = record.expected;
    items.insert(items.end(), record.booked.begin(), record.booked.end());
    return items;
}

/// The records with their items.
Result<std::vector<MatchDetails>> WithItems(OutsideBooks& books,
                                            std::vector<OutsideMatchRecord> records) {
    std::vector<domain::OutsideItemId> ids;
    for (const OutsideMatchRecord& record : records)
        std::ranges::copy(ItemsOf(record), back_inserter(ids));
    KESSAI_ASSIGN_OR_RETURN(const auto items, books.FindItems(ids));
    std::map<domain::OutsideItemId, const OutsideRecord*> by_id;
    for (const OutsideRecord& item : items) by_id[item.id] = &item;
    std::vector<MatchDetails> details;
    for (OutsideMatchRecord& record : records) {
        MatchDetails one;
        for (const domain::OutsideItemId id : ItemsOf(record)) {
            if (const auto found = by_id.find(id); found != by_id.end()) {
                one.items.push_back(*found->second);
            }
        }
        one.record = std::move(record);
        details.push_back(std::move(one));
    }
    return details;
}

}  // namespace

Status OutsideEnquiries::CheckAccount(std::string_view name) const {
    if (accounts_.Find(name) != nullptr) return OkStatus();
    return Status(Code::kNotFound, reason::kAccountUnknown,
                  "no account \"" + std::string(name) + "\" is configured");
}

Result<StoredText> OutsideEnquiries::PutTemplate(std::string_view name, std::string_view yaml,
                                                 std::string_view actor) {
    KESSAI_RETURN_IF_ERROR(statementfile::CsvTemplate::Parse(yaml).status());
    StoredText stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(
            stored, books.PutText(TextKind::kTemplate, name, yaml, actor, clock_.Now()));
        return OkStatus();
    }));
    return stored;
}

Result<StoredText> OutsideEnquiries::FindTemplate(std::string_view name) {
    std::optional<StoredText> stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(stored, books.LatestText(TextKind::kTemplate, name));
        return OkStatus();
    }));
    if (stored) return *std::move(stored);
    return Status(Code::kNotFound, reason::kTemplateUnknown,
                  "no template \"" + std::string(name) + "\" was put");
}

Result<StoredText> OutsideEnquiries::PutRules(std::string_view account, std::string_view yaml,
                                              std::string_view actor) {
    KESSAI_RETURN_IF_ERROR(CheckAccount(account));
    KESSAI_RETURN_IF_ERROR(ParseOutsideRules(yaml).status());
    StoredText stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(
            stored, books.PutText(TextKind::kRules, account, yaml, actor, clock_.Now()));
        return OkStatus();
    }));
    return stored;
}

Result<StoredText> OutsideEnquiries::FindRules(std::string_view account) {
    KESSAI_RETURN_IF_ERROR(CheckAccount(account));
    std::optional<StoredText> stored;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(stored, books.LatestText(TextKind::kRules, account));
        return OkStatus();
    }));
    if (stored) return *std::move(stored);
    return Status(Code::kNotFound, reason::kRulesMissing,
                  "account \"" + std::string(account) + "\" has no rules to match by");
}

Result<StatementImport> OutsideEnquiries::FindImport(domain::StatementImportId id) {
    StatementImport import;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(import, books.FindImport(id));
        return OkStatus();
    }));
    return import;
}

Result<std::vector<StatementImport>> OutsideEnquiries::ListImports(domain::StatementImportId before,
                                                                   int limit) {
    std::vector<StatementImport> imports;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(imports, books.ListImports(before, limit));
        return OkStatus();
    }));
    return imports;
}

Result<MatchDetails> OutsideEnquiries::FindMatch(domain::OutsideMatchId id) {
    MatchDetails details;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto record, books.FindMatch(id));
        KESSAI_ASSIGN_OR_RETURN(auto one, WithItems(books, {std::move(record)}));
        details = std::move(one.front());
        KESSAI_ASSIGN_OR_RETURN(details.history, books.Steps(id));
        return OkStatus();
    }));
    return details;
}

Result<std::vector<MatchDetails>> OutsideEnquiries::ListMatches(const MatchFilter& filter) {
    if (!filter.account.empty()) KESSAI_RETURN_IF_ERROR(CheckAccount(filter.account));
    std::vector<MatchDetails> details;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(auto records, books.ListMatches(filter));
        KESSAI_ASSIGN_OR_RETURN(details, WithItems(books, std::move(records)));
        return OkStatus();
    }));
    return details;
}

Result<std::vector<OutsideRecord>> OutsideEnquiries::ListUnmatched(const UnmatchedFilter& filter) {
    KESSAI_RETURN_IF_ERROR(CheckAccount(filter.account));
    std::vector<OutsideRecord> items;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(items, books.ListUnmatched(filter));
        return OkStatus();
    }));
    return items;
}

Result<std::vector<std::string>> OutsideEnquiries::DueAccounts() {
    std::vector<std::string> due;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(due, books.ListDue());
        return OkStatus();
    }));
    return due;
}

Result<std::vector<AccountSummary>> OutsideEnquiries::Summaries() {
    std::vector<UnmatchedDay> days;
    std::vector<AccountSummary> summaries;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](OutsideBooks& books) -> Status {
        summaries.clear();
        for (const domain::OutsideAccount& account : accounts_.all()) {
            AccountSummary summary{.account = account};
            KESSAI_ASSIGN_OR_RETURN(const AccountState state, books.FindAccount(account.name));
            KESSAI_ASSIGN_OR_RETURN(const auto rules,
                                    books.LatestText(TextKind::kRules, account.name));
            summary.run_is_due = state.added != state.seen;
            summary.rules_version = rules ? rules->version : 0;
            summaries.push_back(std::move(summary));
        }
        KESSAI_ASSIGN_OR_RETURN(days, books.UnmatchedDays());
        return OkStatus();
    }));
    const BusinessDate today = BusinessDate::OfJst(clock_.Now());
    for (const UnmatchedDay& day : days) {
        const auto summary = std::ranges::find_if(
            summaries, [&](const AccountSummary& one) { return one.account.name == day.account; });
        if (summary == summaries.end()) continue;
        const auto age = static_cast<int>((today.day() - day.date.day()).count());
        domain::UnmatchedTotal& total =
            day.side == domain::OutsideSide::kExpected ? summary->expected : summary->booked;
        KESSAI_RETURN_IF_ERROR(total.Add(age, day.count, day.value, summary->account.overdue_days));
    }
    return summaries;
}

}  // namespace kessai::reconciliation::app
