// Closes a day in a process of its own, for the test that kills it:
// day_worker HOST PORT USER PASSWORD SCHEMA BROKERS EVENT_TOPIC DEAD_LETTER_TOPIC YYYYMMDD
// STATEMENT It kills itself by SIGKILL when the closer's statement of that number has run. It
// expects that no event of the day waits, and no relay runs: so a close is always the same
// statements.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>

#include "kessai/outbox/outbox_table.h"
#include "tests/flow_fixture.h"

namespace kessai::payment {
namespace {

constexpr bool kEarly = true;

class KillingObserver final : public mysql::QueryObserver {
 public:
    explicit KillingObserver(int at) : left_(at) {}
    void OnQuery(std::string_view, Duration, const Status&) override {
        if (left_.load() > 0 && left_.fetch_sub(1) == 1) std::raise(SIGKILL);
    }

 private:
    std::atomic<int> left_;
};

bool OutboxIsEmpty(mysql::Session& session) {
    const auto rows = outbox::CountRowsUpTo(session, BusinessDate::FromNumber(99991231).value());
    return rows.ok() && *rows == 0;
}

Status CloseDay(char** argv) {
    mysql::PoolOptions options;
    options.connect.host = argv[1];
    options.connect.port = std::stoi(argv[2]);
    options.connect.user = argv[3];
    options.connect.password = argv[4];
    options.connect.schema = argv[5];
    const FlowTopics topics{argv[6], argv[7], argv[8]};
    const BusinessDate day = BusinessDate::FromNumber(std::stoi(argv[9])).value();

    KillingObserver observer(std::stoi(argv[10]));
    mysql::Pool pool(options, SystemClock(), &observer);
    const digest::RowHasher hasher(digest::RowHasher::Key{});
    storage::MysqlDayStore days(pool, hasher);
    FixedIds ids(9);
    app::DayCloser closer({.scheduled = false, .partition_count = kPartitions}, days, ids,
                          transport::EncodeMark, SystemClock(), [](const Status&) {});

    KESSAI_RETURN_IF_ERROR(closer.Close(day, kEarly).status());
    KESSAI_RETURN_IF_ERROR(closer.RunOnce());  // Puts the marks into the outbox.
    {
        mysql::Pool not_observed(options);
        metrics::Registry registry;
        outbox::Relay relay(RelayOptions(topics), not_observed, registry);
        relay.Start();
        const auto session = not_observed.Acquire(std::chrono::seconds(5));
        KESSAI_RETURN_IF_ERROR(session.status());
        if (!testing::Eventually([&] { return OutboxIsEmpty(**session); })) {
            return Status(Code::kDeadlineExceeded, "TEST_MARKS_NOT_SENT", "the marks wait still");
        }
    }
    return closer.RunOnce();
}

}  // namespace
}  // namespace kessai::payment

int main(int argc, char** argv) {
    if (argc != 11) return 2;
    const kessai::Status closed = kessai::payment::CloseDay(argv);
    std::printf("%s\n", closed.ToString().c_str());
    return closed.ok() ? 0 : 1;
}
