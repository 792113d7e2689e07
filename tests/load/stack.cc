#include "load/stack.h"

#include <simdjson.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <set>

#include "kessai/net/address.h"
#include "load/command.h"

namespace kessai::load {

namespace {

using simdjson::SUCCESS;
using simdjson::dom::element;

Status Unusable(const std::string& file, const std::string& what) {
    return {Code::kInvalidArgument, "STACK_FILE_UNUSABLE", file + ": " + what};
}

/// Reads texts out of one file and remembers the first that is missing.
class Fields {
 public:
    Fields(std::string file, element root) : file_(std::move(file)), root_(root) {}

    std::string Text(const std::string& pointer) {
        std::string_view text;
        if (root_.at_pointer(pointer).get(text) != SUCCESS || text.empty()) {
            Missing(pointer);
            return {};
        }
        return std::string(text);
    }
    std::uint16_t Port(const std::string& pointer) {
        std::uint64_t port = 0;
        if (root_.at_pointer(pointer).get(port) != SUCCESS || port == 0 || port > 65'535) {
            Missing(pointer);
            return 0;
        }
        return static_cast<std::uint16_t>(port);
    }
    std::map<std::string, std::string> Texts(const std::string& pointer) {
        std::map<std::string, std::string> found;
        simdjson::dom::object object;
        if (root_.at_pointer(pointer).get(object) != SUCCESS) {
            Missing(pointer);
            return found;
        }
        for (const auto field : object) {
            std::string_view text;
            if (field.value.get(text) == SUCCESS) found[std::string(field.key)] = text;
        }
        return found;
    }
    void Missing(const std::string& pointer) {
        if (status_.ok()) status_ = Unusable(file_, "has no usable " + pointer);
    }
    const Status& status() const { return status_; }

 private:
    const std::string file_;
    element root_;
    Status status_;
};

Result<std::string> ReadAll(const std::string& path) {
    std::ifstream file(path);
    if (!file) return Unusable(path, "can't be read");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

/// "http://127.0.0.1:17580", "127.0.0.1:17092".
bool ParseEndpoint(std::string_view text, Stack::Endpoint& endpoint) {
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        text.remove_prefix(scheme + 3);
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view port = text.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    endpoint.host = text.substr(0, colon);
    return read.ec == std::errc() && read.ptr == port.data() + port.size() && endpoint.port != 0;
}

Status RequireLoopback(const std::string& what, const std::string& host) {
    auto address = net::IpAddress::Parse(host);
    if (address.ok() && address->is_loopback()) return OkStatus();
    return {Code::kPermissionDenied, "NOT_LOOPBACK",
            what + " is at '" + host + "': a load is put on a stack of this machine only"};
}

}  // namespace

std::string Stack::Preset() const {
    // …/build/<preset>/bin
    const std::size_t bin = binaries.rfind('/');
    if (bin == std::string::npos || bin == 0) return "release";
    const std::size_t preset = binaries.rfind('/', bin - 1);
    if (preset == std::string::npos) return "release";
    return binaries.substr(preset + 1, bin - preset - 1);
}

Result<Stack> Stack::Load(const std::string& access_file) {
    KESSAI_ASSIGN_OR_RETURN(const std::string text, ReadAll(access_file));
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(text).get(root) != SUCCESS) return Unusable(access_file, "is no JSON");
    Fields fields(access_file, root);
    Stack stack;
    stack.name = fields.Text("/stack");
    stack.directory = fields.Text("/directory");
    stack.binaries = fields.Text("/binaries");
    stack.gateway.host = fields.Text("/gateway/host");
    stack.gateway.port = fields.Port("/gateway/port");
    stack.ca_file = fields.Text("/tls/ca_file");
    for (const auto& [service, url] : fields.Texts("/admin")) {
        if (!ParseEndpoint(url, stack.admin[service])) fields.Missing("/admin/" + service);
    }
    stack.mysql.server.host = fields.Text("/mysql/host");
    stack.mysql.server.port = fields.Port("/mysql/port");
    stack.mysql.schemas = fields.Texts("/mysql/schemas");
    stack.mysql.user = fields.Text("/mysql/users/audit/user");
    const std::string password_file = fields.Text("/mysql/users/audit/password_file");
    stack.kafka_brokers = fields.Text("/kafka/brokers");
    KESSAI_RETURN_IF_ERROR(fields.status());

    Endpoint kafka;
    if (!ParseEndpoint(stack.kafka_brokers, kafka)) {
        return Unusable(access_file, "has no usable /kafka/brokers");
    }
    KESSAI_RETURN_IF_ERROR(RequireLoopback("the gateway", stack.gateway.host));
    KESSAI_RETURN_IF_ERROR(RequireLoopback("MariaDB", stack.mysql.server.host));
    KESSAI_RETURN_IF_ERROR(RequireLoopback("Kafka", kafka.host));
    for (const auto& [service, endpoint] : stack.admin) {
        KESSAI_RETURN_IF_ERROR(RequireLoopback(service, endpoint.host));
    }
    KESSAI_ASSIGN_OR_RETURN(stack.mysql.password, ReadAll(password_file));
    while (!stack.mysql.password.empty() && stack.mysql.password.back() == '\n') {
        stack.mysql.password.pop_back();
    }
    return stack;
}

Result<std::vector<ProcessOfStack>> ProcessesOf(const Stack& stack) {
    const auto unknown = [](const std::string& why) {
        return Status(Code::kUnavailable, "STACK_STATUS_UNKNOWN", "kessai status: " + why);
    };
    const std::vector<std::string> command{stack.Command(), "status", "--json", "--stack",
                                           stack.name};
    auto output = RunCommand(command, std::chrono::seconds(30));
    if (!output.ok()) return unknown(output.status().ToString());
    simdjson::dom::parser parser;
    simdjson::dom::array rows;
    // It exits with 1 when something is not ready, and has told which.
    if (parser.parse(output->text).get(rows) != SUCCESS) {
        return unknown(output->text.substr(0, 300));
    }
    std::vector<ProcessOfStack> processes;
    for (const element row : rows) {
        ProcessOfStack process;
        std::string_view name;
        std::int64_t pid = 0;
        if (row["process"].get(name) != SUCCESS) return unknown("a row without a name");
        if (row["pid"].get(pid) != SUCCESS) pid = 0;
        if (row["ready"].get(process.ready) != SUCCESS) process.ready = false;
        process.name = name;
        process.pid = static_cast<pid_t>(pid);
        processes.push_back(std::move(process));
    }
    return processes;
}

}  // namespace kessai::load
