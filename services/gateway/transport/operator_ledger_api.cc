#include "transport/operator_ledger_api.h"

#include <utility>
#include <vector>

#include "app/blocking.h"
#include "domain/text_rules.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/reconciliation/v1/reconciliation_service.pb.h"
#include "kessai/time/business_date.h"
#include "transport/fee_plan_json.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"
#include "transport/proto_json.h"

namespace kessai::gateway::transport {

namespace {

namespace po = payout::v1;
namespace re = reconciliation::v1;

constexpr rpc::Name kPayout = "kessai.payout.v1.PayoutService";
constexpr rpc::Name kReconciliation = "kessai.reconciliation.v1.ReconciliationService";
constexpr auto& PutFeePlanMethod = rpc::MethodOf<kPayout, "PutFeePlan", po::FeePlan, po::FeePlan>;
constexpr auto& AssignFeePlanMethod =
    rpc::MethodOf<kPayout, "AssignFeePlan", po::AssignFeePlanRequest, po::AssignFeePlanResponse>;
constexpr auto& PreviewFeePlanMethod =
    rpc::MethodOf<kPayout, "PreviewFeePlan", po::PreviewFeePlanRequest, po::FeePlanPreview>;
constexpr auto& ListFeePlansMethod =
    rpc::MethodOf<kPayout, "ListFeePlans", po::ListFeePlansRequest, po::ListFeePlansResponse>;
constexpr auto& GetMerchantBalanceMethod =
    rpc::MethodOf<kPayout, "GetMerchantBalance", po::GetMerchantBalanceRequest,
                  po::MerchantBalance>;
constexpr auto& GetMerchantDayMethod =
    rpc::MethodOf<kPayout, "GetMerchantDay", po::GetMerchantDayRequest, po::MerchantDay>;
constexpr auto& GetAccrualMethod =
    rpc::MethodOf<kPayout, "GetAccrual", po::GetAccrualRequest, po::Accrual>;
constexpr auto& ReleaseDayMethod =
    rpc::MethodOf<kPayout, "ReleaseDay", po::ReleaseDayRequest, po::DayRelease>;
constexpr auto& GetDayMethod = rpc::MethodOf<kPayout, "GetDay", po::GetDayRequest, po::PayoutDay>;
constexpr auto& GetReleaseProgressMethod =
    rpc::MethodOf<kPayout, "GetReleaseProgress", po::GetReleaseProgressRequest,
                  po::ReleaseProgress>;
constexpr auto& ListHeldBackMethod =
    rpc::MethodOf<kPayout, "ListHeldBack", po::ListHeldBackRequest, po::HeldBackMerchant>;
constexpr auto& GetMatchMethod =
    rpc::MethodOf<kReconciliation, "GetMatch", re::GetMatchRequest, re::Match>;
constexpr auto& ListDiscrepanciesMethod =
    rpc::MethodOf<kReconciliation, "ListDiscrepancies", re::ListDiscrepanciesRequest,
                  re::ListDiscrepanciesResponse>;
constexpr auto& GetDiscrepancyMethod =
    rpc::MethodOf<kReconciliation, "GetDiscrepancy", re::GetDiscrepancyRequest, re::Discrepancy>;
constexpr auto& ChangeDiscrepancyMethod =
    rpc::MethodOf<kReconciliation, "ChangeDiscrepancy", re::ChangeDiscrepancyRequest,
                  re::Discrepancy>;
constexpr auto& RunDayMethod =
    rpc::MethodOf<kReconciliation, "RunDay", re::RunDayRequest, re::DayRun>;
constexpr auto& GetDayRunMethod =
    rpc::MethodOf<kReconciliation, "GetDayRun", re::GetDayRunRequest, re::DayRun>;

constexpr std::size_t kHeldBackMax = 1'000;
constexpr std::uint32_t kDiscrepanciesPageMax = 1'000;
constexpr std::uint32_t kPlansPageMax = 100;

/// How a day is to be released or compared; without a body neither.
struct Wish {
    bool deep = false;
    bool dry_run = false;
};
Result<Wish> WishOf(const http::Request& request, bool may_be_dry) {
    Wish wish;
    if (request.body.empty()) return wish;
    KESSAI_ASSIGN_OR_RETURN(const auto object, ParseJsonObject(request.body));
    JsonFields fields(object);
    if (may_be_dry) {
        fields.OnlyThese({"deep", "dryRun"});
    } else {
        fields.OnlyThese({"deep"});
    }
    wish.deep = fields.OptionalBool("deep", false);
    wish.dry_run = fields.OptionalBool("dryRun", false);
    KESSAI_RETURN_IF_ERROR(fields.status());
    return wish;
}

/// The change of a payment that the path names.
struct Change {
    std::int64_t payment_id;
    std::uint32_t version;
};
Result<Change> ChangeOf(const http::Request& request, std::string_view reason) {
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t id, PathId(request, "paymentId", reason));
    const auto version = domain::ParseId(request.Parameter("version"));
    if (!version || *version > UINT32_MAX)
        return Status(Code::kNotFound, reason, "no such version");
    return Change{id, static_cast<std::uint32_t>(*version)};
}

}  // namespace

std::vector<std::string> RepeatableOperatorMethods() {
    std::vector<std::string> methods;
    const auto add = [&](std::string_view service, std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names) {
            methods.push_back("/" + std::string(service) + "/" + std::string(name));
        }
    };
    // Not PutFeePlan, AssignFeePlan, PreviewFeePlan, GetFeeReport, ImportResults, RunDay,
    // ImportStatement, RunMatching, ReplayDeadLetter, DiscardDeadLetter: a second one is refused,
    // or runs again.
    add(kPayout.view(), {"ListFeePlans", "GetMerchantBalance", "GetMerchantDay", "GetAccrual",
                         "ReleaseDay", "GetDay", "GetReleaseProgress", "ListHeldBack"});
    add("kessai.payment.v1.BookService", {"GetTrialBalance", "ListJournal"});
    add("kessai.payout.v1.TransferService",
        {"PutBankAccount",  "VerifyBankAccount", "ConfirmBankAccount", "ListBankAccounts",
         "PutPayoutTerms",  "GetPayoutTerms",    "PutPayoutHold",      "LiftPayoutHold",
         "ListPayoutHolds", "CreateTransfers",   "RequestPayout",      "ReissuePayout",
         "CancelTransfer",  "GetPayout",         "ListPayouts",        "TraceTransfer",
         "ListDayAccruals", "TracePayment",      "GatherTransfers",    "GetTransferFile",
         "ListAdjustments", "RequestAdjustment", "DecideAdjustment",   "GetTrialBalance",
         "ListJournal",     "RepublishEvents"});
    add("kessai.payout.v1.StatementService",
        {"PutMerchantProfile", "GetMerchantProfile", "GetStatement", "GetStatementFile",
         "IssueStatement", "IssueStatements", "CorrectStatement"});
    add(kReconciliation.view(),
        {"GetMatch", "ListDiscrepancies", "GetDiscrepancy", "ChangeDiscrepancy", "GetDayRun"});
    add("kessai.reconciliation.v1.StatementService",
        {"PutTemplate", "GetTemplate", "PutRules", "GetRules", "GetImport", "ListImports",
         "ListOutsideMatches", "GetOutsideMatch", "DecideOutsideMatch", "MatchItems",
         "ListUnmatched", "GetOutsideSummary"});
    add("kessai.reconciliation.v1.RepairService",
        {"AssignDiscrepancy", "PreviewRepair", "RequestRepair", "DecideRepair", "ListRepairs"});
    // Not MakeFiles and AnnounceFile: a second one may make, or tell, once more.
    add("kessai.reconciliation.v1.FileService",
        {"PutFileTemplate", "ListFileTemplates", "GetFileTemplate", "PreviewFileTemplate",
         "AssignFileTemplate", "ListFileAssignments", "CancelFileRun", "GetFileRun", "ListFileRuns",
         "ListFiles", "GetFile", "GetFileContent"});
    add("kessai.inbox.v1.DeadLetterService", {"ListDeadLetters", "GetDeadLetter"});
    return methods;
}

OperatorLedgerApi::OperatorLedgerApi(ChannelOf payout, ChannelOf reconciliation,
                                     auth::TokenSigner& signer, rpc::WorkerPool& workers,
                                     const Clock& clock)
    : payout_(std::move(payout)),
      reconciliation_(std::move(reconciliation)),
      signer_(signer),
      workers_(workers),
      clock_(clock) {}

template <class Request, class Response>
net::Task<http::Response> OperatorLedgerApi::Forward(const RequestScope& scope,
                                                     const rpc::Channel& channel,
                                                     std::string_view audience,
                                                     const rpc::Method<Request, Response>& method,
                                                     Request request) const {
    return ForwardOperator(scope, signer_, clock_, channel, audience, method, std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::PutFeePlan(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    po::FeePlan plan = ReadFeePlan(fields);
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(plan.merchant_id());
    http::Response answer = co_await Forward(scope, payout_(scope.request), "payout",
                                             PutFeePlanMethod(), std::move(plan));
    co_return NoteOperator(scope, "fee_plan.put", object, std::move(answer));
}

net::Task<http::Response> OperatorLedgerApi::AssignFeePlan(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"planId", "merchantIds", "effectiveFrom", "effectiveTo"});
    po::AssignFeePlanRequest request;
    // Without a plan: under no shared one any more.
    if (fields.Has("planId")) request.set_plan_id(fields.Id("planId"));
    for (const std::int64_t merchant : ReadMerchantIds(fields, "merchantIds")) {
        request.add_merchant_ids(merchant);
    }
    request.set_effective_from(ReadDate(fields, "effectiveFrom"));
    request.set_effective_to(ReadDate(fields, "effectiveTo"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(request.plan_id());
    http::Response answer = co_await Forward(scope, payout_(scope.request), "payout",
                                             AssignFeePlanMethod(), std::move(request));
    co_return NoteOperator(scope, "fee_plan.assign", object, std::move(answer));
}

net::Task<http::Response> OperatorLedgerApi::PreviewFeePlan(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    po::PreviewFeePlanRequest request;
    *request.mutable_plan() = ReadFeePlan(fields, {"fromDate", "toDate", "merchantIds"});
    request.set_from_date(ReadDate(fields, "fromDate"));
    request.set_to_date(ReadDate(fields, "toDate"));
    for (const std::int64_t merchant : ReadMerchantIds(fields, "merchantIds")) {
        request.add_merchant_ids(merchant);
    }
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    co_return co_await Forward(scope, payout_(scope.request), "payout", PreviewFeePlanMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ListPlansOf(const RequestScope& scope,
                                                         std::int64_t merchant_id,
                                                         bool shared) const {
    const auto page = ReadPage(scope.request, kPlansPageMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    po::ListFeePlansRequest request;
    request.set_merchant_id(merchant_id);
    request.set_shared(shared);
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    co_return co_await Forward(scope, payout_(scope.request), "payout", ListFeePlansMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ListSharedFeePlans(const RequestScope& scope) const {
    co_return co_await ListPlansOf(scope, 0, /*shared=*/true);
}

net::Task<http::Response> OperatorLedgerApi::ListDefaultFeePlan(const RequestScope& scope) const {
    co_return co_await ListPlansOf(scope, 0, /*shared=*/false);
}

net::Task<http::Response> OperatorLedgerApi::ListFeePlans(const RequestScope& scope) const {
    auto merchant = PathId(scope.request, "merchantId", "MERCHANT_UNKNOWN");
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    co_return co_await ListPlansOf(scope, *merchant, /*shared=*/false);
}

net::Task<http::Response> OperatorLedgerApi::GetMerchantBalance(const RequestScope& scope) const {
    auto merchant = PathId(scope.request, "merchantId", "MERCHANT_UNKNOWN");
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    po::GetMerchantBalanceRequest request;
    request.set_merchant_id(*merchant);
    co_return co_await Forward(scope, payout_(scope.request), "payout", GetMerchantBalanceMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::GetMerchantDay(const RequestScope& scope) const {
    auto merchant = PathId(scope.request, "merchantId", "MERCHANT_UNKNOWN");
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GetMerchantDayRequest request;
    request.set_merchant_id(*merchant);
    request.set_business_date(*date);
    co_return co_await Forward(scope, payout_(scope.request), "payout", GetMerchantDayMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::GetAccrual(const RequestScope& scope) const {
    auto change = ChangeOf(scope.request, "ACCRUAL_UNKNOWN");
    if (!change.ok()) co_return RefuseOperator(scope, change.status());
    po::GetAccrualRequest request;
    request.set_payment_id(change->payment_id);
    request.set_version(change->version);
    co_return co_await Forward(scope, payout_(scope.request), "payout", GetAccrualMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ReleaseDay(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    auto wish = WishOf(scope.request, /*may_be_dry=*/true);
    if (!wish.ok()) co_return RefuseOperator(scope, wish.status());
    po::ReleaseDayRequest request;
    request.set_business_date(*date);
    request.set_deep(wish->deep);
    request.set_dry_run(wish->dry_run);
    http::Response answer = co_await Forward(scope, payout_(scope.request), "payout",
                                             ReleaseDayMethod(), std::move(request));
    if (wish->dry_run) co_return answer;
    co_return NoteOperator(scope, "day.release", scope.request.Parameter("date"),
                           std::move(answer));
}

net::Task<http::Response> OperatorLedgerApi::GetRelease(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GetDayRequest request;
    request.set_business_date(*date);
    co_return co_await Forward(scope, payout_(scope.request), "payout", GetDayMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::GetReleaseProgress(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GetReleaseProgressRequest request;
    request.set_business_date(*date);
    co_return co_await Forward(scope, payout_(scope.request), "payout", GetReleaseProgressMethod(),
                               std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ListHeldBack(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    auto token = signer_.Mint(*scope.caller, "payout");
    if (!token.ok()) co_return RefuseOperator(scope, token.status());
    const rpc::CallOptions options = OptionsOfOperator(scope, clock_, *token);
    po::ListHeldBackRequest request;
    request.set_business_date(*date);
    std::vector<po::HeldBackMerchant> held;
    bool more = false;
    const rpc::Channel& channel = payout_(scope.request);
    const Status listed = co_await app::RunBlocking(workers_, *scope.request.loop, [&]() -> Status {
        const Status status = rpc::CallStreaming(
            channel, ListHeldBackMethod(), request, options,
            [&](const po::HeldBackMerchant& merchant) -> Status {
                more = held.size() == kHeldBackMax;
                if (more) return Status(Code::kCancelled, "ENOUGH", "the page is full");
                held.push_back(merchant);
                return OkStatus();
            });
        return more ? OkStatus() : status;
    });
    if (!listed.ok()) co_return RefuseOperator(scope, listed);
    http::Response response;
    response.subject = scope.caller->subject;
    response.body = "{\"merchants\":[";
    for (const po::HeldBackMerchant& merchant : held) {
        if (&merchant != &held.front()) response.body += ',';
        response.body += ProtoToJson(merchant);
    }
    response.body += more ? "],\"more\":true}" : "],\"more\":false}";
    co_return response;
}

net::Task<http::Response> OperatorLedgerApi::GetMatch(const RequestScope& scope) const {
    auto change = ChangeOf(scope.request, "MATCH_UNKNOWN");
    if (!change.ok()) co_return RefuseOperator(scope, change.status());
    re::GetMatchRequest request;
    request.set_payment_id(change->payment_id);
    request.set_version(change->version);
    co_return co_await Forward(scope, reconciliation_(scope.request), "reconciliation",
                               GetMatchMethod(), std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ListDiscrepancies(const RequestScope& scope) const {
    const http::Request& http_request = scope.request;
    re::ListDiscrepanciesRequest request;
    if (const std::string state = http_request.QueryValue("state"); !state.empty()) {
        re::Discrepancy::State parsed;
        if (!re::Discrepancy::State_Parse(state, &parsed)) {
            co_return RefuseOperator(scope, FieldMalformed("there is no such state"));
        }
        request.set_state(parsed);
    }
    if (const std::string text = http_request.QueryValue("businessDate"); !text.empty()) {
        const auto date = BusinessDate::Parse(text);
        if (!date.ok())
            co_return RefuseOperator(scope, FieldMalformed("businessDate is not like 2026-11-22"));
        request.set_business_date(date->ToNumber());
    }
    const auto page = ReadPage(http_request, kDiscrepanciesPageMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    co_return co_await Forward(scope, reconciliation_(scope.request), "reconciliation",
                               ListDiscrepanciesMethod(), std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::GetDiscrepancy(const RequestScope& scope) const {
    auto id = PathId(scope.request, "discrepancyId", "DISCREPANCY_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    re::GetDiscrepancyRequest request;
    request.set_discrepancy_id(*id);
    co_return co_await Forward(scope, reconciliation_(scope.request), "reconciliation",
                               GetDiscrepancyMethod(), std::move(request));
}

net::Task<http::Response> OperatorLedgerApi::ChangeDiscrepancy(const RequestScope& scope) const {
    auto id = PathId(scope.request, "discrepancyId", "DISCREPANCY_UNKNOWN");
    if (!id.ok()) co_return RefuseOperator(scope, id.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"state", "note"});
    re::ChangeDiscrepancyRequest request;
    request.set_discrepancy_id(*id);
    const std::string state = fields.Text("state", 32);
    re::Discrepancy::State to = re::Discrepancy::STATE_UNSPECIFIED;
    if (fields.ok() && !re::Discrepancy::State_Parse(state, &to)) {
        fields.Malformed("state", "is unknown");
    }
    request.set_state(to);
    request.set_note(fields.Text("note", 1'000));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(*id);
    http::Response answer =
        co_await Forward(scope, reconciliation_(scope.request), "reconciliation",
                         ChangeDiscrepancyMethod(), std::move(request));
    co_return NoteOperator(scope, "discrepancy.change", object, std::move(answer));
}

net::Task<http::Response> OperatorLedgerApi::ReconcileDay(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    auto wish = WishOf(scope.request, /*may_be_dry=*/false);
    if (!wish.ok()) co_return RefuseOperator(scope, wish.status());
    re::RunDayRequest request;
    request.set_business_date(*date);
    request.set_deep(wish->deep);
    http::Response answer = co_await Forward(scope, reconciliation_(scope.request),
                                             "reconciliation", RunDayMethod(), std::move(request));
    co_return NoteOperator(scope, "day.reconcile", scope.request.Parameter("date"),
                           std::move(answer));
}

net::Task<http::Response> OperatorLedgerApi::GetReconciliation(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    re::GetDayRunRequest request;
    request.set_business_date(*date);
    co_return co_await Forward(scope, reconciliation_(scope.request), "reconciliation",
                               GetDayRunMethod(), std::move(request));
}

}  // namespace kessai::gateway::transport
