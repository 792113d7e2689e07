// Releases a day in a process of its own, for the test that kills it:
// release_worker HOST PORT USER PASSWORD SCHEMA YYYYMMDD STATEMENT
// With STATEMENT above 0 it kills itself by SIGKILL when the statement of that number has run.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>

#include "app/release_day.h"
#include "kessai/mysql/pool.h"
#include "storage/mysql_release_store.h"
#include "transport/proto_event_encoder.h"

namespace {

using namespace kessai;  // NOLINT

class KillingObserver final : public mysql::QueryObserver {
 public:
    explicit KillingObserver(int at) : left_(at) {}
    void OnQuery(std::string_view, Duration, const Status&) override {
        if (left_.load() > 0 && left_.fetch_sub(1) == 1) std::raise(SIGKILL);
    }

 private:
    std::atomic<int> left_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) return 2;
    mysql::PoolOptions options;
    options.connect.host = argv[1];
    options.connect.port = std::stoi(argv[2]);
    options.connect.user = argv[3];
    options.connect.password = argv[4];
    options.connect.schema = argv[5];
    options.connect.bulk_load = true;
    const BusinessDate day = BusinessDate::FromNumber(std::stoi(argv[6])).value();
    KillingObserver observer(std::stoi(argv[7]));
    mysql::Pool pool(options, SystemClock(), &observer);

    payout::app::PlanCache plans;
    const payout::transport::ProtoEventEncoder encoder(payout::domain::TaxTable::Japan(), 12);
    payout::storage::MysqlReleaseStore store(pool, {"payout", "payment.events.v1"}, SystemClock(),
                                             {});
    payout::app::ReleaseDay release({.threads = 2, .recount = {.threads = 2, .segments = 4}}, store,
                                    plans, payout::domain::TaxTable::Japan(), encoder,
                                    SystemClock(), {});
    const auto sums = release.Run(day, false);
    std::printf("%s\n", sums.status().ToString().c_str());
    return sums.ok() ? 0 : 1;
}
