#include "wiring/parts.h"

#include <memory>
#include <utility>

#include "app/decide_match.h"
#include "app/import_statement.h"
#include "app/match_outside.h"
#include "app/outside_enquiries.h"
#include "storage/mysql_outside_books.h"
#include "transport/outside_metrics.h"
#include "transport/outside_worker.h"

namespace kessai::reconciliation {

Result<Outside> BuildOutside(const Options& options, runtime::Context& context, const Core& core) {
    const Clock& clock = context.clock();
    KESSAI_ASSIGN_OR_RETURN(auto made, domain::OutsideAccounts::Make(options.outside.accounts));
    const auto& accounts = context.Own(std::make_unique<domain::OutsideAccounts>(std::move(made)));
    auto& transactions =
        context.Own(std::make_unique<storage::MysqlOutsideTransactions>(core.pool, core.ids));
    auto& enquiries =
        context.Own(std::make_unique<app::OutsideEnquiries>(transactions, accounts, clock));
    auto& import = context.Own(std::make_unique<app::ImportStatement>(
        app::ImportStatement::Options{.file_bytes_max = options.outside.file_bytes_max},
        transactions, accounts, clock));
    auto& match = context.Own(std::make_unique<app::MatchOutside>(
        app::MatchOutside::Options{.items_max = options.outside.run_items_max,
                                   .suggestions_max = options.outside.run_suggestions_max},
        transactions, accounts, clock));
    auto& decide = context.Own(std::make_unique<app::DecideMatch>(transactions, clock));
    auto& metrics =
        context.Own(std::make_unique<transport::OutsideMetrics>(context.metrics(), accounts));
    if (!accounts.empty()) {
        auto& worker = context.Own(std::make_unique<transport::OutsideWorker>(
            options.outside.poll_every, match, enquiries, metrics));
        context.Add({.name = "outside",
                     .start = [&worker]() -> Status {
                         worker.Start();
                         return OkStatus();
                     },
                     .stop = [&worker] { worker.Stop(); }});
    }
    return Outside{
        accounts,
        context.Own(std::make_unique<transport::StatementService>(transport::StatementServices{
            enquiries, import, match, decide, accounts, metrics, clock}))};
}

}  // namespace kessai::reconciliation
