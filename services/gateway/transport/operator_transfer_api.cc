#include "transport/operator_transfer_api.h"

#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "domain/opa_signature.h"
#include "domain/text_rules.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "transport/change_names.h"
#include "transport/json_fields.h"
#include "transport/operator_answers.h"
#include "transport/operator_api.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"
#include "transport/piece_stream.h"

namespace kessai::gateway::transport {

namespace {

namespace po = payout::v1;

constexpr rpc::Name kTransfers = "kessai.payout.v1.TransferService";
template <rpc::Name method, class Request, class Response>
constexpr auto& Of = rpc::MethodOf<kTransfers, method, Request, Response>;
constexpr auto& PutBankAccountMethod =
    Of<"PutBankAccount", po::PutBankAccountRequest, po::BankAccount>;
constexpr auto& VerifyBankAccountMethod =
    Of<"VerifyBankAccount", po::VerifyBankAccountRequest, po::BankAccount>;
constexpr auto& ConfirmBankAccountMethod =
    Of<"ConfirmBankAccount", po::ConfirmBankAccountRequest, po::BankAccount>;
constexpr auto& ListBankAccountsMethod =
    Of<"ListBankAccounts", po::ListBankAccountsRequest, po::ListBankAccountsResponse>;
constexpr auto& PutPayoutTermsMethod = Of<"PutPayoutTerms", po::PayoutTerms, po::PayoutTerms>;
constexpr auto& GetPayoutTermsMethod =
    Of<"GetPayoutTerms", po::GetPayoutTermsRequest, po::PayoutTerms>;
constexpr auto& PutPayoutHoldMethod = Of<"PutPayoutHold", po::PutPayoutHoldRequest, po::PayoutHold>;
constexpr auto& LiftPayoutHoldMethod =
    Of<"LiftPayoutHold", po::LiftPayoutHoldRequest, po::PayoutHold>;
constexpr auto& ListPayoutHoldsMethod =
    Of<"ListPayoutHolds", po::ListPayoutHoldsRequest, po::ListPayoutHoldsResponse>;
constexpr auto& CreateTransfersMethod =
    Of<"CreateTransfers", po::CreateTransfersRequest, po::TransferRun>;
constexpr auto& RequestPayoutMethod = Of<"RequestPayout", po::RequestPayoutRequest, po::Payout>;
constexpr auto& ReissuePayoutMethod = Of<"ReissuePayout", po::ReissuePayoutRequest, po::Payout>;
constexpr auto& CancelTransferMethod = Of<"CancelTransfer", po::CancelTransferRequest, po::Payout>;
constexpr auto& GetPayoutMethod = Of<"GetPayout", po::GetPayoutRequest, po::Payout>;
constexpr auto& ListPayoutsMethod =
    Of<"ListPayouts", po::ListPayoutsRequest, po::ListPayoutsResponse>;
constexpr auto& TraceTransferMethod =
    Of<"TraceTransfer", po::TraceTransferRequest, po::TransferTrace>;
constexpr auto& ListDayAccrualsMethod =
    Of<"ListDayAccruals", po::ListDayAccrualsRequest, po::ListDayAccrualsResponse>;
constexpr auto& TracePaymentMethod = Of<"TracePayment", po::TracePaymentRequest, po::PaymentTrace>;
constexpr auto& GatherTransfersMethod =
    Of<"GatherTransfers", po::GatherTransfersRequest, po::ListTransferBatchesResponse>;
constexpr auto& GetTransferFileMethod =
    Of<"GetTransferFile", po::GetTransferFileRequest, po::FilePiece>;
constexpr auto& ImportResultsMethod =
    Of<"ImportResults", po::ImportResultsRequest, po::ImportedResults>;
constexpr auto& RequestAdjustmentMethod =
    Of<"RequestAdjustment", po::RequestAdjustmentRequest, po::Adjustment>;
constexpr auto& DecideAdjustmentMethod =
    Of<"DecideAdjustment", po::DecideAdjustmentRequest, po::Adjustment>;
constexpr auto& ListAdjustmentsMethod =
    Of<"ListAdjustments", po::ListAdjustmentsRequest, po::ListAdjustmentsResponse>;
constexpr auto& GetTrialBalanceMethod =
    Of<"GetTrialBalance", po::GetTrialBalanceRequest, po::TrialBalance>;
constexpr auto& GetFeeReportMethod = Of<"GetFeeReport", po::GetFeeReportRequest, po::FeeReport>;
constexpr auto& RepublishEventsMethod =
    Of<"RepublishEvents", po::RepublishEventsRequest, po::RepublishEventsResponse>;
constexpr auto& ListJournalMethod = Of<"ListJournal", po::ListJournalRequest, po::JournalEntry>;

constexpr std::uint32_t kPageMax = 100;
constexpr std::uint32_t kAccrualsMax = 1'000;
constexpr std::size_t kJournalPage = 1'000;
// As many transfers as payout puts into one file, and more.
constexpr std::size_t kFileBytesMax = std::size_t{160} << 20;
constexpr std::size_t kRequestKeyMax = 48;
/// Of banks, branches and accounts: longer than any, payout says what is wrong with it.
constexpr std::size_t kDigitsMax = 16;
constexpr std::int64_t kAmountDigits12 = 999'999'999'999;

Result<std::int64_t> MerchantOf(const http::Request& request) {
    return PathId(request, "merchantId", "MERCHANT_UNKNOWN");
}

/// A file: as text, or in base64 when it is none, as banks' statements are.
std::string ReadContent(JsonFields& fields, std::size_t length_max) {
    constexpr std::string_view kBase64 = "contentBase64";
    if (!fields.Has(kBase64)) return fields.Text("content", length_max);
    auto content = domain::Base64Decode(fields.Text(kBase64, length_max));
    if (fields.Has("content")) fields.Malformed(kBase64, "stands beside content");
    if (!content) fields.Malformed(kBase64, "is not base64");
    return content.value_or("");
}

/// The version of a merchant's account that the path names.
template <class Request>
Result<Request> AccountOf(const http::Request& from) {
    Request request;
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t merchant, MerchantOf(from));
    KESSAI_ASSIGN_OR_RETURN(const std::int64_t version,
                            PathId(from, "version", "BANK_ACCOUNT_UNKNOWN"));
    if (version > std::numeric_limits<std::int32_t>::max()) {
        return Status(Code::kNotFound, "BANK_ACCOUNT_UNKNOWN", "no such version");
    }
    request.set_merchant_id(merchant);
    request.set_version(static_cast<std::int32_t>(version));
    return request;
}

/// A list of all merchants, or of the one that the query names, page by page.
template <class Request>
Status ReadListOfAll(const http::Request& from, Request& request) {
    if (const std::string text = from.QueryValue("merchantId"); !text.empty()) {
        const auto merchant = domain::ParseId(text);
        if (!merchant) return FieldMalformed("merchantId is no id");
        request.set_merchant_id(*merchant);
    }
    KESSAI_ASSIGN_OR_RETURN(const PageQuery page, ReadPage(from, kPageMax));
    request.set_page_size(page.size);
    request.set_page_token(page.token);
    return OkStatus();
}

}  // namespace

OperatorTransferApi::OperatorTransferApi(ChannelOf payout, auth::TokenSigner& signer,
                                         rpc::WorkerPool& workers, const Clock& clock,
                                         std::size_t result_bytes_max)
    : payout_(std::move(payout)),
      signer_(signer),
      workers_(workers),
      clock_(clock),
      result_bytes_max_(result_bytes_max) {}

template <class Request, class Response>
net::Task<http::Response> OperatorTransferApi::Forward(const RequestScope& scope,
                                                       const rpc::Method<Request, Response>& method,
                                                       Request request) const {
    return ForwardOperator(scope, signer_, clock_, payout_(scope.request), "payout", method,
                           std::move(request));
}

net::Task<http::Response> OperatorTransferApi::PutBankAccount(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"bankCode", "branchCode", "accountType", "accountNumber", "accountHolder"});
    po::PutBankAccountRequest request;
    request.set_merchant_id(*merchant);
    request.set_bank_code(fields.Text("bankCode", kDigitsMax));
    request.set_branch_code(fields.Text("branchCode", kDigitsMax));
    request.set_account_type(static_cast<std::int32_t>(fields.Integer("accountType", 1, 4)));
    request.set_account_number(fields.Text("accountNumber", kDigitsMax));
    request.set_account_holder(fields.Text("accountHolder", 60));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, PutBankAccountMethod(), std::move(request));
    co_return NoteOperator(scope, "bank_account.put", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::VerifyBankAccount(const RequestScope& scope) const {
    auto request = AccountOf<po::VerifyBankAccountRequest>(scope.request);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    http::Response answer = co_await Forward(scope, VerifyBankAccountMethod(), std::move(*request));
    co_return NoteOperator(scope, "bank_account.verify", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::ConfirmBankAccount(const RequestScope& scope) const {
    auto request = AccountOf<po::ConfirmBankAccountRequest>(scope.request);
    if (!request.ok()) co_return RefuseOperator(scope, request.status());
    http::Response answer =
        co_await Forward(scope, ConfirmBankAccountMethod(), std::move(*request));
    co_return NoteOperator(scope, "bank_account.confirm", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::ListBankAccounts(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    po::ListBankAccountsRequest request;
    request.set_merchant_id(*merchant);
    co_return co_await Forward(scope, ListBankAccountsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::PutPayoutTerms(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese(
        {"merchantId", "cycle", "weekday", "minimumAmount", "transferFee", "onDemandFee"});
    po::PayoutTerms terms;
    // Without a merchant they are those of all who have none of their own.
    if (fields.Has("merchantId")) terms.set_merchant_id(fields.Id("merchantId"));
    const std::string cycle = fields.Text("cycle", 32);
    po::PayoutTerms::Cycle named = po::PayoutTerms::CYCLE_UNSPECIFIED;
    if (fields.ok() && !po::PayoutTerms::Cycle_Parse(cycle, &named)) {
        fields.Malformed("cycle", "is unknown");
    }
    terms.set_cycle(named);
    terms.set_weekday(
        static_cast<std::int32_t>(fields.OptionalInteger("weekday", 0, 7).value_or(0)));
    terms.set_minimum_amount(
        fields.OptionalInteger("minimumAmount", 1, domain::kAmountMax).value_or(1));
    terms.set_transfer_fee(
        fields.OptionalInteger("transferFee", 0, domain::kAmountMax).value_or(0));
    terms.set_on_demand_fee(
        fields.OptionalInteger("onDemandFee", 0, domain::kAmountMax).value_or(0));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    const std::string object = std::to_string(terms.merchant_id());
    http::Response answer = co_await Forward(scope, PutPayoutTermsMethod(), std::move(terms));
    co_return NoteOperator(scope, "payout_terms.put", object, std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::GetPayoutTerms(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    po::GetPayoutTermsRequest request;
    request.set_merchant_id(*merchant);
    co_return co_await Forward(scope, GetPayoutTermsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::PutPayoutHold(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"note"});
    po::PutPayoutHoldRequest request;
    request.set_merchant_id(*merchant);
    request.set_note(fields.Text("note"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, PutPayoutHoldMethod(), std::move(request));
    co_return NoteOperator(scope, "payout_hold.put", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::LiftPayoutHold(const RequestScope& scope) const {
    auto hold = PathId(scope.request, "holdId", "HOLD_UNKNOWN");
    if (!hold.ok()) co_return RefuseOperator(scope, hold.status());
    po::LiftPayoutHoldRequest request;
    request.set_hold_id(*hold);
    http::Response answer = co_await Forward(scope, LiftPayoutHoldMethod(), std::move(request));
    co_return NoteOperator(scope, "payout_hold.lift", scope.request.Parameter("holdId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::ListPayoutHolds(const RequestScope& scope) const {
    po::ListPayoutHoldsRequest request;
    const Status read = ReadListOfAll(scope.request, request);
    if (!read.ok()) co_return RefuseOperator(scope, read);
    co_return co_await Forward(scope, ListPayoutHoldsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::CreateTransfers(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::CreateTransfersRequest request;
    request.set_due_date(*date);
    http::Response answer = co_await Forward(scope, CreateTransfersMethod(), std::move(request));
    co_return NoteOperator(scope, "transfers.create", scope.request.Parameter("date"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::RequestPayout(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"requestKey"});
    po::RequestPayoutRequest request;
    request.set_merchant_id(*merchant);
    request.set_request_key(fields.Text("requestKey", kRequestKeyMax));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, RequestPayoutMethod(), std::move(request));
    co_return NoteOperator(scope, "payout.request", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::ReissuePayout(const RequestScope& scope) const {
    auto payout = PathId(scope.request, "payoutId", "PAYOUT_UNKNOWN");
    if (!payout.ok()) co_return RefuseOperator(scope, payout.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"attempt"});
    po::ReissuePayoutRequest request;
    request.set_payout_id(*payout);
    request.set_attempt(static_cast<std::int32_t>(fields.Integer("attempt", 2, 1'000)));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, ReissuePayoutMethod(), std::move(request));
    co_return NoteOperator(scope, "payout.reissue", scope.request.Parameter("payoutId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::CancelTransfer(const RequestScope& scope) const {
    auto transfer = PathId(scope.request, "transferId", "TRANSFER_UNKNOWN");
    if (!transfer.ok()) co_return RefuseOperator(scope, transfer.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"reason"});
    po::CancelTransferRequest request;
    request.set_transfer_id(*transfer);
    request.set_reason(fields.Text("reason"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, CancelTransferMethod(), std::move(request));
    co_return NoteOperator(scope, "transfer.cancel", scope.request.Parameter("transferId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::GetPayout(const RequestScope& scope) const {
    auto payout = PathId(scope.request, "payoutId", "PAYOUT_UNKNOWN");
    if (!payout.ok()) co_return RefuseOperator(scope, payout.status());
    po::GetPayoutRequest request;
    request.set_payout_id(*payout);
    co_return co_await Forward(scope, GetPayoutMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::ListPayouts(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    const auto page = ReadPage(scope.request, kPageMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    po::ListPayoutsRequest request;
    request.set_merchant_id(*merchant);
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    co_return co_await Forward(scope, ListPayoutsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::TraceTransfer(const RequestScope& scope) const {
    auto transfer = PathId(scope.request, "transferId", "TRANSFER_UNKNOWN");
    if (!transfer.ok()) co_return RefuseOperator(scope, transfer.status());
    po::TraceTransferRequest request;
    request.set_transfer_id(*transfer);
    co_return co_await Forward(scope, TraceTransferMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::ListDayAccruals(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    const auto page = ReadPage(scope.request, kAccrualsMax);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    po::ListDayAccrualsRequest request;
    request.set_merchant_id(*merchant);
    request.set_business_date(*date);
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    co_return co_await Forward(scope, ListDayAccrualsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::TracePayment(const RequestScope& scope) const {
    auto payment = PathId(scope.request, "paymentId", "ACCRUAL_UNKNOWN");
    if (!payment.ok()) co_return RefuseOperator(scope, payment.status());
    po::TracePaymentRequest request;
    request.set_payment_id(*payment);
    co_return co_await Forward(scope, TracePaymentMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::GatherTransfers(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GatherTransfersRequest request;
    request.set_transfer_date(*date);
    http::Response answer = co_await Forward(scope, GatherTransfersMethod(), std::move(request));
    co_return NoteOperator(scope, "transfers.gather", scope.request.Parameter("date"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::GetTransferFile(const RequestScope& scope) const {
    auto batch = PathId(scope.request, "batchId", "BATCH_UNKNOWN");
    if (!batch.ok()) co_return RefuseOperator(scope, batch.status());
    po::GetTransferFileRequest request;
    request.set_batch_id(*batch);
    if (const std::string again = scope.request.QueryValue("again"); !again.empty()) {
        if (again != "true") co_return RefuseOperator(scope, FieldMalformed("again is not true"));
        request.set_again(true);
    }
    http::Response response = co_await ForwardFile(
        scope, signer_, clock_, payout_(scope.request), "payout", workers_, GetTransferFileMethod(),
        std::move(request), "application/octet-stream", kFileBytesMax);
    co_return NoteOperator(scope, "transfer_file.get", scope.request.Parameter("batchId"),
                           std::move(response));
}

net::Task<http::Response> OperatorTransferApi::ImportResults(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"format", "content", "contentBase64"});
    po::ImportResultsRequest request;
    request.set_format(fields.Text("format", 32));
    request.set_content(ReadContent(fields, scope.request.body.size()));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    if (request.content().size() > result_bytes_max_) {
        co_return RefuseOperator(
            scope, Status(Code::kInvalidArgument, "RESULT_FILE_TOO_LARGE",
                          "more than " + std::to_string(result_bytes_max_) + " bytes"));
    }
    const std::string object = request.format();
    http::Response answer = co_await Forward(scope, ImportResultsMethod(), std::move(request));
    co_return NoteOperator(scope, "results.import", object, std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::RequestAdjustment(const RequestScope& scope) const {
    auto merchant = MerchantOf(scope.request);
    if (!merchant.ok()) co_return RefuseOperator(scope, merchant.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"requestKey", "amount", "reason"});
    po::RequestAdjustmentRequest request;
    request.set_merchant_id(*merchant);
    request.set_request_key(fields.Text("requestKey", kRequestKeyMax));
    request.set_amount(fields.Integer("amount", -kAmountDigits12, kAmountDigits12));
    request.set_reason(fields.Text("reason"));
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    http::Response answer = co_await Forward(scope, RequestAdjustmentMethod(), std::move(request));
    co_return NoteOperator(scope, "adjustment.request", scope.request.Parameter("merchantId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::DecideAdjustment(const RequestScope& scope) const {
    auto adjustment = PathId(scope.request, "adjustmentId", "ADJUSTMENT_UNKNOWN");
    if (!adjustment.ok()) co_return RefuseOperator(scope, adjustment.status());
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    fields.OnlyThese({"decision"});
    const std::string decision = fields.Text("decision", 16);
    if (fields.ok() && decision != "APPROVE" && decision != "DECLINE") {
        fields.Malformed("decision", "is neither APPROVE nor DECLINE");
    }
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    po::DecideAdjustmentRequest request;
    request.set_adjustment_id(*adjustment);
    request.set_approve(decision == "APPROVE");
    http::Response answer = co_await Forward(scope, DecideAdjustmentMethod(), std::move(request));
    co_return NoteOperator(scope, "adjustment.decide", scope.request.Parameter("adjustmentId"),
                           std::move(answer));
}

net::Task<http::Response> OperatorTransferApi::ListAdjustments(const RequestScope& scope) const {
    po::ListAdjustmentsRequest request;
    const Status read = ReadListOfAll(scope.request, request);
    if (!read.ok()) co_return RefuseOperator(scope, read);
    co_return co_await Forward(scope, ListAdjustmentsMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::GetTrialBalance(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GetTrialBalanceRequest request;
    request.set_business_date(*date);
    co_return co_await Forward(scope, GetTrialBalanceMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::GetFeeReport(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    po::GetFeeReportRequest request;
    request.set_business_date(*date);
    co_return co_await Forward(scope, GetFeeReportMethod(), std::move(request));
}

net::Task<http::Response> OperatorTransferApi::RepublishEvents(const RequestScope& scope) const {
    auto parsed = ParseJsonObject(scope.request.body);
    if (!parsed.ok()) co_return RefuseOperator(scope, parsed.status());
    JsonFields fields(*parsed);
    const Republish wish = ReadRepublish(fields);
    if (!fields.ok()) co_return RefuseOperator(scope, fields.status());
    po::RepublishEventsRequest request;
    for (const domain::ChangeName& change : wish.changes) {
        auto* event = request.add_events();
        event->set_object_id(change.object_id);
        event->set_version(change.version);
    }
    http::Response answer = co_await Forward(scope, RepublishEventsMethod(), std::move(request));
    co_return NoteOperator(scope, "payout_events.republish", NamesOf(wish.changes),
                           std::move(answer), wish.reason);
}

net::Task<http::Response> OperatorTransferApi::ListJournal(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    const auto page = ReadPage(scope.request, kJournalPage);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    po::ListJournalRequest request;
    request.set_business_date(*date);
    request.set_after(page->token);
    co_return co_await PageOfStream(scope, signer_, clock_, payout_(scope.request), "payout",
                                    workers_, ListJournalMethod(), std::move(request),
                                    page->size == 0 ? kJournalPage : page->size);
}

}  // namespace kessai::gateway::transport
