#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "app/credential_store.h"
#include "app/nonce_memory.h"
#include "app/payment_gateway.h"
#include "app/rate_limiter.h"

namespace kessai::gateway {

/// Keeps credentials in memory, and can be out of order.
class FakeCredentialStore : public app::CredentialStore {
 public:
    Result<std::optional<domain::ApiCredential>> Find(std::string_view api_key) override {
        const std::lock_guard lock(mutex_);
        ++finds;
        if (!failure.ok()) return failure;
        const auto found = credentials.find(std::string(api_key));
        if (found == credentials.end()) return std::optional<domain::ApiCredential>();
        return std::optional(found->second);
    }
    Result<std::vector<domain::ApiCredential>> OfMerchant(std::int64_t merchant_id) override {
        const std::lock_guard lock(mutex_);
        std::vector<domain::ApiCredential> found;
        for (const auto& [key, credential] : credentials) {
            if (credential.merchant_id == merchant_id) found.push_back(credential);
        }
        return found;
    }
    Status Add(const domain::ApiCredential& credential) override {
        const std::lock_guard lock(mutex_);
        credentials[credential.api_key] = credential;
        return OkStatus();
    }
    Status Revoke(std::int64_t merchant_id, std::string_view api_key, Instant now) override {
        const std::lock_guard lock(mutex_);
        const auto found = credentials.find(std::string(api_key));
        if (found == credentials.end() || found->second.merchant_id != merchant_id) {
            return {Code::kNotFound, "CREDENTIAL_UNKNOWN", ""};
        }
        found->second.revoked = true;
        found->second.updated_at = now;
        return OkStatus();
    }
    Result<std::vector<std::string>> ChangedSince(Instant since) override {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> keys;
        for (const auto& [key, credential] : credentials) {
            if (credential.updated_at >= since) keys.push_back(key);
        }
        return keys;
    }

    std::map<std::string, domain::ApiCredential> credentials;
    Status failure;
    std::atomic<int> finds = 0;

 private:
    std::mutex mutex_;
};

class FakeNonceMemory : public app::NonceMemory {
 public:
    net::Task<app::NonceVerdict> Remember(std::string_view api_key, std::string_view nonce,
                                          std::string_view epoch, std::string_view mac) override {
        if (down) co_return app::NonceVerdict::kUnknown;
        const std::string key = std::string(api_key) + ":" + std::string(nonce);
        const std::string value = std::string(epoch) + ":" + std::string(mac);
        const auto [at, fresh] = seen.emplace(key, value);
        if (fresh) co_return app::NonceVerdict::kFresh;
        co_return at->second == value ? app::NonceVerdict::kRepeat : app::NonceVerdict::kReused;
    }
    std::map<std::string, std::string> seen;
    std::atomic<bool> down = false;
};

class FakeRateLimiter : public app::RateLimiter {
 public:
    bool Take(std::string_view key, const app::Rate&) override {
        const auto limit = limits.find(std::string(key));
        return limit == limits.end() || limit->second-- > 0;
    }
    std::map<std::string, int> limits;
};

/// Answers what a test says, and remembers who asked for what.
class FakePaymentGateway : public app::PaymentGateway {
 public:
    template <class T>
    using Answer = std::function<Result<T>()>;

    net::Task<Result<domain::Payment>> CreateCode(const app::CallContext& context,
                                                  const domain::CreateCode& command) override {
        caller = context.caller;
        created.push_back(command);
        if (!refusal.ok()) co_return refusal;
        domain::Payment answer = payment;
        answer.amount = command.amount;
        answer.details = command.details;
        answer.merchant_payment_id = command.merchant_payment_id;
        co_return answer;
    }
    net::Task<Result<domain::Payment>> DeleteCode(const app::CallContext& context,
                                                  std::string_view code_id) override {
        return Give(context, code_id);
    }
    net::Task<Result<domain::Payment>> PayCode(const app::CallContext& context,
                                               std::string_view code_id, Money amount) override {
        paid = amount;
        return Give(context, code_id);
    }
    net::Task<Status> CancelPayment(const app::CallContext& context,
                                    std::string_view merchant_payment_id) override {
        caller = context.caller;
        asked = merchant_payment_id;
        co_return refusal;
    }
    net::Task<Result<domain::Refund>> RefundPayment(const app::CallContext& context,
                                                    const domain::RefundPayment& command) override {
        caller = context.caller;
        refunds.push_back(command);
        if (!refusal.ok()) co_return refusal;
        domain::Refund answer = refund;
        answer.merchant_refund_id = command.merchant_refund_id;
        answer.payment_id = command.payment_id;
        answer.amount = command.amount;
        answer.reason = command.reason;
        answer.requested_at_s = command.requested_at_s;
        co_return answer;
    }
    net::Task<Result<domain::TopUp>> TopUp(const app::CallContext& context,
                                           std::string_view idempotency_key, Money amount,
                                           std::string_view source) override {
        caller = context.caller;
        asked = std::string(idempotency_key) + "/" + std::string(source);
        if (!refusal.ok()) co_return refusal;
        co_return domain::TopUp{77, amount, Yen(5'000), FromMicros(1'700'000'000'000'000)};
    }
    net::Task<Result<domain::Wallet>> OpenWallet(const app::CallContext& context) override {
        return GiveWallet(context);
    }
    net::Task<Result<domain::Payment>> GetCode(const app::CallContext& context,
                                               std::string_view code_id) override {
        return Give(context, code_id);
    }
    net::Task<Result<domain::Payment>> GetPaymentByOrder(
        const app::CallContext& context, std::string_view merchant_payment_id) override {
        return Give(context, merchant_payment_id);
    }
    net::Task<Result<domain::Payment>> GetPayment(const app::CallContext& context,
                                                  std::int64_t payment_id) override {
        return Give(context, std::to_string(payment_id));
    }
    net::Task<Result<domain::Refund>> GetRefund(const app::CallContext& context,
                                                std::string_view merchant_refund_id,
                                                std::int64_t payment_id) override {
        caller = context.caller;
        asked = std::string(merchant_refund_id) + "/" + std::to_string(payment_id);
        if (!refusal.ok()) co_return refusal;
        co_return refund;
    }
    net::Task<Result<domain::Wallet>> GetWallet(const app::CallContext& context) override {
        return GiveWallet(context);
    }
    net::Task<Result<domain::HistoryPage>> ListHistory(const app::CallContext& context,
                                                       std::uint32_t page_size,
                                                       std::string_view page_token) override {
        caller = context.caller;
        asked = std::to_string(page_size) + "/" + std::string(page_token);
        if (!refusal.ok()) co_return refusal;
        co_return history;
    }
    net::Task<Result<domain::Merchant>> PutMerchant(const app::CallContext& context,
                                                    const domain::Merchant& merchant) override {
        caller = context.caller;
        if (!refusal.ok()) co_return refusal;
        co_return merchant;
    }
    net::Task<Result<domain::Merchant>> GetMerchant(const app::CallContext& context,
                                                    std::int64_t merchant_id) override {
        caller = context.caller;
        if (!refusal.ok()) co_return refusal;
        co_return domain::Merchant{merchant_id, "Shop", false, false};
    }
    net::Task<Result<app::BusinessDay>> CloseDay(const app::CallContext& context,
                                                 std::int32_t date_number, bool early) override {
        caller = context.caller;
        closed_early = early;
        if (!refusal.ok()) co_return refusal;
        co_return app::BusinessDay{date_number, app::BusinessDay::State::kClosing};
    }
    net::Task<Result<app::BusinessDay>> GetBusinessDay(const app::CallContext& context,
                                                       std::int32_t date_number) override {
        caller = context.caller;
        if (!refusal.ok()) co_return refusal;
        co_return app::BusinessDay{date_number, app::BusinessDay::State::kOpen};
    }
    net::Task<Result<std::uint32_t>> RepublishEvents(
        const app::CallContext& context, const std::vector<domain::ChangeName>& changes) override {
        caller = context.caller;
        if (!refusal.ok()) co_return refusal;
        republished = changes;
        co_return static_cast<std::uint32_t>(changes.size());
    }

    Status refusal;
    domain::Payment payment;
    domain::Refund refund;
    domain::Wallet wallet;
    domain::HistoryPage history;
    auth::PrincipalPtr caller;
    std::vector<domain::CreateCode> created;
    std::vector<domain::RefundPayment> refunds;
    std::string asked;
    bool closed_early = false;
    std::vector<domain::ChangeName> republished;
    Money paid;

 private:
    net::Task<Result<domain::Payment>> Give(const app::CallContext& context,
                                            std::string_view what) {
        caller = context.caller;
        asked = what;
        if (!refusal.ok()) co_return refusal;
        co_return payment;
    }
    net::Task<Result<domain::Wallet>> GiveWallet(const app::CallContext& context) {
        caller = context.caller;
        if (!refusal.ok()) co_return refusal;
        domain::Wallet answer = wallet;
        answer.user_id = context.caller->user_id;
        co_return answer;
    }
};

}  // namespace kessai::gateway
