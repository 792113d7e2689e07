// A service as small as one can be, for the tests of the runtime to boot as a real process.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "kessai/faults/fault_point.h"
#include "kessai/log/log.h"
#include "kessai/runtime/main.h"

namespace {

using kessai::Code;
using kessai::Duration;
using kessai::Status;
using kessai::SteadyInstant;
namespace config = kessai::config;
namespace log = kessai::log;
namespace runtime = kessai::runtime;

/// What each of its two components is to do.
struct PartOptions {
    bool starts = true;
    /// Becomes ready at this pass of the question; 0 never does.
    int ready_at = 1;
    /// Whether it stops being ready at the pass after that.
    bool falters = false;
    bool ready_latches = true;
    Duration drain_takes{};
    bool stop_hangs = false;
};

void Describe(config::Schema& schema, PartOptions& options) {
    schema.Bool("starts", &options.starts, {.description = "Whether it starts"});
    schema.Int("ready_at", &options.ready_at, {.description = "Question answered with yes"});
    schema.Bool("falters", &options.falters, {.description = "Whether it is ready once only"});
    schema.Bool("ready_latches", &options.ready_latches, {.description = "Once ready, always"});
    schema.Time("drain_takes", &options.drain_takes, {.description = "Length of a drain"});
    schema.Bool("stop_hangs", &options.stop_hangs, {.description = "Whether stop never returns"});
}

struct Options {
    PartOptions first;
    PartOptions second;
    std::string password;
    bool fails = false;
};

/// Waits without a clock of its own.
void Wait(Duration duration) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, duration, [] { return false; });
}

struct Part {
    explicit Part(std::string its_name, const PartOptions& its_options)
        : name(std::move(its_name)), options(its_options) {}
    ~Part() { log::Info("part.destroyed", {{"part", name}}); }

    Status Start() {
        log::Info("part.start", {{"part", name}});
        if (!options.starts) return Status(Code::kInternal, "PART_BROKEN", "told not to start");
        return {};
    }
    Status Ready() {
        const int pass = ++passes;
        const bool yes = options.ready_at != 0 && pass >= options.ready_at &&
                         !(options.falters && pass > options.ready_at);
        return yes ? Status() : Status(Code::kUnavailable, "PART_NOT_READY", "still waiting");
    }
    void Drain() {
        log::Info("part.drain", {{"part", name}});
        Wait(options.drain_takes);
    }
    void Stop() {
        log::Info("part.stop", {{"part", name}});
        while (options.stop_hangs) Wait(std::chrono::hours(1));
    }

    const std::string name;
    const PartOptions& options;
    int passes = 0;
};

Status Build(const Options& options, runtime::Context& context) {
    for (const auto& [name, part_options] :
         {std::pair<const char*, const PartOptions&>{"first", options.first},
          std::pair<const char*, const PartOptions&>{"second", options.second}}) {
        auto& part = context.Own(std::make_unique<Part>(name, part_options));
        context.Add({.name = name,
                     .start = [&part] { return part.Start(); },
                     .ready = [&part] { return part.Ready(); },
                     .ready_latches = part_options.ready_latches,
                     .drain = [&part](SteadyInstant) { part.Drain(); },
                     .stop = [&part] { part.Stop(); }});
    }
    context.Add({.name = "work", .start = [&]() -> Status {
                     KESSAI_FAULT_POINT("tiny.start");
                     if (options.fails) {
                         context.Fail(Status(Code::kDataLoss, "PART_LOST", "cannot go on"));
                     }
                     return {};
                 }});
    context.metrics()
        .AddCounter({.name = "kessai_tiny_things_total", .help = "Things done"})
        .Add(3);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    return runtime::Main(
        argc, argv,
        {.name = "tiny",
         .describe =
             [&](config::Schema& schema) {
                 schema.Section("first", options.first);
                 schema.Section("second", options.second);
                 schema.Secret("password", &options.password,
                               {.description = "To show that it never shows"});
                 schema.Bool("fails", &options.fails,
                             {.description = "Whether it fails while serving"});
             },
         .migrate = [&](runtime::Context&) -> Status {
             if (options.first.starts) return {};
             return Status(Code::kUnavailable, "NO_DATABASE", "told not to migrate");
         },
         .build = [&](runtime::Context& context) { return Build(options, context); }});
}
