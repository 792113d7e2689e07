#include "transport/statement_service.h"

#include <algorithm>
#include <string>

#include "domain/reason.h"
#include "transport/callers.h"

namespace kessai::payout::transport {
namespace {

constexpr std::size_t kPieceBytes = 48 * 1'024;
// Some seconds.
constexpr int kMerchantsMax = 100;

/// The first day of a month, yyyymm.
Result<BusinessDate> ParseMonth(std::int32_t month) {
    const Result<BusinessDate> day =
        month > 999'999 ? BusinessDate::FromNumber(0) : BusinessDate::FromNumber(month * 100 + 1);
    if (day.ok()) return day;
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                  "month is no month (yyyymm)");
}

v1::MerchantProfile ToMessage(const domain::MerchantProfile& profile) {
    v1::MerchantProfile message;
    message.set_merchant_id(profile.merchant.value());
    message.set_version(profile.version);
    message.set_invoice_name(profile.invoice_name);
    message.set_put_by(profile.put_by);
    return message;
}

void Fill(const domain::StatementSums& sums, v1::Statement::Sums& message) {
    message.set_sale_count(sums.days.sale_count);
    message.set_return_count(sums.days.return_count);
    message.set_sales(sums.days.sales);
    message.set_returns(sums.days.returns);
    message.set_benefits(sums.days.benefits);
    message.set_fee(sums.days.fee);
    message.set_tax(sums.days.tax);
    message.set_net(sums.days.net);
    message.set_sent(sums.sent);
    message.set_prices(sums.prices);
    message.set_came_back(sums.came_back);
    message.set_adjusted(sums.adjusted);
}

v1::Statement ToMessage(const app::StatementView& view) {
    const domain::Statement& statement = view.paper.statement;
    v1::Statement message;
    message.set_merchant_id(statement.merchant.value());
    message.set_month(statement.cycle_start.ToNumber() / 100);
    message.set_number(view.paper.number);
    message.set_not_final(view.not_final);
    message.set_recipient(view.paper.recipient);
    message.set_opening(statement.opening);
    message.set_closing(statement.closing);
    message.set_opening_in_transit(statement.opening_in_transit);
    message.set_closing_in_transit(statement.closing_in_transit);
    if (view.paper.corrects) message.set_corrects(view.paper.corrects->number);
    Fill(statement.sums, *message.mutable_sums());
    for (const domain::RateLine& rate : statement.rates) {
        v1::Statement::Rate* added = message.add_rates();
        added->set_tax_class(std::string(domain::TaxTable::Japan().RateOf(rate.tax_class).name));
        added->set_charged(rate.charged);
        added->set_given_back(rate.given_back);
        added->set_supplied(rate.supplied);
        added->set_tax(rate.tax);
    }
    if (view.issued) {
        message.set_issued_on_date(view.issued->issued_on.ToNumber());
        message.set_issued_by(view.issued->issued_by);
        message.set_version(view.issued->version);
        message.set_correction_reason(view.issued->correction_reason);
        for (const app::StatementFile& file : view.issued->files) {
            v1::Statement::File* added = message.add_files();
            added->set_format(file.format);
            added->set_file_hash(file.hash.data(), file.hash.size());
        }
    }
    return message;
}

}  // namespace

auth::MethodPolicy StatementPolicy() {
    const auth::Grant write = auth::Operator("transfer:write");
    const auth::Grant read = auth::Operator("payout:read");
    return auth::MethodPolicy({
        {"PutMerchantProfile", {write}},
        {"GetMerchantProfile", {read, write}},
        {"GetStatement", {read, auth::Merchant()}},
        {"GetStatementFile", {read, auth::Merchant()}},
        {"IssueStatement", {write}},
        {"IssueStatements", {write}},
        {"CorrectStatement", {write}},
    });
}

void StatementService::Register(rpc::Service& service, rpc::WorkerPool& quick,
                                rpc::WorkerPool& slow) {
    service.Blocking("PutMerchantProfile", quick, *this, &StatementService::PutMerchantProfile);
    service.Blocking("GetMerchantProfile", quick, *this, &StatementService::GetMerchantProfile);
    service.Blocking("GetStatement", slow, *this, &StatementService::GetStatement);
    service.Streaming<v1::GetStatementFileRequest, v1::FilePiece>(
        "GetStatementFile", slow,
        [this](const rpc::CallContext& context, const v1::GetStatementFileRequest& request,
               rpc::StreamWriter<v1::FilePiece>& pieces) {
            return GetStatementFile(context, request, pieces);
        });
    service.Blocking("IssueStatement", slow, *this, &StatementService::IssueStatement);
    service.Blocking("IssueStatements", slow, *this, &StatementService::IssueStatements);
    service.Blocking("CorrectStatement", slow, *this, &StatementService::CorrectStatement);
}

Result<v1::MerchantProfile> StatementService::PutMerchantProfile(
    const rpc::CallContext& context, const v1::PutMerchantProfileRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const domain::MerchantProfile profile,
                            profiles_.Put({.merchant = merchant,
                                           .invoice_name = request.invoice_name(),
                                           .put_by = std::string(Subject(context))}));
    return ToMessage(profile);
}

Result<v1::MerchantProfile> StatementService::GetMerchantProfile(
    const rpc::CallContext&, const v1::GetMerchantProfileRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const domain::MerchantProfile profile, profiles_.InForce(merchant));
    return ToMessage(profile);
}

Result<v1::Statement> StatementService::GetStatement(const rpc::CallContext& context,
                                                     const v1::StatementRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOf(context, request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate month, ParseMonth(request.month()));
    KESSAI_ASSIGN_OR_RETURN(const app::StatementView view,
                            statements_.Show(merchant, month, request.version()));
    return ToMessage(view);
}

Status StatementService::GetStatementFile(const rpc::CallContext& context,
                                          const v1::GetStatementFileRequest& request,
                                          rpc::StreamWriter<v1::FilePiece>& pieces) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, MerchantOf(context, request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate month, ParseMonth(request.month()));
    KESSAI_ASSIGN_OR_RETURN(
        const app::StatementFile file,
        statements_.Write(merchant, month, request.format(), request.version()));
    for (std::size_t at = 0; at < file.content.size(); at += kPieceBytes) {
        v1::FilePiece piece;
        piece.set_content(file.content.substr(at, kPieceBytes));
        if (!pieces.Write(piece)) return Status(Code::kCancelled, "CANCELLED", "nobody listens");
    }
    return OkStatus();
}

Result<v1::Statement> StatementService::IssueStatement(const rpc::CallContext& context,
                                                       const v1::StatementRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate month, ParseMonth(request.month()));
    KESSAI_ASSIGN_OR_RETURN(const app::StatementView view,
                            statements_.Issue(merchant, month, Subject(context)));
    return ToMessage(view);
}

Result<v1::IssuedStatements> StatementService::IssueStatements(
    const rpc::CallContext& context, const v1::IssueStatementsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate month, ParseMonth(request.month()));
    KESSAI_ASSIGN_OR_RETURN(
        const app::IssuedMonth issued,
        statements_.IssueNext(month, domain::MerchantId(request.after_merchant_id()), kMerchantsMax,
                              Subject(context)));
    v1::IssuedStatements message;
    message.set_month(request.month());
    message.set_issued_count(issued.issued_count);
    message.set_not_final_count(issued.not_final_count);
    message.set_empty_count(issued.empty_count);
    for (const app::IssuedMonth::Refused& refused : issued.refused) {
        v1::IssuedStatements::Refused* added = message.add_refused();
        added->set_merchant_id(refused.merchant.value());
        added->set_reason(std::string(refused.why.reason()));
        added->set_message(std::string(refused.why.message()));
    }
    if (issued.next) message.set_next_merchant_id(issued.next->value());
    return message;
}

Result<v1::Statement> StatementService::CorrectStatement(
    const rpc::CallContext& context, const v1::CorrectStatementRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate month, ParseMonth(request.month()));
    KESSAI_ASSIGN_OR_RETURN(const app::StatementView view,
                            statements_.Correct(merchant, month, request.version(),
                                                request.reason(), Subject(context)));
    return ToMessage(view);
}

}  // namespace kessai::payout::transport
