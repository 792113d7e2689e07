#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/accrue_payments.h"
#include "app/assign_fee_plan.h"
#include "app/close_day.h"
#include "app/fix_month_volumes.h"
#include "app/payout_reader.h"
#include "app/preview_fee_plan.h"
#include "app/put_fee_plan.h"
#include "app/release_day.h"
#include "kessai/digest/row_hash.h"
#include "kessai/metrics/registry.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "storage/mysql_day_store.h"
#include "storage/mysql_payout_reader.h"
#include "storage/mysql_plan_store.h"
#include "storage/mysql_release_store.h"
#include "transport/payment_event_handler.h"
#include "transport/proto_event_encoder.h"

namespace kessai::payout {

inline constexpr int kPartitions = 12;

inline BusinessDate Day(std::int32_t yyyymmdd) {
    return BusinessDate::FromNumber(yyyymmdd).value();
}

/// The sealed event of a change, as payment publishes it. `change.content_hash` is filled in.
std::string SealPaymentEvent(domain::PaymentChange& change);
int PartitionOf(const domain::PaymentChange& change);
digest::RowHasher TestHasher();

/// All migrations that the service runs.
std::vector<mysql::MigrationSet> AllMigrations();

domain::PaymentChange Sale(std::int64_t payment, std::int64_t merchant, BusinessDate day,
                           std::int64_t amount);
/// What `sale` gives back, after `refunded_before` of it.
domain::PaymentChange Refund(const domain::PaymentChange& sale, std::uint32_t version,
                             BusinessDate day, std::int64_t amount, std::int64_t refunded_before);

/// The service's parts over a migrated schema on a real MariaDB. What a consumer does with events
/// is done by Deliver: one transaction a batch, repeats dropped by their effects.
class Payout {
 public:
    explicit Payout(const mysql::ConnectOptions& connect,
                    storage::InboxName inbox = {"payout", "payment.events.v1"},
                    std::function<void()> on_events = {});

    /// Gives what was refused, by (payment, version).
    std::map<domain::EffectKey, Status> Deliver(std::vector<domain::PaymentChange> changes,
                                                std::size_t batch_size = 100);
    /// Payment's mark of `day`, in every partition from `first` to `last`.
    void DeliverMarks(BusinessDate day, int first = 0, int last = kPartitions - 1);
    /// What the outbox holds is published.
    void DrainOutbox();
    /// Marks of all partitions, and what follows: the day is closed and our own mark in the outbox.
    void Close(BusinessDate day);

    void Run(const std::string& sql);
    std::int64_t Number(const std::string& sql);

    mysql::Pool pool;
    digest::RowHasher hasher;
    transport::ProtoEventEncoder encoder;
    app::PlanCache plans;
    metrics::Registry metrics;
    app::AccruePayments accrue_payments;
    transport::PaymentEventHandler handler;
    storage::MysqlPlanStore plan_store;
    app::PutFeePlan put_fee_plan;
    app::AssignFeePlan assign_fee_plan;
    app::FixMonthVolumes fix_month_volumes;
    storage::MysqlDayStore day_store;
    app::CloseDay close_day;
    storage::MysqlReleaseStore release_store;
    app::ReleaseDay release_day;
    app::PreviewFeePlan preview_fee_plan;
    storage::MysqlPayoutReader reader;
};

/// A schema and the service's parts over it.
class PayoutTest : public ::testing::Test {
 protected:
    PayoutTest();

    std::unique_ptr<testing::MysqlSchema> schema_;
    std::unique_ptr<Payout> payout_;
};

app::CloseDayOptions TestCloseOptions();
app::ReleaseDayOptions TestReleaseOptions();

}  // namespace kessai::payout
