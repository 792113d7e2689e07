#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kessai/auth/token.h"
#include "kessai/digest/accumulator.h"
#include "kessai/digest/lines.h"
#include "kessai/payout/v1/check_service.grpc.pb.h"

namespace kessai::reconciliation::testing {

/// An in-process gRPC server with payout's CheckService, that says what a test put there. The
/// digests follow from the merchants. Guarded by `mutex`.
class FakeCheckPeer final : public payout::v1::CheckService::Service {
 public:
    FakeCheckPeer(const auth::TokenVerifier& verifier, const digest::RowHasher& hasher)
        : verifier_(verifier), hasher_(hasher) {
        grpc::ServerBuilder builder;
        builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
        builder.RegisterService(this);
        server_ = builder.BuildAndStart();
    }
    ~FakeCheckPeer() override { server_->Shutdown(); }

    std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

    std::mutex mutex;
    BusinessDate business_date;
    bool released = true;
    /// Of the event that told of it; absent: an older payout told it.
    std::optional<BusinessDate> told_date;
    /// Rising; of every merchant all lines.
    std::vector<payout::v1::ListMerchantDaysResponse::Merchant> merchants;
    std::vector<payout::v1::WrongFee> wrong_fees;
    std::vector<payout::v1::ListTransferStepsResponse::Step> steps;
    std::vector<payout::v1::ListMovedFundsResponse::Funds> funds;
    payout::v1::DayDigests fees;
    int merchants_listed = 0;

    grpc::Status GetDayCheck(grpc::ServerContext* context,
                             const payout::v1::GetDayCheckRequest* request,
                             payout::v1::DayCheck* answer) override {
        std::lock_guard lock(mutex);
        if (auto refused = Verify(*context); !refused.ok()) return refused;
        answer->set_business_date(request->business_date());
        answer->set_state(payout::v1::PayoutDay::CLOSED);
        // Of other days there is nothing.
        if (request->business_date() != business_date.ToNumber()) return grpc::Status::OK;
        answer->set_state(released ? payout::v1::PayoutDay::RELEASED
                                   : payout::v1::PayoutDay::CLOSED);
        digest::Accumulator accrued(hasher_);
        digest::Accumulator lines(hasher_);
        auto* sums = answer->mutable_released_sums();
        for (const auto& merchant : merchants) {
            for (const auto& line : merchant.lines()) {
                digest::AddLine(business_date,
                                {merchant.merchant_id(), 2, line.accrued_gross(),
                                 line.accrued_fee(), line.accrued_count()},
                                accrued);
                if (!line.released()) continue;
                digest::AddLine(business_date,
                                {merchant.merchant_id(), 2, line.released_gross(),
                                 line.released_fee(), line.released_count()},
                                lines);
                sums->set_gross(sums->gross() + line.released_gross());
                sums->set_fee(sums->fee() + line.released_fee());
                sums->set_tax(sums->tax() + line.tax());
                sums->set_net(sums->net() + line.net());
            }
            sums->set_merchant_count(sums->merchant_count() + 1);
        }
        Fill(accrued.Day(business_date), [&] { return answer->add_accrued(); });
        Fill(lines.Day(business_date), [&] { return answer->add_released(); });
        *answer->mutable_round_sums() = answer->released_sums();
        answer->set_round_count(released ? 1 : 0);
        if (released) FillRound(*sums, answer->add_rounds());
        return grpc::Status::OK;
    }

    grpc::Status ListToldReleases(grpc::ServerContext*,
                                  const payout::v1::ListToldReleasesRequest* request,
                                  payout::v1::ListToldReleasesResponse* answer) override {
        std::lock_guard lock(mutex);
        if (released && told_date && request->told_date() == told_date->ToNumber()) {
            FillRound({}, answer->add_rounds());
        }
        return grpc::Status::OK;
    }

    grpc::Status ListMerchantDays(grpc::ServerContext* context,
                                  const payout::v1::ListMerchantDaysRequest* request,
                                  payout::v1::ListMerchantDaysResponse* answer) override {
        std::lock_guard lock(mutex);
        if (auto refused = Verify(*context); !refused.ok()) return refused;
        for (const auto& merchant : merchants) {
            if (merchant.merchant_id() <= request->after_merchant_id()) continue;
            const auto bucket =
                static_cast<std::uint32_t>(digest::BucketOf(merchant.merchant_id()));
            const bool asked = request->buckets().empty() ||
                               std::find(request->buckets().begin(), request->buckets().end(),
                                         bucket) != request->buckets().end();
            if (!asked) continue;
            if (answer->merchants_size() == 2) {
                answer->set_next_merchant_id(answer->merchants(1).merchant_id());
                break;
            }
            *answer->add_merchants() = merchant;
            ++merchants_listed;
        }
        return grpc::Status::OK;
    }

    grpc::Status GetFeeDigests(grpc::ServerContext*,
                               const payout::v1::GetFeeDigestsRequest* request,
                               payout::v1::DayDigests* answer) override {
        std::lock_guard lock(mutex);
        *answer = fees;
        answer->set_business_date(request->business_date());
        return grpc::Status::OK;
    }

    grpc::Status ListWrongFees(grpc::ServerContext*, const payout::v1::ListWrongFeesRequest*,
                               grpc::ServerWriter<payout::v1::WrongFee>* writer) override {
        std::lock_guard lock(mutex);
        for (const auto& fee : wrong_fees) writer->Write(fee);
        return grpc::Status::OK;
    }

    grpc::Status GetTransferSums(grpc::ServerContext*,
                                 const payout::v1::GetTransferSumsRequest* request,
                                 payout::v1::TransferSums* answer) override {
        std::lock_guard lock(mutex);
        answer->set_business_date(request->business_date());
        answer->set_final(true);
        for (const auto& step : steps) {
            auto* added = answer->add_steps();
            added->set_kind(step.kind());
            added->set_count(1);
            added->set_amount(step.amount());
        }
        return grpc::Status::OK;
    }

    grpc::Status ListTransferSteps(grpc::ServerContext*,
                                   const payout::v1::ListTransferStepsRequest*,
                                   payout::v1::ListTransferStepsResponse* answer) override {
        std::lock_guard lock(mutex);
        for (const auto& step : steps) *answer->add_steps() = step;
        return grpc::Status::OK;
    }

    grpc::Status ListMovedFunds(grpc::ServerContext*,
                                const payout::v1::ListMovedFundsRequest* request,
                                payout::v1::ListMovedFundsResponse* answer) override {
        std::lock_guard lock(mutex);
        const auto& named = request->merchant_ids();
        for (const auto& one : funds) {
            const bool asked = named.empty() || std::find(named.begin(), named.end(),
                                                          one.merchant_id()) != named.end();
            if (asked) *answer->add_funds() = one;
        }
        return grpc::Status::OK;
    }

 private:
    grpc::Status Verify(const grpc::ServerContext& context) {
        const auto token = context.client_metadata().find("kessai-token-bin");
        if (token == context.client_metadata().end()) {
            return {grpc::StatusCode::UNAUTHENTICATED, "no token"};
        }
        const auto principal = verifier_.Verify({token->second.data(), token->second.size()});
        if (!principal.ok() || (*principal)->role != auth::Role::kService) {
            return {grpc::StatusCode::UNAUTHENTICATED, "not a service's token"};
        }
        return grpc::Status::OK;
    }

    void FillRound(const payout::v1::DayCheck::Sums& sums, payout::v1::ToldRelease* round) const {
        round->set_business_date(business_date.ToNumber());
        round->set_version(1);
        if (told_date) round->set_told_date(told_date->ToNumber());
        *round->mutable_sums() = sums;
    }

    template <class Add>
    static void Fill(const digest::DayDigest& day, Add add) {
        for (std::size_t bucket = 0; bucket < day.size(); ++bucket) {
            if (day[bucket] == digest::BucketDigest{}) continue;
            auto* one = add();
            one->set_bucket(static_cast<std::uint32_t>(bucket));
            one->set_count(static_cast<std::uint64_t>(day[bucket].count));
            one->set_amount(day[bucket].signed_gross);
            std::string sum(16, '\0');
            for (std::size_t i = 0; i < 8; ++i) {
                sum[i] = static_cast<char>(day[bucket].hash_sum.high >> (56 - 8 * i));
                sum[i + 8] = static_cast<char>(day[bucket].hash_sum.low >> (56 - 8 * i));
            }
            one->set_hash_sum(sum);
        }
    }

    const auth::TokenVerifier& verifier_;
    const digest::RowHasher& hasher_;
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
};

}  // namespace kessai::reconciliation::testing
