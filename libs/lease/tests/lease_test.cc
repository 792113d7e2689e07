#include "kessai/lease/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "kessai/mysql/error.h"
#include "kessai/mysql/transaction.h"
#include "kessai/testing/tcp_proxy.h"
#include "lease_fixture.h"

namespace kessai::lease {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eventually;
using testing::Refuses;

class LeaseTableTest : public LeaseFixture {
 protected:
    std::optional<Grant> Try(std::string_view owner, Duration duration = seconds(60)) {
        auto grant = TryAcquire(*session_, "job", owner, duration, SystemClock());
        EXPECT_OK(grant);
        return *grant;
    }
};

TEST_F(LeaseTableTest, OnlyOneHoldsItAtATime) {
    const auto a = Try("a");
    ASSERT_TRUE(a.has_value());
    EXPECT_EQ(a->fence, 1);
    EXPECT_FALSE(Try("b").has_value());
    // The holder asking again is the same holder.
    const auto again = Try("a");
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->fence, 1);
}

// Goal: a dead holder blocks others no longer than its lease, and cannot come back unnoticed.
TEST_F(LeaseTableTest, AnExpiredLeaseIsTakenOverUnderAHigherFence) {
    auto a = Try("a", milliseconds(1));
    ASSERT_TRUE(a.has_value());
    std::optional<Grant> b;
    ASSERT_EVENTUALLY((b = Try("b")).has_value());
    EXPECT_EQ(b->fence, 2);
    EXPECT_THAT(Renew(*session_, *a, seconds(60), SystemClock()),
                Refuses(Code::kFailedPrecondition, kLeaseLost));
    // What the old holder releases is not the new one's lease.
    ASSERT_OK(Release(*session_, *a));
    EXPECT_FALSE(Try("c").has_value());
    EXPECT_OK(Renew(*session_, *b, seconds(60), SystemClock()));
}

TEST_F(LeaseTableTest, AnExpiredLeaseIsRenewedWhileNobodyTookIt) {
    auto a = Try("a", milliseconds(1));
    ASSERT_EVENTUALLY(Column("expires_at_us < UNIX_TIMESTAMP(NOW(6)) * 1000000", "job") == 1);
    EXPECT_OK(Renew(*session_, *a, seconds(60), SystemClock()));
    EXPECT_FALSE(Try("b").has_value());
}

TEST_F(LeaseTableTest, AReleasedLeaseIsFreeAtOnceUnderAHigherFence) {
    auto a = Try("a");
    a->data = 7;
    ASSERT_OK(Release(*session_, *a));
    const auto again = Try("a");
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->fence, 2);
    EXPECT_EQ(again->data, 7);
}

// Goal: whoever is refused can be told when it is worth asking again.
TEST_F(LeaseTableTest, ItsEndIsToldWhileItIsHeld) {
    ASSERT_OK_AND_ASSIGN(const auto nobody, HeldUntil(*session_, "job"));
    EXPECT_EQ(nobody, std::nullopt);
    ASSERT_OK_AND_ASSIGN(const Instant before, session_->DatabaseNow());
    const auto grant = Try("a", seconds(60));
    ASSERT_OK_AND_ASSIGN(const Instant after, session_->DatabaseNow());
    ASSERT_OK_AND_ASSIGN(const auto until, HeldUntil(*session_, "job"));
    ASSERT_TRUE(until.has_value());
    EXPECT_GE(*until, before + seconds(60));
    EXPECT_LE(*until, after + seconds(60));
    ASSERT_OK(Release(*session_, *grant));
    ASSERT_OK_AND_ASSIGN(const auto released, HeldUntil(*session_, "job"));
    EXPECT_EQ(released, std::nullopt);
}

// Goal: a renewal that the server runs late, after a later one, takes nothing back.
TEST_F(LeaseTableTest, RenewalsOnlyRaise) {
    auto a = Try("a");
    a->data = 100;
    ASSERT_OK(Renew(*session_, *a, seconds(600), SystemClock()));
    const auto expires = Column("expires_at_us", "job");
    a->data = 50;
    ASSERT_OK(Renew(*session_, *a, seconds(1), SystemClock()));
    EXPECT_EQ(Column("data", "job"), 100);
    EXPECT_EQ(Column("expires_at_us", "job"), expires);
}

// Goal: what a transaction does under a confirmed lease is done by one holder at a time, whatever
// the clocks say.
// Method: confirm an expired lease; the take-over waits until that transaction ends.
TEST_F(LeaseTableTest, AConfirmedLeaseIsNotTakenOverBeforeTheTransactionEnds) {
    const auto a = Try("a", milliseconds(1));
    ASSERT_EVENTUALLY(Column("expires_at_us < UNIX_TIMESTAMP(NOW(6)) * 1000000", "job") == 1);
    auto other = Connect();
    {
        ASSERT_OK_AND_ASSIGN(auto transaction, mysql::Transaction::Begin(*session_));
        ASSERT_OK(ConfirmInTransaction(*session_, *a));
        EXPECT_THAT(TryAcquire(*other, "job", "b", seconds(60), SystemClock()),
                    Refuses(Code::kAborted, mysql::reason::kLockTimeout));
        ASSERT_OK(transaction.Commit());
    }
    ASSERT_OK_AND_ASSIGN(const auto b, TryAcquire(*other, "job", "b", seconds(60), SystemClock()));
    ASSERT_TRUE(b.has_value());
    ASSERT_OK_AND_ASSIGN(auto transaction, mysql::Transaction::Begin(*session_));
    EXPECT_THAT(ConfirmInTransaction(*session_, *a),
                Refuses(Code::kFailedPrecondition, kLeaseLost));
}

TEST(LeaseOwnerTest, OwnersAreUnique) {
    std::set<std::string> owners;
    for (int i = 0; i < 100; ++i) owners.insert(NewOwner());
    EXPECT_EQ(owners.size(), 100u);
}

using LeaseTest = LeaseFixture;

LeaseOptions Quick(std::string name) {
    LeaseOptions options;
    options.name = std::move(name);
    options.duration = milliseconds(1500);
    options.renew_every = milliseconds(50);
    options.margin = milliseconds(500);
    return options;
}

TEST_F(LeaseTest, ASecondCandidateTakesOverWhenTheFirstStops) {
    Lease first(pool_, Quick("job"));
    Lease second(pool_, Quick("job"));
    std::atomic<int> changes{0};
    first.OnChange([&](bool) { ++changes; });
    first.Start();
    ASSERT_EVENTUALLY(first.Held());
    second.Start();
    const auto grant = first.Current();
    ASSERT_TRUE(grant.has_value());
    // Renewed several times, and still held by the first alone.
    ASSERT_EVENTUALLY(first.Current()->ends_at > grant->ends_at + milliseconds(200));
    EXPECT_FALSE(second.Held());
    first.Stop();
    EXPECT_FALSE(first.Held());
    EXPECT_EQ(changes, 2);
    ASSERT_EVENTUALLY(second.Held());
    EXPECT_GT(second.Current()->fence, grant->fence);
}

// Goal: a holder that cannot reach the database stops by its own clock before another one begins.
// Method: cut the first one's network; watch both from here: never are both held.
TEST_F(LeaseTest, AHolderCutOffStopsBeforeItsSuccessorBegins) {
    testing::TcpProxy proxy(schema_->options().host, schema_->options().port);
    auto options = Options();
    options.connect.port = proxy.port();
    options.connect.read_timeout = seconds(2);
    mysql::Pool cut_off(options);
    Lease first(cut_off, Quick("job"));
    Lease second(pool_, Quick("job"));
    first.Start();
    ASSERT_EVENTUALLY(first.Held());
    second.Start();
    proxy.Freeze(true);
    bool both = false;
    ASSERT_EVENTUALLY([&] {
        const bool second_held = second.Held();
        both = both || (second_held && first.Held());
        return second_held;
    }());
    EXPECT_FALSE(both);
    EXPECT_FALSE(first.Held());
    // Back again it finds itself dispossessed.
    proxy.Freeze(false);
    proxy.CutAll();
    const auto fence = second.Current()->fence;
    first.Stop();
    EXPECT_TRUE(second.Held());
    EXPECT_EQ(second.Current()->fence, fence);
}

class LeaseGroupTest : public LeaseFixture {
 protected:
    static constexpr int kSize = 16;

    struct Member {
        std::unique_ptr<LeaseGroup> group;
        std::set<int> numbers;
    };

    /// A member that checks that nobody else holds what it is given.
    Member& Join() {
        LeaseGroupOptions options;
        options.group = "shard";
        options.size = kSize;
        options.duration = milliseconds(3000);
        options.renew_every = milliseconds(50);
        options.margin = milliseconds(500);
        auto& member = *members_.emplace_back(std::make_unique<Member>());
        member.group = std::make_unique<LeaseGroup>(pool_, options);
        member.group->OnChange([this, &member](int number, bool held) {
            const std::lock_guard lock(mutex_);
            if (held) {
                EXPECT_TRUE(held_.insert(number).second) << number << " is held twice";
                member.numbers.insert(number);
            } else {
                held_.erase(number);
                member.numbers.erase(number);
            }
        });
        member.group->Start();
        return member;
    }
    std::vector<std::size_t> Counts() {
        const std::lock_guard lock(mutex_);
        std::vector<std::size_t> counts;
        for (const auto& member : members_) {
            if (member) counts.push_back(member->numbers.size());
        }
        std::sort(counts.begin(), counts.end());
        return counts;
    }

    std::mutex mutex_;
    std::set<int> held_;
    std::vector<std::unique_ptr<Member>> members_;
};

// Goal: the numbers are shared out evenly as members come and go, and none is held twice.
TEST_F(LeaseGroupTest, MembersShareTheNumbersEvenly) {
    using Counts_ = std::vector<std::size_t>;
    Join();
    ASSERT_EVENTUALLY(Counts() == Counts_{16});
    Join();
    ASSERT_EVENTUALLY((Counts() == Counts_{8, 8}));
    Join();
    ASSERT_EVENTUALLY((Counts() == Counts_{4, 6, 6}));
    members_[0]->group->Stop();
    ASSERT_EVENTUALLY((Counts() == Counts_{0, 8, 8}));
    members_[1]->group->Stop();
    ASSERT_EVENTUALLY((Counts() == Counts_{0, 0, 16}));
    EXPECT_EQ(members_[2]->group->HeldNumbers().size(), 16u);
    EXPECT_TRUE(members_[2]->group->Current(3).has_value());
    EXPECT_FALSE(members_[0]->group->Current(3).has_value());
    for (auto& member : members_) member->group->Stop();
    EXPECT_TRUE(held_.empty());
    EXPECT_EQ(Column("COUNT(*)", "shard.member/x"), 0);
}

// Goal: a number that was taken over in the database is given up.
TEST_F(LeaseGroupTest, AStolenNumberIsNoticed) {
    auto& member = Join();
    ASSERT_EVENTUALLY(Counts()[0] == kSize);
    ASSERT_OK(session_->Execute(mysql::Query{"test.steal",
                                             "UPDATE lease SET owner = 'thief', fence = fence + 1, "
                                             "expires_at_us = expires_at_us + 3600000000 "
                                             "WHERE name = 'shard/3'"}));
    ASSERT_EVENTUALLY(!member.group->Current(3).has_value());
    ASSERT_EVENTUALLY(Counts()[0] == kSize - 1);
    EXPECT_TRUE(member.group->Current(4).has_value());
    member.group->Stop();
}

}  // namespace
}  // namespace kessai::lease
