#include "kessai/kafka/topic_reader.h"

#include <array>

#include "configuration.h"
#include "errors.h"
#include "rdkafka_handles.h"

namespace kessai::kafka {
namespace {

constexpr std::size_t kMessagesPerTurn = 2'000;
constexpr int kTurnTimeoutMs = 100;
constexpr Duration kLeaderPoll = std::chrono::milliseconds(20);
constexpr Duration kLeaderPatience = std::chrono::seconds(1);

int MillisOf(Duration duration) {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string_view ViewOf(const void* data, std::size_t size) {
    return {static_cast<const char*>(data), size};
}

Instant TimestampOf(const rd_kafka_message_t* message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t millis = rd_kafka_message_timestamp(message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || millis < 0) return {};
    return Instant(std::chrono::milliseconds(millis));
}

}  // namespace

struct TopicReader::Impl {
    Status QueryRange(int partition, OffsetRange& range, Duration timeout) {
        return StatusOf(
            rd_kafka_query_watermark_offsets(client.get(), name.c_str(), partition, &range.first,
                                             &range.end, MillisOf(timeout)),
            name + "/" + std::to_string(partition));
    }

    Owned<rd_kafka_t> client;
    Owned<rd_kafka_topic_t> topic;
    std::string name;
    int partitions = 0;
};

namespace {

/// One Read: fetches the partitions into one queue until all are at their ends.
class Reading {
 public:
    Reading(rd_kafka_t* client, rd_kafka_topic_t* topic, std::span<const OffsetRange> ranges,
            const TopicReader::Take& take)
        : topic_(topic),
          queue_(rd_kafka_queue_new(client)),
          ranges_(ranges),
          take_(take),
          reading_(ranges.size(), false) {}
    ~Reading() {
        for (const int partition : started_) rd_kafka_consume_stop(topic_, partition);
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    Status Start() {
        for (std::size_t i = 0; i < ranges_.size(); ++i) {
            if (ranges_[i].first >= ranges_[i].end) continue;
            const int partition = static_cast<int>(i);
            if (rd_kafka_consume_start_queue(topic_, partition, ranges_[i].first, queue_.get()) !=
                0) {
                return StatusOf(rd_kafka_last_error(),
                                "fetch partition " + std::to_string(partition));
            }
            started_.push_back(partition);
            reading_[i] = true;
            ++left_;
        }
        return OkStatus();
    }
    bool done() const { return left_ == 0; }

    /// Takes what has come. UNAVAILABLE: nothing was lost, go on.
    Status Turn(bool* something_came) {
        std::array<rd_kafka_message_t*, kMessagesPerTurn> raw;
        const auto came =
            rd_kafka_consume_batch_queue(queue_.get(), kTurnTimeoutMs, raw.data(), raw.size());
        Status failed;
        for (ssize_t i = 0; i < came; ++i) {
            const Owned<rd_kafka_message_t> message(raw[static_cast<std::size_t>(i)]);
            if (Status status = Handle(*message); !status.ok() && failed.ok()) {
                failed = std::move(status);
            }
        }
        *something_came = came > 0 && failed.ok();
        return failed;
    }

 private:
    Status Handle(const rd_kafka_message_t& message) {
        const auto partition = static_cast<std::size_t>(message.partition);
        if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            // Whatever stood before the end that was asked for was given, or is no message.
            if (message.offset >= ranges_[partition].end) Finish(partition);
            return OkStatus();
        }
        if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return StatusOf(message.err, rd_kafka_message_errstr(&message));
        }
        if (!reading_[partition]) return OkStatus();
        if (message.offset < ranges_[partition].end) {
            take_({message.partition, message.offset, ViewOf(message.key, message.key_len),
                   ViewOf(message.payload, message.len), TimestampOf(&message)});
        }
        if (message.offset + 1 >= ranges_[partition].end) Finish(partition);
        return OkStatus();
    }
    void Finish(std::size_t partition) {
        if (!reading_[partition]) return;
        reading_[partition] = false;
        --left_;
    }

    rd_kafka_topic_t* topic_;
    Owned<rd_kafka_queue_t> queue_;
    const std::span<const OffsetRange> ranges_;
    const TopicReader::Take& take_;
    std::vector<bool> reading_;
    std::size_t left_ = 0;
    std::vector<int> started_;
};

}  // namespace

TopicReader::TopicReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TopicReader::~TopicReader() = default;

Result<std::unique_ptr<TopicReader>> TopicReader::Open(const ConnectionOptions& connection,
                                                       const std::string& topic, Duration timeout) {
    // Past the last message the broker's answer tells that there is none.
    KESSAI_ASSIGN_OR_RETURN(auto configuration,
                            Configure(connection, {{"enable.auto.commit", "false"},
                                                   {"auto.offset.reset", "error"},
                                                   {"enable.partition.eof", "true"},
                                                   {"allow.auto.create.topics", "false"},
                                                   {"fetch.wait.max.ms", "50"},
                                                   {"queued.max.messages.kbytes", "32768"}}));
    char why[256];
    auto impl = std::make_unique<Impl>();
    impl->name = topic;
    impl->client.reset(rd_kafka_new(RD_KAFKA_CONSUMER, configuration.get(), why, sizeof why));
    if (!impl->client) return Status(Code::kInvalidArgument, reason::kOptionInvalid, why);
    (void)configuration.release();  // The client owns it now.
    impl->topic.reset(rd_kafka_topic_new(impl->client.get(), topic.c_str(), nullptr));
    if (!impl->topic) return StatusOf(rd_kafka_last_error(), topic);

    const rd_kafka_metadata_t* raw = nullptr;
    KESSAI_RETURN_IF_ERROR(StatusOf(
        rd_kafka_metadata(impl->client.get(), 0, impl->topic.get(), &raw, MillisOf(timeout)),
        topic));
    const Owned<const rd_kafka_metadata_t> metadata(raw);
    KESSAI_RETURN_IF_ERROR(StatusOf(metadata->topics[0].err, topic));
    impl->partitions = metadata->topics[0].partition_cnt;
    return std::unique_ptr<TopicReader>(new TopicReader(std::move(impl)));
}

int TopicReader::partitions() const {
    return impl_->partitions;
}

Result<std::vector<OffsetRange>> TopicReader::QueryRanges(Duration timeout) {
    const SteadyInstant deadline = SystemClock().SteadyNow() + timeout;
    std::vector<OffsetRange> ranges(static_cast<std::size_t>(impl_->partitions));
    for (int partition = 0; partition < impl_->partitions; ++partition) {
        OffsetRange& range = ranges[static_cast<std::size_t>(partition)];
        // A partition whose leader is being chosen (a new topic, a broker that left) has one soon.
        Status status = impl_->QueryRange(partition, range, timeout);
        while (status.code() == Code::kUnavailable && SystemClock().SteadyNow() < deadline) {
            SystemClock().SleepFor(kLeaderPoll);
            status = impl_->QueryRange(partition, range, kLeaderPatience);
        }
        KESSAI_RETURN_IF_ERROR(status);
    }
    return ranges;
}

Status TopicReader::Read(std::span<const OffsetRange> ranges, Duration stall_timeout,
                         const Take& take) {
    Reading reading(impl_->client.get(), impl_->topic.get(), ranges, take);
    KESSAI_RETURN_IF_ERROR(reading.Start());
    SteadyInstant last_came = SystemClock().SteadyNow();
    while (!reading.done()) {
        bool something_came = false;
        const Status status = reading.Turn(&something_came);
        // A broker that is away for a moment comes back; only silence ends it.
        if (!status.ok() && status.code() != Code::kUnavailable) return status;
        const SteadyInstant now = SystemClock().SteadyNow();
        if (something_came) last_came = now;
        if (!reading.done() && now - last_came > stall_timeout) {
            return Status(Code::kUnavailable, reason::kUnavailable,
                          impl_->name + ": nothing came for " +
                              std::to_string(MillisOf(stall_timeout)) + " ms" +
                              (status.ok() ? "" : ", " + status.ToString()));
        }
    }
    return OkStatus();
}

}  // namespace kessai::kafka
