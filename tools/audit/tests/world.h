#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kessai/digest/accumulator.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"
#include "model/payment_rows.h"

namespace google::protobuf {
class Message;
}

namespace kessai::audit::testing {

/// A message as it is to stand in a topic.
struct WorldEvent {
    bool of_payout = false;
    int partition = 0;
    std::string key;
    std::string envelope;
};

/// A small platform: does what the four services' documents say they do, in memory, and writes the
/// rows and events that they would have written. Written from those documents and not from the
/// audit's rules, so that each is a test of the other. Currency JPY, 12 partitions.
class World {
 public:
    static constexpr int kPartitions = 12;
    static constexpr std::string_view kDigestKey = "000102030405060708090a0b0c0d0e0f";
    static constexpr std::string_view kAuditKey =
        "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";

    World();

    // What users, merchants and operators do. Each takes a second.
    void OpenWallet(std::int64_t user);
    std::int64_t TopUp(std::int64_t user, std::int64_t amount);
    std::int64_t Create(std::int64_t merchant, const std::string& merchant_payment_id,
                        std::int64_t amount);
    void DeleteCode(std::int64_t payment);
    void Pay(std::int64_t payment, std::int64_t user);
    /// Of a paid or unpaid payment, or of nothing yet.
    void Cancel(std::int64_t merchant, const std::string& merchant_payment_id);
    std::int64_t Refund(std::int64_t payment, std::int64_t amount);
    /// A plan for one merchant from a day on: per cent hundredths, fixed, minimum, maximum.
    void PutPlan(std::int64_t merchant, int basis_points, std::int64_t fixed, std::int64_t minimum,
                 std::int64_t maximum, DayNumber from);
    /// A shared plan with a tier and terms of one store, and a merchant under it; what the merchant
    /// took in the month before the day was nothing. Gives the plan's id.
    struct SharedPlan {
        int basis_points = 0;
        std::int64_t tier_from = 0;
        int tier_basis_points = 0;
        std::string store;
        int store_basis_points = 0;
    };
    int PutSharedPlan(const SharedPlan& terms, DayNumber from);
    void Assign(std::int64_t merchant, int plan, DayNumber from);
    void FixVolume(std::int64_t merchant, DayNumber month, DayNumber from);
    /// Ends today: in payment, payout (sealed) and reconciliation.
    void CloseDay();
    /// Of a closed day; payment clears it.
    void Release(DayNumber day);

    DayNumber today() const { return date_.ToNumber(); }
    const PaymentRow& payment(std::int64_t id) const { return payments_.at(id); }

    /// Writes what does not change any more, and forgets it. Sessions are of schemas that are
    /// migrated; any may be null.
    struct Schemas {
        mysql::Session* payment = nullptr;
        mysql::Session* payout = nullptr;
        mysql::Session* reconciliation = nullptr;
    };
    Status Flush(const Schemas& schemas);
    /// Writes the rest: balances, totals, digests, days. Afterwards the world has ended.
    Status Finish(const Schemas& schemas);
    /// Events since the last call, in the order in which they are to be published.
    std::vector<WorldEvent> TakeEvents() { return std::exchange(events_, {}); }
    /// Rows of consumer_offset: that every consumer has applied what stands below these offsets.
    static Status StoreOffsets(const Schemas& schemas, const std::string& payment_topic,
                               const std::vector<std::int64_t>& payment_ends,
                               const std::string& payout_topic,
                               const std::vector<std::int64_t>& payout_ends);

 private:
    struct Posting {
        PostingRow row;
    };
    struct Accrual {
        Change change;
        std::int64_t gross = 0;
        std::int64_t fee = 0;
        int plan = 0;
        int plan_version = 0;
        std::int64_t recorded_at_us = 0;
        std::string payment_hash;
        std::string payout_hash;
        /// Kept apart; empty: nothing is.
        std::string store;
    };
    struct Plan {
        int id = 0;
        int version = 0;
        std::int64_t merchant = 0;
        int basis_points = 0;
        std::int64_t fixed = 0;
        std::int64_t minimum = 0;
        std::int64_t maximum = 0;
        DayNumber from = 0;
        /// Of a shared one.
        SharedPlan shared;
    };
    struct Assignment {
        std::int64_t merchant = 0;
        int plan = 0;
        DayNumber from = 0;
    };
    struct FixedVolume {
        std::int64_t merchant = 0;
        DayNumber month = 0;
        DayNumber from = 0;
    };
    struct Sums {
        std::int64_t gross = 0;
        std::int64_t fee = 0;
        std::int64_t count = 0;
    };
    struct Day {
        std::int64_t closing_at_us = 0;
        std::string seal;
        std::string chunk_seal;
        std::int64_t merchants = 0;
        int rounds = 0;
        std::int64_t released_at_us = 0;
        Sums released;
        std::int64_t tax = 0;
    };
    struct Release_ {
        DayNumber day;
        std::int64_t merchant;
        Sums sums;
        std::int64_t tax;
    };
    /// Day, merchant, slot: every fee is of tax class 2.
    using TotalKey = std::tuple<DayNumber, std::int64_t, int>;

    std::int64_t NextId() { return next_id_ += 1 << 12; }
    std::int64_t Tick() { return now_us_ += 1'000'000; }
    Change NextChange(ChangeKind kind, std::int64_t amount, const PaymentRow& payment);
    /// Appends the change with its postings (`user_gains`) and event.
    void Append(const Change& change, std::int64_t user_gains);
    void Accrue(const Change& change, const std::string& content_hash);
    const Plan& PlanOf(std::int64_t merchant, DayNumber day) const;
    std::int64_t FeeOf(const Plan& plan, const std::string& store, std::int64_t amount) const;
    void Seal(DayNumber day, Day& state);
    void PublishMarks(bool of_payout, DayNumber day);
    void Publish(bool of_payout, std::int64_t object, std::string envelope);
    /// Of the transfer, as its rows tell it, at time 1.
    void TellOfTransfer(std::int64_t transfer, std::uint32_t version, DayNumber day,
                        const google::protobuf::Message& message);
    void TellOfHold(std::int64_t number, std::uint32_t version, DayNumber day,
                    const google::protobuf::Message& message);
    Status StoreParts(mysql::Session& session);
    /// Of merchants 11, twice, and 12, as they are when the month is over.
    Status StoreStatements(mysql::Session& session);
    Status StoreHolds(mysql::Session& session);
    Status StoreHeldDiscrepancies(mysql::Session& session);
    Status StoreHistory(mysql::Session& session);
    Status StoreKeptDay(mysql::Session& session);
    Status StoreKeptDayOfCustomers(mysql::Session& session);
    void TellOfTransfers();

    Status FlushPayment(mysql::Session& session);
    Status FlushPayout(mysql::Session& session);
    Status FlushReconciliation(mysql::Session& session);
    Status FinishPayment(mysql::Session& session);
    Status FinishPayout(mysql::Session& session);
    Status FinishReconciliation(mysql::Session& session);
    /// Payouts in every state and adjustments of merchants 11 to 13, always the same, and their
    /// events.
    Status StoreBalances(mysql::Session& session);
    Status StoreMerchantLedger(mysql::Session& session);

    BusinessDate date_;
    std::int64_t now_us_;
    std::int64_t next_id_ = std::int64_t{4'000'000'000'000} << 12;

    std::map<std::int64_t, PaymentRow> payments_;
    std::map<std::pair<std::int64_t, std::string>, OrderRow> orders_;
    std::vector<RefundRow> refunds_;
    std::vector<TopUpRow> top_ups_;
    std::vector<Change> changes_;
    std::vector<PostingRow> postings_;
    std::vector<ClearingRow> clearings_;
    std::map<std::int64_t, AccountRow> accounts_;
    std::map<DayNumber, Day> days_;

    std::vector<Plan> plans_;
    std::vector<Assignment> assignments_;
    std::vector<FixedVolume> volumes_;
    std::vector<Accrual> accruals_;
    std::map<TotalKey, Sums> totals_;
    /// Of what is given back, and the first and last day of its payments.
    std::map<TotalKey, std::tuple<Sums, DayNumber, DayNumber>> returns_;
    std::vector<Release_> releases_;
    std::map<std::pair<DayNumber, std::int64_t>, std::pair<Sums, std::int64_t>> cycles_;

    digest::RowHasher hasher_;
    digest::Accumulator digests_;
    std::vector<WorldEvent> events_;
};

/// The databases' schemas, migrated.
Status MigratePayment(mysql::Session& session);
Status MigratePayout(mysql::Session& session);
Status MigrateReconciliation(mysql::Session& session);

}  // namespace kessai::audit::testing
