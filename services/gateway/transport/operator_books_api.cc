#include "transport/operator_books_api.h"

#include <cstddef>
#include <utility>

#include "kessai/payment/v1/book_service.pb.h"
#include "kessai/payout/v1/transfer_service.pb.h"
#include "transport/json_writer.h"
#include "transport/ledger_agreement.h"
#include "transport/operator_answers.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"

namespace kessai::gateway::transport {

namespace {

namespace pa = payment::v1;
namespace po = payout::v1;

constexpr rpc::Name kBooks = "kessai.payment.v1.BookService";
constexpr rpc::Name kTransfers = "kessai.payout.v1.TransferService";
constexpr auto& PaymentTrialBalanceMethod =
    rpc::MethodOf<kBooks, "GetTrialBalance", pa::GetTrialBalanceRequest, pa::TrialBalance>;
constexpr auto& PaymentJournalMethod =
    rpc::MethodOf<kBooks, "ListJournal", pa::ListJournalRequest, pa::JournalEntry>;
constexpr auto& PayoutTrialBalanceMethod =
    rpc::MethodOf<kTransfers, "GetTrialBalance", po::GetTrialBalanceRequest, po::TrialBalance>;

constexpr std::uint32_t kJournalPage = 1'000;

void WriteAgreement(JsonWriter& json, const LedgerAgreement& agreement) {
    json.BeginObject();
    json.Key("name").Text(agreement.name);
    json.Key("payment").Number(agreement.payment);
    json.Key("payout").Number(agreement.payout);
    json.Key("state").Text(AccordName(agreement.accord));
    json.Key("because").TextOrNull(agreement.because);
    json.EndObject();
}

}  // namespace

OperatorBooksApi::OperatorBooksApi(ChannelOf payment, const rpc::Channel& payout,
                                   auth::TokenSigner& signer, rpc::WorkerPool& workers,
                                   const Clock& clock)
    : payment_(std::move(payment)),
      payout_(payout),
      signer_(signer),
      workers_(workers),
      clock_(clock) {}

net::Task<http::Response> OperatorBooksApi::GetPaymentTrialBalance(
    const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    pa::GetTrialBalanceRequest request;
    request.set_business_date(*date);
    co_return co_await ForwardOperator(scope, signer_, clock_, payment_(scope.request), "payment",
                                       PaymentTrialBalanceMethod(), std::move(request));
}

net::Task<http::Response> OperatorBooksApi::ListPaymentJournal(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    const auto page = ReadPage(scope.request, kJournalPage);
    if (!page.ok()) co_return RefuseOperator(scope, page.status());
    pa::ListJournalRequest request;
    request.set_business_date(*date);
    request.set_after(page->token);
    co_return co_await PageOfStream(scope, signer_, clock_, payment_(scope.request), "payment",
                                    workers_, PaymentJournalMethod(), std::move(request),
                                    page->size == 0 ? kJournalPage : page->size);
}

net::Task<http::Response> OperatorBooksApi::GetDayBooks(const RequestScope& scope) const {
    auto date = NamedDate(scope.request);
    if (!date.ok()) co_return RefuseOperator(scope, date.status());
    // Payment's first: see CompareLedgers.
    pa::GetTrialBalanceRequest of_payment;
    of_payment.set_business_date(*date);
    const auto payment =
        co_await AskInOperatorsName(scope, signer_, clock_, payment_(scope.request), "payment",
                                    PaymentTrialBalanceMethod(), std::move(of_payment));
    if (!payment.ok()) co_return RefuseOperator(scope, payment.status());
    po::GetTrialBalanceRequest of_payout;
    of_payout.set_business_date(*date);
    const auto payout =
        co_await AskInOperatorsName(scope, signer_, clock_, payout_, "payout",
                                    PayoutTrialBalanceMethod(), std::move(of_payout));
    if (!payout.ok()) co_return RefuseOperator(scope, payout.status());

    const auto agreements = CompareLedgers(*payment, *payout);
    http::Response response;
    response.subject = scope.caller->subject;
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("businessDate").Text(scope.request.Parameter("date"));
    json.Key("payment").Raw(ProtoToJson(*payment));
    json.Key("payout").Raw(ProtoToJson(*payout));
    json.Key("agreements").BeginArray();
    for (const LedgerAgreement& agreement : agreements) WriteAgreement(json, agreement);
    json.EndArray();
    json.Key("state").Text(AccordName(AccordOf(agreements)));
    json.EndObject();
    co_return response;
}

}  // namespace kessai::gateway::transport
