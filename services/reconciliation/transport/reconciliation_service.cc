#include "transport/reconciliation_service.h"

#include <string>
#include <utility>

#include "transport/proto_mapping.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr std::uint32_t kPageSizeDefault = 100;
constexpr std::uint32_t kPageSizeMax = 1'000;
/// Kept of the caller's deadline for sending the answer.
constexpr Duration kForTheAnswer = std::chrono::milliseconds(200);

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "FIELD_INVALID", std::move(message));
}

}  // namespace

auth::MethodPolicy Policy() {
    return {{"GetMatch", {auth::Operator("recon:read")}},
            {"ListDiscrepancies", {auth::Operator("recon:read")}},
            {"GetDiscrepancy", {auth::Operator("recon:read")}},
            {"ChangeDiscrepancy", {auth::Operator("recon:write")}},
            {"RunDay", {auth::Operator("recon:write")}},
            {"GetDayRun", {auth::Operator("recon:read")}}};
}

void ReconciliationService::Register(rpc::Service& service, rpc::WorkerPool& workers,
                                     rpc::WorkerPool& run_workers) {
    service.Blocking("GetMatch", workers, *this, &ReconciliationService::GetMatch);
    service.Blocking("ListDiscrepancies", workers, *this,
                     &ReconciliationService::ListDiscrepancies);
    service.Blocking("GetDiscrepancy", workers, *this, &ReconciliationService::GetDiscrepancy);
    service.Blocking("ChangeDiscrepancy", workers, *this,
                     &ReconciliationService::ChangeDiscrepancy);
    service.Blocking("RunDay", run_workers, *this, &ReconciliationService::RunDay);
    service.Blocking("GetDayRun", workers, *this, &ReconciliationService::GetDayRun);
}

Result<v1::Match> ReconciliationService::GetMatch(const rpc::CallContext&,
                                                  const v1::GetMatchRequest& request) {
    if (request.payment_id() <= 0) return Invalid("payment_id: must be positive");
    if (request.version() == 0) return Invalid("version: must be positive");
    KESSAI_ASSIGN_OR_RETURN(
        const domain::Match match,
        enquiries_.FindMatch({domain::PaymentId(request.payment_id()), request.version()}));
    return ToProto(match);
}

Result<v1::ListDiscrepanciesResponse> ReconciliationService::ListDiscrepancies(
    const rpc::CallContext&, const v1::ListDiscrepanciesRequest& request) {
    if (request.page_size() > kPageSizeMax) {
        return Status(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE",
                      "page_size: 1 to " + std::to_string(kPageSizeMax));
    }
    const std::uint32_t page_size =
        request.page_size() == 0 ? kPageSizeDefault : request.page_size();
    app::DiscrepancyFilter filter;
    // One more, to know whether there is a next page.
    filter.limit = static_cast<int>(page_size) + 1;
    if (request.state() != v1::Discrepancy::STATE_UNSPECIFIED) {
        KESSAI_ASSIGN_OR_RETURN(filter.state, StateFrom(request.state()));
    }
    if (request.business_date() != 0) {
        KESSAI_ASSIGN_OR_RETURN(filter.business_date, DateFrom(request.business_date()));
    }
    KESSAI_ASSIGN_OR_RETURN(filter.before, PageTokenFrom(request.page_token()));

    KESSAI_ASSIGN_OR_RETURN(auto records, enquiries_.ListDiscrepancies(filter));
    v1::ListDiscrepanciesResponse response;
    if (records.size() > page_size) {
        records.resize(page_size);
        response.set_next_page_token(PageTokenAfter(records.back().discrepancy.id));
    }
    for (const auto& record : records) *response.add_discrepancies() = ToProto(record);
    return response;
}

Result<v1::Discrepancy> ReconciliationService::GetDiscrepancy(
    const rpc::CallContext&, const v1::GetDiscrepancyRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const auto record,
        enquiries_.FindDiscrepancy(domain::DiscrepancyId(request.discrepancy_id())));
    return ToProto(record);
}

Result<v1::Discrepancy> ReconciliationService::ChangeDiscrepancy(
    const rpc::CallContext& context, const v1::ChangeDiscrepancyRequest& request) {
    const domain::DiscrepancyId id(request.discrepancy_id());
    KESSAI_ASSIGN_OR_RETURN(const auto state, StateFrom(request.state()));
    KESSAI_RETURN_IF_ERROR(change_.Run(
        id, {.to = state, .actor = context.principal().subject, .note = request.note()}));
    KESSAI_ASSIGN_OR_RETURN(const auto record, enquiries_.FindDiscrepancy(id));
    return ToProto(record);
}

Result<v1::DayRun> ReconciliationService::RunDay(const rpc::CallContext& context,
                                                 const v1::RunDayRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, DateFrom(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto run,
                            runs_.Run(date, request.deep(), context.deadline() - kForTheAnswer));
    if (run) return WithCheck(ToProto(*run), date);
    // It goes on, or waits for its turn behind another one.
    const auto latest = enquiries_.LatestRun(date);
    if (latest.ok() && latest->state == domain::DayRunState::kRunning) return ToProto(*latest);
    return ToProto(domain::DayRun{.business_date = date, .deep = request.deep()});
}

Result<v1::DayRun> ReconciliationService::GetDayRun(const rpc::CallContext&,
                                                    const v1::GetDayRunRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, DateFrom(request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const domain::DayRun run, enquiries_.LatestRun(date));
    return WithCheck(ToProto(run), date);
}

Result<v1::DayRun> ReconciliationService::WithCheck(v1::DayRun run, BusinessDate date) {
    KESSAI_ASSIGN_OR_RETURN(const auto check, enquiries_.LatestCheck(date));
    if (check) *run.mutable_payout_check() = ToProto(*check);
    return run;
}

}  // namespace kessai::reconciliation::transport
