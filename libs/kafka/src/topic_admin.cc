#include "kessai/kafka/topic_admin.h"

#include "configuration.h"
#include "errors.h"
#include "rdkafka_handles.h"

namespace kessai::kafka {
namespace {

struct AdminDeleter {
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
    void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
    void operator()(rd_kafka_DeleteRecords_t* records) const {
        rd_kafka_DeleteRecords_destroy(records);
    }
};
template <class T>
using OwnedAdmin = std::unique_ptr<T, AdminDeleter>;

int MillisOf(Duration duration) {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

struct AdminClient {
    Owned<rd_kafka_t> client;
    Owned<rd_kafka_queue_t> queue;
};

Result<AdminClient> Connect(const ConnectionOptions& connection) {
    KESSAI_ASSIGN_OR_RETURN(auto configuration, Configure(connection, {}));
    char why[256];
    AdminClient admin;
    admin.client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, configuration.get(), why, sizeof why));
    if (!admin.client) return Status(Code::kInvalidArgument, reason::kOptionInvalid, why);
    (void)configuration.release();  // The client owns it now.
    admin.queue.reset(rd_kafka_queue_new(admin.client.get()));
    return admin;
}

OwnedAdmin<rd_kafka_AdminOptions_t> Options(const AdminClient& admin, rd_kafka_admin_op_t op,
                                            Duration timeout) {
    OwnedAdmin<rd_kafka_AdminOptions_t> options(rd_kafka_AdminOptions_new(admin.client.get(), op));
    char why[256];
    rd_kafka_AdminOptions_set_request_timeout(options.get(), MillisOf(timeout), why, sizeof why);
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), MillisOf(timeout), why, sizeof why);
    return options;
}

Result<Owned<rd_kafka_event_t>> Answer(const AdminClient& admin, Duration timeout,
                                       std::string_view what) {
    // librdkafka answers by its own time-out at the latest.
    Owned<rd_kafka_event_t> event(
        rd_kafka_queue_poll(admin.queue.get(), MillisOf(timeout + std::chrono::seconds(5))));
    if (!event) return StatusOf(RD_KAFKA_RESP_ERR__TIMED_OUT, what);
    const auto error = rd_kafka_event_error(event.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return StatusOf(error, rd_kafka_event_error_string(event.get()));
    }
    return event;
}

Result<int> PartitionCount(const AdminClient& admin, const TopicSpec& topic, Duration timeout) {
    const Owned<rd_kafka_topic_t> handle(
        rd_kafka_topic_new(admin.client.get(), topic.name.c_str(), nullptr));
    const rd_kafka_metadata_t* raw = nullptr;
    KESSAI_RETURN_IF_ERROR(
        StatusOf(rd_kafka_metadata(admin.client.get(), 0, handle.get(), &raw, MillisOf(timeout)),
                 topic.name));
    const Owned<const rd_kafka_metadata_t> metadata(raw);
    KESSAI_RETURN_IF_ERROR(StatusOf(metadata->topics[0].err, topic.name));
    return metadata->topics[0].partition_cnt;
}

// A broker learns of a new topic a little later than the controller has made it.
Status CheckPartitions(const AdminClient& admin, const TopicSpec& topic, Duration timeout) {
    const SteadyInstant deadline = SystemClock().SteadyNow() + timeout;
    Result<int> count = PartitionCount(admin, topic, timeout);
    while (!count.ok() && SystemClock().SteadyNow() < deadline) {
        SystemClock().SleepFor(std::chrono::milliseconds(20));
        count = PartitionCount(admin, topic, timeout);
    }
    KESSAI_RETURN_IF_ERROR(count);
    if (*count != topic.partitions) {
        return Status(Code::kFailedPrecondition, "KAFKA_TOPIC_DIFFERS",
                      topic.name + " has " + std::to_string(*count) + " partitions, declared are " +
                          std::to_string(topic.partitions));
    }
    return OkStatus();
}

}  // namespace

Status CreateTopic(const ConnectionOptions& connection, const TopicSpec& topic, Duration timeout) {
    KESSAI_ASSIGN_OR_RETURN(const AdminClient admin, Connect(connection));
    char why[256];
    const OwnedAdmin<rd_kafka_NewTopic_t> request(rd_kafka_NewTopic_new(
        topic.name.c_str(), topic.partitions, topic.replicas, why, sizeof why));
    if (!request) return Status(Code::kInvalidArgument, reason::kOptionInvalid, why);
    for (const auto& [name, value] : topic.config) {
        rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
    }
    const auto options = Options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
    rd_kafka_NewTopic_t* requests[] = {request.get()};
    rd_kafka_CreateTopics(admin.client.get(), requests, 1, options.get(), admin.queue.get());
    KESSAI_ASSIGN_OR_RETURN(const auto event, Answer(admin, timeout, "create " + topic.name));
    std::size_t count = 0;
    const rd_kafka_topic_result_t* const* results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto error = rd_kafka_topic_result_error(results[i]);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR &&
            error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return StatusOf(error, rd_kafka_topic_result_error_string(results[i]));
        }
    }
    return CheckPartitions(admin, topic, timeout);
}

Status DeleteRecordsBefore(const ConnectionOptions& connection, const std::string& topic,
                           int partition, std::int64_t offset, Duration timeout) {
    KESSAI_ASSIGN_OR_RETURN(const AdminClient admin, Connect(connection));
    const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
    const OwnedAdmin<rd_kafka_DeleteRecords_t> request(rd_kafka_DeleteRecords_new(list.get()));
    const auto options = Options(admin, RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout);
    rd_kafka_DeleteRecords_t* requests[] = {request.get()};
    rd_kafka_DeleteRecords(admin.client.get(), requests, 1, options.get(), admin.queue.get());
    KESSAI_ASSIGN_OR_RETURN(const auto event, Answer(admin, timeout, "delete records"));
    const auto* offsets =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
    return StatusOf(offsets->elems[0].err, "delete records of " + topic);
}

}  // namespace kessai::kafka
