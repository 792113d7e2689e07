#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "domain/apply.h"
#include "domain/refusal.h"

namespace kessai::payment::domain {

/// Ids 1001, 1002, …
class CountingIds final : public IdSource {
 public:
    std::int64_t Next() override { return ++last_; }

 private:
    std::int64_t last_ = 1'000;
};

/// A working set that commands run on one by one, at a time and on a day that the test decides.
class DomainTest : public ::testing::Test {
 protected:
    static constexpr MerchantId kMerchant{7};
    static constexpr UserId kUser{42};

    DomainTest() {
        policy_.development_funding = true;
        rows_.merchants.Load(kMerchant, Merchant{kMerchant, "Kissa", false, false});
        rows_.wallets.Load(kUser, Wallet{kUser, Yen(0), EventId(), now_});
    }

    Result<Outcome> Run(const Command& command) {
        if (Status valid = Validate(command, policy_); !valid.ok()) return valid;
        return Apply(command, rows_, {now_, date_, ids_, policy_});
    }
    Payment RunForPayment(const Command& command) {
        return std::get<PaymentOutcome>(Run(command).value()).payment;
    }
    /// The reason of the refusal; "" when it was done.
    std::string ReasonOf(const Command& command) {
        return std::string(Run(command).status().reason());
    }

    CreateCode Order(std::string id, std::int64_t amount, std::uint32_t salt = 1) {
        CreateCode command;
        command.merchant = kMerchant;
        command.merchant_payment_id = std::move(id);
        command.amount = Yen(amount);
        command.salt = salt;
        return command;
    }
    static CodeId CodeOf(const Payment& payment) { return {payment.id, payment.code_salt}; }
    static PayCode Pay(const Payment& payment, UserId user = kUser) {
        return {user, CodeOf(payment), payment.amount};
    }
    static CancelPayment Cancel(std::string id) { return {{kMerchant, std::move(id)}}; }
    static RefundPayment RefundOf(const Payment& payment, std::string id, std::int64_t amount) {
        return {kMerchant, std::move(id), payment.id, Yen(amount), "", 0};
    }
    void GivenBalance(std::int64_t amount, UserId user = kUser) {
        Run(TopUpWallet{user, "given-" + std::to_string(ids_.Next()), Yen(amount), "development"})
            .value();
    }
    Payment GivenPaid(std::string id, std::int64_t amount) {
        GivenBalance(amount);
        return RunForPayment(Pay(RunForPayment(Order(std::move(id), amount))));
    }
    std::int64_t Balance(UserId user = kUser) { return rows_.wallets.Find(user)->balance.minor(); }
    void Advance(Duration by) { now_ += by; }

    // 2026-11-22 12:00 in Japan.
    Instant now_ = BusinessDate::Parse("2026-11-22").value().At(std::chrono::hours(12));
    BusinessDate date_ = BusinessDate::Parse("2026-11-22").value();
    CountingIds ids_;
    Policy policy_;
    WorkingSet rows_;
};

}  // namespace kessai::payment::domain
