// Goal: the window of a batch stream's client loses no command, ends none twice, and keeps every
// deadline.
// Method: single cases, then a long random history against a plain model of what must be there.
#include "open_commands.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace kessai::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Labelled final : public OpenCommands::Open {
 public:
    explicit Labelled(int value) : label(value) {}
    void Complete(const Status&, void*) override {}
    const int label;
};

int LabelOf(const std::unique_ptr<OpenCommands::Open>& open) {
    return open == nullptr ? -1 : static_cast<const Labelled&>(*open).label;
}

const SteadyInstant kStart{std::chrono::hours(100)};

OpenCommands::Sequence Queue(OpenCommands& commands, int label, Duration timeout,
                             SteadyInstant now = kStart) {
    const auto sequence = commands.Reserve();
    commands.Queue(sequence, "bytes", now, now + timeout, std::make_unique<Labelled>(label));
    return sequence;
}

TEST(OpenCommandsTest, SendsInOrderAndFindsAnswers) {
    OpenCommands commands(3);
    const auto first = Queue(commands, 1, seconds(1));
    const auto second = Queue(commands, 2, seconds(1));
    const auto third = Queue(commands, 3, seconds(1));
    EXPECT_EQ(commands.Reserve(), 0U);
    EXPECT_EQ(commands.waiting(), 3);
    EXPECT_EQ(commands.waiting_bytes(), 15U);
    commands.Send(7);
    commands.Send(8);
    EXPECT_EQ(commands.waiting(), 1);
    EXPECT_EQ(LabelOf(commands.Take(first, 8)), -1) << "an answer from another stream";
    EXPECT_EQ(LabelOf(commands.Take(first, 7)), 1);
    EXPECT_EQ(LabelOf(commands.Take(first, 7)), -1) << "a second answer";
    EXPECT_EQ(LabelOf(commands.Take(third, 8)), -1) << "not sent yet";
    EXPECT_EQ(LabelOf(commands.TakeWaiting()), 3);
    EXPECT_EQ(LabelOf(commands.Take(second, 8)), 2);
    EXPECT_EQ(commands.size(), 0);
}

TEST(OpenCommandsTest, AnswerToAnEarlierUseOfAPlaceFindsNothing) {
    OpenCommands commands(1);
    const auto first = Queue(commands, 1, seconds(1));
    commands.Send(7);
    EXPECT_EQ(LabelOf(commands.Take(first, 7)), 1);
    const auto second = Queue(commands, 2, seconds(1));
    commands.Send(7);
    EXPECT_NE(first, second);
    EXPECT_EQ(LabelOf(commands.Take(first, 7)), -1);
    EXPECT_EQ(LabelOf(commands.Take(0, 7)), -1);
    EXPECT_EQ(LabelOf(commands.Take(~0ULL, 7)), -1);
    EXPECT_EQ(LabelOf(commands.Take(second, 7)), 2);
}

TEST(OpenCommandsTest, ReservedPlaceIsGivenBack) {
    OpenCommands commands(1);
    const auto sequence = commands.Reserve();
    EXPECT_EQ(commands.Reserve(), 0U);
    EXPECT_EQ(commands.size(), 1);
    commands.Unreserve(sequence);
    EXPECT_NE(commands.Reserve(), 0U);
}

TEST(OpenCommandsTest, ExpiryIsNeverEarlyAndAtMostATickLate) {
    for (const Duration timeout :
         {Duration(1), Duration(9'999), Duration(10'000), Duration(10'001), Duration(555'555),
          Duration(seconds(10)), Duration(milliseconds(10'240)), Duration(milliseconds(10'250)),
          Duration(seconds(45)), Duration(std::chrono::minutes(10))}) {
        OpenCommands commands(4);
        Queue(commands, 1, timeout);
        SteadyInstant now = kStart;
        std::vector<OpenCommands::Expired> expired;
        while (expired.empty()) {
            now += milliseconds(10);
            ASSERT_LE(now, kStart + timeout + milliseconds(20)) << timeout.count();
            expired = commands.TakeExpired(now);
        }
        EXPECT_GE(now, kStart + timeout);
        EXPECT_EQ(commands.size(), 0);
    }
}

TEST(OpenCommandsTest, NothingIsMissedAfterALongPause) {
    OpenCommands commands(100);
    for (int i = 0; i < 100; ++i) Queue(commands, i, milliseconds(500 * (i + 1)));
    EXPECT_EQ(commands.TakeExpired(kStart + seconds(40)).size(), 80U);
    EXPECT_EQ(commands.TakeExpired(kStart + std::chrono::hours(1)).size(), 20U);
}

TEST(OpenCommandsTest, RandomHistoriesFitThePlainModel) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr int kPlaces = 64;
    struct Expected {
        int label;
        SteadyInstant deadline;
        std::uint64_t stream;  // 0: waits
    };
    OpenCommands commands(kPlaces);
    std::map<OpenCommands::Sequence, Expected> model;
    std::vector<OpenCommands::Sequence> order;
    SteadyInstant now = kStart;
    int next_label = 0;
    std::set<int> ended;
    const auto end = [&](const std::unique_ptr<OpenCommands::Open>& open) {
        ASSERT_NE(open, nullptr);
        EXPECT_TRUE(ended.insert(LabelOf(open)).second) << "ended twice";
    };
    const auto oldest_waiting = [&] {
        while (!order.empty()) {
            const auto found = model.find(order.front());
            if (found != model.end() && found->second.stream == 0) return found;
            order.erase(order.begin());
        }
        return model.end();
    };
    for (int step = 0; step < 200'000; ++step) {
        now += Duration(random() % 3'000);
        switch (random() % 6) {
            case 0:
            case 1: {
                if (static_cast<int>(model.size()) == kPlaces) {
                    ASSERT_EQ(commands.Reserve(), 0U);
                    break;
                }
                const Duration timeout(random() % 400'000);
                const auto sequence = Queue(commands, next_label, timeout, now);
                ASSERT_TRUE(
                    model.emplace(sequence, Expected{next_label++, now + timeout, 0}).second);
                order.push_back(sequence);
                break;
            }
            case 2: {
                const auto oldest = oldest_waiting();
                ASSERT_EQ(commands.waiting() > 0, oldest != model.end());
                if (oldest == model.end()) break;
                oldest->second.stream = 1 + random() % 3;
                commands.Send(oldest->second.stream);
                break;
            }
            case 3: {
                if (model.empty()) break;
                auto some = std::next(model.begin(), static_cast<long>(random() % model.size()));
                const auto open = commands.Take(some->first, some->second.stream);
                ASSERT_EQ(open != nullptr, some->second.stream != 0);
                if (open == nullptr) break;
                end(open);
                model.erase(some);
                break;
            }
            case 4: {
                for (const auto& expired : commands.TakeExpired(now)) {
                    const auto found =
                        std::find_if(model.begin(), model.end(), [&](const auto& entry) {
                            return entry.second.label == LabelOf(expired.open);
                        });
                    ASSERT_NE(found, model.end());
                    ASSERT_LE(found->second.deadline, now);
                    ASSERT_EQ(found->second.stream, expired.stream);
                    end(expired.open);
                    model.erase(found);
                }
                for (const auto& [sequence, expected] : model) {
                    ASSERT_GT(expected.deadline + milliseconds(10), now) << "overdue";
                }
                break;
            }
            default: {
                if (random() % 100 != 0) break;
                const std::uint64_t stream = 1 + random() % 3;
                for (const auto& open : commands.TakeSentOn(stream)) end(open);
                std::erase_if(model,
                              [&](const auto& entry) { return entry.second.stream == stream; });
            }
        }
        ASSERT_EQ(commands.size(), static_cast<int>(model.size()));
    }
    EXPECT_GT(next_label, 20'000);
    EXPECT_EQ(ended.size() + model.size(), static_cast<std::size_t>(next_label));
}

}  // namespace
}  // namespace kessai::rpc
