#include "bench/surroundings.h"

#include <sched.h>
#include <simdjson.h>
#include <sys/utsname.h>

#include <fstream>
#include <sstream>

#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/net/loop.h"
#include "load/client.h"
#include "load/command.h"
#include "load/metrics_text.h"
#include "load/on_loop.h"
#include "load/requests.h"
#include "load/stored_payments.h"

namespace kessai::bench {

namespace {

constexpr mysql::Query kVariables{"bench.show_variables", R"sql(
    SHOW GLOBAL VARIABLES WHERE Variable_name IN
        ('version', 'innodb_flush_log_at_trx_commit', 'innodb_flush_method', 'innodb_doublewrite',
         'innodb_buffer_pool_size', 'innodb_log_file_size', 'log_bin', 'sync_binlog'))sql"};

Status ReadMysql(const load::Stack& stack, Durability& durability) {
    KESSAI_ASSIGN_OR_RETURN(const auto session,
                            mysql::Session::Connect(load::ReadOnly(stack, "payment")));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kVariables));
    while (rows.Next()) durability.mysql[rows.Text(0)] = rows.Text(1);
    return OkStatus();
}

/// Kafka's admin protocol is spoken by a script: it needs no more than what the one command needs,
/// which runs on Debian's Python too.
Status ReadTopics(const load::Stack& stack, Durability& durability) {
    const std::string script = stack.directory + "/../../tests/bench/topic_settings.py";
    const std::vector<std::string> command{"/usr/bin/python3", script, stack.kafka_brokers};
    KESSAI_ASSIGN_OR_RETURN(const auto output, load::RunCommand(command, std::chrono::seconds(30)));
    simdjson::dom::parser parser;
    simdjson::dom::object topics;
    if (output.exit_code != 0 || parser.parse(output.text).get(topics) != simdjson::SUCCESS) {
        return {Code::kUnavailable, "TOPICS_UNKNOWN", output.text.substr(0, 300)};
    }
    for (const auto topic : topics) {
        simdjson::dom::object settings;
        if (topic.value.get(settings) != simdjson::SUCCESS) continue;
        for (const auto setting : settings) {
            std::string_view text;
            if (setting.value.get(text) == simdjson::SUCCESS) {
                durability.topics[std::string(topic.key)][std::string(setting.key)] = text;
            }
        }
    }
    return OkStatus();
}

void ReadProducers(const load::Stack& stack, Durability& durability) {
    net::Loop loop("settings");
    loop.Start();
    for (const auto& [service, endpoint] : stack.admin) {
        load::Client::Options options;
        options.host = endpoint.host;
        options.port = endpoint.port;
        options.connections = 1;
        const auto reply = load::AwaitOn(loop, [&]() -> net::Task<load::Client::Reply> {
            load::Client client(loop, options);
            const load::RequestWriter writer("localhost", 1);
            std::string request = writer.Plain("GET", "/metrics", "", "");
            load::Client::Reply answer = co_await client.Ask(
                std::move(request), SystemClock().SteadyNow() + std::chrono::seconds(5));
            co_await client.Close();
            co_return answer;
        });
        if (reply.fate != load::Answer::Fate::kAnswered || reply.status != 200) {
            durability.not_known.push_back("metrics of " + service + ": " + reply.Describe());
        }
        bool has_outbox = false;
        bool found = false;
        load::VisitMetrics(reply.body, "kessai_outbox_", [&](const load::MetricSample& sample) {
            has_outbox = true;
            if (sample.name != "kessai_outbox_producer_acks") return;
            durability.producer_acks[service] = static_cast<int>(sample.value);
            found = true;
        });
        if (has_outbox && !found) {
            durability.not_known.push_back("acks of " + service + "'s producer");
        }
    }
    loop.Stop();
}

std::string ValueIn(const std::string& path, const std::string& name) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::string key = line.substr(0, colon);
        while (!key.empty() && (key.back() == ' ' || key.back() == '\t')) key.pop_back();
        if (key != name) continue;
        const std::size_t value = line.find_first_not_of(" \t", colon + 1);
        return value == std::string::npos ? std::string() : line.substr(value);
    }
    return {};
}

}  // namespace

Machine DescribeMachine() {
    Machine machine;
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) machine.cores = CPU_COUNT(&allowed);
    machine.model = ValueIn("/proc/cpuinfo", "model name");
    std::istringstream memory(ValueIn("/proc/meminfo", "MemTotal"));
    double kib = 0;
    memory >> kib;
    machine.memory_gib = kib / 1024 / 1024;
    utsname system{};
    if (::uname(&system) == 0) machine.kernel = std::string(system.sysname) + " " + system.release;
    return machine;
}

Durability ReadDurability(const load::Stack& stack) {
    Durability durability;
    if (Status read = ReadMysql(stack, durability); !read.ok()) {
        durability.not_known.push_back("MariaDB: " + read.ToString());
    }
    if (Status read = ReadTopics(stack, durability); !read.ok()) {
        durability.not_known.push_back("Kafka's topics: " + read.ToString());
    }
    ReadProducers(stack, durability);
    return durability;
}

}  // namespace kessai::bench
