#include "transport/repair_service.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/transfer_reason.h"
#include "kessai/event/envelope.h"
#include "transport/callers.h"
#include "transport/payment_event_decoder.h"

namespace kessai::payout::transport {
namespace {

constexpr int kRepublishMax = 1'000;
constexpr int kFindRowsMax = 1'000;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

void Put(const digest::BucketDigest& digest, v1::RecomputedDigest::Digest& message) {
    message.set_count(digest.count);
    message.set_amount(digest.signed_gross);
    std::string bytes;
    for (const std::uint64_t half : {digest.hash_sum.high, digest.hash_sum.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(half >> shift & 0xFF));
        }
    }
    message.set_hash_sum(bytes);
}

v1::Correction ToMessage(const domain::Adjustment& adjustment) {
    v1::Correction message;
    message.set_adjustment_id(adjustment.id.value());
    message.set_merchant_id(adjustment.merchant.value());
    message.set_amount(adjustment.amount);
    message.set_posted(adjustment.state == domain::AdjustmentState::kApproved);
    return message;
}

}  // namespace

auth::MethodPolicy RepairPolicy() {
    using auth::MethodRule;
    const auto of_reconciliation = [](std::string method) {
        return MethodRule{std::move(method),
                          {auth::AnyService()},
                          MethodRule::Token::kInMetadata,
                          {"reconciliation"}};
    };
    return auth::MethodPolicy(
        {of_reconciliation("RepublishAccruals"), of_reconciliation("RestoreAccrual"),
         of_reconciliation("FindRows"), of_reconciliation("RecomputeDigest"),
         of_reconciliation("PostCorrection"), of_reconciliation("GetCorrection")});
}

void RepairService::Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow) {
    service.Blocking("RepublishAccruals", quick, *this, &RepairService::RepublishAccruals);
    service.Blocking("RestoreAccrual", slow, *this, &RepairService::RestoreAccrual);
    service.Blocking("FindRows", slow, *this, &RepairService::FindRows);
    service.Blocking("RecomputeDigest", slow, *this, &RepairService::RecomputeDigest);
    service.Blocking("PostCorrection", quick, *this, &RepairService::PostCorrection);
    service.Blocking("GetCorrection", quick, *this, &RepairService::GetCorrection);
}

Result<v1::RepublishAccrualsResponse> RepairService::RepublishAccruals(
    const rpc::CallContext&, const v1::RepublishAccrualsRequest& request) {
    if (request.changes_size() == 0 || request.changes_size() > kRepublishMax) {
        return Invalid("name 1 to 1,000 changes");
    }
    std::set<domain::EffectKey> keys;
    for (const auto& change : request.changes()) {
        keys.insert({domain::PaymentId(change.payment_id()), change.version()});
    }
    const std::vector<domain::EffectKey> sorted(keys.begin(), keys.end());
    KESSAI_RETURN_IF_ERROR(store_.Republish(sorted));
    v1::RepublishAccrualsResponse response;
    response.set_published(static_cast<std::uint32_t>(sorted.size()));
    return response;
}

Result<v1::RestoredAccrual> RepairService::RestoreAccrual(
    const rpc::CallContext&, const v1::RestoreAccrualRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const event::Envelope event, event::Open(request.event()));
    KESSAI_ASSIGN_OR_RETURN(const auto change, DecodePaymentEvent(event));
    if (!change) return Invalid("event: it is of no change of a payment");
    std::optional<domain::ContentHash> told;
    if (!request.told_content_hash().empty()) {
        if (request.told_content_hash().size() != told.emplace().size()) {
            return Invalid("told_content_hash: 16 bytes");
        }
        std::ranges::copy(request.told_content_hash(), told->begin());
    }
    KESSAI_ASSIGN_OR_RETURN(const app::RestoredAccrual restored,
                            restore_.Run(*change, event.occurred_at, told,
                                         FromMicros(request.heard_at_us()), request.dry_run()));
    v1::RestoredAccrual message;
    message.set_merchant_id(restored.accrual.merchant.value());
    message.set_business_date(restored.accrual.business_date.ToNumber());
    message.set_gross(restored.accrual.gross);
    message.set_fee(restored.accrual.fee);
    message.set_restored(restored.restored);
    return message;
}

Result<v1::FoundRows> RepairService::FindRows(const rpc::CallContext&,
                                              const v1::FindRowsRequest& request) {
    if (request.changes_size() == 0 || request.changes_size() > kFindRowsMax) {
        return Invalid("name 1 to 1,000 changes");
    }
    std::vector<domain::EffectKey> keys;
    for (const auto& change : request.changes()) {
        keys.push_back({domain::PaymentId(change.payment_id()), change.version()});
    }
    KESSAI_ASSIGN_OR_RETURN(const auto rows, store_.FindRows(keys));
    v1::FoundRows found;
    for (const app::DatedRow& row : rows) {
        v1::FoundRows::Row* message = found.add_rows();
        message->set_payment_id(row.key.payment.value());
        message->set_version(row.key.version);
        message->set_merchant_id(row.merchant.value());
        message->set_amount(row.gross);
        message->set_business_date(row.business_date.ToNumber());
    }
    return found;
}

Result<v1::RecomputedDigest> RepairService::RecomputeDigest(
    const rpc::CallContext&, const v1::RecomputeDigestRequest& request) {
    const Result<BusinessDate> date = BusinessDate::FromNumber(request.business_date());
    if (!date.ok()) return Invalid("business_date is no date (yyyymmdd)");
    if (request.bucket() >= digest::kBuckets) return Invalid("there is no such bucket");
    KESSAI_ASSIGN_OR_RETURN(
        const digest::RecomputedBucket digests,
        store_.RecomputeDigest(*date, static_cast<int>(request.bucket()), request.repair_key()));
    v1::RecomputedDigest message;
    Put(digests.before, *message.mutable_before());
    Put(digests.after, *message.mutable_after());
    return message;
}

// Killed between the two, it is asked again and goes on.
Result<v1::Correction> RepairService::PostCorrection(const rpc::CallContext&,
                                                     const v1::PostCorrectionRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    if (request.requested_by().empty() || request.approved_by().empty()) {
        return Invalid("two operators are needed");
    }
    domain::Adjustment wish;
    wish.merchant = merchant;
    wish.request_key = request.request_key();
    wish.amount = request.amount();
    wish.reason = request.reason();
    wish.requested_by = request.requested_by();
    if (request.requested_by() == request.approved_by()) {
        return Status(Code::kPermissionDenied, domain::reason::kSameOperator,
                      "who requested the adjustment cannot approve it");
    }
    KESSAI_ASSIGN_OR_RETURN(const domain::Adjustment requested, adjust_.Request(wish));
    KESSAI_ASSIGN_OR_RETURN(const domain::Adjustment posted,
                            adjust_.Decide(requested.id, /*approve=*/true, request.approved_by()));
    return ToMessage(posted);
}

Result<v1::Correction> RepairService::GetCorrection(const rpc::CallContext&,
                                                    const v1::GetCorrectionRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto merchant, ParseMerchant(request.merchant_id()));
    std::optional<domain::Adjustment> found;
    KESSAI_RETURN_IF_ERROR(
        ledger_.InTransaction([&](app::LedgerTransaction& transaction) -> Status {
            KESSAI_ASSIGN_OR_RETURN(
                found, transaction.merchants().FindAdjustment(merchant, request.request_key()));
            return OkStatus();
        }));
    if (!found) {
        return Status(Code::kNotFound, domain::reason::kAdjustmentUnknown,
                      "there is no adjustment " + request.request_key());
    }
    return ToMessage(*found);
}

}  // namespace kessai::payout::transport
