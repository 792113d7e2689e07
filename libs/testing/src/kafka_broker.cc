#include "kessai/testing/kafka_broker.h"

#include "kessai/result/check.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"
#include "listening.h"

namespace kessai::testing {
namespace {

// Any 16 bytes in URL-safe base 64 will do.
constexpr const char* kClusterId = "a2Vzc2FpLXRlc3QtY2x1cw";

}  // namespace

struct KafkaBroker::Impl {
    std::string address;
    int port = 0;
    std::unique_ptr<TempDir> directory;
    std::unique_ptr<Process> process;

    std::string LogPath() const { return directory->Path("broker.log"); }
    std::vector<std::string> JavaCommand(std::vector<std::string> arguments) const;
    void Format();
    bool StartProcess();
};

KafkaBroker::KafkaBroker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

KafkaBroker::~KafkaBroker() {
    if (impl_->process) impl_->process->Kill9();
}

KafkaBroker& KafkaBroker::Shared() {
    static const std::unique_ptr<KafkaBroker> broker = [] {
        const std::string address = Environment("KESSAI_TEST_KAFKA");
        if (address.empty()) return Launch();
        auto impl = std::make_unique<Impl>();
        impl->address = address;
        return std::unique_ptr<KafkaBroker>(new KafkaBroker(std::move(impl)));
    }();
    return *broker;
}

bool KafkaBroker::CanLaunch() {
    return !Environment("KESSAI_TEST_KAFKA_JARS").empty();
}

std::unique_ptr<KafkaBroker> KafkaBroker::Launch() {
    KESSAI_CHECK(CanLaunch(),
                 "set KESSAI_TEST_KAFKA to a broker's host:port, or KESSAI_TEST_KAFKA_JARS to the "
                 "directory of Kafka's jars");
    auto impl = std::make_unique<Impl>();
    impl->directory = std::make_unique<TempDir>("kafka");
    std::unique_ptr<KafkaBroker> broker(new KafkaBroker(std::move(impl)));
    for (int attempt = 0; attempt < 5; ++attempt) {
        broker->impl_->Format();
        if (broker->impl_->StartProcess()) return broker;
    }
    CheckFailed("Kafka starts", broker->Log(), __FILE__, __LINE__);
}

std::vector<std::string> KafkaBroker::Impl::JavaCommand(std::vector<std::string> arguments) const {
    std::vector<std::string> command = {
        "java",
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        "-Dlog4j.configuration=file:" + directory->Path("log4j.properties"),
        "-cp",
        Environment("KESSAI_TEST_KAFKA_JARS") + "/*",
    };
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

void KafkaBroker::Impl::Format() {
    port = FreePort();
    address = "127.0.0.1:" + std::to_string(port);
    const std::string controller = "127.0.0.1:" + std::to_string(FreePort());
    const std::string data = directory->Path("data-" + std::to_string(port));
    directory->Write("log4j.properties",
                     "log4j.rootLogger=WARN, out\n"
                     "log4j.appender.out=org.apache.log4j.ConsoleAppender\n"
                     "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
                     "log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c - %m%n\n");
    const std::string config = directory->Write(
        "broker.properties",
        "process.roles=broker,controller\nnode.id=1\n"
        "controller.quorum.voters=1@" +
            controller +
            "\n"
            "listeners=BROKER://" +
            address + ",CONTROLLER://" + controller +
            "\n"
            "advertised.listeners=BROKER://" +
            address +
            "\n"
            "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            "inter.broker.listener.name=BROKER\ncontroller.listener.names=CONTROLLER\n"
            "log.dirs=" +
            data +
            "\n"
            "auto.create.topics.enable=false\n"
            "default.replication.factor=1\nmin.insync.replicas=1\n"
            "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n"
            "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            "group.initial.rebalance.delay.ms=0\n"
            "num.network.threads=2\nnum.io.threads=2\n"
            "log.cleaner.dedupe.buffer.size=8388608\n");
    auto format = Process::Start({.command = JavaCommand({"kafka.tools.StorageTool", "format", "-t",
                                                          kClusterId, "-c", config}),
                                  .environment = {},
                                  .working_directory = {},
                                  .output_file = LogPath()});
    KESSAI_CHECK(format.ok(), format.status().ToString());
    KESSAI_CHECK((*format)->Wait(std::chrono::seconds(60)) == 0,
                 "Kafka's storage cannot be formatted:\n" + ReadFile(LogPath()));
}

bool KafkaBroker::Impl::StartProcess() {
    auto started = Process::Start(
        {.command = JavaCommand({"kafka.Kafka", directory->Path("broker.properties")}),
         .environment = {},
         .working_directory = {},
         .output_file = LogPath()});
    KESSAI_CHECK(started.ok(), started.status().ToString());
    process = std::move(started).value();
    return EventuallyListening(*process, "127.0.0.1", port);
}

const std::string& KafkaBroker::address() const {
    return impl_->address;
}

void KafkaBroker::Kill9() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private broker is killed");
    impl_->process->Kill9();
}

void KafkaBroker::Stop() {
    KESSAI_CHECK(impl_->process != nullptr, "only a private broker is stopped");
    impl_->process->Terminate(std::chrono::seconds(60));
}

void KafkaBroker::Start() {
    KESSAI_CHECK(impl_->process != nullptr && !impl_->process->Running(),
                 "only a private broker that was stopped is started");
    KESSAI_CHECK(impl_->StartProcess(), "Kafka did not start again:\n" + Log());
}

std::string KafkaBroker::Log() const {
    if (!impl_->directory) return {};
    const std::string log = ReadFile(impl_->LogPath());
    return log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
}

}  // namespace kessai::testing
