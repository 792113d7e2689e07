#include "transport/repair_service.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domain/refusal.h"

namespace kessai::payment::transport {
namespace {

constexpr int kFindRowsMax = 1'000;

using domain::Refusal;
using domain::Refuse;

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

}  // namespace

auth::MethodPolicy RepairPolicy() {
    using auth::MethodRule;
    const auto of_reconciliation = [](std::string method) {
        return MethodRule{std::move(method),
                          {auth::AnyService()},
                          MethodRule::Token::kInMetadata,
                          {"reconciliation"}};
    };
    return auth::MethodPolicy({of_reconciliation("GetEvent"), of_reconciliation("FindRows"),
                               of_reconciliation("RecomputeDigest")});
}

void RepairService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Blocking("GetEvent", pool, *this, &RepairService::GetEvent);
    service.Blocking("FindRows", pool, *this, &RepairService::FindRows);
    service.Blocking("RecomputeDigest", pool, *this, &RepairService::RecomputeDigest);
}

Result<v1::SealedEvent> RepairService::GetEvent(const rpc::CallContext&,
                                                const v1::GetEventRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const auto changes,
                            reader_.Changes({{request.object_id(), request.version()}}));
    if (changes.empty()) {
        return Refuse(Refusal::kChangeUnknown, "there is no change " +
                                                   std::to_string(request.object_id()) + "/" +
                                                   std::to_string(request.version()));
    }
    v1::SealedEvent event;
    event.set_envelope(encoder_.Encode(changes.front()));
    KESSAI_ASSIGN_OR_RETURN(*event.mutable_doubt(), reader_.DoubtOf(changes.front()));
    return event;
}

Result<v1::FoundRows> RepairService::FindRows(const rpc::CallContext&,
                                              const v1::FindRowsRequest& request) {
    if (request.changes_size() == 0 || request.changes_size() > kFindRowsMax) {
        return Refuse(Refusal::kFieldInvalid, "name 1 to 1,000 changes");
    }
    std::vector<std::pair<std::int64_t, std::uint32_t>> keys;
    for (const auto& change : request.changes()) {
        keys.emplace_back(change.object_id(), change.version());
    }
    KESSAI_ASSIGN_OR_RETURN(const auto changes, reader_.Changes(keys));
    v1::FoundRows found;
    for (const domain::Change& change : changes) {
        // As in a day's list: what is no merchant's is not compared.
        if (change.merchant.is_none()) continue;
        v1::FoundRows::Row* row = found.add_rows();
        row->set_object_id(change.object);
        row->set_version(change.version);
        row->set_merchant_id(change.merchant.value());
        row->set_amount(domain::MerchantGross(change));
        row->set_business_date(change.business_date.ToNumber());
    }
    return found;
}

Result<v1::RecomputedDigest> RepairService::RecomputeDigest(
    const rpc::CallContext&, const v1::RecomputeDigestRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            BusinessDate::FromNumber(request.business_date()));
    if (request.bucket() >= digest::kBuckets) {
        return Refuse(Refusal::kFieldInvalid, "there is no such bucket");
    }
    KESSAI_ASSIGN_OR_RETURN(const app::Day day, days_.Find(date));
    if (day.state != app::DayState::kClosed) {
        return Refuse(Refusal::kDayOpen, date.ToString() + " is not closed yet");
    }
    KESSAI_ASSIGN_OR_RETURN(
        const digest::RecomputedBucket digests,
        digests_.Recompute(date, static_cast<int>(request.bucket()), request.repair_key()));
    v1::RecomputedDigest answer;
    Put(digests.before, *answer.mutable_before());
    Put(digests.after, *answer.mutable_after());
    return answer;
}

}  // namespace kessai::payment::transport
