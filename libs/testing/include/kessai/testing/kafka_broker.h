#pragma once

#include <memory>
#include <string>

namespace kessai::testing {

/// A real Kafka broker (KRaft, one node) to test against. What cannot be set up ends the test
/// process with a message. Topics are not made by themselves: give each test its own, named with
/// UniqueName().
class KafkaBroker {
 public:
    /// The broker of KESSAI_TEST_KAFKA=host:port, or else a private one that lives until the
    /// process ends. Never stop this one.
    static KafkaBroker& Shared();
    /// A private one, run from the jars in the directory KESSAI_TEST_KAFKA_JARS.
    static std::unique_ptr<KafkaBroker> Launch();
    /// Whether Launch can work here.
    static bool CanLaunch();
    ~KafkaBroker();

    /// "host:port", for bootstrap.servers.
    const std::string& address() const;

    // Of a private broker only; it keeps its data over them.
    void Kill9();
    void Stop();
    /// Waits until it answers.
    void Start();
    void Restart() {
        Stop();
        Start();
    }
    std::string Log() const;

 private:
    struct Impl;
    explicit KafkaBroker(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kessai::testing
