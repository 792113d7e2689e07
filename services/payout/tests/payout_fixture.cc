#include "tests/payout_fixture.h"

#include <algorithm>
#include <span>

#include "kessai/digest/store.h"
#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/inbox/consumer.h"
#include "kessai/lease/lease_table.h"
#include "kessai/mysql/migration.h"
#include "kessai/outbox/outbox_table.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "storage/migrations.h"
#include "storage/mysql_accrual_transaction.h"

namespace kessai::payout {
namespace {

mysql::PoolOptions PoolOf(mysql::ConnectOptions connect) {
    connect.bulk_load = true;
    return {.connect = std::move(connect), .sessions_max = 12};
}

transport::PaymentEventHandler::Ports PortsOf(Payout& payout, std::function<void()> on_events) {
    return {.join =
                [&payout](mysql::Session& session, int partition) {
                    return std::make_unique<storage::MysqlAccrualTransaction>(
                        session, partition, payout.hasher, payout.encoder);
                },
            .store_dead_letters = storage::StoreDeadLetters,
            .on_events = std::move(on_events),
            .on_mark = {}};
}

Status Rejected() {
    return Status(Code::kFailedPrecondition, "REJECTED", "");
}

Status DropRepeats(inbox::Handler& handler, mysql::Session& session,
                   std::vector<inbox::Delivery>& batch) {
    std::vector<inbox::EffectKey> keys;
    for (const auto& delivery : batch) {
        keys.push_back({delivery.event.object_id, delivery.event.version});
    }
    std::sort(keys.begin(), keys.end());
    inbox::Effects effects;
    KESSAI_RETURN_IF_ERROR(handler.FindEffects(session, keys, effects));
    std::erase_if(batch, [&](const inbox::Delivery& delivery) {
        return std::ranges::any_of(effects.found, [&](const inbox::Effect& effect) {
            return effect.key == inbox::EffectKey{delivery.event.object_id, delivery.event.version};
        });
    });
    return OkStatus();
}

void AddMethods(const domain::MethodSplit& split, std::int64_t amount,
                google::protobuf::RepeatedPtrField<payment::v1::MethodAmount>& methods) {
    domain::MethodSplit parts = split;
    if (parts.empty()) parts.push_back({domain::Method::kWallet, amount});
    for (const domain::MethodAmount& part : parts) {
        payment::v1::MethodAmount* method = methods.Add();
        method->set_method(
            static_cast<payment::v1::MethodAmount::Method>(static_cast<int>(part.method)));
        method->set_amount(part.amount);
    }
}

}  // namespace

app::CloseDayOptions TestCloseOptions() {
    // Small chunks, so that a test's few merchants are in several.
    return {.payment_partitions = kPartitions,
            .payout_partitions = kPartitions,
            .merchants_per_chunk = 3};
}

app::ReleaseDayOptions TestReleaseOptions() {
    return {.threads = 2, .recount = {.threads = 2, .segments = 16}};
}

digest::RowHasher TestHasher() {
    return digest::RowHasher::FromHex("000102030405060708090a0b0c0d0e0f").value();
}

std::vector<mysql::MigrationSet> AllMigrations() {
    return {lease::Migrations(), outbox::Migrations(), inbox::Migrations(), digest::Migrations(),
            storage::Migrations()};
}

std::string SealPaymentEvent(domain::PaymentChange& change) {
    payment::v1::PaymentChanged message;
    message.set_kind(static_cast<payment::v1::PaymentChanged::Kind>(change.kind));
    message.set_payment_id(change.key.payment.value());
    message.set_merchant_id(change.merchant.value());
    message.set_user_id(1);
    message.set_currency(std::string(change.currency.code()));
    message.set_amount(change.amount);
    AddMethods(change.methods, change.amount, *message.mutable_methods());
    if (!change.captured_methods.empty()) {
        AddMethods(change.captured_methods, change.captured_total,
                   *message.mutable_captured_methods());
    }
    message.set_store_id(change.store);
    message.set_captured_total(change.captured_total);
    message.set_refunded_before(change.refunded_before);
    message.set_payment_business_date(change.payment_date.ToNumber());
    const std::string payload = message.SerializeAsString();
    const event::Fields fields{.type = "kessai.payment.v1.PaymentChanged",
                               .object_id = change.key.payment.value(),
                               .version = change.key.version,
                               .event_id = change.event.value(),
                               .business_date = change.business_date,
                               .occurred_at = change.business_date.StartsAt(),
                               .payload = payload};
    change.content_hash = event::HashOf(fields);
    return event::Seal(fields).value();
}

int PartitionOf(const domain::PaymentChange& change) {
    return event::PartitionOf(change.key.payment.value(), kPartitions);
}

domain::PaymentChange Sale(std::int64_t payment, std::int64_t merchant, BusinessDate day,
                           std::int64_t amount) {
    domain::PaymentChange change;
    change.key = {domain::PaymentId(payment), 1};
    change.event = domain::EventId(payment * 100 + 1);
    change.business_date = change.payment_date = day;
    change.merchant = domain::MerchantId(merchant);
    change.amount = change.captured_total = amount;
    return change;
}

domain::PaymentChange Refund(const domain::PaymentChange& sale, std::uint32_t version,
                             BusinessDate day, std::int64_t amount, std::int64_t refunded_before) {
    domain::PaymentChange change = sale;
    change.kind = domain::ChangeKind::kRefunded;
    change.key.version = version;
    change.event = domain::EventId(sale.key.payment.value() * 100 + version);
    change.business_date = day;
    change.amount = amount;
    change.refunded_before = refunded_before;
    return change;
}

Payout::Payout(const mysql::ConnectOptions& options, storage::InboxName inbox,
               std::function<void()> on_events)
    : pool(PoolOf(options)),
      hasher(TestHasher()),
      encoder(domain::TaxTable::Japan(), kPartitions),
      accrue_payments(plans, domain::TaxTable::Japan()),
      handler(PortsOf(*this, on_events), accrue_payments, kPartitions,
              transport::AccrualMetrics(metrics), SystemClock()),
      plan_store(pool),
      put_fee_plan(plan_store, SystemClock()),
      assign_fee_plan(plan_store, SystemClock()),
      fix_month_volumes(plan_store, SystemClock()),
      day_store(pool, inbox,
                [on_events](unsigned) {
                    if (on_events) on_events();
                }),
      close_day(TestCloseOptions(), day_store, encoder, SystemClock()),
      release_store(pool, inbox, SystemClock(),
                    [on_events](unsigned) {
                        if (on_events) on_events();
                    }),
      release_day(TestReleaseOptions(), release_store, plans, domain::TaxTable::Japan(), encoder,
                  SystemClock(), {}),
      preview_fee_plan({}, release_store, plan_store, plans, SystemClock()),
      reader(pool, pool, hasher, domain::TaxTable::Japan()) {}

std::map<domain::EffectKey, Status> Payout::Deliver(std::vector<domain::PaymentChange> changes,
                                                    std::size_t batch_size) {
    std::map<int, std::vector<inbox::Delivery>> partitions;
    for (domain::PaymentChange& change : changes) {
        partitions[PartitionOf(change)].push_back(
            {.event = event::Open(SealPaymentEvent(change)).value(),
             .traceparent = {},
             .offset = 0});
    }
    std::map<domain::EffectKey, Status> refused;
    for (auto& [partition, deliveries] : partitions) {
        for (std::size_t at = 0; at < deliveries.size(); at += batch_size) {
            const std::size_t end = std::min(deliveries.size(), at + batch_size);
            std::vector<inbox::Delivery> batch(
                std::make_move_iterator(deliveries.begin() + static_cast<std::ptrdiff_t>(at)),
                std::make_move_iterator(deliveries.begin() + static_cast<std::ptrdiff_t>(end)));
            for (bool again = true; again;) {
                inbox::Rejections rejections;
                const Status applied =
                    mysql::InTransaction(pool, {}, [&](mysql::Session& session) -> Status {
                        rejections = {};
                        KESSAI_RETURN_IF_ERROR(DropRepeats(handler, session, batch));
                        KESSAI_RETURN_IF_ERROR(handler.Apply(
                            session, {"payment.events.v1", partition, batch}, rejections));
                        // As the consumer: nothing of a batch with rejections is kept.
                        return rejections.empty() ? OkStatus() : Rejected();
                    });
                EXPECT_TRUE(applied.ok() || applied == Rejected()) << applied.ToString();
                again = !rejections.empty();
                for (const auto& [i, why] : rejections.by_index()) {
                    const event::Envelope& event = batch[i].event;
                    refused[{domain::PaymentId(event.object_id), event.version}] = why;
                }
                for (auto it = rejections.by_index().rbegin(); it != rejections.by_index().rend();
                     ++it) {
                    batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(it->first));
                }
            }
            handler.OnCommitted({"payment.events.v1", partition, batch});
        }
    }
    return refused;
}

void Payout::DeliverMarks(BusinessDate day, int first, int last) {
    for (int partition = first; partition <= last; ++partition) {
        EXPECT_OK(mysql::InTransaction(pool, {}, [&](mysql::Session& session) {
            return handler.ApplyMark(
                session, {{day, kPartitions, "payment"}, "payment.events.v1", partition, 0});
        }));
    }
}

void Payout::DrainOutbox() {
    Run("DELETE FROM outbox");
}

void Payout::Close(BusinessDate day) {
    DeliverMarks(day);
    DrainOutbox();
    ASSERT_OK(close_day.RunOnce().status());
}

void Payout::Run(const std::string& sql) {
    ASSERT_OK_AND_ASSIGN(auto session, pool.Acquire(std::chrono::seconds(5)));
    ASSERT_OK(session->Execute(mysql::Query{"test.run", sql}).status());
}

std::int64_t Payout::Number(const std::string& sql) {
    auto session = pool.Acquire(std::chrono::seconds(5));
    EXPECT_OK(session.status());
    auto rows = (*session)->Select(mysql::Query{"test.number", sql});
    EXPECT_OK(rows.status());
    return rows.ok() && rows->Next() && !rows->IsNull(0) ? rows->Int(0) : 0;
}

PayoutTest::PayoutTest() : schema_(testing::MysqlServer::Shared().CreateSchema()) {
    auto session = mysql::Session::Connect(schema_->options());
    EXPECT_OK(session.status());
    EXPECT_OK(mysql::Migrate(**session, AllMigrations()));
    payout_ = std::make_unique<Payout>(schema_->options());
}

}  // namespace kessai::payout
