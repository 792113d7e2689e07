#pragma once

#include "app/merchant_records.h"
#include "kessai/mysql/session.h"
#include "kessai/time/clock.h"

namespace kessai::payout::storage {

/// Within the transaction of its session.
class MysqlMerchantRecords final : public app::MerchantRecords {
 public:
    MysqlMerchantRecords(mysql::Session& session, Instant at) : session_(session), at_(at) {}

    Result<std::vector<domain::BankAccount>> BankAccounts(domain::MerchantId merchant) override;
    Status Insert(const domain::BankAccount& account) override;
    Status SetConfirmed(const domain::BankAccount& account) override;
    Status SetVerification(const domain::BankAccount& account) override;

    Result<std::optional<domain::PayoutTerms>> FindTerms(domain::MerchantId merchant,
                                                         int version) override;
    Result<domain::PayoutTerms> CommonTerms() override;
    Status Insert(const domain::PayoutTerms& terms, std::string_view put_by) override;

    Result<std::optional<app::PayoutHold>> FindHold(domain::PayoutHoldId hold) override;
    Result<std::vector<app::PayoutHold>> OpenHolds(domain::MerchantId merchant) override;
    Status Insert(std::span<const app::PayoutHold> holds) override;
    Status SetLifted(domain::PayoutHoldId hold, std::string_view lifted_by) override;

    Result<std::optional<domain::MerchantProfile>> FindProfile(
        domain::MerchantId merchant) override;
    Status Insert(const domain::MerchantProfile& profile) override;

    Result<std::optional<domain::Adjustment>> FindAdjustment(domain::AdjustmentId id) override;
    Result<std::optional<domain::Adjustment>> FindAdjustment(domain::MerchantId merchant,
                                                             std::string_view key) override;
    Status Insert(const domain::Adjustment& adjustment) override;
    Status SetDecided(const domain::Adjustment& adjustment) override;

 private:
    mysql::Session& session_;
    const Instant at_;
};

/// The latest payout terms of merchants without their own.
Result<domain::PayoutTerms> LoadCommonTerms(mysql::Session& session);

}  // namespace kessai::payout::storage
