// Makes transfers, or imports a result file, in a process of its own, for the test that kills it:
// transfer_worker HOST PORT USER PASSWORD SCHEMA create|import YYYYMMDD|FILE STATEMENT
// With STATEMENT above 0 it kills itself by SIGKILL when the statement of that number has run. The
// clock stands, so that every run of it books alike.

#include <csignal>
#include <cstdio>
#include <string>

#include "kessai/mysql/pool.h"
#include "kessai/testing/temp_dir.h"
#include "tests/transfer_fixture.h"

namespace {

using namespace kessai;  // NOLINT

class KillingObserver final : public mysql::QueryObserver {
 public:
    explicit KillingObserver(int at) : left_(at) {}
    void OnQuery(std::string_view, Duration, const Status&) override {
        if (left_ > 0 && --left_ == 0) std::raise(SIGKILL);
    }

 private:
    int left_;
};

Status Work(payout::Transfers& transfers, const std::string& what, const std::string& of) {
    if (what == "create") {
        const BusinessDate date = BusinessDate::FromNumber(std::stoi(of)).value();
        return transfers.create.Run(date, "worker").status();
    }
    const Status imported = transfers.import.Run("csv", testing::ReadFile(of), "worker").status();
    // An earlier run of it came as far as the commit.
    return imported.reason() == "RESULT_FILE_IMPORTED" ? OkStatus() : imported;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 9) return 2;
    mysql::PoolOptions options;
    options.connect.host = argv[1];
    options.connect.port = std::stoi(argv[2]);
    options.connect.user = argv[3];
    options.connect.password = argv[4];
    options.connect.schema = argv[5];
    KillingObserver observer(std::stoi(argv[8]));
    mysql::Pool pool(options, SystemClock(), &observer);
    const ManualClock clock(BusinessDate::FromNumber(20261130).value().At(std::chrono::hours(10)));
    payout::Transfers transfers(pool, clock);
    const Status status = Work(transfers, argv[6], argv[7]);
    std::printf("%s\n", status.ToString().c_str());
    return status.ok() ? 0 : 1;
}
