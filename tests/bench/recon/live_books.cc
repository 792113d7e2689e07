#include "bench/recon/live_books.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/batch_executor.h"
#include "app/merchant_cache.h"
#include "kessai/lease/leased_ids.h"
#include "kessai/mysql/pool.h"
#include "storage/leased_ids.h"
#include "storage/mysql_ledger_store.h"
#include "transport/event_encoder.h"

namespace kessai::bench {
namespace {

using payment::app::BatchExecutor;
using payment::app::Submission;
using payment::domain::Command;
using payment::domain::Outcome;
using payment::domain::Payment;
using payment::domain::UserId;

constexpr std::size_t kCommandsAtATime = 8'192;
constexpr Duration kWithin = std::chrono::minutes(2);
// Not those of the running service, whose executors take theirs from the first on.
constexpr int kFirstGateSlot = 32;
constexpr std::int64_t kPaymentsPerUser = 40;
constexpr std::int64_t kTopUp = 1'000'000;
constexpr std::int64_t kAmountMax = 20'000;
static_assert(kPaymentsPerUser * kAmountMax <= kTopUp);
constexpr std::int64_t kUsersOfASeed = 1'000'000;
constexpr std::int64_t kFirstUser = 4'000'000'000'000;

class NoObserver final : public payment::app::ExecutorObserver {
 public:
    void OnBatch(std::size_t, std::size_t, std::size_t, Duration) override {}
    void OnRetry(const Status&) override {}
    void OnGuessedWrong(const Status&) override {}
    void OnSplit() override {}
    void OnDropped() override {}
    void OnFailed(const Status&) override {}
};

/// The outcomes of some commands, in their order.
class Outcomes final : public payment::app::ReplySink {
 public:
    explicit Outcomes(std::size_t count)
        : missing_(count), outcomes_(count, Status(Code::kUnknown, "NOT_YET", "")) {}

    void Deliver(std::uint64_t tag, Result<Outcome> outcome) override {
        const std::lock_guard lock(mutex_);
        outcomes_[tag] = std::move(outcome);
        if (--missing_ == 0) all_.notify_all();
    }
    void Flush() override {}

    std::vector<Result<Outcome>> Wait() {
        std::unique_lock lock(mutex_);
        all_.wait(lock, [this] { return missing_ == 0; });
        return std::move(outcomes_);
    }

 private:
    std::mutex mutex_;
    std::condition_variable all_;
    std::size_t missing_;
    std::vector<Result<Outcome>> outcomes_;
};

class Trader {
 public:
    Trader(const mysql::ConnectOptions& connect, const TradeRecipe& recipe)
        : recipe_(recipe),
          drawn_(recipe.seed * 0x9e3779b97f4a7c15ULL + 1),
          pool_({.connect = connect, .sessions_max = recipe.executors + 2}),
          leased_(pool_, SystemClock(), [](const Status&) {}),
          ids_(leased_),
          store_(pool_, recipe.on_events),
          merchants_(std::chrono::hours(1), 10'000, SystemClock()),
          executor_(Options(recipe), store_, {merchants_, ids_, encoder_, policy_}, SystemClock(),
                    observer_) {
        policy_.development_funding = true;
    }

    Result<TradeFacts> Run() {
        leased_.Start();
        const SteadyInstant deadline = SystemClock().SteadyNow() + kWithin;
        while (!leased_.Ready().ok()) {
            if (SystemClock().SteadyNow() > deadline) return leased_.Ready();
            SystemClock().SleepFor(std::chrono::milliseconds(10));
        }
        executor_.Start();
        const Status traded = TradeAll();
        executor_.Stop();
        KESSAI_RETURN_IF_ERROR(traded);
        return facts_;
    }

 private:
    static payment::app::ExecutorOptions Options(const TradeRecipe& recipe) {
        payment::app::ExecutorOptions options;
        options.executors = recipe.executors;
        options.first_gate_slot = kFirstGateSlot;
        return options;
    }

    Status TradeAll() {
        for (std::int64_t begun = 0; begun < recipe_.payments;) {
            const std::int64_t count = std::min<std::int64_t>(
                static_cast<std::int64_t>(kCommandsAtATime), recipe_.payments - begun);
            KESSAI_RETURN_IF_ERROR(TradeSome(begun, count));
            begun += count;
        }
        return OkStatus();
    }

    Status TradeSome(std::int64_t first, std::int64_t count) {
        const std::int64_t first_user = first / kPaymentsPerUser;
        const std::int64_t last_user = (first + count - 1) / kPaymentsPerUser;
        KESSAI_RETURN_IF_ERROR(TopUp(first_user, last_user));
        std::vector<Command> commands;
        for (std::int64_t i = first; i < first + count; ++i) commands.push_back(Order(i));
        KESSAI_ASSIGN_OR_RETURN(const std::vector<Payment> codes, Payments(std::move(commands)));
        commands.clear();
        for (std::int64_t i = 0; i < count; ++i) {
            const Payment& code = codes[static_cast<std::size_t>(i)];
            commands.push_back(payment::domain::PayCode{
                UserOf((first + i) / kPaymentsPerUser), {code.id, code.code_salt}, code.amount});
        }
        KESSAI_ASSIGN_OR_RETURN(const std::vector<Payment> paid, Payments(std::move(commands)));
        facts_.payments += count;
        return GiveBack(first, paid);
    }

    Status TopUp(std::int64_t first_user, std::int64_t last_user) {
        std::vector<Command> open;
        std::vector<Command> top_up;
        // One that has paid with the payments before has its money still.
        for (std::int64_t user = std::max(first_user, users_); user <= last_user; ++user) {
            open.push_back(payment::domain::OpenWallet{UserOf(user)});
            top_up.push_back(
                payment::domain::TopUpWallet{UserOf(user), "trade", Yen(kTopUp), "development"});
        }
        users_ = last_user + 1;
        KESSAI_RETURN_IF_ERROR(Execute(std::move(open)).status());
        return Execute(std::move(top_up)).status();
    }

    Status GiveBack(std::int64_t first, const std::vector<Payment>& paid) {
        std::vector<Command> commands;
        for (std::size_t i = 0; i < paid.size(); ++i) {
            const Payment& payment = paid[i];
            const std::int64_t number = (first + static_cast<std::int64_t>(i)) % 50;
            if (number == 7) {
                commands.push_back(payment::domain::CancelPayment{
                    {payment.merchant, payment.merchant_payment_id}});
                ++facts_.canceled;
            } else if (number == 19 || number == 31) {
                commands.push_back(payment::domain::RefundPayment{
                    payment.merchant, payment.merchant_payment_id + "-r", payment.id,
                    Yen(payment.amount.minor() / 3 + 1), "", 0});
                ++facts_.refunded;
            }
        }
        return Execute(std::move(commands)).status();
    }

    Command Order(std::int64_t number) {
        payment::domain::CreateCode order;
        order.merchant = payment::domain::MerchantId(
            recipe_.first_merchant +
            static_cast<std::int64_t>(Draw() % static_cast<std::uint64_t>(recipe_.merchants)));
        order.merchant_payment_id =
            "trade-" + std::to_string(recipe_.seed) + "-" + std::to_string(number);
        order.amount = Yen(1 + static_cast<std::int64_t>(Draw() % kAmountMax));
        order.salt = static_cast<std::uint32_t>(Draw());
        return order;
    }

    Result<std::vector<Payment>> Payments(std::vector<Command> commands) {
        KESSAI_ASSIGN_OR_RETURN(const auto outcomes, Execute(std::move(commands)));
        std::vector<Payment> payments;
        for (const Outcome& outcome : outcomes) {
            payments.push_back(std::get<payment::domain::PaymentOutcome>(outcome).payment);
        }
        return payments;
    }

    Result<std::vector<Outcome>> Execute(std::vector<Command> commands) {
        if (commands.empty()) return std::vector<Outcome>();
        const auto reply = std::make_shared<Outcomes>(commands.size());
        const SteadyInstant deadline = SystemClock().SteadyNow() + kWithin;
        std::vector<Submission> submissions;
        for (std::size_t i = 0; i < commands.size(); ++i) {
            submissions.push_back({std::move(commands[i]), deadline, "", reply, i});
        }
        executor_.Submit(submissions);
        std::vector<Outcome> outcomes;
        for (auto& outcome : reply->Wait()) {
            KESSAI_RETURN_IF_ERROR(outcome.status());
            outcomes.push_back(std::move(*outcome));
        }
        return outcomes;
    }

    UserId UserOf(std::int64_t number) const {
        return UserId(kFirstUser + static_cast<std::int64_t>(recipe_.seed) * kUsersOfASeed +
                      number);
    }
    static Money Yen(std::int64_t amount) {
        static const Currency yen = Currency::Parse("JPY").value();
        return Money(amount, yen);
    }
    /// SplitMix64.
    std::uint64_t Draw() {
        std::uint64_t mixed = drawn_ += 0x9e3779b97f4a7c15ULL;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }

    const TradeRecipe recipe_;
    std::uint64_t drawn_;
    payment::domain::Policy policy_;
    NoObserver observer_;
    payment::transport::ProtoEventEncoder encoder_;
    mysql::Pool pool_;
    lease::LeasedIds leased_;
    payment::storage::LeasedIds ids_;
    payment::storage::MysqlLedgerStore store_;
    payment::app::MerchantCache merchants_;
    BatchExecutor executor_;
    std::int64_t users_ = 0;
    TradeFacts facts_;
};

}  // namespace

Result<TradeFacts> Trade(const mysql::ConnectOptions& payment, const TradeRecipe& recipe) {
    return Trader(payment, recipe).Run();
}

}  // namespace kessai::bench
