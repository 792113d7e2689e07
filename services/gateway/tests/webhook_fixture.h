#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "app/deliver_webhooks.h"
#include "app/webhook_directory.h"
#include "domain/file_links.h"
#include "domain/secret_box.h"
#include "kessai/http/client.h"
#include "kessai/http/server.h"
#include "kessai/inbox/handler.h"
#include "kessai/mysql/migration.h"
#include "kessai/mysql/pool.h"
#include "kessai/mysql/transaction.h"
#include "kessai/net/run.h"
#include "kessai/payment/v1/payment_event.pb.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/mysql_server.h"
#include "storage/migrations.h"
#include "storage/mysql_webhook_store.h"
#include "transport/file_event_consumer.h"
#include "transport/http_webhook_sender.h"
#include "transport/payment_event_consumer.h"
#include "transport/routes.h"

namespace kessai::gateway {

using namespace std::chrono_literals;

/// The machine's clock, ahead by what a test says; durations are real.
class ShiftedClock final : public Clock {
 public:
    Instant Now() const override { return SystemClock().Now() + Duration(ahead_us_); }
    SteadyInstant SteadyNow() const override { return SystemClock().SteadyNow(); }
    void SleepFor(Duration duration) const override { SystemClock().SleepFor(duration); }
    void Advance(Duration by) { ahead_us_ += by.count(); }

 private:
    std::atomic<std::int64_t> ahead_us_ = 0;
};

class CountingIds final : public app::IdSource {
 public:
    Result<std::int64_t> Next() override { return ++last_; }

 private:
    std::atomic<std::int64_t> last_ = 1'000'000;
};

/// A merchant's server: keeps what it was told at /hooks/<name>, and answers what a test says.
class Receiver {
 public:
    struct Notice {
        std::string name;
        std::int64_t delivery_id = 0;
        std::string attempt;
        std::string content_type;
        std::string signature;
        std::string body;
    };

    Receiver() : loop_("receiver"), router_(transport::MakeFamilies()) {
        http::Route route;
        route.name = "hook";
        route.method = http::Method::kPost;
        route.path = "/hooks/{name}";
        route.family = &router_.FamilyOf("/hooks");
        route.timeout = 60s;
        route.handler = [this](const http::Request& request) { return Take(request); };
        EXPECT_OK(router_.Add(std::move(route)));
        loop_.Start();
        server_ = std::make_unique<http::Server>(http::Server::Options{}, router_,
                                                 std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(server_->Listen("127.0.0.1", 0));
    }
    ~Receiver() {
        Hold({});
        EXPECT_TRUE(server_->Drain(10s));
        loop_.Stop();
    }

    std::string Url(const std::string& name, const std::string& host = "127.0.0.1") const {
        return "http://" + host + ":" + std::to_string(server_->port()) + "/hooks/" + name;
    }
    void Answer(int status) { status_ = status; }
    /// Gives no answer at that endpoint for now.
    void Hold(std::string name) {
        const std::lock_guard lock(mutex_);
        held_ = std::move(name);
    }
    std::vector<Notice> notices() const {
        const std::lock_guard lock(mutex_);
        return notices_;
    }
    std::size_t count() const { return notices().size(); }

 private:
    net::Task<http::Response> Take(const http::Request& request) {
        Notice notice;
        notice.name = request.Parameter("name");
        notice.delivery_id = std::stoll(std::string(request.Header("Kessai-Delivery-Id")));
        notice.attempt = request.Header("Kessai-Attempt");
        notice.content_type = request.Header("Content-Type");
        notice.signature = request.Header("Kessai-Signature");
        notice.body = request.body;
        const std::string name = notice.name;
        {
            const std::lock_guard lock(mutex_);
            notices_.push_back(std::move(notice));
        }
        while (IsHeld(name)) co_await loop_.Sleep(10ms);
        http::Response response;
        response.status = status_;
        response.body = "\"OK\"";
        co_return response;
    }
    bool IsHeld(const std::string& name) const {
        const std::lock_guard lock(mutex_);
        return held_ == name;
    }

    net::Loop loop_;
    http::Router router_;
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> server_;
    std::atomic<int> status_ = 200;
    mutable std::mutex mutex_;
    std::string held_;
    std::vector<Notice> notices_;
};

class KeepingObserver final : public app::DeliveryObserver {
 public:
    void OnStoreFailure(const Status& why) override {
        const std::lock_guard lock(mutex_);
        failures_.push_back(why);
    }
    bool Saw(std::string_view reason) const {
        const std::lock_guard lock(mutex_);
        return std::any_of(failures_.begin(), failures_.end(),
                           [&](const Status& why) { return why.reason() == reason; });
    }

 private:
    mutable std::mutex mutex_;
    std::vector<Status> failures_;
};

/// What of a gateway has to do with webhooks, over a real database and real connections.
class WebhookGateway {
 public:
    struct Options {
        app::DeliveryOptions delivery;
        bool allow_private_addresses = true;
        bool order_amount_as_text = true;
    };

    WebhookGateway(const mysql::ConnectOptions& connect, const domain::SecretBox& box,
                   app::IdSource& ids, const Clock& clock, const Options& options)
        : pool(PoolOf(connect)),
          store(pool, box),
          directory(store),
          links({.base_url = "https://api.example"}, {std::string(32, 'k')}),
          loop_("gateway"),
          workers_({.name = "gateway", .threads = 2}),
          client_(loop_, ClientOptions(options)),
          sender_(client_, links, clock),
          deliver(loop_, workers_, store, sender_, clock, options.delivery, observer),
          consumer({.order_amount_as_text = options.order_amount_as_text}, directory, changes_, ids,
                   clock, [this] { deliver.Wake(); }),
          file_consumer(directory, changes_, ids, links, clock, [this] { deliver.Wake(); }) {
        loop_.Start();
    }
    ~WebhookGateway() {
        Stop();
        net::RunOn(loop_, [this]() -> net::Task<void> {
            client_.Close();
            co_return;
        });
        loop_.Stop();
        workers_.Stop();
    }

    void Start() { deliver.Start(); }
    void Stop() {
        net::RunOn(loop_, [this]() -> net::Task<void> { co_await deliver.Stop(); });
    }

    /// What the consumer does with a batch; gives what was rejected, by index. A batch with
    /// rejections leaves nothing behind.
    std::map<std::size_t, Status> Hear(const std::vector<event::Envelope>& events) {
        return Hear(consumer, "payment.events.v1", events);
    }
    std::map<std::size_t, Status> HearOfFiles(const std::vector<event::Envelope>& events) {
        return Hear(file_consumer, "reconciliation.events.v1", events);
    }
    std::map<std::size_t, Status> Hear(inbox::Handler& handler, std::string_view topic,
                                       const std::vector<event::Envelope>& events) {
        std::vector<inbox::Delivery> deliveries;
        for (const auto& event : events) deliveries.push_back({event, {}, 0});
        const inbox::Batch batch{topic, 0, deliveries};
        inbox::Rejections rejections;
        const Status rejected(Code::kFailedPrecondition, "REJECTED", "");
        const Status applied =
            mysql::InTransaction(pool, {}, [&](mysql::Session& session) -> Status {
                rejections = {};
                KESSAI_RETURN_IF_ERROR(handler.Apply(session, batch, rejections));
                return rejections.empty() ? OkStatus() : rejected;
            });
        EXPECT_TRUE(applied.ok() || applied == rejected) << applied.ToString();
        if (applied.ok()) handler.OnCommitted(batch);
        return rejections.by_index();
    }

    domain::WebhookDelivery Find(std::int64_t endpoint_id, std::int64_t delivery_id) {
        auto found = store.ListDeliveries(endpoint_id, std::nullopt, delivery_id + 1, 1);
        EXPECT_OK(found.status());
        return found.ok() && !found->empty() ? found->front() : domain::WebhookDelivery{};
    }
    std::size_t Count(std::int64_t endpoint_id, domain::DeliveryState state) {
        auto found = store.ListDeliveries(endpoint_id, state, 0, 1'000);
        EXPECT_OK(found.status());
        return found.ok() ? found->size() : 0;
    }

    mysql::Pool pool;
    storage::MysqlWebhookStore store;
    app::WebhookDirectory directory;
    KeepingObserver observer;
    const domain::FileLinks links;

 private:
    static mysql::PoolOptions PoolOf(const mysql::ConnectOptions& connect) {
        mysql::PoolOptions options;
        options.connect = connect;
        return options;
    }
    static http::Client::Options ClientOptions(const Options& options) {
        http::Client::Options client;
        if (!options.allow_private_addresses) {
            client.guard = [](const net::IpAddress& address) { return address.is_public(); };
        }
        return client;
    }

    net::Loop loop_;
    rpc::WorkerPool workers_;
    http::Client client_;
    transport::HttpWebhookSender sender_;
    storage::MysqlChangeDeliveries changes_;

 public:
    app::DeliverWebhooks deliver;
    transport::PaymentEventConsumer consumer;
    transport::FileEventConsumer file_consumer;
};

/// A schema, a merchant's server and a gateway.
class WebhookTest : public ::testing::Test {
 protected:
    static constexpr std::int64_t kMerchant = 501;

    WebhookTest()
        : schema_(testing::MysqlServer::Shared().CreateSchema()),
          box_(domain::SecretBox::Create({std::string(64, 'a')}).value()) {
        options_.delivery.poll_every = 20ms;
        options_.delivery.ladder.waits = {10s, 60s};
        auto session = mysql::Session::Connect(schema_->options());
        EXPECT_OK(session.status());
        const mysql::MigrationSet sets[] = {storage::Migrations()};
        EXPECT_OK(mysql::Migrate(**session, sets));
    }

    std::unique_ptr<WebhookGateway> MakeGateway() {
        return std::make_unique<WebhookGateway>(schema_->options(), box_, ids_, clock_, options_);
    }

    domain::WebhookEndpoint PutEndpoint(WebhookGateway& gateway, const std::string& name,
                                        const std::string& url, bool enabled = true,
                                        std::int64_t merchant = kMerchant) {
        domain::WebhookEndpoint endpoint;
        endpoint.endpoint_id = ids_.Next().value();
        endpoint.merchant_id = merchant;
        endpoint.name = name;
        endpoint.url = url;
        endpoint.secret = "whsec_" + name;
        endpoint.enabled = enabled;
        auto stored = gateway.store.PutEndpoint(endpoint, clock_.Now());
        EXPECT_OK(stored.status());
        return stored.value_or(endpoint);
    }
    domain::WebhookEndpoint PutEndpoint(WebhookGateway& gateway, const std::string& name) {
        return PutEndpoint(gateway, name, receiver_.Url(name));
    }

    /// A notification that is due now.
    std::int64_t AddDelivery(WebhookGateway& gateway, const domain::WebhookEndpoint& endpoint) {
        domain::WebhookDelivery delivery;
        delivery.delivery_id = delivery.object_id = ids_.Next().value();
        delivery.endpoint_id = endpoint.endpoint_id;
        delivery.merchant_id = endpoint.merchant_id;
        delivery.notification_type = "test";
        delivery.payload = "{}";
        delivery.created_at = delivery.next_attempt_at = clock_.Now();
        EXPECT_OK(gateway.store.AddDelivery(delivery));
        return delivery.delivery_id;
    }

    static payment::v1::PaymentChanged Change(
        std::int64_t payment_id,
        payment::v1::PaymentChanged::Kind kind = payment::v1::PaymentChanged::COMPLETED) {
        payment::v1::PaymentChanged change;
        change.set_kind(kind);
        change.set_payment_id(payment_id);
        change.set_merchant_id(kMerchant);
        change.set_merchant_payment_id("order-" + std::to_string(payment_id));
        change.set_store_id("s-1");
        change.set_terminal_id("t-1");
        change.set_currency("JPY");
        change.set_amount(700);
        change.set_order_amount(1'200);
        change.set_payment_accepted_at_us(1'700'000'000'000'000);
        return change;
    }
    static event::Envelope Event(const payment::v1::PaymentChanged& change,
                                 std::uint32_t version = 1) {
        const std::string payload = change.SerializeAsString();
        const event::Fields fields{.type = "kessai.payment.v1.PaymentChanged",
                                   .object_id = change.payment_id(),
                                   .version = version,
                                   .event_id = change.payment_id() * 100 + version,
                                   .business_date = BusinessDate::FromNumber(20261122).value(),
                                   .occurred_at = FromMicros(1'700'000'000'000'000),
                                   .payload = payload};
        return event::Open(event::Seal(fields).value()).value();
    }

    ShiftedClock clock_;
    CountingIds ids_;
    Receiver receiver_;
    std::unique_ptr<testing::MysqlSchema> schema_;
    domain::SecretBox box_;
    WebhookGateway::Options options_;
};

}  // namespace kessai::gateway
