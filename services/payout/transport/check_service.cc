#include "transport/check_service.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "domain/reason.h"
#include "domain/transfer_reason.h"
#include "kessai/digest/accumulator.h"
#include "transport/plan_messages.h"
#include "transport/tax_class_name.h"

namespace kessai::payout::transport {
namespace {

constexpr std::uint32_t kPageMax = 5'000;
constexpr std::uint32_t kFundsPageMax = 200;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid, std::move(message));
}

Result<int> PageSizeOf(std::uint32_t asked, std::uint32_t max) {
    if (asked > max) return Invalid("page_size: 1 to " + std::to_string(max));
    return static_cast<int>(asked == 0 ? max : asked);
}

/// 16 bytes, most significant first.
std::string BigEndian(const digest::Sum128& sum) {
    std::string bytes;
    for (const std::uint64_t half : {sum.high, sum.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes.push_back(static_cast<char>(half >> shift & 0xFF));
        }
    }
    return bytes;
}

/// Without the empty ones.
template <class Message>
void FillBuckets(const digest::DayDigest& day, Message add) {
    for (std::size_t bucket = 0; bucket < day.size(); ++bucket) {
        if (day[bucket] == digest::BucketDigest{}) continue;
        v1::DayDigests::Bucket* added = add();
        added->set_bucket(static_cast<std::uint32_t>(bucket));
        added->set_count(static_cast<std::uint64_t>(day[bucket].count));
        added->set_amount(day[bucket].signed_gross);
        added->set_hash_sum(BigEndian(day[bucket].hash_sum));
    }
}

void FillSums(const domain::ReleaseSums& sums, v1::DayCheck::Sums* message) {
    message->set_merchant_count(sums.merchant_count);
    message->set_gross(sums.gross);
    message->set_fee(sums.fee);
    message->set_tax(sums.tax);
    message->set_net(sums.net);
}

void FillTold(const app::ToldRelease& told, v1::ToldRelease* message) {
    message->set_business_date(told.day.ToNumber());
    message->set_version(static_cast<std::uint32_t>(told.round) + 1);
    if (told.told_date) message->set_told_date(told.told_date->ToNumber());
    FillSums(told.sums, message->mutable_sums());
}

}  // namespace

auth::MethodPolicy CheckPolicy() {
    return auth::MethodPolicy({
        {"GetDayCheck", {auth::AnyService()}},
        {"ListToldReleases", {auth::AnyService()}},
        {"ListMerchantDays", {auth::AnyService()}},
        {"GetFeeDigests", {auth::AnyService()}},
        {"ListWrongFees", {auth::AnyService()}},
        {"GetTransferSums", {auth::AnyService()}},
        {"ListTransferSteps", {auth::AnyService()}},
        {"ListMovedFunds", {auth::AnyService()}},
    });
}

void CheckService::Register(rpc::Service& service, rpc::WorkerPool& slow) {
    service.Blocking("GetDayCheck", slow, *this, &CheckService::GetDayCheck);
    service.Blocking("ListToldReleases", slow, *this, &CheckService::ListToldReleases);
    service.Blocking("ListMerchantDays", slow, *this, &CheckService::ListMerchantDays);
    service.Blocking("GetFeeDigests", slow, *this, &CheckService::GetFeeDigests);
    service.Streaming<v1::ListWrongFeesRequest, v1::WrongFee>(
        "ListWrongFees", slow,
        [this](const rpc::CallContext&, const v1::ListWrongFeesRequest& request,
               rpc::StreamWriter<v1::WrongFee>& fees) { return ListWrongFees(request, fees); });
    service.Blocking("GetTransferSums", slow, *this, &CheckService::GetTransferSums);
    service.Blocking("ListTransferSteps", slow, *this, &CheckService::ListTransferSteps);
    service.Blocking("ListMovedFunds", slow, *this, &CheckService::ListMovedFunds);
}

Result<v1::DayCheck> CheckService::GetDayCheck(const rpc::CallContext&,
                                               const v1::GetDayCheckRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::DayCheck check, reader_.CheckDay(date));
    v1::DayCheck response;
    response.set_business_date(date.ToNumber());
    response.set_state(static_cast<v1::PayoutDay::State>(check.state));
    FillBuckets(check.accrued, [&] { return response.add_accrued(); });
    FillBuckets(check.released, [&] { return response.add_released(); });
    FillSums(check.released_sums, response.mutable_released_sums());
    response.set_round_count(static_cast<std::uint32_t>(check.told.size()));
    for (const app::ToldRelease& told : check.told) FillTold(told, response.add_rounds());
    FillSums(check.round_sums, response.mutable_round_sums());
    response.set_held_count(check.round_sums.held_back_count);
    return response;
}

Result<v1::ListToldReleasesResponse> CheckService::ListToldReleases(
    const rpc::CallContext&, const v1::ListToldReleasesRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date, ParseDate("told_date", request.told_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto rounds, reader_.ListToldReleases(date));
    v1::ListToldReleasesResponse response;
    for (const app::ToldRelease& told : rounds) FillTold(told, response.add_rounds());
    return response;
}

Result<v1::ListMerchantDaysResponse> CheckService::ListMerchantDays(
    const rpc::CallContext&, const v1::ListMerchantDaysRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const int limit, PageSizeOf(request.page_size(), kPageMax));
    std::set<int> buckets;
    for (const std::uint32_t bucket : request.buckets()) {
        if (bucket >= digest::kBuckets) return Invalid("buckets: there is no such bucket");
        buckets.insert(static_cast<int>(bucket));
    }
    KESSAI_ASSIGN_OR_RETURN(
        const auto page,
        reader_.ListMerchants(date, buckets, domain::MerchantId(request.after_merchant_id()),
                              limit));
    v1::ListMerchantDaysResponse response;
    for (const app::CheckedMerchant& merchant : page.items) {
        auto* added = response.add_merchants();
        added->set_merchant_id(merchant.merchant.value());
        added->set_held_back(merchant.held_back);
        for (const app::MerchantDayLine& line : merchant.lines) {
            auto* message = added->add_lines();
            message->set_tax_class(TaxClassName(line.tax_class));
            message->set_accrued_gross(line.accrued.gross);
            message->set_accrued_fee(line.accrued.fee);
            message->set_accrued_count(line.accrued.item_count);
            if (!line.released) continue;
            message->set_released(true);
            message->set_released_gross(line.released->sums.gross);
            message->set_released_fee(line.released->sums.fee);
            message->set_released_count(line.released->sums.item_count);
            message->set_tax(line.released->tax);
            message->set_net(line.released->net);
            message->set_cycle_fee_before(line.cycle_fee_before);
        }
    }
    response.set_next_merchant_id(page.next.value());
    return response;
}

Result<v1::DayDigests> CheckService::GetFeeDigests(const rpc::CallContext&,
                                                   const v1::GetFeeDigestsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const digest::DayDigest day, reader_.FeeDigests(date));
    v1::DayDigests response;
    response.set_business_date(date.ToNumber());
    FillBuckets(day, [&] { return response.add_buckets(); });
    return response;
}

Status CheckService::ListWrongFees(const v1::ListWrongFeesRequest& request,
                                   rpc::StreamWriter<v1::WrongFee>& fees) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const auto wrong, fees_.Run(date, stop_.get_token()));
    for (const domain::WrongFee& one : wrong) {
        v1::WrongFee message;
        message.set_payment_id(one.accrual.key.payment.value());
        message.set_version(one.accrual.key.version);
        message.set_merchant_id(one.accrual.merchant.value());
        message.set_gross(one.accrual.gross);
        message.set_fee(one.accrual.fee);
        message.set_expected_fee(one.expected_fee);
        message.set_tax_class(TaxClassName(one.accrual.tax_class));
        message.set_expected_tax_class(TaxClassName(one.expected_class));
        message.set_note(one.note);
        if (!fees.Write(message)) break;
    }
    return OkStatus();
}

Result<v1::TransferSums> CheckService::GetTransferSums(const rpc::CallContext&,
                                                       const v1::GetTransferSumsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const app::TransferSums sums,
                            reader_.SumTransfers(date, BusinessDate::OfJst(clock_.Now())));
    v1::TransferSums response;
    response.set_business_date(date.ToNumber());
    response.set_final(sums.final);
    for (const app::TransferSum& step : sums.steps) {
        auto* added = response.add_steps();
        added->set_kind(static_cast<int>(step.sum.kind));
        added->set_count(step.count);
        added->set_amount(step.sum.amount);
        added->set_fee(step.sum.fee);
        added->set_tax(step.sum.tax);
    }
    return response;
}

Result<v1::ListTransferStepsResponse> CheckService::ListTransferSteps(
    const rpc::CallContext&, const v1::ListTransferStepsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const int limit, PageSizeOf(request.page_size(), kPageMax));
    KESSAI_ASSIGN_OR_RETURN(const auto page,
                            reader_.ListTransferSteps(date, request.after_journal_id(), limit));
    v1::ListTransferStepsResponse response;
    for (const app::NumberedJournal& journal : page.items) {
        auto* added = response.add_steps();
        added->set_journal_id(journal.journal);
        added->set_kind(static_cast<int>(journal.content.kind));
        added->set_transfer_id(journal.content.object);
        added->set_merchant_id(journal.content.merchant.value());
        added->set_amount(journal.content.amount);
        added->set_fee(journal.content.fee);
        added->set_tax(journal.content.tax);
    }
    response.set_next_journal_id(page.next);
    return response;
}

Result<v1::ListMovedFundsResponse> CheckService::ListMovedFunds(
    const rpc::CallContext&, const v1::ListMovedFundsRequest& request) {
    KESSAI_ASSIGN_OR_RETURN(const BusinessDate date,
                            ParseDate("business_date", request.business_date()));
    KESSAI_ASSIGN_OR_RETURN(const int limit, PageSizeOf(request.page_size(), kFundsPageMax));
    v1::ListMovedFundsResponse response;
    if (request.merchant_ids_size() > 0) {
        std::set<domain::MerchantId> named;
        for (const std::int64_t id : request.merchant_ids()) named.emplace(id);
        if (named.size() > kFundsPageMax) {
            return Invalid("merchant_ids: at most " + std::to_string(kFundsPageMax));
        }
        const std::vector<domain::MerchantId> merchants(named.begin(), named.end());
        KESSAI_ASSIGN_OR_RETURN(const auto found, reader_.FindFunds(date, merchants));
        for (const app::MovedFunds& funds : found) FillFunds(funds, *response.add_funds());
        return response;
    }
    KESSAI_ASSIGN_OR_RETURN(
        const auto page,
        reader_.ListMovedFunds(date, domain::MerchantId(request.after_merchant_id()), limit));
    for (const app::MovedFunds& funds : page.items) FillFunds(funds, *response.add_funds());
    response.set_next_merchant_id(page.next.value());
    return response;
}

void CheckService::FillFunds(const app::MovedFunds& funds,
                             v1::ListMovedFundsResponse::Funds& message) {
    message.set_merchant_id(funds.merchant.value());
    message.set_released(funds.released);
    message.set_adjusted(funds.adjusted);
    message.set_paid(funds.paid);
    message.set_prices(funds.prices);
    message.set_came_back(funds.came_back);
    message.set_open_transfers(funds.open_transfers);
    message.set_available(funds.available);
    message.set_in_transit(funds.in_transit);
    for (const app::MovedFunds::Made& made : funds.made) {
        auto* transfer = message.add_made();
        transfer->set_transfer_id(made.transfer.value());
        transfer->set_amount(made.amount);
        const auto trace = trace_.OfTransfer(made.transfer);
        if (!trace.ok() && trace.status().reason() == domain::reason::kTransferUnknown) {
            // Its row is gone, and with it what the bank would be told.
            transfer->set_amount(0);
            transfer->set_parts(made.amount);
        }
        if (!trace.ok()) continue;
        transfer->set_amount(trace->transfer.amount);
        std::int64_t parts = 0;
        for (const domain::FundsPart& part : trace->parts) parts += part.amount;
        transfer->set_parts(parts);
    }
}

}  // namespace kessai::payout::transport
