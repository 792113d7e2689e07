#include "transport/repair_service.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/tax.h"
#include "domain/transfer_reason.h"
#include "kessai/event/envelope.h"
#include "transport/callers.h"
#include "transport/payment_event_decoder.h"
#include "transport/tax_class_name.h"

namespace kessai::payout::transport {
namespace {

constexpr int kRepublishMax = 1'000;
constexpr int kFindRowsMax = 1'000;
/// In whose name what nobody decided any more is declined.
constexpr std::string_view kReconciliation = "reconciliation";

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

/// One adjustment, or two of different merchants that belong together.
Result<std::vector<domain::Adjustment>> WishesOf(const v1::PostCorrectionRequest& request) {
    if (request.requested_by().empty() || request.approved_by().empty()) {
        return Invalid("two operators are needed");
    }
    if (request.requested_by() == request.approved_by()) {
        return Status(Code::kPermissionDenied, domain::reason::kSameOperator,
                      "who requested the adjustment cannot approve it");
    }
    std::vector<domain::Adjustment> wishes;
    const auto add = [&](std::int64_t merchant_id, const std::string& key,
                         std::int64_t amount) -> Status {
        domain::Adjustment& wish = wishes.emplace_back();
        KESSAI_ASSIGN_OR_RETURN(wish.merchant, ParseMerchant(merchant_id));
        wish.request_key = key;
        wish.amount = amount;
        wish.reason = request.reason();
        wish.requested_by = request.requested_by();
        return OkStatus();
    };
    KESSAI_RETURN_IF_ERROR(add(request.merchant_id(), request.request_key(), request.amount()));
    if (request.other_amount() == 0) return wishes;
    if (request.other_merchant_id() == request.merchant_id()) {
        return Invalid("other_merchant_id: must be another merchant");
    }
    KESSAI_RETURN_IF_ERROR(
        add(request.other_merchant_id(), request.other_request_key(), request.other_amount()));
    return wishes;
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
        {of_reconciliation("RepublishAccruals"), of_reconciliation("RepublishReleases"),
         of_reconciliation("RestoreAccrual"), of_reconciliation("FindRows"),
         of_reconciliation("RecomputeDigest"), of_reconciliation("PostCorrection"),
         of_reconciliation("WithdrawCorrection"), of_reconciliation("GetCorrection")});
}

void RepairService::Register(rpc::Service& service, rpc::WorkerPool& quick, rpc::WorkerPool& slow) {
    service.Blocking("RepublishAccruals", quick, *this, &RepairService::RepublishAccruals);
    service.Blocking("RepublishReleases", quick, *this, &RepairService::RepublishReleases);
    service.Blocking("RestoreAccrual", slow, *this, &RepairService::RestoreAccrual);
    service.Blocking("FindRows", slow, *this, &RepairService::FindRows);
    service.Blocking("RecomputeDigest", slow, *this, &RepairService::RecomputeDigest);
    service.Blocking("PostCorrection", quick, *this, &RepairService::PostCorrection);
    service.Blocking("WithdrawCorrection", quick, *this, &RepairService::WithdrawCorrection);
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

Result<v1::RepublishReleasesResponse> RepairService::RepublishReleases(
    const rpc::CallContext&, const v1::RepublishReleasesRequest& request) {
    const Result<BusinessDate> date = BusinessDate::FromNumber(request.business_date());
    if (!date.ok()) return Invalid("business_date is no date (yyyymmdd)");
    KESSAI_ASSIGN_OR_RETURN(const int published, republish_.RunOfRelease(*date));
    v1::RepublishReleasesResponse response;
    response.set_published(static_cast<std::uint32_t>(published));
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
        message->set_fee(row.fee);
        message->set_tax_class(TaxClassName(row.tax_class));
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

Result<v1::Correction> RepairService::PostCorrection(const rpc::CallContext&,
                                                     const v1::PostCorrectionRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto wishes, WishesOf(request));
    KESSAI_ASSIGN_OR_RETURN(const auto posted, adjust_.Post(wishes, request.approved_by()));
    v1::Correction message = ToMessage(posted.front());
    if (posted.size() > 1) message.set_other_adjustment_id(posted.back().id.value());
    return message;
}

Result<v1::Correction> RepairService::WithdrawCorrection(const rpc::CallContext&,
                                                         const v1::PostCorrectionRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto wishes, WishesOf(request));
    KESSAI_ASSIGN_OR_RETURN(const bool withdrawn, adjust_.Withdraw(wishes, kReconciliation));
    v1::Correction message;
    message.set_merchant_id(request.merchant_id());
    message.set_amount(request.amount());
    message.set_posted(!withdrawn);
    return message;
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
