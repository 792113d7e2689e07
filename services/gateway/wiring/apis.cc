#include "wiring/apis.h"

#include <memory>
#include <string>
#include <utility>

#include "kessai/rpc/telemetry.h"
#include "transport/app_api.h"
#include "transport/dead_letter_api.h"
#include "transport/operator_api.h"
#include "transport/operator_books_api.h"
#include "transport/operator_file_api.h"
#include "transport/operator_ledger_api.h"
#include "transport/operator_outside_api.h"
#include "transport/operator_repair_api.h"
#include "transport/operator_statement_api.h"
#include "transport/operator_transfer_api.h"
#include "transport/partner_api.h"
#include "transport/partner_files_api.h"
#include "transport/public_pages.h"

namespace kessai::gateway::wiring {
namespace {

constexpr std::size_t kFileThreads = 4;

template <class Api>
transport::ApiHandler Bind(const Api& api,
                           net::Task<http::Response> (Api::*method)(const transport::RequestScope&)
                               const) {
    return [&api, method](const transport::RequestScope& scope) { return (api.*method)(scope); };
}

/// Makes the interfaces and binds their methods to the routes' names.
class Apis {
 public:
    Apis(const Options& options, runtime::Context& context, const Storage& storage,
         rpc::WorkerPool& workers, const Upstreams& upstreams, const LoopServices& loops,
         Webhooks& webhooks, const inbox::DeadLetterDesk& dead_letters,
         transport::ApiHandlers& handlers)
        : options_(options),
          context_(context),
          storage_(storage),
          workers_(workers),
          upstreams_(upstreams),
          loops_(loops),
          webhooks_(webhooks),
          dead_letters_(dead_letters),
          handlers_(handlers),
          clock_(context.clock()),
          payments_([by_route =
                         upstreams.payments](const http::Request& request) -> app::PaymentGateway& {
              return *by_route[request.route->index];
          }),
          channels_(
              [by_route = upstreams.channels](const http::Request& request) -> const rpc::Channel& {
                  return *by_route[request.route->index];
              }) {}

    void AddPartner();
    void AddApp();
    void AddFiles();
    void AddOperator();
    void AddLedger();
    void AddRepairs();
    void AddOutside();
    void AddTransfers();
    void AddBooks();
    void AddStatements();
    void AddDeadLetters();
    void AddPages();

 private:
    const Options& options_;
    runtime::Context& context_;
    const Storage& storage_;
    rpc::WorkerPool& workers_;
    const Upstreams& upstreams_;
    const LoopServices& loops_;
    Webhooks& webhooks_;
    const inbox::DeadLetterDesk& dead_letters_;
    transport::ApiHandlers& handlers_;
    const Clock& clock_;
    const transport::PaymentGatewayOf payments_;
    const transport::ChannelOf channels_;
};

void Apis::AddPartner() {
    using Partner = transport::PartnerApi;
    const auto& partner = context_.Own(
        std::make_unique<Partner>(options_.partner, loops_.partners, payments_, clock_));
    handlers_["v2_createDynamicQRCode"] = Bind(partner, &Partner::CreateCode);
    handlers_["v2_deleteDynamicQRCode"] = Bind(partner, &Partner::DeleteCode);
    handlers_["v2_getQRPaymentDetails"] = Bind(partner, &Partner::GetCodePayment);
    handlers_["v2_getPaymentDetail"] = Bind(partner, &Partner::GetPayment);
    handlers_["v2_cancelPayment"] = Bind(partner, &Partner::CancelPayment);
    handlers_["v2_createRefundPayment"] = Bind(partner, &Partner::RefundPayment);
    handlers_["v2_createRefundPaymentSlash"] = Bind(partner, &Partner::RefundPayment);
    handlers_["v2_getRefundDetails"] = Bind(partner, &Partner::GetRefund);
}

void Apis::AddApp() {
    using App = transport::AppApi;
    const app::Rate user_rate{options_.limits.user_per_second, options_.limits.user_burst};
    const auto& app_api = context_.Own(
        std::make_unique<App>(loops_.app_users, loops_.limiters, user_rate, payments_));
    handlers_["app_signIn"] = Bind(app_api, &App::SignIn);
    handlers_["app_getWallet"] = Bind(app_api, &App::GetWallet);
    handlers_["app_topUp"] = Bind(app_api, &App::TopUp);
    handlers_["app_getCode"] = Bind(app_api, &App::GetCode);
    handlers_["app_payCode"] = Bind(app_api, &App::PayCode);
    handlers_["app_listHistory"] = Bind(app_api, &App::ListHistory);
    handlers_["app_getPayment"] = Bind(app_api, &App::GetPayment);
}

void Apis::AddFiles() {
    // Of their own: a piece of a file must not keep others from the database.
    auto& file_workers = context_.Own(std::make_unique<rpc::WorkerPool>(rpc::WorkerPool::Options{
        .name = "files", .threads = kFileThreads, .queue_max = options_.files.downloads_max}));
    context_.Keep(rpc::Observe(context_.metrics(), file_workers));
    context_.Add({.name = "file_workers", .stop = [&file_workers] { file_workers.Stop(); }});
    using Files = transport::PartnerFilesApi;
    Files::Options file_options;
    file_options.downloads_max = options_.files.downloads_max;
    file_options.downloads_per_merchant_max = options_.files.downloads_per_merchant_max;
    const auto& files = context_.Own(
        std::make_unique<Files>(file_options, loops_.partners, channels_, *upstreams_.signer,
                                file_workers, storage_.file_links, clock_));
    context_.Keep(context_.metrics().AddCallbackGauge(
        {.name = "kessai_gateway_downloads", .help = "Files that are being sent"},
        [&files] { return static_cast<double>(files.downloads()); }));
    handlers_["v2_listFiles"] = Bind(files, &Files::List);
    handlers_["v2_getFile"] = Bind(files, &Files::Get);
    handlers_["v2_getFileContent"] = Bind(files, &Files::Content);

    using OperatorFiles = transport::OperatorFileApi;
    const auto& operator_files =
        context_.Own(std::make_unique<OperatorFiles>(channels_, *upstreams_.signer, files, clock_));
    handlers_["operator_listFileTemplates"] = Bind(operator_files, &OperatorFiles::ListTemplates);
    handlers_["operator_putFileTemplate"] = Bind(operator_files, &OperatorFiles::PutTemplate);
    handlers_["operator_getFileTemplate"] = Bind(operator_files, &OperatorFiles::GetTemplate);
    handlers_["operator_listFileAssignments"] =
        Bind(operator_files, &OperatorFiles::ListAssignments);
    handlers_["operator_assignFileTemplate"] = Bind(operator_files, &OperatorFiles::Assign);
    handlers_["operator_previewFile"] = Bind(operator_files, &OperatorFiles::Preview);
    handlers_["operator_makeFiles"] = Bind(operator_files, &OperatorFiles::Make);
    handlers_["operator_listFileRuns"] = Bind(operator_files, &OperatorFiles::ListRuns);
    handlers_["operator_getFileRun"] = Bind(operator_files, &OperatorFiles::GetRun);
    handlers_["operator_cancelFileRun"] = Bind(operator_files, &OperatorFiles::CancelRun);
    handlers_["operator_listFiles"] = Bind(operator_files, &OperatorFiles::List);
    handlers_["operator_getFile"] = Bind(operator_files, &OperatorFiles::Get);
    handlers_["operator_getFileContent"] = Bind(operator_files, &OperatorFiles::GetContent);
    handlers_["operator_announceFile"] = Bind(operator_files, &OperatorFiles::Announce);
}

void Apis::AddOperator() {
    using Operator = transport::OperatorApi;
    transport::OperatorApi::Options operator_options;
    operator_options.allow_private_webhooks = options_.webhooks.allow_private_addresses;
    const auto& operators = context_.Own(std::make_unique<Operator>(
        operator_options,
        Operator::Services{
            storage_.credentials, storage_.webhooks, storage_.ids, workers_, payments_, clock_,
            [&loops = loops_](const std::string& api_key) {
                loops.credentials.ForEach([&](net::Loop& loop, app::CredentialCache& cache) {
                    loop.Post([&cache, api_key] { cache.Forget(api_key); });
                });
            },
            [&webhooks = webhooks_] {
                webhooks.follow.Kick();
                webhooks.deliver.Wake();
            }}));
    handlers_["operator_putMerchant"] = Bind(operators, &Operator::PutMerchant);
    handlers_["operator_getMerchant"] = Bind(operators, &Operator::GetMerchant);
    handlers_["operator_issueCredential"] = Bind(operators, &Operator::IssueCredential);
    handlers_["operator_listCredentials"] = Bind(operators, &Operator::ListCredentials);
    handlers_["operator_revokeCredential"] = Bind(operators, &Operator::RevokeCredential);
    handlers_["operator_putWebhookEndpoint"] = Bind(operators, &Operator::PutWebhookEndpoint);
    handlers_["operator_listWebhookEndpoints"] = Bind(operators, &Operator::ListWebhookEndpoints);
    handlers_["operator_deleteWebhookEndpoint"] = Bind(operators, &Operator::DeleteWebhookEndpoint);
    handlers_["operator_testWebhookEndpoint"] = Bind(operators, &Operator::TestWebhookEndpoint);
    handlers_["operator_listWebhookDeliveries"] = Bind(operators, &Operator::ListWebhookDeliveries);
    handlers_["operator_getWebhookAttempts"] = Bind(operators, &Operator::GetWebhookAttempts);
    handlers_["operator_redeliver"] = Bind(operators, &Operator::Redeliver);
    handlers_["operator_getDay"] = Bind(operators, &Operator::GetDay);
    handlers_["operator_closeDay"] = Bind(operators, &Operator::CloseDay);
    handlers_["operator_republishEvents"] = Bind(operators, &Operator::RepublishEvents);
}

void Apis::AddLedger() {
    using Ledger = transport::OperatorLedgerApi;
    const auto& ledger = context_.Own(
        std::make_unique<Ledger>(channels_, channels_, *upstreams_.signer, workers_, clock_));
    handlers_["operator_putFeePlan"] = Bind(ledger, &Ledger::PutFeePlan);
    handlers_["operator_listSharedFeePlans"] = Bind(ledger, &Ledger::ListSharedFeePlans);
    handlers_["operator_listDefaultFeePlan"] = Bind(ledger, &Ledger::ListDefaultFeePlan);
    handlers_["operator_previewFeePlan"] = Bind(ledger, &Ledger::PreviewFeePlan);
    handlers_["operator_assignFeePlan"] = Bind(ledger, &Ledger::AssignFeePlan);
    handlers_["operator_listFeePlans"] = Bind(ledger, &Ledger::ListFeePlans);
    handlers_["operator_getMerchantBalance"] = Bind(ledger, &Ledger::GetMerchantBalance);
    handlers_["operator_getMerchantDay"] = Bind(ledger, &Ledger::GetMerchantDay);
    handlers_["operator_getAccrual"] = Bind(ledger, &Ledger::GetAccrual);
    handlers_["operator_releaseDay"] = Bind(ledger, &Ledger::ReleaseDay);
    handlers_["operator_getRelease"] = Bind(ledger, &Ledger::GetRelease);
    handlers_["operator_getReleaseProgress"] = Bind(ledger, &Ledger::GetReleaseProgress);
    handlers_["operator_listHeldBack"] = Bind(ledger, &Ledger::ListHeldBack);
    handlers_["operator_getMatch"] = Bind(ledger, &Ledger::GetMatch);
    handlers_["operator_listDiscrepancies"] = Bind(ledger, &Ledger::ListDiscrepancies);
    handlers_["operator_getDiscrepancy"] = Bind(ledger, &Ledger::GetDiscrepancy);
    handlers_["operator_changeDiscrepancy"] = Bind(ledger, &Ledger::ChangeDiscrepancy);
    handlers_["operator_reconcileDay"] = Bind(ledger, &Ledger::ReconcileDay);
    handlers_["operator_getReconciliation"] = Bind(ledger, &Ledger::GetReconciliation);
}

void Apis::AddRepairs() {
    using Repairs = transport::OperatorRepairApi;
    const auto& repairs =
        context_.Own(std::make_unique<Repairs>(channels_, *upstreams_.signer, clock_));
    handlers_["operator_assignDiscrepancy"] = Bind(repairs, &Repairs::AssignDiscrepancy);
    handlers_["operator_previewRepair"] = Bind(repairs, &Repairs::PreviewRepair);
    handlers_["operator_requestRepair"] = Bind(repairs, &Repairs::RequestRepair);
    handlers_["operator_decideRepair"] = Bind(repairs, &Repairs::DecideRepair);
    handlers_["operator_listRepairs"] = Bind(repairs, &Repairs::ListRepairs);
}

void Apis::AddOutside() {
    using Outside = transport::OperatorOutsideApi;
    const auto& outside = context_.Own(std::make_unique<Outside>(
        channels_, *upstreams_.signer, clock_, options_.limits.result_bytes_max));
    handlers_["operator_putStatementTemplate"] = Bind(outside, &Outside::PutTemplate);
    handlers_["operator_getStatementTemplate"] = Bind(outside, &Outside::GetTemplate);
    handlers_["operator_putOutsideRules"] = Bind(outside, &Outside::PutRules);
    handlers_["operator_getOutsideRules"] = Bind(outside, &Outside::GetRules);
    handlers_["operator_runOutside"] = Bind(outside, &Outside::Run);
    handlers_["operator_listUnmatchedOutside"] = Bind(outside, &Outside::ListUnmatched);
    handlers_["operator_getOutsideSummary"] = Bind(outside, &Outside::GetSummary);
    handlers_["operator_importStatement"] = Bind(outside, &Outside::Import);
    handlers_["operator_listStatementImports"] = Bind(outside, &Outside::ListImports);
    handlers_["operator_getStatementImport"] = Bind(outside, &Outside::GetImport);
    handlers_["operator_listOutsideMatches"] = Bind(outside, &Outside::ListMatches);
    handlers_["operator_getOutsideMatch"] = Bind(outside, &Outside::GetMatch);
    handlers_["operator_matchOutsideItems"] = Bind(outside, &Outside::MatchItems);
    handlers_["operator_decideOutsideMatch"] = Bind(outside, &Outside::Decide);
}

void Apis::AddTransfers() {
    using Transfers = transport::OperatorTransferApi;
    const auto& transfers = context_.Own(std::make_unique<Transfers>(
        channels_, *upstreams_.signer, workers_, clock_, options_.limits.result_bytes_max));
    handlers_["operator_putBankAccount"] = Bind(transfers, &Transfers::PutBankAccount);
    handlers_["operator_listBankAccounts"] = Bind(transfers, &Transfers::ListBankAccounts);
    handlers_["operator_confirmBankAccount"] = Bind(transfers, &Transfers::ConfirmBankAccount);
    handlers_["operator_verifyBankAccount"] = Bind(transfers, &Transfers::VerifyBankAccount);
    handlers_["operator_putPayoutTerms"] = Bind(transfers, &Transfers::PutPayoutTerms);
    handlers_["operator_getPayoutTerms"] = Bind(transfers, &Transfers::GetPayoutTerms);
    handlers_["operator_putPayoutHold"] = Bind(transfers, &Transfers::PutPayoutHold);
    handlers_["operator_listPayoutHolds"] = Bind(transfers, &Transfers::ListPayoutHolds);
    handlers_["operator_liftPayoutHold"] = Bind(transfers, &Transfers::LiftPayoutHold);
    handlers_["operator_createTransfers"] = Bind(transfers, &Transfers::CreateTransfers);
    handlers_["operator_gatherTransfers"] = Bind(transfers, &Transfers::GatherTransfers);
    handlers_["operator_getTransferFile"] = Bind(transfers, &Transfers::GetTransferFile);
    handlers_["operator_importResults"] = Bind(transfers, &Transfers::ImportResults);
    handlers_["operator_requestPayout"] = Bind(transfers, &Transfers::RequestPayout);
    handlers_["operator_listPayouts"] = Bind(transfers, &Transfers::ListPayouts);
    handlers_["operator_getPayout"] = Bind(transfers, &Transfers::GetPayout);
    handlers_["operator_reissuePayout"] = Bind(transfers, &Transfers::ReissuePayout);
    handlers_["operator_cancelTransfer"] = Bind(transfers, &Transfers::CancelTransfer);
    handlers_["operator_traceTransfer"] = Bind(transfers, &Transfers::TraceTransfer);
    handlers_["operator_listDayAccruals"] = Bind(transfers, &Transfers::ListDayAccruals);
    handlers_["operator_tracePayment"] = Bind(transfers, &Transfers::TracePayment);
    handlers_["operator_republishPayoutEvents"] = Bind(transfers, &Transfers::RepublishEvents);
    handlers_["operator_requestAdjustment"] = Bind(transfers, &Transfers::RequestAdjustment);
    handlers_["operator_decideAdjustment"] = Bind(transfers, &Transfers::DecideAdjustment);
    handlers_["operator_listAdjustments"] = Bind(transfers, &Transfers::ListAdjustments);
    handlers_["operator_getTrialBalance"] = Bind(transfers, &Transfers::GetTrialBalance);
    handlers_["operator_getFeeReport"] = Bind(transfers, &Transfers::GetFeeReport);
    handlers_["operator_listJournal"] = Bind(transfers, &Transfers::ListJournal);
}

void Apis::AddBooks() {
    using Books = transport::OperatorBooksApi;
    const auto& books = context_.Own(std::make_unique<Books>(
        channels_, *upstreams_.services.at("payout"), *upstreams_.signer, workers_, clock_));
    handlers_["operator_getPaymentTrialBalance"] = Bind(books, &Books::GetPaymentTrialBalance);
    handlers_["operator_listPaymentJournal"] = Bind(books, &Books::ListPaymentJournal);
    handlers_["operator_getDayBooks"] = Bind(books, &Books::GetDayBooks);
}

void Apis::AddStatements() {
    using Statements = transport::OperatorStatementApi;
    const auto& statements =
        context_.Own(std::make_unique<Statements>(channels_, *upstreams_.signer, workers_, clock_));
    handlers_["operator_putMerchantProfile"] = Bind(statements, &Statements::PutMerchantProfile);
    handlers_["operator_getMerchantProfile"] = Bind(statements, &Statements::GetMerchantProfile);
    handlers_["operator_getStatement"] = Bind(statements, &Statements::GetStatement);
    handlers_["operator_issueStatement"] = Bind(statements, &Statements::IssueStatement);
    handlers_["operator_issueStatements"] = Bind(statements, &Statements::IssueStatements);
    handlers_["operator_correctStatement"] = Bind(statements, &Statements::CorrectStatement);
}

void Apis::AddDeadLetters() {
    using DeadLetters = transport::DeadLetterApi;
    const auto& letters = context_.Own(std::make_unique<DeadLetters>(DeadLetters::Services{
        upstreams_.services, dead_letters_, *upstreams_.signer, workers_, clock_}));
    handlers_["operator_listDeadLetters"] = Bind(letters, &DeadLetters::List);
    handlers_["operator_getDeadLetter"] = Bind(letters, &DeadLetters::Get);
    handlers_["operator_replayDeadLetter"] = Bind(letters, &DeadLetters::Replay);
    handlers_["operator_discardDeadLetter"] = Bind(letters, &DeadLetters::Discard);
}

void Apis::AddPages() {
    using Pages = transport::PublicPages;
    const auto& pages = context_.Own(std::make_unique<Pages>(options_.partner));
    handlers_["public_qr"] = Bind(pages, &Pages::Qr);
    handlers_["public_openapi"] = Bind(pages, &Pages::OpenApi);
    handlers_["public_docs"] = Bind(pages, &Pages::Docs);
}

}  // namespace

void BuildApis(const Options& options, runtime::Context& context, const Storage& storage,
               rpc::WorkerPool& workers, const Upstreams& upstreams, const LoopServices& loops,
               Webhooks& webhooks, const inbox::DeadLetterDesk& dead_letters,
               transport::ApiHandlers& handlers) {
    Apis apis(options, context, storage, workers, upstreams, loops, webhooks, dead_letters,
              handlers);
    apis.AddPartner();
    apis.AddApp();
    apis.AddFiles();
    apis.AddOperator();
    apis.AddLedger();
    apis.AddRepairs();
    apis.AddOutside();
    apis.AddTransfers();
    apis.AddBooks();
    apis.AddStatements();
    apis.AddDeadLetters();
    apis.AddPages();
}

}  // namespace kessai::gateway::wiring
