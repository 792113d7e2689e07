#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/config/schema.h"
#include "kessai/metrics/registry.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "kessai/tracing/tracer.h"

/// What a service's main.cc is made of:
///
///     int main(int argc, char** argv) {
///         Options options;
///         return kessai::runtime::Main(
///             argc, argv,
///             {.name = "payment",
///              .describe = [&](config::Schema& schema) { Describe(schema, options); },
///              .migrate = [&](runtime::Context& context) { return Migrate(options, context); },
///              .build = [&](runtime::Context& context) { return Build(options, context); }});
///     }
///
/// where Build makes the objects, in the order of their dependencies, and names those that have a
/// life:
///
///     auto& pool = context.Own(std::make_unique<mysql::Pool>(...));
///     context.Add({.name = "mysql",
///                  .start = [&] { return pool.Start(); },
///                  .ready = [&] { return pool.Ready(); },
///                  .stop = [&] { pool.Stop(); }});
///
/// The life of a process: configuration, then Build, then `start` of every component in order. A
/// component's `start` must not wait for a dependency, and calls nothing that serving doesn't: with
/// a database down the process starts, and says on /readyz why it is not ready. SIGTERM or SIGINT
/// ends readiness; after service.drain_delay every `drain` runs, last component first, then every
/// `stop`, last first, then what Own was given is destroyed, last first. A second signal ends the
/// process at once.
namespace kessai::runtime {

/// The exit codes of Main.
enum ExitCode : int {
    kExitOk = 0,
    /// A component did not start, or failed while serving.
    kExitFailed = 1,
    /// The command line is wrong.
    kExitUsage = 2,
    /// The configuration is wrong; every problem was printed.
    kExitConfig = 3,
    kExitMigration = 4,
    /// Work was still going on when service.drain_timeout was over; all else stopped.
    kExitDrainTimeout = 5,
    /// A component did not stop within service.stop_timeout, and was left.
    kExitStopTimeout = 6,
    /// A second signal came.
    kExitForced = 7,
};

/// Something with a life, as functions, so that libraries need not know of this one. Any of them
/// may be left out. `start`, `drain` and `stop` are called once each, from one thread at a time;
/// `drain` and `stop` only when `start` succeeded.
struct Component {
    std::string name;
    /// A refusal ends the process. Returns soon.
    std::function<Status()> start = {};
    /// Ok, or why this process should not get traffic. Asked twice a second; returns at once and
    /// makes no call itself: it reports what the component knows from its own work.
    std::function<Status()> ready = {};
    /// Once ready, a component stays so until draining, whatever `ready` says: a shared dependency
    /// that fails must not take all replicas out of the load balancer at once. Set to false for a
    /// component whose state is its own process's alone.
    bool ready_latches = true;
    /// Accepts nothing new and finishes what was accepted; returns by `deadline`.
    std::function<void(SteadyInstant deadline)> drain = {};
    /// Ends threads and connections.
    std::function<void()> stop = {};
};

/// What a service is built with. Used by the thread that builds; what it hands out is thread safe.
class Context {
 public:
    /// service.name.
    const std::string& service_name() const;
    /// "0.1.0+abcdef123456".
    const std::string& version() const;
    metrics::Registry& metrics();
    tracing::Tracer& tracer();
    const Clock& clock() const;

    /// Adds a component, to be started after those before it.
    void Add(Component component);

    /// Keeps `object` until every component has stopped; the last kept is destroyed first.
    template <class T>
    T& Own(std::unique_ptr<T> object) {
        T& kept = *object;
        Keep(std::shared_ptr<T>(std::move(object)));
        return kept;
    }
    /// The same for what is only to be kept, such as guards of metrics' callbacks.
    void Keep(std::shared_ptr<void> object);

    /// Ends the process in order, with kExitFailed, because it can't go on; the first reason is
    /// logged. For any thread.
    void Fail(const Status& reason);

    /// Implementation.
    struct Parts;
    explicit Context(Parts& parts) : parts_(parts) {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

 private:
    Parts& parts_;
};

struct ServiceSpec {
    /// The default of service.name.
    std::string_view name;
    /// Declares the service's own keys; `service`, `log` and `tracing` are the runtime's.
    std::function<void(config::Schema&)> describe = {};
    /// Brings the service's schema up to date; left out when it has none.
    std::function<Status(Context&)> migrate = {};
    /// Makes the objects and adds the components. Does no I/O but reading local files.
    std::function<Status(Context&)> build;
};

/// `serve | migrate | check-config | config-reference | metrics-reference | fault-points | version`
/// with `--config FILE` (usage without arguments). Messages for people go to standard error; what
/// was asked for goes to standard output. Ignores SIGPIPE; `serve` waits for SIGTERM and SIGINT.
int Main(int argc, char** argv, const ServiceSpec& spec);

}  // namespace kessai::runtime
