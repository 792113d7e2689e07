// Goal: the digest that the relay keeps of a day equals the one computed from the day's journal,
// however often its events were published.
// Method: the service's relay with its hook, over a real MariaDB and a real broker; processes that
// are killed between publishing and deleting; a proxy that loses the replies to commits; changes
// published again; and a journal that is damaged, so that a difference shows.

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "kessai/testing/process.h"
#include "kessai/testing/tcp_proxy.h"
#include "tests/flow_fixture.h"

namespace kessai::payment {
namespace {

using namespace std::chrono_literals;

using domain::UserId;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

constexpr UserId kUser{42};

class DigestTest : public FlowTest {
 protected:
    /// Payments, of which some are canceled and some refunded in parts, and a top-up: so every kind
    /// of change that a digest counts, and one that it does not.
    void GivenTrade(int payments) {
        auto& executor = executors_.empty() ? Start({.batch_max = 16}) : *executors_.front();
        const std::string key = "given-" + std::to_string(orders_);
        ASSERT_OK(ExecuteOne(executor, domain::OpenWallet{kUser}));
        ASSERT_OK(
            ExecuteOne(executor, domain::TopUpWallet{kUser, key, Yen(100'000), "development"}));
        const auto paid = GivenPayments(executor, kUser, payments, 100);
        ASSERT_THAT(paid, SizeIs(payments));
        std::vector<domain::Command> commands;
        for (std::size_t i = 0; i < paid.size(); ++i) {
            const domain::Payment& payment = paid[i];
            if (i % 4 == 1) {
                commands.push_back(domain::CancelPayment{{kMerchant, payment.merchant_payment_id}});
            } else if (i % 4 == 2) {
                commands.push_back(
                    domain::RefundPayment{kMerchant, "first", payment.id, Yen(30), "", 0});
                commands.push_back(
                    domain::RefundPayment{kMerchant, "second", payment.id, Yen(70), "", 0});
            }
        }
        ASSERT_THAT(Execute(executor, std::move(commands)), Each(IsOk()));
    }

    digest::DayDigest Digest(BusinessDate day, bool deep, digest::BucketRange range = {}) {
        return days_.Digests(day, deep, range).value();
    }
    /// What the relay kept is what the journal gives, and both are what SQL sums up.
    void ExpectDigestsOfJournal(BusinessDate day) {
        SCOPED_TRACE(day.ToString());
        const auto kept = Digest(day, false);
        EXPECT_THAT(digest::UnequalBuckets(kept, Digest(day, true)), IsEmpty());
        digest::BucketDigest sum;
        for (const digest::BucketDigest& bucket : kept) sum.Add(bucket);
        EXPECT_EQ(sum.count, NumberOf("SELECT COUNT(*) FROM journal WHERE kind IN (1, 2, 3) AND "
                                      "business_date = ",
                                      day));
        EXPECT_EQ(sum.signed_gross,
                  NumberOf("SELECT SUM(IF(kind = 1, amount, -amount)) FROM journal WHERE kind IN "
                           "(1, 2, 3) AND business_date = ",
                           day));
        EXPECT_GT(sum.count, 0);
    }
    /// How often the topic has each change.
    std::map<std::pair<std::int64_t, std::uint32_t>, int> Published() {
        std::map<std::pair<std::int64_t, std::uint32_t>, int> times;
        for (const Event& event : ReadEvents()) {
            ++times[{event.envelope.object_id, event.envelope.version}];
        }
        return times;
    }
    std::int64_t Metric(const std::string& name) const {
        std::istringstream lines(registry_.Expose());
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name + " ")) return std::stoll(line.substr(name.size() + 1));
        }
        return 0;
    }
};

// Goal: the relay's sums are those of the journal, day by day; what is in the outbox still is in no
// digest yet; a row that differs shows in its bucket alone.
TEST_F(DigestTest, TheRelaysDigestIsTheJournals) {
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenTrade(80));
    ASSERT_OK(days_.MoveGates(day));
    ASSERT_NO_FATAL_FAILURE(GivenTrade(20));
    EXPECT_THAT(Digest(day, false), Each(Eq(digest::BucketDigest())));

    ASSERT_NO_FATAL_FAILURE(PublishAll());
    ExpectDigestsOfJournal(day);
    ExpectDigestsOfJournal(day.Next());

    // The rows of a bucket are those that its digest sums up.
    ASSERT_OK_AND_ASSIGN(const auto payment, reader_.PaymentByOrder({kMerchant, "given-0"}));
    const int bucket = digest::BucketOf(payment.id.value());
    ASSERT_OK_AND_ASSIGN(const auto rows, days_.Rows(day, bucket));
    digest::Accumulator sums(hasher_);
    for (const app::DayRow& row : rows) {
        EXPECT_EQ(digest::BucketOf(row.object), bucket);
        sums.Add({row.object, row.version, day, row.merchant.value(), row.gross});
    }
    const auto at = static_cast<std::size_t>(bucket);
    EXPECT_EQ(sums.Day(day)[at], Digest(day, false)[at]);
    // Asked for some buckets, it gives these.
    for (const bool deep : {false, true}) {
        const digest::BucketRange range{.first = bucket / 2, .count = bucket / 2 + 1};
        EXPECT_EQ(Digest(day, deep, range), digest::OnlyOf(range, Digest(day, false)));
    }

    Run("UPDATE journal SET amount = amount + 1 WHERE object_id = " + payment.id.ToString());
    EXPECT_THAT(digest::UnequalBuckets(Digest(day, false), Digest(day, true)), ElementsAre(bucket));

    // A row that stands in another bucket than its own counts where it stands, in whatever range.
    const int other = bucket ^ 512;
    const digest::BucketRange there{.first = other, .count = 1};
    const auto before = Digest(day, true, there)[static_cast<std::size_t>(other)].count;
    Run("UPDATE journal SET bucket = " + std::to_string(other) +
        " WHERE object_id = " + payment.id.ToString() + " AND version = 1");
    EXPECT_EQ(Digest(day, true, there)[static_cast<std::size_t>(other)].count, before + 1);
}

// Goal: a relay that died between publishing and deleting has counted nothing, and the one that
// publishes its rows again counts them once.
// Method: processes that are killed in the deleting transaction, before and after they added to the
// digests; then the topic must hold changes more than once, and the digests must not.
TEST_F(DigestTest, ARelayThatDiedBeforeItDeletedCountsNothing) {
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenTrade(40));
    testing::TempDir directory("relay");
    const mysql::ConnectOptions& connect = schema_->options();
    const std::int64_t waiting = OutboxRows();
    for (const char* const when : {"before", "after", "before", "after"}) {
        SCOPED_TRACE(when);
        testing::ProcessOptions worker;
        worker.command = {KESSAI_PAYMENT_RELAY_WORKER,
                          connect.host,
                          std::to_string(connect.port),
                          connect.user,
                          connect.password,
                          connect.schema,
                          topics_.brokers,
                          topics_.events,
                          topics_.dead_letters,
                          when};
        worker.output_file = directory.Path("worker.log");
        ASSERT_OK_AND_ASSIGN(const auto process, testing::Process::Start(worker));
        const auto status = process->Wait(60s);
        ASSERT_TRUE(status.has_value());
        ASSERT_TRUE(WIFSIGNALED(*status)) << testing::ReadFile(directory.Path("worker.log"));
        ASSERT_EQ(WTERMSIG(*status), SIGKILL);
        // As if its leases had run out.
        Run("UPDATE lease SET expires_at_us = 0");
        EXPECT_EQ(OutboxRows(), waiting);
        EXPECT_THAT(Digest(day, false), Each(Eq(digest::BucketDigest())));
    }
    EXPECT_FALSE(Published().empty()) << "they died before they published";

    ASSERT_NO_FATAL_FAILURE(PublishAll());
    const auto published = Published();
    EXPECT_EQ(static_cast<std::int64_t>(published.size()), JournalsOf(day));
    EXPECT_TRUE(std::ranges::any_of(published, [](const auto& one) { return one.second > 1; }))
        << "no change was published twice";
    ExpectDigestsOfJournal(day);
}

// Goal: a deletion whose commit's reply was lost has counted its rows, and is not counted again.
// Method: the relay's sessions go through a proxy that loses the reply to a COMMIT of each round.
TEST_F(DigestTest, ALostReplyToTheDeletionsCommitCountsOnce) {
    const auto& connect = schema_->options();
    testing::TcpProxy proxy(connect.host, connect.port);
    auto over_proxy = connect;
    over_proxy.host = "127.0.0.1";
    over_proxy.port = proxy.port();
    mysql::Pool lossy({.connect = over_proxy, .sessions_max = 8});
    const BusinessDate day = OpenDay();
    const auto relay = StartRelay(lossy);
    constexpr int kRounds = 8;
    for (int round = 1; round <= kRounds; ++round) {
        proxy.LoseReplyTo("COMMIT");
        ASSERT_NO_FATAL_FAILURE(GivenTrade(8));
        ASSERT_EVENTUALLY(proxy.cuts() == round && OutboxRows() == 0);
    }
    relay->Stop();
    // Rows that the relay wanted to delete and found gone: by its own lost commits.
    EXPECT_GT(Metric("kessai_outbox_rows_gone_total"), 0);
    ExpectDigestsOfJournal(day);
}

// Goal: what is published again by a repair is in Kafka again, byte for byte, and in no digest.
TEST_F(DigestTest, WhatIsPublishedAgainIsNotCountedAgain) {
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenTrade(20));
    ASSERT_NO_FATAL_FAILURE(PublishAll());
    // In the next day: a repeat keeps its own, and holds up nobody's close.
    ASSERT_OK(days_.MoveGates(day));
    std::vector<std::pair<std::int64_t, std::uint32_t>> keys;
    for (int bucket = 0; bucket < digest::kBuckets; ++bucket) {
        ASSERT_OK_AND_ASSIGN(const auto rows, days_.Rows(day, bucket));
        for (const app::DayRow& row : rows) keys.emplace_back(row.object, row.version);
    }
    ASSERT_OK_AND_ASSIGN(const auto changes, reader_.Changes(keys));
    ASSERT_EQ(changes.size(), keys.size());
    std::vector<std::string> envelopes;
    for (const domain::Change& change : changes) envelopes.push_back(encoder().Encode(change));
    ASSERT_OK(days_.Republish(changes, envelopes, ids_.Current()->Next()));
    EXPECT_GT(OutboxRows(), 0);
    EXPECT_THAT(days_.HasUnsentEvents(day.Next()), testing::IsOkAnd(false));

    ASSERT_NO_FATAL_FAILURE(PublishAll());
    std::map<std::string, int> bytes;
    for (const Message& message : Read(topics_.events)) ++bytes[message.value];
    EXPECT_EQ(
        static_cast<std::int64_t>(changes.size()),
        NumberOf("SELECT COUNT(*) FROM journal WHERE kind IN (1, 2, 3) AND business_date = ", day));
    for (const std::string& envelope : envelopes) EXPECT_EQ(bytes[envelope], 2);
    ExpectDigestsOfJournal(day);
}

// Goal: what happened is shown by the records around its row; a row that somebody made up, or
// changed, is not, whatever it is like.
TEST_F(DigestTest, WhatDidNotHappenIsInDoubt) {
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenTrade(20));
    ASSERT_NO_FATAL_FAILURE(PublishAll());
    ASSERT_OK(days_.MoveGates(day));
    std::vector<std::pair<std::int64_t, std::uint32_t>> keys;
    for (int bucket = 0; bucket < digest::kBuckets; ++bucket) {
        ASSERT_OK_AND_ASSIGN(const auto rows, days_.Rows(day, bucket));
        for (const app::DayRow& row : rows) keys.emplace_back(row.object, row.version);
    }
    ASSERT_OK_AND_ASSIGN(const auto changes, reader_.Changes(keys));
    ASSERT_FALSE(changes.empty());
    using ::testing::HasSubstr;
    for (const domain::Change& change : changes) {
        EXPECT_THAT(reader_.DoubtOf(change), testing::IsOkAnd(::testing::IsEmpty()));
        domain::Change made_up = change;
        // Payments of one moment have ids next to each other.
        made_up.object += std::int64_t{1} << 40;
        EXPECT_THAT(reader_.DoubtOf(made_up), testing::IsOkAnd(HasSubstr("no such payment")));
        made_up = change;
        made_up.version += 100;
        EXPECT_THAT(reader_.DoubtOf(made_up), testing::IsOkAnd(HasSubstr("has come to version")));
        made_up = change;
        made_up.amount = Money(change.amount.minor() + 1, change.amount.currency());
        EXPECT_THAT(reader_.DoubtOf(made_up), testing::IsOkAnd(HasSubstr("no posting of it")));
        made_up = change;
        made_up.merchant = domain::MerchantId(change.merchant.value() + 1);
        EXPECT_THAT(reader_.DoubtOf(made_up),
                    testing::IsOkAnd(HasSubstr("MERCHANT_PAYABLE " + made_up.merchant.ToString())));
    }
}

}  // namespace
}  // namespace kessai::payment
