// Publishes the outbox in a process of its own, for the test that kills it:
// relay_worker HOST PORT USER PASSWORD SCHEMA BROKERS EVENT_TOPIC DEAD_LETTER_TOPIC before|after
// When Kafka has rows, and their deletion has begun, it kills itself by SIGKILL: before or after
// the digests have been added to, in the transaction that deletes.

#include <csignal>
#include <string>

#include "tests/flow_fixture.h"

int main(int argc, char** argv) {
    using namespace kessai;  // NOLINT
    if (argc != 10) return 2;
    mysql::PoolOptions options;
    options.connect.host = argv[1];
    options.connect.port = std::stoi(argv[2]);
    options.connect.user = argv[3];
    options.connect.password = argv[4];
    options.connect.schema = argv[5];
    const payment::FlowTopics topics{argv[6], argv[7], argv[8]};
    const bool before = std::string(argv[9]) == "before";

    mysql::Pool pool(options);
    metrics::Registry registry;
    const digest::RowHasher hasher(digest::RowHasher::Key{1, 2, 3});
    const outbox::DeleteHook add = payment::AddToDigests(hasher);
    outbox::Relay relay(payment::RelayOptions(topics), pool, registry,
                        [&](mysql::Session& session, std::span<const outbox::Published> rows) {
                            if (!before) KESSAI_RETURN_IF_ERROR(add(session, rows));
                            std::raise(SIGKILL);
                            return OkStatus();
                        });
    relay.Start();
    (void)kessai::testing::Eventually([] { return false; });
    return 1;  // It was to die.
}
