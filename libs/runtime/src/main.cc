#include "kessai/runtime/main.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "admin_server.h"
#include "build_info.h"
#include "kessai/faults/fault_point.h"
#include "kessai/log/log.h"
#include "kessai/metrics/schema.h"
#include "kessai/runtime/options.h"
#include "life_cycle.h"
#include "parts.h"
#include "process_metrics.h"
#include "signal_watch.h"

namespace kessai::runtime {
namespace {

struct CommandLine {
    std::string command;
    std::string config_file;
    /// Of metrics-reference: compare with this instead of printing.
    std::string schema_file;
};

void Print(std::FILE* to, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), to);
    std::fflush(to);
}

std::string Usage(std::string_view program) {
    return "usage: " + std::string(program) +
           " COMMAND [--config FILE]\n"
           "  serve              runs the service until SIGTERM or SIGINT\n"
           "  migrate            brings the service's database schema up to date\n"
           "  check-config       prints the configuration in force, or every problem in it\n"
           "  config-reference   prints all keys as a markdown table\n"
           "  metrics-reference  prints the metrics of the service as YAML; with --schema FILE\n"
           "                     compares them with docs/metrics.yaml\n"
           "  fault-points       prints the names of the fault points in this build\n"
           "  version            prints what this binary was built from\n";
}

std::optional<CommandLine> ParseCommandLine(int argc, char** argv) {
    CommandLine line;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--config" && i + 1 < argc) {
            line.config_file = argv[++i];
        } else if (argument == "--schema" && i + 1 < argc) {
            line.schema_file = argv[++i];
        } else if (line.command.empty() && !argument.starts_with("-")) {
            line.command = argument;
        } else {
            return std::nullopt;
        }
    }
    if (line.command.empty()) return std::nullopt;
    if (!line.schema_file.empty() && line.command != "metrics-reference") return std::nullopt;
    return line;
}

std::string VersionText() {
    const BuildInfo& build = ThisBuild();
    return std::string(build.version) + "+" + std::string(build.commit);
}

/// Every line of `text`, after "name: ".
void Complain(std::string_view name, std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out.append(name).append(": ").append(text.substr(0, end)).append("\n");
        text = end == std::string_view::npos ? "" : text.substr(end + 1);
    }
    Print(stderr, out);
}

void LogStart(const CommandLine& line) {
    const BuildInfo& build = ThisBuild();
    log::Info("service.starting", {{"command", line.command},
                                   {"version", build.version},
                                   {"commit", build.commit},
                                   {"build_type", build.build_type},
                                   {"fault_points", faults::Compiled()},
                                   {"pid", static_cast<std::int64_t>(::getpid())}});
}

AdminReply Answer(const std::string& path, const LifeCycle& life_cycle,
                  const metrics::Registry& registry) {
    if (path == "/livez") return {.body = "{\"alive\":true}\n"};
    if (path == "/readyz") return life_cycle.Readiness();
    if (path == "/metrics") {
        return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                .body = registry.Expose()};
    }
    return {.status = 404, .body = "{\"paths\":[\"/livez\",\"/readyz\",\"/metrics\"]}\n"};
}

/// Says why in the log, and in a line for people.
int Failed(const ServiceSpec& spec, Context::Parts& parts, const Status& reason) {
    parts.end.Ask(Ending::kFailure, reason);
    Complain(spec.name, reason.ToString());
    return kExitFailed;
}

int Serve(const ServiceSpec& spec, Context::Parts& parts, std::optional<log::Output>& output) {
    LifeCycle life_cycle(parts);
    AdminServer admin(
        [&](const std::string& path) { return Answer(path, life_cycle, parts.metrics); });
    const ServiceOptions& options = parts.options.service;
    if (const Status status = admin.Start(options.admin_host, options.admin_port); !status.ok()) {
        return Failed(spec, parts, status);
    }
    log::Info("service.admin_listening", {{"host", options.admin_host}, {"port", admin.port()}});
    const SignalWatch signals(
        [&](int signal) {
            log::Info("service.signalled", {{"signal", signal}});
            parts.end.Ask(Ending::kSignal);
        },
        parts.clock);
    Context context(parts);
    if (const Status status = spec.build(context); !status.ok()) {
        return Failed(spec, parts, status);
    }
    const int code = life_cycle.Run();
    if (code == kExitFailed) Complain(spec.name, parts.end.reason().ToString());
    if (life_cycle.left_running()) {
        // Threads of components are still at work on what this function owns.
        output.reset();
        std::_Exit(code);
    }
    return code;
}

int Migrate(const ServiceSpec& spec, Context::Parts& parts) {
    if (!spec.migrate) {
        log::Info("migrate.nothing_to_do");
        return kExitOk;
    }
    Context context(parts);
    const SteadyInstant began = parts.clock.SteadyNow();
    if (const Status status = spec.migrate(context); !status.ok()) {
        log::Error("migrate.failed", {{"reason", status}});
        Complain(spec.name, status.ToString());
        return kExitMigration;
    }
    log::Info("migrate.done", {{"took", parts.clock.SteadyNow() - began}});
    return kExitOk;
}

int MetricsReference(const CommandLine& line, const ServiceSpec& spec, Context::Parts& parts) {
    const LifeCycle life_cycle(parts);
    Context context(parts);
    if (const Status status = spec.build(context); !status.ok()) {
        return Failed(spec, parts, status);
    }
    const std::vector<metrics::Declared> declared = parts.metrics.Declarations();
    if (line.schema_file.empty()) {
        Print(stdout, metrics::ProposeEntries(declared, spec.name));
        return kExitOk;
    }
    const auto differences = metrics::CompareWithSchema(declared, line.schema_file, spec.name);
    for (const std::string& difference : differences) Complain(spec.name, difference);
    return differences.empty() ? kExitOk : kExitFailed;
}

/// What needs a configuration, and all that hangs on it.
int RunConfigured(const CommandLine& line, const ServiceSpec& spec, const Options& options) {
    std::optional<log::Output> output;
    output.emplace(options.service.name, options.log);
    LogStart(line);
    metrics::Registry registry;
    const auto process_metrics = AddProcessMetrics(registry, SystemClock());
    tracing::Tracer tracer(options.tracing, options.service.name, VersionText(), registry);
    Context::Parts parts{options, VersionText(), SystemClock(), registry, tracer};
    if (const Status status = faults::ArmFromEnvironment(); !status.ok()) {
        Complain(spec.name, status.message());
        return kExitConfig;
    }
    if (line.command == "serve") return Serve(spec, parts, output);
    if (line.command == "migrate") return Migrate(spec, parts);
    return MetricsReference(line, spec, parts);
}

}  // namespace

int Main(int argc, char** argv, const ServiceSpec& spec) {
    // A peer that goes away is an error of that write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    const std::string program = argc > 0 ? argv[0] : std::string(spec.name);
    const auto line = ParseCommandLine(argc, argv);
    if (!line) {
        Print(stderr, Usage(program));
        return kExitUsage;
    }
    if (line->command == "version") {
        Print(stdout, std::string(spec.name) + " " + VersionText() + "\n");
        return kExitOk;
    }
    if (line->command == "fault-points") {
        for (const std::string& name : faults::Names()) Print(stdout, name + "\n");
        return kExitOk;
    }
    Options options;
    options.service.name = spec.name;
    config::Schema schema;
    Describe(schema, options);
    if (spec.describe) spec.describe(schema);
    if (line->command == "config-reference") {
        Print(stdout, schema.Reference());
        return kExitOk;
    }
    const bool known = line->command == "serve" || line->command == "migrate" ||
                       line->command == "check-config" || line->command == "metrics-reference";
    if (!known) {
        Print(stderr, "unknown command " + line->command + "\n" + Usage(program));
        return kExitUsage;
    }
    const Status loaded = schema.Load({line->config_file, config::ProcessEnvironment()});
    if (!loaded.ok()) {
        Complain(spec.name, loaded.message());
        return kExitConfig;
    }
    if (line->command == "check-config") {
        Print(stdout, schema.Dump());
        return kExitOk;
    }
    if (line->command == "serve") TakeSignals();
    return RunConfigured(*line, spec, options);
}

}  // namespace kessai::runtime
