#include "kessai/kafka/producer.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "configuration.h"
#include "errors.h"
#include "kessai/log/log.h"
#include "rdkafka_handles.h"
#include "read_statistics.h"

namespace kessai::kafka {
namespace {

constexpr int kPollMillis = 100;
constexpr std::string_view kTraceparentHeader = "traceparent";

Properties ProducerProperties(const ProducerOptions& options) {
    return {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        // A message that failed for good must not be followed by its successors.
        {"enable.gapless.guarantee", "true"},
        // A broker that knows nothing of a producer yet takes any sequence number from it. Were two
        // requests on their way, the first could be refused (too few replicas, say) and the second
        // taken. One at a time closes that gap, for some milliseconds of latency.
        {"max.in.flight.requests.per.connection", "1"},
        // For ever: an outage is waited out, it does not fail messages.
        {"message.timeout.ms", "0"},
        {"linger.ms", std::to_string(static_cast<double>(options.linger.count()) / 1000.0)},
        {"compression.type", "none"},
        {"queue.buffering.max.messages", std::to_string(options.queue_messages_max)},
        {"queue.buffering.max.kbytes", std::to_string(options.queue_bytes_max / 1024)},
        {"message.max.bytes", std::to_string(options.message_bytes_max)},
    };
}

}  // namespace

struct Producer::Impl {
    Impl(DeliveryListener& deliveries, StatisticsListener* numbers)
        : listener(deliveries), statistics(numbers) {}

    ~Impl() {
        if (!poller.joinable()) return;
        rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        poller.request_stop();
        rd_kafka_queue_yield(queue.get());
        poller.join();
        // librdkafka asks for handles to go before their client.
        topics.clear();
        queue.reset();
    }

    // Serves deliveries until stopped, and then until none is left: after a purge each message has
    // its delivery, so that is soon.
    void Poll(const std::stop_token& stop) {
        while (!stop.stop_requested() || rd_kafka_outq_len(client.get()) > 0) {
            const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), kPollMillis));
            if (!event) continue;
            switch (rd_kafka_event_type(event.get())) {
                case RD_KAFKA_EVENT_DR:
                    ServeDeliveries(event.get());
                    break;
                case RD_KAFKA_EVENT_ERROR:
                    ServeError(event.get());
                    break;
                case RD_KAFKA_EVENT_STATS:
                    ServeStatistics(event.get());
                    break;
                default:
                    break;
            }
        }
    }

    void ServeDeliveries(rd_kafka_event_t* event) {
        reported.clear();
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
            reported.push_back(
                {.token = reinterpret_cast<std::uintptr_t>(message->_private),
                 .status = StatusOf(message->err, ""),
                 .offset = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? message->offset : -1});
        }
        listener.OnDeliveries(reported);
    }

    void ServeError(rd_kafka_event_t* event) {
        if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__FATAL) return;
        char why[256];
        const auto error = rd_kafka_fatal_error(client.get(), why, sizeof why);
        log::Error("kafka.producer_failed",
                   {{"error", rd_kafka_err2name(error)}, {"message", why}});
        // Nothing is sent any more: report what waits, so that its owner makes a new producer.
        rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                         RD_KAFKA_PURGE_F_NON_BLOCKING);
    }

    void ServeStatistics(rd_kafka_event_t* event) const {
        if (statistics == nullptr) return;
        if (const auto numbers = ReadStatistics(rd_kafka_event_stats(event))) {
            statistics->OnStatistics(*numbers);
        }
    }

    rd_kafka_topic_t* Topic(std::string_view name) {
        const std::lock_guard lock(mutex);
        auto found = topics.find(name);
        if (found == topics.end()) {
            std::string key(name);
            Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(client.get(), key.c_str(), nullptr));
            if (!topic) return nullptr;
            found = topics.emplace(std::move(key), std::move(topic)).first;
        }
        return found->second.get();
    }

    DeliveryListener& listener;
    StatisticsListener* const statistics;
    Owned<rd_kafka_t> client;
    Owned<rd_kafka_queue_t> queue;
    std::mutex mutex;
    std::map<std::string, Owned<rd_kafka_topic_t>, std::less<>> topics;
    std::vector<Delivery> reported;
    std::jthread poller;
};

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;

Result<std::unique_ptr<Producer>> Producer::Create(const ProducerOptions& options,
                                                   DeliveryListener& listener,
                                                   StatisticsListener* statistics) {
    KESSAI_ASSIGN_OR_RETURN(auto configuration,
                            Configure(options.connection, ProducerProperties(options)));
    rd_kafka_conf_set_events(configuration.get(),
                             RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
    auto impl = std::make_unique<Impl>(listener, statistics);
    char why[256];
    impl->client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, configuration.get(), why, sizeof why));
    if (!impl->client) return Status(Code::kInvalidArgument, reason::kOptionInvalid, why);
    (void)configuration.release();  // The client owns it now.
    impl->queue.reset(rd_kafka_queue_get_main(impl->client.get()));
    impl->poller =
        std::jthread([raw = impl.get()](const std::stop_token& stop) { raw->Poll(stop); });
    return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Status Producer::Produce(const Message& message) {
    rd_kafka_topic_t* topic = impl_->Topic(message.topic);
    if (topic == nullptr) {
        return Status(Code::kNotFound, reason::kTopicUnknown, std::string(message.topic));
    }
    // librdkafka's interface is not const-correct; with F_COPY it only reads.
    rd_kafka_vu_t arguments[7];
    std::size_t count = 0;
    const auto add = [&](rd_kafka_vtype_t type) -> auto& {
        rd_kafka_vu_t& argument = arguments[count++];
        argument.vtype = type;
        return argument.u;
    };
    add(RD_KAFKA_VTYPE_RKT).rkt = topic;
    add(RD_KAFKA_VTYPE_PARTITION).i32 = message.partition;
    add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    add(RD_KAFKA_VTYPE_VALUE).mem = {const_cast<char*>(message.value.data()), message.value.size()};
    if (!message.key.empty()) {
        add(RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(message.key.data()), message.key.size()};
    }
    if (!message.traceparent.empty()) {
        add(RD_KAFKA_VTYPE_HEADER).header = {kTraceparentHeader.data(), message.traceparent.data(),
                                             static_cast<ssize_t>(message.traceparent.size())};
    }
    add(RD_KAFKA_VTYPE_OPAQUE).ptr =
        reinterpret_cast<void*>(static_cast<std::uintptr_t>(message.token));
    const Owned<rd_kafka_error_t> error(rd_kafka_produceva(impl_->client.get(), arguments, count));
    if (!error) return OkStatus();
    return StatusOf(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
}

Status Producer::Flush(Duration timeout) {
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    const auto error = rd_kafka_flush(impl_->client.get(), static_cast<int>(millis));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return OkStatus();
    return Status(
        Code::kDeadlineExceeded, reason::kUnavailable,
        std::to_string(rd_kafka_outq_len(impl_->client.get())) + " messages are not delivered yet");
}

void Producer::Purge() {
    rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

Result<int> Producer::PartitionCount(const std::string& topic, Duration timeout) {
    rd_kafka_topic_t* handle = impl_->Topic(topic);
    if (handle == nullptr) return Status(Code::kNotFound, reason::kTopicUnknown, topic);
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    const rd_kafka_metadata_t* raw = nullptr;
    KESSAI_RETURN_IF_ERROR(StatusOf(
        rd_kafka_metadata(impl_->client.get(), 0, handle, &raw, static_cast<int>(millis)), topic));
    const Owned<const rd_kafka_metadata_t> metadata(raw);
    if (metadata->topic_cnt != 1) {
        return Status(Code::kNotFound, reason::kTopicUnknown, topic);
    }
    KESSAI_RETURN_IF_ERROR(StatusOf(metadata->topics[0].err, topic));
    return metadata->topics[0].partition_cnt;
}

int Producer::acks() const {
    char value[16];
    std::size_t size = sizeof value;
    const rd_kafka_conf_t* configuration = rd_kafka_conf(impl_->client.get());
    if (rd_kafka_conf_get(configuration, "acks", value, &size) != RD_KAFKA_CONF_OK) return 0;
    return static_cast<int>(std::strtol(value, nullptr, 10));
}

}  // namespace kessai::kafka
