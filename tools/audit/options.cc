#include "options.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

namespace kessai::audit {

const char* const kUsage =
    "usage: kessai audit [OPTION…]\n"
    "\n"
    "Checks the invariants M1 to M9 on the live databases, for all changes committed before it "
    "began,\n"
    "and names what breaks them. It changes nothing.\n"
    "\n"
    "  --wait SECONDS          how long changes may take to arrive downstream (60)\n"
    "  --lines N               findings shown of each kind; all are counted (20)\n"
    "  --json                  the result as one JSON object on the last line\n"
    "  --memory MIB            what each of its sorters may hold before it writes a file (32)\n"
    "  --work-directory DIR    where those files are ($TMPDIR, else /tmp)\n"
    "  --trail-ends FILE       what the audit trail of discrepancies ended with: compared with what\n"
    "                          the audit before saw, and written anew. Keep it where those who\n"
    "                          administer the database cannot write\n"
    "  --stack-file FILE       where the platform is, as `kessai up` writes it\n"
    "\n"
    "exit code: 0 nothing found and everything could be read; 1 something was found;\n"
    "2 nothing was found, but something could not be checked\n";

namespace {

using nlohmann::json;

Status Invalid(std::string message) {
    return Status(Code::kInvalidArgument, "OPTION_INVALID", std::move(message));
}

Result<int> NumberOf(std::string_view name, std::string_view text, int lowest, int highest) {
    int number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < lowest ||
        number > highest) {
        return Invalid(std::string(name) + " takes a number from " + std::to_string(lowest) +
                       " to " + std::to_string(highest));
    }
    return number;
}

Result<std::string> ReadFile(const std::string& path) {
    std::ifstream file(path);
    if (!file) return Status(Code::kNotFound, "FILE_UNREADABLE", "cannot read " + path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

/// Gives a section of the stack file's values, or a refusal that names what is missing.
class Section {
 public:
    Section(const json& from, std::string path) : from_(from), path_(std::move(path)) {}

    Result<std::string> Text(const char* key) const {
        if (!from_.contains(key) || !from_[key].is_string()) return Missing(key);
        return from_[key].get<std::string>();
    }
    std::string TextOr(const char* key, std::string otherwise) const {
        const bool there = from_.contains(key) && from_[key].is_string();
        return there ? from_[key].get<std::string>() : std::move(otherwise);
    }
    Result<int> Port(const char* key) const {
        if (!from_.contains(key) || !from_[key].is_number_integer()) return Missing(key);
        return from_[key].get<int>();
    }
    Result<Section> In(const char* key) const {
        if (!from_.contains(key) || !from_[key].is_object()) return Missing(key);
        return Section(from_[key], path_ + key + ".");
    }

 private:
    Status Missing(const char* key) const {
        return Status(Code::kInvalidArgument, "STACK_FILE_INVALID",
                      "the stack file has no " + path_ + key);
    }
    const json& from_;
    std::string path_;
};

/// A service's schema: `mysql` says where, and `mysql.servers.<service>` what differs for it.
Result<mysql::ConnectOptions> SchemaOf(const Section& stack, const char* service) {
    KESSAI_ASSIGN_OR_RETURN(const Section all, stack.In("mysql"));
    KESSAI_ASSIGN_OR_RETURN(const Section users, all.In("users"));
    KESSAI_ASSIGN_OR_RETURN(const Section auditor, users.In("audit"));
    KESSAI_ASSIGN_OR_RETURN(const Section schemas, all.In("schemas"));
    mysql::ConnectOptions options;
    KESSAI_ASSIGN_OR_RETURN(options.schema, schemas.Text(service));
    KESSAI_ASSIGN_OR_RETURN(options.host, all.Text("host"));
    KESSAI_ASSIGN_OR_RETURN(options.port, all.Port("port"));
    KESSAI_ASSIGN_OR_RETURN(options.user, auditor.Text("user"));
    KESSAI_ASSIGN_OR_RETURN(std::string password_file, auditor.Text("password_file"));
    options.tls_ca_file = all.TextOr("tls_ca_file", "");
    const Result<Section> servers = all.In("servers");
    const Result<Section> own = servers.ok() ? servers->In(service) : servers;
    if (own.ok()) {
        options.host = own->TextOr("host", options.host);
        options.port = own->Port("port").value_or(options.port);
        options.user = own->TextOr("user", options.user);
        options.tls_ca_file = own->TextOr("tls_ca_file", options.tls_ca_file);
        password_file = own->TextOr("password_file", password_file);
    }
    KESSAI_ASSIGN_OR_RETURN(options.password, ReadFile(password_file));
    return options;
}

Result<kafka::ConnectionOptions> KafkaOf(const Section& stack) {
    KESSAI_ASSIGN_OR_RETURN(const Section from, stack.In("kafka"));
    kafka::ConnectionOptions options;
    options.client_id = "kessai-audit";
    options.statistics_every = Duration::zero();
    KESSAI_ASSIGN_OR_RETURN(options.brokers, from.Text("brokers"));
    options.tls_ca_file = from.TextOr("tls_ca_file", "");
    options.tls_certificate_file = from.TextOr("tls_certificate_file", "");
    options.tls_key_file = from.TextOr("tls_key_file", "");
    options.sasl_mechanism = from.TextOr("sasl_mechanism", "");
    options.sasl_user = from.TextOr("sasl_user", "");
    if (const std::string file = from.TextOr("sasl_password_file", ""); !file.empty()) {
        KESSAI_ASSIGN_OR_RETURN(options.sasl_password, ReadFile(file));
    }
    return options;
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
    CommandLine line;
    const char* directory = std::getenv("TMPDIR");
    line.work_directory = directory == nullptr || *directory == '\0' ? "/tmp" : directory;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help" || name == "-h") {
            line.help = true;
            continue;
        }
        if (name == "--json") {
            line.json = true;
            continue;
        }
        if (i + 1 == argc) return Invalid(std::string(name) + " is unknown, or lacks its value");
        const std::string_view value = argv[++i];
        if (name == "--stack-file") {
            line.stack_file = value;
        } else if (name == "--work-directory") {
            line.work_directory = value;
        } else if (name == "--trail-ends") {
            line.trail_ends_file = value;
        } else if (name == "--wait") {
            KESSAI_ASSIGN_OR_RETURN(line.wait_s, NumberOf(name, value, 0, 86'400));
        } else if (name == "--lines") {
            KESSAI_ASSIGN_OR_RETURN(line.lines, NumberOf(name, value, 0, 1'000'000));
        } else if (name == "--memory") {
            KESSAI_ASSIGN_OR_RETURN(line.memory_mib, NumberOf(name, value, 1, 4'096));
        } else {
            return Invalid("unknown option " + std::string(name));
        }
    }
    if (line.stack_file.empty() && !line.help) return Invalid("--stack-file is missing");
    return line;
}

Result<AuditOptions> ReadStackFile(const CommandLine& command_line) {
    KESSAI_ASSIGN_OR_RETURN(const std::string text, ReadFile(command_line.stack_file));
    const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_object()) {
        return Status(Code::kInvalidArgument, "STACK_FILE_INVALID",
                      command_line.stack_file + " is no JSON object");
    }
    const Section stack(parsed, "");
    KESSAI_ASSIGN_OR_RETURN(const Section keys, stack.In("keys"));
    KESSAI_ASSIGN_OR_RETURN(const std::string digest_file, keys.Text("digest"));
    KESSAI_ASSIGN_OR_RETURN(const std::string digest_key, ReadFile(digest_file));
    KESSAI_ASSIGN_OR_RETURN(const digest::RowHasher hasher, digest::RowHasher::FromHex(digest_key));

    AuditOptions options(hasher);
    // A stack's file from before there was an audit trail has no key of it.
    if (const std::string audit_file = keys.TextOr("audit", ""); !audit_file.empty()) {
        KESSAI_ASSIGN_OR_RETURN(const std::string audit_key, ReadFile(audit_file));
        KESSAI_ASSIGN_OR_RETURN(options.history_chain, HistoryChain::FromHex(audit_key));
    }
    KESSAI_ASSIGN_OR_RETURN(options.payment, SchemaOf(stack, "payment"));
    KESSAI_ASSIGN_OR_RETURN(options.payout, SchemaOf(stack, "payout"));
    KESSAI_ASSIGN_OR_RETURN(options.reconciliation, SchemaOf(stack, "reconciliation"));
    KESSAI_ASSIGN_OR_RETURN(options.gateway, SchemaOf(stack, "gateway"));
    KESSAI_ASSIGN_OR_RETURN(options.kafka, KafkaOf(stack));
    options.wait = std::chrono::seconds(command_line.wait_s);
    options.examples_max = static_cast<std::size_t>(command_line.lines);
    options.sorter_memory_bytes = static_cast<std::size_t>(command_line.memory_mib) << 20;
    options.work_directory = command_line.work_directory;
    options.trail_ends_file = command_line.trail_ends_file;
    return options;
}

}  // namespace kessai::audit
