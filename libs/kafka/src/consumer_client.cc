#include "kessai/kafka/consumer_client.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>

#include "configuration.h"
#include "errors.h"
#include "kessai/log/log.h"
#include "rdkafka_handles.h"
#include "read_statistics.h"

namespace kessai::kafka {
namespace {

constexpr int kSeekWaitsMillis = 0x02010000;

// What a broker answers at once is read into one piece of memory. jemalloc gives pieces of 8 MiB
// and more back to the system as soon as they are free, and the next one costs a page fault a page.
constexpr const char* kFetchBytesMax = "4194304";

constexpr Duration kEndQueryTimeout = std::chrono::seconds(2);
constexpr const char* kTraceparentHeader = "traceparent";

Properties ConsumerProperties(const ConsumerClientOptions& options) {
    return {
        {"group.id", options.group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"allow.auto.create.topics", "false"},
        // Eager. The cooperative assignor of librdkafka 2.0.2 ends the process by an assertion when
        // a group's leader leaves before its first assignment
        // (rd_kafka_sticky_assignor_state_destroy).
        {"partition.assignment.strategy", "range"},
        {"session.timeout.ms", Millis(options.session_timeout)},
        {"heartbeat.interval.ms", Millis(options.heartbeat_every)},
        {"max.poll.interval.ms", Millis(options.poll_interval_max)},
        {"queued.max.messages.kbytes", std::to_string(options.fetch_ahead_bytes / 1024)},
        {"fetch.wait.max.ms", Millis(options.fetch_wait_max)},
        {"fetch.min.bytes", std::to_string(options.fetch_bytes_min)},
        {"fetch.max.bytes", kFetchBytesMax},
        {"fetch.error.backoff.ms", "100"},
        {"enable.partition.eof", "false"},
    };
}

int MillisOf(Duration duration) {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string_view ViewOf(const void* data, std::size_t size) {
    return {static_cast<const char*>(data), size};
}

std::string_view TraceparentOf(const rd_kafka_message_t* message) {
    rd_kafka_headers_t* headers = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, kTraceparentHeader, &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        value == nullptr) {
        return {};
    }
    return ViewOf(value, size);
}

std::vector<int> PartitionsOf(const rd_kafka_topic_partition_list_t* list) {
    std::vector<int> partitions;
    for (int i = 0; i < list->cnt; ++i) partitions.push_back(list->elems[i].partition);
    return partitions;
}

}  // namespace

// Messages hold references into their client, so each batch holds its client too.
struct RecordBatch::Memory {
    std::shared_ptr<rd_kafka_t> client;
    std::vector<Owned<rd_kafka_message_t>> messages;
};

RecordBatch::RecordBatch() = default;
RecordBatch::RecordBatch(RecordBatch&&) noexcept = default;
RecordBatch& RecordBatch::operator=(RecordBatch&&) noexcept = default;
RecordBatch::~RecordBatch() = default;

struct ConsumerClient::Impl {
    // What librdkafka's threads wake us up with. Lives as long as the client, since a wake-up may
    // be on its way when a partition is revoked.
    struct Waker {
        AssignmentListener* listener;
        int partition;
    };

    Impl(ConsumerClientOptions given, AssignmentListener& assignments, StatisticsListener* numbers)
        : options(std::move(given)), listener(assignments), statistics(numbers) {}

    static void OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t what,
                            rd_kafka_topic_partition_list_t* partitions, void* opaque) {
        static_cast<Impl*>(opaque)->Rebalance(what, partitions);
    }
    static int OnStatistics(rd_kafka_t*, char* json, std::size_t size, void* opaque) {
        const Impl& impl = *static_cast<Impl*>(opaque);
        if (impl.statistics != nullptr) {
            if (const auto numbers = ReadStatistics({json, size})) {
                impl.statistics->OnStatistics(*numbers);
            }
        }
        return 0;  // librdkafka frees the text.
    }
    static void OnError(rd_kafka_t* client, int error, const char* text, void* opaque) {
        Impl& impl = *static_cast<Impl*>(opaque);
        if (error == RD_KAFKA_RESP_ERR__FATAL) {
            char why[256];
            const auto cause = rd_kafka_fatal_error(client, why, sizeof why);
            impl.failure = Status(Code::kFailedPrecondition, reason::kFatal,
                                  std::string(rd_kafka_err2name(cause)) + ": " + why);
        } else {
            impl.last_error = StatusOf(static_cast<rd_kafka_resp_err_t>(error), text);
        }
    }
    static void OnReadable(rd_kafka_t*, void* opaque) {
        const Waker& waker = *static_cast<Waker*>(opaque);
        waker.listener->OnReadable(waker.partition);
    }

    void Rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions) {
        const std::vector<int> numbers = PartitionsOf(partitions);
        if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            Assign(partitions);
            listener.OnAssigned(numbers);
        } else {
            listener.OnRevoked(numbers, rd_kafka_assignment_lost(client.get()) != 0);
            Unassign(partitions);
        }
    }

    // Each partition gets a queue of its own. It begins at the partition's end, where there is
    // least to fetch in vain, and nobody takes from it until Seek has said where to begin. The end
    // is asked for here and given as a number: with OFFSET_END librdkafka (2.0.2) looks it up
    // itself, and a Seek that comes meanwhile is undone by the late answer
    // (rd_kafka_toppar_handle_Offset queries again when the answer is outdated, and then goes to
    // the end).
    void Assign(rd_kafka_topic_partition_list_t* partitions) {
        for (int i = 0; i < partitions->cnt; ++i) {
            rd_kafka_topic_partition_t& element = partitions->elems[i];
            element.offset = EndOf(element);
            Owned<rd_kafka_queue_t> queue(
                rd_kafka_queue_get_partition(client.get(), element.topic, element.partition));
            if (!queue) continue;
            rd_kafka_queue_forward(queue.get(), nullptr);
            Waker& waker =
                wakers.try_emplace(element.partition, &listener, element.partition).first->second;
            rd_kafka_queue_cb_event_enable(queue.get(), OnReadable, &waker);
            const std::lock_guard lock(mutex);
            queues[element.partition] = std::move(queue);
        }
        Report(StatusOf(rd_kafka_assign(client.get(), partitions), "assign"));
    }

    // 0 when nobody answers: should the broker not have that offset any more, and Seek come later
    // than its leader, Take will refuse.
    std::int64_t EndOf(const rd_kafka_topic_partition_t& element) const {
        std::int64_t first = 0;
        std::int64_t end = 0;
        const auto error =
            rd_kafka_query_watermark_offsets(client.get(), element.topic, element.partition, &first,
                                             &end, MillisOf(kEndQueryTimeout));
        return error == RD_KAFKA_RESP_ERR_NO_ERROR ? end : 0;
    }

    void Unassign(const rd_kafka_topic_partition_list_t* partitions) {
        for (int i = 0; i < partitions->cnt; ++i) {
            std::shared_ptr<rd_kafka_queue_t> queue;
            {
                const std::lock_guard lock(mutex);
                const auto found = queues.find(partitions->elems[i].partition);
                if (found == queues.end()) continue;
                queue = std::move(found->second);
                queues.erase(found);
            }
            rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
        }
        Report(StatusOf(rd_kafka_assign(client.get(), nullptr), "unassign"));
    }

    static void Report(const Status& status) {
        if (!status.ok()) log::Error("kafka.rebalance_failed", {{"status", status}});
    }

    std::shared_ptr<rd_kafka_queue_t> QueueOf(int partition) {
        const std::lock_guard lock(mutex);
        const auto found = queues.find(partition);
        return found == queues.end() ? nullptr : found->second;
    }

    static Status NotAssigned(int partition) {
        return Status(Code::kFailedPrecondition, reason::kNotAssigned,
                      "partition " + std::to_string(partition));
    }

    const ConsumerClientOptions options;
    AssignmentListener& listener;
    StatisticsListener* const statistics;
    std::map<int, Waker> wakers;
    // Only set on the thread of Poll and Close.
    Status failure;
    Status last_error;
    bool closed = false;

    std::shared_ptr<rd_kafka_t> client;
    mutable std::mutex mutex;
    // Shared, because a worker may be taking from a queue that is being revoked.
    std::map<int, std::shared_ptr<rd_kafka_queue_t>> queues;
};

ConsumerClient::ConsumerClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ConsumerClient::~ConsumerClient() {
    Close();
}

Result<std::unique_ptr<ConsumerClient>> ConsumerClient::Create(const ConsumerClientOptions& options,
                                                               AssignmentListener& listener,
                                                               StatisticsListener* statistics) {
    KESSAI_ASSIGN_OR_RETURN(auto configuration,
                            Configure(options.connection, ConsumerProperties(options)));
    auto impl = std::make_unique<Impl>(options, listener, statistics);
    rd_kafka_conf_set_opaque(configuration.get(), impl.get());
    rd_kafka_conf_set_rebalance_cb(configuration.get(), Impl::OnRebalance);
    rd_kafka_conf_set_error_cb(configuration.get(), Impl::OnError);
    rd_kafka_conf_set_stats_cb(configuration.get(), Impl::OnStatistics);
    char why[256];
    Owned<rd_kafka_t> client(rd_kafka_new(RD_KAFKA_CONSUMER, configuration.get(), why, sizeof why));
    if (!client) return Status(Code::kInvalidArgument, reason::kOptionInvalid, why);
    (void)configuration.release();  // The client owns it now.
    impl->client = std::move(client);
    // Callbacks then come from consumer_poll too.
    rd_kafka_poll_set_consumer(impl->client.get());

    const Owned<rd_kafka_topic_partition_list_t> topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto error = rd_kafka_subscribe(impl->client.get(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return Status(Code::kInvalidArgument, reason::kOptionInvalid,
                      std::string("subscribe: ") + rd_kafka_err2str(error));
    }
    return std::unique_ptr<ConsumerClient>(new ConsumerClient(std::move(impl)));
}

Status ConsumerClient::Poll(Duration timeout) {
    impl_->last_error = OkStatus();
    const Owned<rd_kafka_message_t> message(
        rd_kafka_consumer_poll(impl_->client.get(), MillisOf(timeout)));
    if (!impl_->failure.ok()) return impl_->failure;
    // Messages come through the partitions' queues only; here come the group's errors.
    if (message) return StatusOf(message->err, rd_kafka_message_errstr(message.get()));
    return impl_->last_error;
}

Result<RecordBatch> ConsumerClient::Take(int partition, int records_max) {
    const auto queue = impl_->QueueOf(partition);
    if (queue == nullptr) return Impl::NotAssigned(partition);
    std::vector<rd_kafka_message_t*> raw(static_cast<std::size_t>(records_max));
    const auto taken = rd_kafka_consume_batch_queue(queue.get(), 0, raw.data(), raw.size());
    RecordBatch batch;
    batch.memory_ = std::make_unique<RecordBatch::Memory>();
    batch.memory_->client = impl_->client;
    Status failed;
    for (ssize_t i = 0; i < taken; ++i) {
        Owned<rd_kafka_message_t> message(raw[static_cast<std::size_t>(i)]);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (failed.ok()) {
                failed = StatusOf(message->err, rd_kafka_message_errstr(message.get()));
            }
            continue;
        }
        batch.records_.push_back({.offset = message->offset,
                                  .key = ViewOf(message->key, message->key_len),
                                  .value = ViewOf(message->payload, message->len),
                                  .traceparent = TraceparentOf(message.get())});
        batch.memory_->messages.push_back(std::move(message));
    }
    // Records first: an error that lasts comes again, and a lost position shows as a gap.
    if (!failed.ok() && (batch.empty() || failed.reason() == reason::kOffsetOutOfRange)) {
        return failed;
    }
    return batch;
}

Status ConsumerClient::Seek(int partition, std::int64_t offset, Duration timeout) {
    if (impl_->QueueOf(partition) == nullptr) return Impl::NotAssigned(partition);
    const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_t* element =
        rd_kafka_topic_partition_list_add(list.get(), impl_->options.topic.c_str(), partition);
    element->offset = offset;
    // Before 2.1.0 librdkafka waits as many microseconds as it is given milliseconds (its change
    // 4230), so that on a busy machine the seek is done, but not in time.
    const Duration given = rd_kafka_version() < kSeekWaitsMillis ? 1'000 * timeout : timeout;
    const Owned<rd_kafka_error_t> error(
        rd_kafka_seek_partitions(impl_->client.get(), list.get(), MillisOf(given)));
    if (error) return StatusOf(rd_kafka_error_code(error.get()), "seek");
    return StatusOf(element->err, "seek");
}

Result<OffsetRange> ConsumerClient::QueryOffsets(int partition, Duration timeout) {
    OffsetRange range;
    KESSAI_RETURN_IF_ERROR(StatusOf(
        rd_kafka_query_watermark_offsets(impl_->client.get(), impl_->options.topic.c_str(),
                                         partition, &range.first, &range.end, MillisOf(timeout)),
        "query offsets"));
    return range;
}

std::int64_t ConsumerClient::KnownEnd(int partition) const {
    std::int64_t first = -1;
    std::int64_t end = -1;
    if (rd_kafka_get_watermark_offsets(impl_->client.get(), impl_->options.topic.c_str(), partition,
                                       &first, &end) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return -1;
    }
    return end;
}

void ConsumerClient::Close() {
    if (impl_->closed) return;
    impl_->closed = true;
    // Calls OnRebalance for what is assigned.
    const Status status = StatusOf(rd_kafka_consumer_close(impl_->client.get()), "close");
    if (!status.ok()) log::Warn("kafka.close_failed", {{"status", status}});
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [partition, queue] : impl_->queues) {
        rd_kafka_queue_cb_event_enable(queue.get(), nullptr, nullptr);
    }
    impl_->queues.clear();
}

}  // namespace kessai::kafka
