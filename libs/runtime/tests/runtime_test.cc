// Boots a tiny service as a real process, and looks at it as an operator would.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "http_get.h"
#include "kessai/runtime/main.h"
#include "kessai/testing/eventually.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::runtime {
namespace {

using kessai::testing::Process;
using nlohmann::json;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RuntimeTest : public ::testing::Test {
 protected:
    /// Starts the service with a configuration of `yaml` and the port of its choice.
    void Start(const std::string& yaml, const std::vector<std::string>& environment = {},
               const std::string& command = "serve") {
        const std::string config =
            directory_.Write("config.yaml", "service.admin_port: 0\n" + yaml);
        Run({KESSAI_TINY_SERVICE, command, "--config", config}, environment);
    }
    void Run(const std::vector<std::string>& command,
             const std::vector<std::string>& environment = {}) {
        auto process = Process::Start({.command = command,
                                       .environment = environment,
                                       .working_directory = {},
                                       .output_file = output_});
        ASSERT_TRUE(process.ok()) << process.status().ToString();
        process_ = std::move(process).value();
    }

    /// The exit code; -signal when a signal ended it.
    int ExitCode() {
        const auto status = process_->Wait(seconds(30));
        if (!status) return -1'000;
        return WIFEXITED(*status) ? WEXITSTATUS(*status) : -WTERMSIG(*status);
    }
    std::string Output() const { return kessai::testing::ReadFile(output_); }
    std::vector<json> Lines() const {
        std::vector<json> lines;
        const std::string text = Output();
        for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
             at = end + 1) {
            if (text[at] == '{') lines.push_back(json::parse(text.substr(at, end - at)));
        }
        return lines;
    }
    bool Logged(const std::string& event, int times = 1) const {
        for (const json& line : Lines()) times -= line["event"] == event;
        return times <= 0;
    }
    /// What the two parts were told, in order.
    std::vector<std::string> PartEvents() const {
        std::vector<std::string> events;
        for (const json& line : Lines()) {
            const auto event = line["event"].get<std::string>();
            if (!event.starts_with("part.")) continue;
            events.push_back(line["part"].get<std::string>() + event.substr(4));
        }
        return events;
    }
    std::uint16_t Port() {
        std::uint16_t port = 0;
        EXPECT_EVENTUALLY([&] {
            for (const json& line : Lines()) {
                if (line["event"] == "service.admin_listening") port = line["port"];
            }
            return port != 0;
        }());
        return port;
    }
    json Ready(std::uint16_t port) { return json::parse(Get(port, "/readyz").body); }

    kessai::testing::TempDir directory_{"runtime"};
    std::string output_ = directory_.Path("output");
    std::unique_ptr<Process> process_;
};

// Goal: a service starts its components in order, becomes ready, and on SIGTERM is not ready any
// more, drains and stops them the other way round, and ends with 0.
TEST_F(RuntimeTest, LivesItsLifeInOrder) {
    Start("service.drain_delay: 0\n");
    const std::uint16_t port = Port();
    ASSERT_EVENTUALLY(Get(port, "/readyz").status == 200);
    EXPECT_EQ(Ready(port)["state"], "serving");
    EXPECT_EQ(Get(port, "/livez").status, 200);
    EXPECT_EQ(Get(port, "/unknown").status, 404);
    process_->Signal(SIGTERM);
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_THAT(PartEvents(),
                ElementsAre("first.start", "second.start", "second.drain", "first.drain",
                            "second.stop", "first.stop", "second.destroyed", "first.destroyed"));
    EXPECT_TRUE(Logged("service.stopped"));
}

// Goal: a scrape shows the service's own metrics and those that every process has.
TEST_F(RuntimeTest, ExposesMetrics) {
    Start("");
    const HttpReply reply = Get(Port(), "/metrics");
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.head, HasSubstr("text/plain; version=0.0.4"));
    ASSERT_EVENTUALLY(Get(Port(), "/metrics").body.find("kessai_tiny_things_total 3\n") !=
                      std::string::npos);
    ASSERT_EVENTUALLY(Get(Port(), "/metrics").body.find("kessai_ready 1\n") != std::string::npos);
    for (const char* name :
         {"kessai_build_info{version=\"", "process_cpu_seconds_total ",
          "process_resident_memory_bytes ", "process_open_fds ", "process_threads ",
          "process_start_time_seconds ", "kessai_log_lines_dropped_total 0\n"}) {
        EXPECT_THAT(reply.body, HasSubstr(name));
    }
}

// Goal: a component that waits for its dependency keeps the process alive, not ready, and named.
TEST_F(RuntimeTest, IsNotReadyUntilEveryComponentIs) {
    Start("second.ready_at: 3\n");
    const std::uint16_t port = Port();
    ASSERT_EVENTUALLY(Ready(port)["state"] == "serving");
    EXPECT_EQ(Get(port, "/livez").status, 200);
    ASSERT_EVENTUALLY(Get(port, "/readyz").status == 200);
    std::string seen;
    for (const json& line : Lines()) {
        if (line["event"] == "component.not_ready") seen = line["reason"];
    }
    EXPECT_EQ(seen, "UNAVAILABLE PART_NOT_READY: still waiting");
}

TEST_F(RuntimeTest, NamesWhatIsNotReadyAndWhy) {
    Start("second.ready_at: 0\n");
    const std::uint16_t port = Port();
    ASSERT_EVENTUALLY(Ready(port)["components"][1].contains("reason"));
    const HttpReply reply = Get(port, "/readyz");
    EXPECT_EQ(reply.status, 503);
    const json body = json::parse(reply.body);
    EXPECT_EQ(body["ready"], false);
    EXPECT_EQ(body["components"][0]["ready"], true);
    EXPECT_EQ(body["components"][1]["name"], "second");
    EXPECT_EQ(body["components"][1]["reason"], "UNAVAILABLE PART_NOT_READY: still waiting");
    EXPECT_EQ(body["components"].size(), 2u) << "nobody asks the third, so nothing is said of it";
}

// Goal: a shared dependency that fails later does not end readiness; a process's own state does.
TEST_F(RuntimeTest, ReadinessLatchesUnlessToldNotTo) {
    Start("first: {falters: true}\nsecond: {falters: true, ready_latches: false}\n");
    const std::uint16_t port = Port();
    ASSERT_EVENTUALLY(Logged("service.not_ready"));
    const json body = Ready(port);
    EXPECT_EQ(body["components"][0]["ready"], true);
    EXPECT_EQ(body["components"][1]["ready"], false);
}

// Goal: between the signal and the drain the process answers, not ready, for the delay.
TEST_F(RuntimeTest, IsNotReadyWhileItWaitsToDrain) {
    Start("service.drain_delay: 2s\n");
    const std::uint16_t port = Port();
    ASSERT_EVENTUALLY(Get(port, "/readyz").status == 200);
    const SteadyInstant began = SystemClock().SteadyNow();
    process_->Signal(SIGINT);
    ASSERT_EVENTUALLY(Get(port, "/readyz").status == 503);
    EXPECT_EQ(Ready(port)["state"], "draining");
    EXPECT_EQ(Get(port, "/livez").status, 200);
    EXPECT_FALSE(Logged("part.drain"));
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_GE(SystemClock().SteadyNow() - began, seconds(2));
}

// Goal: a drain that takes too long is given up, the rest is still stopped, and the code says so.
TEST_F(RuntimeTest, ADrainThatHangsIsLeftBehind) {
    Start("service: {drain_delay: 0, drain_timeout: 200ms}\nsecond.drain_takes: 1h\n");
    ASSERT_EVENTUALLY(Logged("service.ready"));
    process_->Signal(SIGTERM);
    EXPECT_EQ(ExitCode(), kExitDrainTimeout);
    EXPECT_THAT(PartEvents(), ElementsAre("first.start", "second.start", "second.drain",
                                          "first.drain", "second.stop", "first.stop"));
    EXPECT_THAT(Output(), HasSubstr("\"event\":\"component.timed_out\",\"component\":\"second\","
                                    "\"what\":\"drain\""));
    EXPECT_TRUE(Logged("service.stopped"));
}

TEST_F(RuntimeTest, AStopThatHangsIsLeftBehind) {
    Start("service: {drain_delay: 0, stop_timeout: 200ms}\nsecond.stop_hangs: true\n");
    ASSERT_EVENTUALLY(Logged("service.ready"));
    process_->Signal(SIGTERM);
    EXPECT_EQ(ExitCode(), kExitStopTimeout);
    EXPECT_EQ(PartEvents().back(), "first.stop");
    EXPECT_TRUE(Logged("service.stopped"));
}

// Goal: whoever tells the process and its group at once has not asked twice.
TEST_F(RuntimeTest, ARepeatedSignalIsTheSameWish) {
    Start("service.drain_delay: 0\n");
    ASSERT_EVENTUALLY(Logged("service.ready"));
    process_->Signal(SIGTERM);
    process_->Signal(SIGINT);
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_EQ(PartEvents().back(), "first.destroyed");
}

// Goal: a second signal ends the process at once, whatever it is doing.
TEST_F(RuntimeTest, ASecondSignalEndsItAtOnce) {
    Start("service: {drain_delay: 0, drain_timeout: 10m}\nsecond.drain_takes: 1h\n");
    ASSERT_EVENTUALLY(Logged("service.ready"));
    process_->Signal(SIGTERM);
    ASSERT_EVENTUALLY(Logged("part.drain"));
    // A signal within the first second would be the same wish.
    ASSERT_EVENTUALLY([&] {
        process_->Signal(SIGTERM);
        return !process_->Running();
    }());
    EXPECT_EQ(ExitCode(), kExitForced);
    EXPECT_THAT(Output(), HasSubstr("second signal: ending at once\n"));
}

// Goal: a component that does not start ends the process, and what had started is stopped.
TEST_F(RuntimeTest, AComponentThatDoesNotStartEndsTheProcess) {
    Start("second.starts: false\n");
    EXPECT_EQ(ExitCode(), kExitFailed);
    EXPECT_TRUE(Logged("service.failed"));
    EXPECT_THAT(Output(), HasSubstr("\ntiny: INTERNAL PART_BROKEN: second did not start: told not "
                                    "to start\n"));
    EXPECT_THAT(PartEvents(), ElementsAre("first.start", "second.start", "first.drain",
                                          "first.stop", "second.destroyed", "first.destroyed"));
}

// Goal: a component that cannot go on ends the process in order, without waiting for clients.
TEST_F(RuntimeTest, AFailureWhileServingEndsTheProcess) {
    Start("service.drain_delay: 5m\nfails: true\n");
    EXPECT_EQ(ExitCode(), kExitFailed);
    EXPECT_THAT(Output(), HasSubstr("\"event\":\"service.failed\",\"reason\":\"DATA_LOSS "
                                    "PART_LOST: cannot go on\""));
    EXPECT_EQ(PartEvents().back(), "first.destroyed");
}

// Goal: every problem of a configuration is printed, one a line, and nothing is started.
TEST_F(RuntimeTest, ABadConfigurationIsExplained) {
    Start("log.level: loud\nfirst.staarts: true\n", {"KESSAI_SERVICE_DRAIN_DELAY=5"});
    EXPECT_EQ(ExitCode(), kExitConfig);
    const std::string config = directory_.Path("config.yaml");
    EXPECT_EQ(Output(),
              "tiny: " + config + ":3: unknown key first.staarts (did you mean first.starts?)\n" +
                  "tiny: environment KESSAI_SERVICE_DRAIN_DELAY: service.drain_delay: expected a "
                  "duration such as 250ms, 5s or 1h30m, not \"5\"\n"
                  "tiny: " +
                  config +
                  ":2: log.level: expected one of debug, info, warn, error, not \"loud\"\n");
}

TEST_F(RuntimeTest, AnAdminPortInUseIsExplained) {
    Start("");
    const std::uint16_t port = Port();
    auto first = std::move(process_);
    output_ = directory_.Path("second");
    Start("", {"KESSAI_SERVICE_ADMIN_PORT=" + std::to_string(port)});
    EXPECT_EQ(ExitCode(), kExitFailed);
    EXPECT_THAT(Output(),
                HasSubstr("tiny: UNAVAILABLE ADMIN_LISTEN_FAILED: cannot listen on 127.0.0.1:" +
                          std::to_string(port) + ": Address already in use\n"));
}

TEST_F(RuntimeTest, CheckConfigPrintsWhatIsInForceWithoutSecrets) {
    const std::string secret = directory_.Write("secret", "hunter2\n");
    Start("password_file: " + secret + "\n", {"KESSAI_LOG_LEVEL=warn"}, "check-config");
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_THAT(Output(), HasSubstr("log.level: warn\n"));
    EXPECT_THAT(Output(), HasSubstr("password: \"***\"\n"));
    EXPECT_THAT(Output(), Not(HasSubstr("hunter2")));
}

TEST_F(RuntimeTest, MigrateRunsTheServicesOwn) {
    Start("", {}, "migrate");
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_TRUE(Logged("migrate.done"));
    EXPECT_TRUE(PartEvents().empty());
}

TEST_F(RuntimeTest, AMigrationThatFailsSaysSo) {
    Start("first.starts: false\n", {}, "migrate");
    EXPECT_EQ(ExitCode(), kExitMigration);
    EXPECT_THAT(Output(), HasSubstr("tiny: UNAVAILABLE NO_DATABASE: told not to migrate\n"));
}

TEST_F(RuntimeTest, ReferencesNeedNoConfiguration) {
    Run({KESSAI_TINY_SERVICE, "config-reference"});
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_THAT(Output(), HasSubstr("| `service.admin_port` | `KESSAI_SERVICE_ADMIN_PORT` | "
                                    "integer |  | required |"));
    EXPECT_THAT(Output(), HasSubstr("| `first.ready_at` |"));
}

TEST_F(RuntimeTest, MetricsReferenceListsWhatIsRegistered) {
    Start("log.level: error\n", {}, "metrics-reference");
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_THAT(Output(), HasSubstr("- name: kessai_tiny_things_total\n  type: counter\n"));
    EXPECT_THAT(Output(), HasSubstr("- name: kessai_build_info\n"));
}

// Goal: what every service has is in the product's schema of metrics, and a difference is named.
// Method: compare the tiny service with docs/metrics.yaml; only its own counter is missing there.
TEST_F(RuntimeTest, MetricsAreComparedWithTheSchema) {
    const std::string config = directory_.Write("config.yaml", "service.admin_port: 0\n");
    Run({KESSAI_TINY_SERVICE, "metrics-reference", "--config", config, "--schema",
         KESSAI_METRICS_SCHEMA},
        {"KESSAI_LOG_LEVEL=error"});
    EXPECT_EQ(ExitCode(), kExitFailed);
    EXPECT_EQ(Output(), "tiny: kessai_tiny_things_total is not in the schema for tiny\n");
}

TEST_F(RuntimeTest, WrongCommandLinesShowTheUsage) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                      {"--config"},
                                                      {"serve", "--what"},
                                                      {"dance"},
                                                      {"serve", "migrate"}}) {
        std::vector<std::string> command{KESSAI_TINY_SERVICE};
        command.insert(command.end(), arguments.begin(), arguments.end());
        Run(command);
        EXPECT_EQ(ExitCode(), kExitUsage);
    }
    EXPECT_THAT(Output(), HasSubstr("usage: "));
    EXPECT_THAT(Output(), HasSubstr("unknown command dance\n"));
}

TEST_F(RuntimeTest, VersionNamesVersionAndCommit) {
    Run({KESSAI_TINY_SERVICE, "version"});
    EXPECT_EQ(ExitCode(), kExitOk);
    EXPECT_THAT(Output(), ::testing::MatchesRegex("tiny [0-9]+\\.[0-9]+\\.[0-9]+\\+[a-z0-9]+\n"));
}

// Goal: a test that names a fault point which is not there hears of it before anything starts.
TEST_F(RuntimeTest, AnUnknownFaultIsRefused) {
    Start("", {"KESSAI_TEST_FAULT=tiny.nowhere"});
    EXPECT_EQ(ExitCode(), kExitConfig);
    EXPECT_THAT(Output(), HasSubstr("tiny: KESSAI_TEST_FAULT: "));
    EXPECT_TRUE(PartEvents().empty());
}

// Goal: kill -9 is survivable for whoever starts it again: nothing on the machine is left locked.
TEST_F(RuntimeTest, StartsAgainAfterAKill) {
    Start("service.drain_delay: 0\n");
    const std::uint16_t port = Port();
    process_->Kill9();
    output_ = directory_.Path("again");
    Start("service.drain_delay: 0\n", {"KESSAI_SERVICE_ADMIN_PORT=" + std::to_string(port)});
    ASSERT_EVENTUALLY(Get(port, "/readyz").status == 200);
    process_->Signal(SIGTERM);
    EXPECT_EQ(ExitCode(), kExitOk);
}

}  // namespace
}  // namespace kessai::runtime
