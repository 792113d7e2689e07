#include "transport/repair_service.h"

#include <charconv>
#include <string>
#include <utility>

#include "transport/proto_mapping.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr std::uint32_t kPageSizeDefault = 100;
constexpr std::uint32_t kPageSizeMax = 1'000;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "FIELD_INVALID", std::move(message));
}

Result<domain::RepairKind> KindFrom(v1::Repair::Kind kind) {
    if (!v1::Repair::Kind_IsValid(kind) || kind == v1::Repair::KIND_UNSPECIFIED) {
        return Invalid("kind: " + std::to_string(static_cast<int>(kind)) + " is no repair");
    }
    return static_cast<domain::RepairKind>(kind);
}

Result<domain::RepairWish> WishFrom(const rpc::CallContext& context,
                                    const v1::RequestRepairRequest& request) {
    domain::RepairWish wish;
    KESSAI_ASSIGN_OR_RETURN(wish.kind, KindFrom(request.kind()));
    wish.actor = context.principal().subject;
    wish.reason = request.reason();
    if (request.has_amount()) wish.amount = request.amount();
    return wish;
}

template <class Message>
void AddLegs(const domain::CorrectionLeg& leg, const domain::CorrectionLeg& other,
             Message& message) {
    for (const domain::CorrectionLeg* one : {&leg, &other}) {
        if (one->none()) continue;
        v1::CorrectionLeg& added = *message.add_corrections();
        added.set_merchant_id(one->merchant.value());
        added.set_amount(one->amount);
    }
}

/// "12-1": the repair that the page before ended with.
Result<app::RepairName> RepairTokenFrom(std::string_view token) {
    app::RepairName name;
    if (token.empty()) return name;
    std::int64_t id = 0;
    const char* const end = token.data() + token.size();
    const auto [dash, error] = std::from_chars(token.data(), end, id);
    if (error == std::errc() && dash != end && *dash == '-' && id > 0) {
        const auto [last, number_error] = std::from_chars(dash + 1, end, name.number);
        if (number_error == std::errc() && last == end && name.number > 0) {
            name.discrepancy = domain::DiscrepancyId(id);
            return name;
        }
    }
    return Status(Code::kInvalidArgument, "PAGE_TOKEN_INVALID", "not a token of this service");
}

}  // namespace

auth::MethodPolicy RepairPolicy() {
    return {{"AssignDiscrepancy", {auth::Operator("recon:write")}},
            {"PreviewRepair", {auth::Operator("recon:read")}},
            {"RequestRepair", {auth::Operator("recon:write")}},
            {"DecideRepair", {auth::Operator("recon:approve")}},
            {"ListRepairs", {auth::Operator("recon:read")}}};
}

v1::Repair ToProto(const domain::Repair& repair) {
    v1::Repair message;
    message.set_discrepancy_id(repair.discrepancy.value());
    message.set_number(repair.number);
    message.set_kind(static_cast<v1::Repair::Kind>(repair.kind));
    message.set_state(static_cast<v1::Repair::State>(repair.state));
    message.set_requested_by(repair.requested_by);
    message.set_decided_by(repair.decided_by);
    message.set_reason(repair.reason);
    message.set_outcome(repair.outcome);
    AddLegs(repair.leg, repair.other_leg, message);
    message.set_requested_at_us(ToMicros(repair.requested_at));
    message.set_decided_at_us(ToMicros(repair.decided_at));
    message.set_carried_out_at_us(ToMicros(repair.carried_out_at));
    message.set_ended_at_us(ToMicros(repair.ended_at));
    return message;
}

void RepairService::Register(rpc::Service& service, rpc::WorkerPool& workers,
                             rpc::WorkerPool& asking_workers) {
    service.Blocking("AssignDiscrepancy", workers, *this, &RepairService::AssignDiscrepancy);
    service.Blocking("PreviewRepair", asking_workers, *this, &RepairService::PreviewRepair);
    service.Blocking("RequestRepair", asking_workers, *this, &RepairService::RequestRepair);
    service.Blocking("DecideRepair", workers, *this, &RepairService::DecideRepair);
    service.Blocking("ListRepairs", workers, *this, &RepairService::ListRepairs);
}

Result<v1::Discrepancy> RepairService::AssignDiscrepancy(
    const rpc::CallContext& context, const v1::AssignDiscrepancyRequest& request) {
    const domain::DiscrepancyId id(request.discrepancy_id());
    KESSAI_RETURN_IF_ERROR(order_.Assign(
        id, request.owner(), {.actor = context.principal().subject, .note = request.note()}));
    KESSAI_ASSIGN_OR_RETURN(const auto record, enquiries_.FindDiscrepancy(id));
    return ToProto(record);
}

Result<v1::RepairPreview> RepairService::PreviewRepair(const rpc::CallContext& context,
                                                       const v1::RequestRepairRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(domain::RepairWish wish, WishFrom(context, request));
    // Nobody has to say why to look.
    if (wish.reason.empty()) wish.reason = "preview";
    KESSAI_ASSIGN_OR_RETURN(const app::RepairPlan plan,
                            order_.Preview(domain::DiscrepancyId(request.discrepancy_id()), wish));
    v1::RepairPreview preview;
    preview.set_discrepancy_id(request.discrepancy_id());
    preview.set_kind(request.kind());
    preview.set_what(plan.what);
    AddLegs(plan.leg, plan.other_leg, preview);
    preview.set_needs_approval(domain::NeedsApproval(wish.kind));
    return preview;
}

Result<v1::Repair> RepairService::RequestRepair(const rpc::CallContext& context,
                                                const v1::RequestRepairRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const domain::RepairWish wish, WishFrom(context, request));
    KESSAI_ASSIGN_OR_RETURN(const domain::Repair repair,
                            order_.Request(domain::DiscrepancyId(request.discrepancy_id()), wish));
    return ToProto(repair);
}

Result<v1::Repair> RepairService::DecideRepair(const rpc::CallContext& context,
                                               const v1::DecideRepairRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const domain::Repair repair,
        order_.Decide({domain::DiscrepancyId(request.discrepancy_id()), request.number()},
                      {.approve = request.approve(),
                       .actor = context.principal().subject,
                       .note = request.note()}));
    return ToProto(repair);
}

Result<v1::ListRepairsResponse> RepairService::ListRepairs(const rpc::CallContext&,
                                                           const v1::ListRepairsRequest& request) {
    if (request.page_size() > kPageSizeMax) {
        return Status(Code::kInvalidArgument, "PAGE_SIZE_OUT_OF_RANGE",
                      "page_size: 1 to " + std::to_string(kPageSizeMax));
    }
    const std::uint32_t page_size =
        request.page_size() == 0 ? kPageSizeDefault : request.page_size();
    app::RepairFilter filter;
    // One more, to know whether there is a next page.
    filter.limit = static_cast<int>(page_size) + 1;
    filter.discrepancy = domain::DiscrepancyId(request.discrepancy_id());
    if (request.state() != v1::Repair::STATE_UNSPECIFIED) {
        if (!v1::Repair::State_IsValid(request.state())) return Invalid("state: is no state");
        filter.state = static_cast<domain::RepairState>(request.state());
    }
    KESSAI_ASSIGN_OR_RETURN(filter.before, RepairTokenFrom(request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(auto repairs, enquiries_.ListRepairs(filter));
    v1::ListRepairsResponse response;
    if (repairs.size() > page_size) {
        repairs.resize(page_size);
        response.set_next_page_token(repairs.back().discrepancy.ToString() + "-" +
                                     std::to_string(repairs.back().number));
    }
    for (const domain::Repair& repair : repairs) *response.add_repairs() = ToProto(repair);
    return response;
}

}  // namespace kessai::reconciliation::transport
