#include "checks/statement_pass.h"

#include <optional>
#include <utility>
#include <vector>

#include "rules/statements.h"
#include "source/paged.h"
#include "source/statement_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// Statements and their files side by side. Gives the statements by merchant, then cycle.
Result<Sorted<StatementRow>> JoinFiles(mysql::Session& session, const SpillSpace& space,
                                       Report& report) {
    Sorter<StatementRow> by_merchant(space);
    Paged<StatementTable> statements(session);
    Paged<StatementFileTable> files(session);
    std::optional<StatementRow> before;
    for (; statements.Peek() != nullptr; statements.Pop()) {
        const StatementRow statement = *statements.Peek();
        for (; files.Peek() != nullptr && files.Peek()->key() < statement.key(); files.Pop()) {
            CheckStrayFile(*files.Peek(), report);
        }
        std::vector<StatementFileRow> of_statement;
        for (; files.Peek() != nullptr && files.Peek()->key() == statement.key(); files.Pop()) {
            of_statement.push_back(*files.Peek());
        }
        const bool same = before && before->merchant_id == statement.merchant_id &&
                          before->cycle_start == statement.cycle_start;
        CheckStatement(same ? &*before : nullptr, statement, of_statement, report);
        by_merchant.Add(statement);
        before = statement;
    }
    KESSAI_RETURN_IF_ERROR(statements.status());
    for (; files.Peek() != nullptr; files.Pop()) CheckStrayFile(*files.Peek(), report);
    KESSAI_RETURN_IF_ERROR(files.status());
    // There are some only where a month is over.
    if (statements.count() > 0) report.LookedAt(kM4, "statements", statements.count());
    if (files.count() > 0) report.LookedAt(kM9, "files of statements", files.count());
    return by_merchant.Finish();
}

Status CompareBalances(Sorted<StatementRow>& statements, Aggregated<MerchantMonth>& months,
                       Report& report) {
    std::uint64_t compared = 0;
    while (statements.Peek() != nullptr) {
        const std::int64_t merchant = statements.Peek()->merchant_id;
        while (months.Peek() != nullptr && months.Peek()->merchant_id < merchant) months.Pop();
        // Through the month before the statement's, and through its own.
        Wide opening = 0;
        Wide closing = 0;
        DayNumber cycle_start = 0;
        for (; statements.Peek() != nullptr && statements.Peek()->merchant_id == merchant;
             statements.Pop()) {
            const StatementRow& statement = *statements.Peek();
            if (statement.cycle_start != cycle_start) opening = closing;
            cycle_start = statement.cycle_start;
            for (; months.Peek() != nullptr && months.Peek()->merchant_id == merchant &&
                   months.Peek()->cycle_start <= cycle_start;
                 months.Pop()) {
                closing += months.Peek()->available;
                if (months.Peek()->cycle_start < cycle_start) opening = closing;
            }
            CheckStatementBalances(statement, opening, closing, report);
            ++compared;
        }
    }
    KESSAI_RETURN_IF_ERROR(statements.status());
    KESSAI_RETURN_IF_ERROR(months.status());
    if (compared > 0) report.LookedAt(kM2, "statements' balances", compared);
    return OkStatus();
}

}  // namespace

Status PassOverStatements(mysql::Session& session, const SpillSpace& space,
                          Aggregator<MerchantMonth>* months, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(auto statements, JoinFiles(session, space, report));
    if (months == nullptr) {
        report.CouldNotCheck(kM2, "statements' balances: releases and journals were not read");
        return OkStatus();
    }
    KESSAI_ASSIGN_OR_RETURN(auto summed, months->Finish());
    return CompareBalances(statements, summed, report);
}

}  // namespace kessai::audit
