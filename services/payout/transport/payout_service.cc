#include "transport/payout_service.h"

#include "app/parallel.h"
#include "domain/reason.h"
#include "kessai/digest/accumulator.h"
#include "transport/list_page.h"
#include "transport/plan_messages.h"
#include "transport/tax_class_name.h"
#include "transport/trace_messages.h"

namespace kessai::payout::transport {
namespace {

// A page is some 20 KiB.
constexpr int kRowsPerPage = 1'000;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

v1::PayoutDay::State ToMessage(domain::DayState state) {
    switch (state) {
        case domain::DayState::kOpen:
            return v1::PayoutDay::OPEN;
        case domain::DayState::kClosed:
            return v1::PayoutDay::CLOSED;
        case domain::DayState::kReleasing:
            return v1::PayoutDay::RELEASING;
        case domain::DayState::kReleased:
            return v1::PayoutDay::RELEASED;
    }
    return v1::PayoutDay::STATE_UNSPECIFIED;
}

std::string BigEndian(const digest::Sum128& sum) {
    std::string bytes;
    for (const std::uint64_t half : {sum.high, sum.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(half >> shift & 0xFF));
        }
    }
    return bytes;
}

void FillSums(const domain::Sums& sums, v1::HeldBackMerchant::Sums* message) {
    message->set_gross(sums.gross);
    message->set_fee(sums.fee);
    message->set_item_count(sums.item_count);
}

void FillHeldBack(const domain::HeldBack& held, v1::HeldBackMerchant* message) {
    message->set_merchant_id(held.merchant.value());
    message->set_reason(std::string(domain::HoldReasonName(held.reason)));
    FillSums(held.totals, message->mutable_totals());
    FillSums(held.recounted, message->mutable_recounted());
    message->set_note(held.note);
}

void FillFindings(const app::ReleaseFindings& findings, v1::DayRelease& message) {
    for (const domain::HeldBack& held : findings.held_back) {
        FillHeldBack(held, message.add_held_back());
    }
    message.set_released_fault_count(findings.released_fault_count);
    for (const auto& [merchant, fault] : findings.released_faults) {
        v1::DayRelease::Fault* added = message.add_released_faults();
        added->set_merchant_id(merchant.value());
        added->set_note(fault);
    }
}

/// The chunks of a round, and what they sum to.
void AddChunks(const std::vector<app::ReleaseProgress::Chunk>& chunks,
               v1::ReleaseProgress& message) {
    message.set_chunk_count(static_cast<std::int64_t>(chunks.size()));
    for (const app::ReleaseProgress::Chunk& chunk : chunks) {
        v1::ReleaseProgress::Chunk* added = message.add_chunks();
        added->set_chunk(chunk.number);
        added->set_merchant_count(chunk.merchant_count);
        added->set_done(chunk.done);
        added->set_released_count(chunk.released_count);
        added->set_gross(chunk.gross);
        added->set_net(chunk.net);
        message.set_merchant_count(message.merchant_count() + chunk.merchant_count);
        message.set_released_count(message.released_count() + chunk.released_count);
        message.set_gross(message.gross() + chunk.gross);
        message.set_net(message.net() + chunk.net);
        if (!chunk.done) continue;
        message.set_chunks_done(message.chunks_done() + 1);
        message.set_merchants_done(message.merchants_done() + chunk.merchant_count);
    }
}

}  // namespace

auth::MethodPolicy Policy() {
    return auth::MethodPolicy({
        {"PutFeePlan", {auth::Operator("plan:write")}},
        {"AssignFeePlan", {auth::Operator("plan:write")}},
        {"PreviewFeePlan", {auth::Operator("plan:write"), auth::Operator("payout:read")}},
        {"ListFeePlans", {auth::Operator("plan:write"), auth::Operator("payout:read")}},
        {"GetMerchantBalance",
         {auth::Merchant(), auth::Operator("payout:read"), auth::AnyService()}},
        {"GetMerchantDay", {auth::Operator("payout:read"), auth::AnyService()}},
        {"GetAccrual", {auth::Operator("payout:read"), auth::AnyService()}},
        {"ReleaseDay", {auth::Operator("day:release")}},
        {"GetDay",
         {auth::Operator("payout:read"), auth::Operator("day:release"), auth::AnyService()}},
        {"GetReleaseProgress", {auth::Operator("payout:read"), auth::Operator("day:release")}},
        {"ListHeldBack", {auth::Operator("payout:read"), auth::AnyService()}},
        {"GetDayDigests", {auth::AnyService()}},
        {"ListDayRows", {auth::AnyService()}},
    });
}

PayoutService::PayoutService(app::PayoutReader& reader, FeePlanCases plans,
                             app::ReleaseDay& release_day)
    : reader_(reader), plans_(plans), release_day_(release_day) {}

void PayoutService::Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow) {
    service.Blocking("PutFeePlan", quick, *this, &PayoutService::PutFeePlan);
    service.Blocking("AssignFeePlan", quick, *this, &PayoutService::AssignFeePlan);
    service.Blocking("PreviewFeePlan", slow, *this, &PayoutService::PreviewFeePlan);
    service.Blocking("ListFeePlans", quick, *this, &PayoutService::ListFeePlans);
    service.Blocking("GetMerchantBalance", quick, *this, &PayoutService::GetMerchantBalance);
    service.Blocking("GetMerchantDay", quick, *this, &PayoutService::GetMerchantDay);
    service.Blocking("GetAccrual", quick, *this, &PayoutService::GetAccrual);
    service.Blocking("ReleaseDay", slow, *this, &PayoutService::ReleaseDay);
    service.Blocking("GetDay", quick, *this, &PayoutService::GetDay);
    service.Blocking("GetReleaseProgress", quick, *this, &PayoutService::GetReleaseProgress);
    service.Blocking("GetDayDigests", slow, *this, &PayoutService::GetDayDigests);
    service.Streaming<v1::ListDayRowsRequest, v1::DayRowPage>(
        "ListDayRows", slow,
        [this](const rpc::CallContext&, const v1::ListDayRowsRequest& request,
               rpc::StreamWriter<v1::DayRowPage>& pages) { return ListDayRows(request, pages); });
    service.Streaming<v1::ListHeldBackRequest, v1::HeldBackMerchant>(
        "ListHeldBack", slow,
        [this](const rpc::CallContext&, const v1::ListHeldBackRequest& request,
               rpc::StreamWriter<v1::HeldBackMerchant>& merchants) {
            return ListHeldBack(request, merchants);
        });
}

Result<v1::FeePlan> PayoutService::PutFeePlan(const rpc::CallContext& context,
                                              const v1::FeePlan& request) {
    KESSAI_ASSIGN_OR_RETURN(const domain::FeePlan plan, ToPlan(request));
    KESSAI_ASSIGN_OR_RETURN(const domain::FeePlan stored,
                            plans_.put.Run(plan, context.principal().subject));
    v1::FeePlan response;
    FillPlan(stored, &response);
    return response;
}

Result<v1::AssignFeePlanResponse> PayoutService::AssignFeePlan(
    const rpc::CallContext& context, const v1::AssignFeePlanRequest& request) {
    if (request.plan_id() < 0) return Invalid("plan_id is negative");
    app::AssignFeePlan::Wish wish{domain::PlanId(request.plan_id()), {}, {}};
    KESSAI_ASSIGN_OR_RETURN(wish.effective_from,
                            ParseDate("effective_from", request.effective_from()));
    KESSAI_ASSIGN_OR_RETURN(wish.effective_to,
                            ParseOptionalDate("effective_to", request.effective_to()));
    std::vector<domain::MerchantId> merchants;
    for (const std::int64_t merchant : request.merchant_ids()) {
        if (merchant <= 0) return Invalid("a merchant's id is not positive");
        merchants.emplace_back(merchant);
    }
    KESSAI_ASSIGN_OR_RETURN(const auto assignments,
                            plans_.assign.Run(merchants, wish, context.principal().subject));
    v1::AssignFeePlanResponse response;
    for (const domain::PlanAssignment& assignment : assignments) {
        FillAssignment(assignment, response.add_assignments());
    }
    return response;
}

Result<v1::ListFeePlansResponse> PayoutService::ListFeePlans(
    const rpc::CallContext&, const v1::ListFeePlansRequest& request) {
    if (request.merchant_id() < 0) return Invalid("merchant_id is negative");
    if (request.shared() && request.merchant_id() != 0) {
        return Invalid("shared plans are of no merchant");
    }
    KESSAI_ASSIGN_OR_RETURN(const ListPage page,
                            ListPageOf(request.page_size(), request.page_token()));
    KESSAI_ASSIGN_OR_RETURN(
        const auto plans,
        reader_.ListPlans(
            request.shared() ? domain::kSharedPlan : domain::MerchantId(request.merchant_id()),
            page.at, page.size));
    v1::ListFeePlansResponse response;
    FillPlans(plans, &response);
    return response;
}

Result<v1::FeePlanPreview> PayoutService::PreviewFeePlan(const rpc::CallContext& context,
                                                         const v1::PreviewFeePlanRequest& request) {
    app::PreviewFeePlan::Wish wish;
    KESSAI_ASSIGN_OR_RETURN(wish.plan, ToPlanWithoutDays(request.plan()));
    KESSAI_ASSIGN_OR_RETURN(wish.from, ParseOptionalDate("from_date", request.from_date()));
    KESSAI_ASSIGN_OR_RETURN(wish.to, ParseOptionalDate("to_date", request.to_date()));
    if (request.merchant_ids_size() > static_cast<int>(app::AssignFeePlan::kMerchantsMax)) {
        return Invalid("more than 500 merchants are named");
    }
    for (const std::int64_t merchant : request.merchant_ids()) {
        if (merchant <= 0) return Invalid("a merchant's id is not positive");
        wish.merchants.insert(domain::MerchantId(merchant));
    }
    // It takes long: nobody's answer is not worked on, and keeps no thread from others.
    const auto go_on = [&] {
        if (stop_.stop_requested()) return app::Stopping();
        return context.cancelled() ? Status(Code::kCancelled, "CALLER_GONE", "nobody waits for it")
                                   : OkStatus();
    };
    KESSAI_ASSIGN_OR_RETURN(const app::FeePlanPreview preview, plans_.preview.Run(wish, go_on));
    v1::FeePlanPreview response;
    FillPreview(preview, &response);
    return response;
}

Result<v1::MerchantBalance> PayoutService::GetMerchantBalance(
    const rpc::CallContext& context, const v1::GetMerchantBalanceRequest& request) {
    const auth::Principal& caller = context.principal();
    std::int64_t merchant = request.merchant_id();
    if (caller.role == auth::Role::kMerchant) {
        if (merchant == 0) merchant = caller.merchant_id;
        // What others have is as if it were not there.
        if (merchant != caller.merchant_id) {
            return Status(Code::kNotFound, domain::reason::kMerchantUnknown, "no such merchant");
        }
    }
    KESSAI_ASSIGN_OR_RETURN(const app::MerchantBalance balance,
                            reader_.FindBalance(domain::MerchantId(merchant)));
    v1::MerchantBalance response;
    response.set_merchant_id(merchant);
    response.set_currency(std::string(balance.currency.code()));
    response.set_pending(balance.pending);
    response.set_available(balance.available);
    response.set_in_transit(balance.in_transit);
    return response;
}

Result<v1::MerchantDay> PayoutService::GetMerchantDay(const rpc::CallContext&,
                                                      const v1::GetMerchantDayRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(
        const app::MerchantDay day,
        reader_.FindMerchantDay(domain::MerchantId(request.merchant_id()), date));
    v1::MerchantDay response;
    response.set_merchant_id(request.merchant_id());
    response.set_business_date(date.ToNumber());
    response.set_currency(std::string(day.currency.code()));
    response.set_gross(day.sums.gross);
    response.set_fee(day.sums.fee);
    response.set_tax(day.tax);
    response.set_net(day.net);
    response.set_item_count(day.sums.item_count);
    response.set_released(day.released);
    if (day.held_back) {
        response.set_held_back_reason(std::string(domain::HoldReasonName(*day.held_back)));
    }
    return response;
}

Result<v1::Accrual> PayoutService::GetAccrual(const rpc::CallContext&,
                                              const v1::GetAccrualRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(
        const app::RecordedAccrual found,
        reader_.FindAccrual({domain::PaymentId(request.payment_id()), request.version()}));
    return ToMessage(found);
}

Result<v1::DayRelease> PayoutService::ReleaseDay(const rpc::CallContext&,
                                                 const v1::ReleaseDayRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    const std::stop_token stop = stop_.get_token();
    app::ReleaseFindings findings;
    KESSAI_ASSIGN_OR_RETURN(const domain::ReleaseSums sums,
                            request.dry_run()
                                ? release_day_.Preview(date, request.deep(), stop, &findings)
                                : release_day_.Run(date, request.deep(), stop, &findings));
    v1::DayRelease response;
    response.set_business_date(date.ToNumber());
    response.set_merchant_count(sums.merchant_count);
    response.set_held_back_count(sums.held_back_count);
    response.set_gross(sums.gross);
    response.set_fee(sums.fee);
    response.set_tax(sums.tax);
    response.set_net(sums.net);
    FillFindings(findings, response);
    return response;
}

Result<v1::PayoutDay> PayoutService::GetDay(const rpc::CallContext&,
                                            const v1::GetDayRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::DayView day, reader_.FindDay(date));
    v1::PayoutDay response;
    response.set_business_date(date.ToNumber());
    response.set_state(ToMessage(day.state));
    if (day.seal) response.set_seal(day.seal->data(), day.seal->size());
    response.set_held_back_count(day.held_back_count);
    return response;
}

Result<v1::ReleaseProgress> PayoutService::GetReleaseProgress(
    const rpc::CallContext&, const v1::GetReleaseProgressRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::ReleaseProgress progress, reader_.FindProgress(date));
    v1::ReleaseProgress response;
    response.set_business_date(date.ToNumber());
    response.set_state(ToMessage(progress.state));
    if (progress.chunks.empty()) return response;
    response.set_round(static_cast<std::uint32_t>(progress.round));
    response.set_deep(progress.deep);
    response.set_started_at_us(ToMicros(progress.started_at));
    if (progress.finished_at) response.set_finished_at_us(ToMicros(*progress.finished_at));
    response.set_read_at_us(ToMicros(progress.read_at));
    AddChunks(progress.chunks, response);
    // Clocks of a service and its database differ a little.
    const Duration since = progress.finished_at.value_or(progress.read_at) - progress.started_at;
    if (since > Duration::zero()) {
        response.set_merchants_per_second(response.merchants_done() * 1'000'000 / since.count());
    }
    return response;
}

Result<v1::DayDigests> PayoutService::GetDayDigests(const rpc::CallContext&,
                                                    const v1::GetDayDigestsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(
        const digest::BucketRange range,
        digest::BucketRange::Parse(request.bucket_first(), request.bucket_count()));
    KESSAI_ASSIGN_OR_RETURN(const digest::DayDigest day,
                            reader_.Digests(date, request.deep(), range));
    v1::DayDigests response;
    response.set_business_date(date.ToNumber());
    for (int bucket = range.first; bucket < range.end(); ++bucket) {
        const digest::BucketDigest& digest = day[static_cast<std::size_t>(bucket)];
        v1::DayDigests::Bucket* added = response.add_buckets();
        added->set_bucket(static_cast<std::uint32_t>(bucket));
        added->set_count(static_cast<std::uint64_t>(digest.count));
        added->set_amount(digest.signed_gross);
        added->set_hash_sum(BigEndian(digest.hash_sum));
    }
    return response;
}

Status PayoutService::ListDayRows(const v1::ListDayRowsRequest& request,
                                  rpc::StreamWriter<v1::DayRowPage>& pages) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    if (request.bucket() >= digest::kBuckets) return Invalid("there is no such bucket");
    v1::DayRowPage page;
    const auto send = [&] {
        const bool wanted = pages.Write(page);
        page.clear_rows();
        return wanted;
    };
    KESSAI_RETURN_IF_ERROR(
        reader_.StreamRows(date, static_cast<int>(request.bucket()), [&](const app::DayRow& row) {
            v1::DayRow* message = page.add_rows();
            message->set_object_id(row.key.payment.value());
            message->set_version(row.key.version);
            message->set_merchant_id(row.merchant.value());
            message->set_amount(row.gross);
            message->set_fee(row.fee);
            message->set_tax_class(TaxClassName(row.tax_class));
            return page.rows_size() < kRowsPerPage || send();
        }));
    if (page.rows_size() > 0) send();
    return OkStatus();
}

Status PayoutService::ListHeldBack(const v1::ListHeldBackRequest& request,
                                   rpc::StreamWriter<v1::HeldBackMerchant>& merchants) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto held, reader_.ListHeldBack(date));
    for (const domain::HeldBack& merchant : held) {
        v1::HeldBackMerchant message;
        FillHeldBack(merchant, &message);
        if (!merchants.Write(message)) return OkStatus();
    }
    return OkStatus();
}

}  // namespace kessai::payout::transport
