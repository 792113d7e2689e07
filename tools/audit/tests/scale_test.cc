// Goal: an audit reads large books in little memory and in a time that suits a release's night.
// Method: a world of many payments, written and audited once; prints what it took. Runs only when
// asked for, by --gtest_also_run_disabled_tests with KESSAI_AUDIT_TEST_PAYMENTS (a release build).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "audit.h"
#include "findings.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "platform.h"
#include "printing.h"

namespace kessai::audit::testing {
namespace {

using ::testing::IsEmpty;

class TimedSteps final : public AuditObserver {
 public:
    void OnStep(std::string_view text) override {
        const SteadyInstant now = SystemClock().SteadyNow();
        const std::chrono::duration<double> since = now - begin_;
        std::printf("%7.1f s  %s\n", since.count(), std::string(text).c_str());
        std::fflush(stdout);
    }

 private:
    const SteadyInstant begin_ = SystemClock().SteadyNow();
};

long PeakMemoryMib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

/// Many users and merchants, some of them large; one payment in ten is refunded, one in fifty
/// cancelled, one in twenty is never paid.
void Fill(World& world, Platform& platform, int payments) {
    constexpr int kUsers = 20'000;
    constexpr int kFlushEvery = 20'000;
    for (int user = 1; user <= kUsers; ++user) {
        world.OpenWallet(user);
        world.TopUp(user, 100'000'000);
    }
    for (int i = 0; i < payments; ++i) {
        // Merchant 1 has a third of all, the next one a third of the rest.
        int merchant = 1;
        for (int rest = i; rest % 3 != 0 && merchant < 2'000; rest /= 3) merchant += 1 + rest % 97;
        const std::string id = "order-" + std::to_string(i);
        const auto payment = world.Create(merchant, id, 100 + i % 9'000);
        if (i % 20 == 7) continue;
        world.Pay(payment, 1 + i % kUsers);
        if (i % 10 == 3) world.Refund(payment, 50);
        if (i % 50 == 1) world.Cancel(merchant, id);
        if (i % (payments / 4 + 1) == payments / 4) world.CloseDay();
        if (i % kFlushEvery == kFlushEvery - 1) {
            ASSERT_OK(world.Flush(platform.sessions()));
            platform.Append(world.TakeEvents());
        }
    }
    world.CloseDay();
    world.Release(20261120);
    ASSERT_OK(world.Finish(platform.sessions()));
    platform.Append(world.TakeEvents());
    platform.StoreOffsets();
}

TEST(ScaleTest, DISABLED_ManyPayments) {
    const char* given = std::getenv("KESSAI_AUDIT_TEST_PAYMENTS");
    const int payments = given == nullptr ? 100'000 : std::atoi(given);
    Platform platform;
    platform.MakeTopics();
    World world;
    ASSERT_NO_FATAL_FAILURE(Fill(world, platform, payments));

    const kessai::testing::TempDir directory;
    AuditOptions options = platform.Options();
    options.sorter_memory_bytes = std::size_t{32} << 20;
    options.work_directory = directory.path();
    const long before_mib = PeakMemoryMib();
    Report report;
    TimedSteps steps;
    const AuditTimes times = RunAudit(options, SystemClock(), steps, report);
    std::printf("%s%d payments, peak memory %ld MiB (%ld before)\n", AsText(report, times).c_str(),
                payments, PeakMemoryMib(), before_mib);
    EXPECT_THAT(Lines(report), IsEmpty());
}

}  // namespace
}  // namespace kessai::audit::testing
