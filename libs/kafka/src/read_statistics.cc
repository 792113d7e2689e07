#include "read_statistics.h"

#include <simdjson.h>

#include <algorithm>

namespace kessai::kafka {
namespace {

using simdjson::dom::element;

std::int64_t Number(element object, std::string_view key) {
    std::int64_t value = 0;
    return object[key].get(value) == simdjson::SUCCESS ? value : 0;
}

void ReadBroker(element broker, Statistics& statistics) {
    std::string_view state;
    // Node -1 are bootstrap and logical connections: they are not brokers.
    if (Number(broker, "nodeid") < 0) return;
    if (broker["state"].get(state) == simdjson::SUCCESS && state == "UP") ++statistics.brokers_up;
    statistics.requests_in_flight += Number(broker, "waitresp_cnt");
    statistics.request_errors_total += Number(broker, "txerrs");
    statistics.request_retries_total += Number(broker, "txretries");
    statistics.request_timeouts_total += Number(broker, "req_timeouts");
    element round_trip;
    if (broker["rtt"].get(round_trip) == simdjson::SUCCESS) {
        statistics.round_trip_p99 =
            std::max(statistics.round_trip_p99, Duration(Number(round_trip, "p99")));
    }
}

void ReadPartition(element partition, Statistics& statistics) {
    const std::int64_t number = Number(partition, "partition");
    // -1 stands for messages without a partition.
    if (number < 0) return;
    statistics.partitions.push_back({.partition = static_cast<int>(number),
                                     .fetched_messages = Number(partition, "fetchq_cnt"),
                                     .end_offset = Number(partition, "hi_offset")});
}

template <class F>
void ForEachMember(element object, std::string_view key, F visit) {
    simdjson::dom::object members;
    if (object[key].get(members) != simdjson::SUCCESS) return;
    for (const auto member : members) visit(member.value);
}

}  // namespace

std::optional<Statistics> ReadStatistics(std::string_view json) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
        !root.is_object()) {
        return std::nullopt;
    }
    Statistics statistics;
    statistics.queued_messages = Number(root, "msg_cnt");
    statistics.queued_bytes = Number(root, "msg_size");
    ForEachMember(root, "brokers", [&](element broker) { ReadBroker(broker, statistics); });
    ForEachMember(root, "topics", [&](element topic) {
        ForEachMember(topic, "partitions",
                      [&](element partition) { ReadPartition(partition, statistics); });
    });
    return statistics;
}

}  // namespace kessai::kafka
