#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/adjustment.h"
#include "domain/bank_account.h"
#include "domain/invoice_parties.h"
#include "domain/payout_terms.h"
#include "kessai/result/result.h"

namespace kessai::payout::app {

/// Why nothing is paid to a merchant. The numbers are stored, and are those of
/// `kessai.payout.v1.PayoutHold.Cause`.
enum class HoldCause : std::uint8_t {
    kOperator = 1,
    /// A transfer failed or came back.
    kNotArrived = 2,
};

struct PayoutHold {
    domain::PayoutHoldId id = {};
    domain::MerchantId merchant = {};
    HoldCause cause = HoldCause::kOperator;
    /// What did not arrive.
    domain::PayoutId payout = {};
    std::string note = {};
    std::string put_by = {};
    std::optional<std::string> lifted_by = {};
};

/// What is kept of merchants for their payouts, within a LedgerTransaction.
class MerchantRecords {
 public:
    virtual ~MerchantRecords() = default;

    /// All versions, rising.
    virtual Result<std::vector<domain::BankAccount>> BankAccounts(domain::MerchantId merchant) = 0;
    virtual Status Insert(const domain::BankAccount& account) = 0;
    virtual Status SetConfirmed(const domain::BankAccount& account) = 0;
    virtual Status SetVerification(const domain::BankAccount& account) = 0;

    /// Nothing when there is no such version. Merchant none: the terms of all.
    virtual Result<std::optional<domain::PayoutTerms>> FindTerms(domain::MerchantId merchant,
                                                                 int version) = 0;
    /// The latest terms of merchants without their own.
    virtual Result<domain::PayoutTerms> CommonTerms() = 0;
    virtual Status Insert(const domain::PayoutTerms& terms, std::string_view put_by) = 0;

    virtual Result<std::optional<PayoutHold>> FindHold(domain::PayoutHoldId hold) = 0;
    virtual Result<std::vector<PayoutHold>> OpenHolds(domain::MerchantId merchant) = 0;
    virtual Status Insert(std::span<const PayoutHold> holds) = 0;
    virtual Status SetLifted(domain::PayoutHoldId hold, std::string_view lifted_by) = 0;

    /// The latest version.
    virtual Result<std::optional<domain::MerchantProfile>> FindProfile(
        domain::MerchantId merchant) = 0;
    virtual Status Insert(const domain::MerchantProfile& profile) = 0;

    virtual Result<std::optional<domain::Adjustment>> FindAdjustment(domain::AdjustmentId id) = 0;
    virtual Result<std::optional<domain::Adjustment>> FindAdjustment(domain::MerchantId merchant,
                                                                     std::string_view key) = 0;
    virtual Status Insert(const domain::Adjustment& adjustment) = 0;
    virtual Status SetDecided(const domain::Adjustment& adjustment) = 0;
};

}  // namespace kessai::payout::app
