// Goal: a day of the books ends at one moment for all executors, its marks go to every partition
// behind the last of its events, and whatever dies, comes twice, comes late or comes at once on the
// way changes nothing more.
// Method: the closer and its store over a real MariaDB, beside writing executors; the service's
// relay and a real broker; a process that is killed after each of its statements; a proxy that
// loses the replies to commits; two replicas that close at once.

#include <sys/wait.h>

#include <barrier>
#include <csignal>
#include <future>
#include <set>
#include <thread>

#include "kessai/testing/process.h"
#include "kessai/testing/tcp_proxy.h"
#include "storage/first_day.h"
#include "tests/flow_fixture.h"

namespace kessai::payment {
namespace {

using namespace std::chrono_literals;

using app::Day;
using app::DayState;
using domain::UserId;
using ::testing::Each;
using ::testing::Field;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAnd;
using testing::Refuses;
using ::testing::SizeIs;

constexpr UserId kUser{42};
// The open day of these tests is today, or later.
constexpr bool kEarly = true;

auto IsIn(DayState state) {
    return IsOkAnd(Field(&Day::state, state));
}

/// One replica's closer, with sessions and ids of its own.
class Replica {
 public:
    Replica(const mysql::ConnectOptions& connect, int worker, const digest::RowHasher& hasher,
            app::DayCloserOptions options)
        : pool_({.connect = connect, .sessions_max = 4}),
          days_(pool_, hasher),
          ids_(worker),
          closer_(options, days_, ids_, transport::EncodeMark, SystemClock(),
                  [this](const Status& why) {
                      const std::lock_guard lock(mutex_);
                      last_error_ = why;
                  }) {}

    storage::MysqlDayStore& days() { return days_; }
    app::DayCloser& closer() { return closer_; }
    Status last_error() {
        const std::lock_guard lock(mutex_);
        return last_error_;
    }

 private:
    mysql::Pool pool_;
    storage::MysqlDayStore days_;
    FixedIds ids_;
    std::mutex mutex_;
    Status last_error_;
    app::DayCloser closer_;
};

class DayTest : public FlowTest {
 protected:
    app::DayCloser& closer() { return replica_.closer(); }

    /// Takes the day as far as it goes; true when that is its end.
    bool Finish(app::DayCloser& closer, BusinessDate day) {
        EXPECT_OK(closer.RunOnce());
        const auto found = days_.Find(day);
        return found.ok() && found->state == DayState::kClosed;
    }
    /// Statements that wait for a row lock, on the server that this program has to itself.
    std::int64_t LockWaits() {
        // Not information_schema.innodb_trx: that is a copy which is never made anew while it is
        // asked for more often than every tenth of a second.
        return Number(R"sql(SELECT CAST(variable_value AS SIGNED)
            FROM information_schema.global_status
            WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS')sql");
    }
    /// All that closing changes.
    std::vector<std::int64_t> Footprint() {
        return {Number("SELECT SUM(TO_DAYS(business_date)) FROM gate"),
                Number("SELECT COUNT(*) FROM business_day"),
                Number("SELECT SUM(state) FROM business_day"),
                Number("SELECT SUM(closing_at_us + mark_row_id + closed_at_us) FROM business_day"),
                Number("SELECT COUNT(*) FROM outbox"),
                Number("SELECT SUM(entry_count) FROM outbox")};
    }

    Replica replica_{schema_->options(), 2, hasher_, CloserOptions()};
};

// Goal: new books can begin on a day in the past, and are never moved once they have begun.
TEST_F(DayTest, BooksBeginWithTheDayThatTheyAreGiven) {
    const BusinessDate first = BusinessDate::FromNumber(20261025).value();
    auto session = pool_.Acquire(std::chrono::seconds(5)).value();
    ASSERT_OK(storage::SetFirstDay(*session, first));
    ASSERT_OK_AND_ASSIGN(const auto now, days_.Read());
    EXPECT_EQ(now.open_date, first);
    EXPECT_EQ(Number("SELECT COUNT(DISTINCT business_date) FROM gate"), 1);
    auto& executor = Start({.executors = 1});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, UserId(1), 1'000));
    ASSERT_OK(storage::SetFirstDay(*session, first.Next()));
    ASSERT_OK_AND_ASSIGN(const auto begun, days_.Read());
    EXPECT_EQ(begun.open_date, first);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM journal WHERE business_date <> '2026-10-25'"), 0);
}

// Goal: closing moves every gate at one moment, and no change is dated to a day after that.
// Method: two threads pay without a pause over four executors, a third looks at the gates without a
// pause, while six days are closed one after the other; what a day held when its close returned is
// compared with what it holds at the end.
TEST_F(DayTest, ADayEndsAtOnceWhileExecutorsWrite) {
    auto& executor = Start({.executors = 4, .batch_max = 2});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, UserId(1), 1'000'000));
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, UserId(2), 1'000'000));
    const BusinessDate first = OpenDay();

    std::vector<std::jthread> writers;
    for (const UserId user : {UserId(1), UserId(2)}) {
        writers.emplace_back([&, user](const std::stop_token& stop) {
            for (int i = 0; !stop.stop_requested(); ++i) {
                std::vector<domain::Command> creates;
                for (int k = 0; k < 8; ++k) {
                    creates.push_back(Order(
                        user.ToString() + "-" + std::to_string(i) + "-" + std::to_string(k), 1));
                }
                std::vector<domain::Command> pays;
                for (const auto& created : Execute(executor, std::move(creates))) {
                    ASSERT_OK(created);
                    pays.push_back(Pay(PaymentOf(created), user));
                }
                EXPECT_THAT(Execute(executor, std::move(pays)), Each(IsOk()));
            }
        });
    }
    int looks = 0;
    std::set<std::int64_t> open_days_seen;
    std::jthread looking([&](const std::stop_token& stop) {
        auto session = mysql::Session::Connect(schema_->options()).value();
        while (!stop.stop_requested()) {
            // One statement is one consistent read.
            auto rows = session
                            ->Select(mysql::Query{"test.gates", R"sql(
                SELECT TO_DAYS(MIN(business_date)), TO_DAYS(MAX(business_date)), COUNT(*),
                       (SELECT COUNT(*) FROM business_day)
                FROM gate)sql"})
                            .value();
            ASSERT_TRUE(rows.Next());
            ASSERT_EQ(rows.Int(0), rows.Int(1)) << "some gates have moved and some have not";
            ASSERT_EQ(rows.Int(2), storage::kGateSlots);
            open_days_seen.insert(rows.Int(0));
            ASSERT_EQ(rows.Int(3), rows.Int(0) - *open_days_seen.begin())
                << "the gates and the days that closed do not agree";
            ++looks;
        }
    });

    constexpr int kDays = 6;
    std::map<BusinessDate, std::int64_t> held;
    BusinessDate day = first;
    for (int i = 0; i < kDays; ++i, day = day.Next()) {
        ASSERT_EVENTUALLY(JournalsOf(day) >= 50);
        ASSERT_THAT(closer().Close(day, kEarly), IsIn(DayState::kClosing));
        held[day] = JournalsOf(day);
    }
    ASSERT_EVENTUALLY(JournalsOf(day) >= 50);
    writers.clear();
    looking = {};

    EXPECT_EQ(OpenDay(), day);
    EXPECT_GT(looks, kDays);
    EXPECT_GT(open_days_seen.size(), 1u);
    for (const auto& [closed, journals] : held) {
        SCOPED_TRACE(closed.ToString());
        EXPECT_EQ(JournalsOf(closed), journals);
        EXPECT_EQ(NumberOf("SELECT COUNT(*) FROM posting WHERE business_date = ", closed),
                  2 * journals);
        EXPECT_EQ(NumberOf("SELECT SUM(entry_count) FROM outbox WHERE business_date = ", closed),
                  journals);
    }
    EXPECT_THAT(observer_.failed, IsEmpty());
    ExpectBooksBalance();
}

// Goal: a batch that has its gate is of the day it began in: the close waits for it.
// Method: a transaction holds its gate row until the close is seen to wait.
TEST_F(DayTest, ABatchThatHoldsItsGateIsOfItsDay) {
    const BusinessDate day = OpenDay();
    const domain::Command open_wallet = domain::OpenWallet{kUser};
    const domain::Command top_up = domain::TopUpWallet{kUser, "late", Yen(5), "development"};
    const app::BatchCommand commands[] = {{&open_wallet, {}}, {&top_up, {}}};
    std::future<Result<Day>> closing;
    {
        ASSERT_OK_AND_ASSIGN(const auto transaction, store_.Begin(storage::kGateSlots - 1));
        closing = std::async(std::launch::async, [&] { return closer().Close(day, kEarly); });
        ASSERT_EVENTUALLY(LockWaits() == 1);
        EXPECT_EQ(OpenDay(), day) << "gates that are not locked are not moved either";
        app::KnownRows nothing({});
        ASSERT_OK(
            app::ExecuteBatch(*transaction, commands, Services(), nothing, app::Reading::kAll));
        ASSERT_OK(transaction->Commit());
    }
    EXPECT_THAT(closing.get(), IsIn(DayState::kClosing));
    EXPECT_EQ(OpenDay(), day.Next());
    EXPECT_EQ(JournalsOf(day), 1);
    ExpectBooksBalance();
}

// Goal: a gate that stays locked makes the close fail by name, and nothing has moved.
TEST_F(DayTest, AGateThatStaysLockedLeavesTheDayOpen) {
    const BusinessDate day = OpenDay();
    auto connect = schema_->options();
    connect.lock_wait_timeout_s = 1;
    Replica impatient(connect, 3, hasher_, CloserOptions());
    const auto before = Footprint();
    {
        ASSERT_OK_AND_ASSIGN(const auto transaction, store_.Begin(17));
        EXPECT_THAT(impatient.closer().Close(day, kEarly), Refuses(Code::kAborted, "LOCK_TIMEOUT"));
        EXPECT_THAT(days_.Find(day), IsIn(DayState::kOpen));
        EXPECT_EQ(Footprint(), before);
    }
    EXPECT_THAT(impatient.closer().Close(day, kEarly), IsIn(DayState::kClosing));
}

// Goal: a day gets its marks when, and only when, no event of it or of an earlier day waits; those
// of later days do not matter.
TEST_F(DayTest, EventsThatWaitHoldUpTheMarksOfTheirDayAndLaterOnes) {
    auto& executor = Start({});
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 1'000));
    ASSERT_THAT(closer().Close(day, kEarly), IsIn(DayState::kClosing));
    // A day without any event, behind one that waits.
    ASSERT_THAT(closer().Close(day.Next(), kEarly), IsIn(DayState::kClosing));
    ASSERT_THAT(GivenPayments(executor, kUser, 2, 10), SizeIs(2));

    const auto before = Footprint();
    for (int round = 0; round < 3; ++round) ASSERT_OK(closer().RunOnce());
    EXPECT_EQ(Footprint(), before);
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kClosing));
    EXPECT_THAT(days_.Find(day.Next()), IsIn(DayState::kClosing));
    EXPECT_THAT(days_.HasUnsentEvents(day.Previous()), IsOkAnd(false));
    EXPECT_THAT(days_.HasUnsentEvents(day), IsOkAnd(true));
    EXPECT_THAT(days_.HasUnsentEvents(day.Next()), IsOkAnd(true));

    // The events of the first day have left; those of the third wait still.
    Run("DELETE FROM outbox WHERE business_date = '" + day.ToString() + "'");
    const std::int64_t waiting = OutboxRows();
    EXPECT_GT(waiting, 0);
    ASSERT_OK(closer().RunOnce());
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kMarked));
    EXPECT_THAT(days_.Find(day.Next()), IsIn(DayState::kMarked));
    EXPECT_THAT(days_.Find(day.PlusDays(2)), IsIn(DayState::kOpen));
    EXPECT_EQ(OutboxRows(), waiting + 2);

    // The marks have not left, so the days are not closed.
    ASSERT_OK(closer().RunOnce());
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kMarked));
    DrainOutbox();
    ASSERT_OK(closer().RunOnce());
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kClosed));
    EXPECT_THAT(days_.Find(day.Next()), IsIn(DayState::kClosed));
    EXPECT_THAT(days_.Unfinished(), IsOkAnd(IsEmpty()));
}

// Goal: every partition has the day's mark, behind all the events of the day in it.
// Method: three days of trade whose events all wait when the relay starts, the closer in its own
// thread; then the whole topic is read.
TEST_F(DayTest, TheMarkIsInEveryPartitionBehindTheDaysEvents) {
    auto& executor = Start({});
    const BusinessDate day = OpenDay();
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 10'000));
    std::map<BusinessDate, std::int64_t> journals;
    for (int i = 0; i < 3; ++i) {
        ASSERT_THAT(GivenPayments(executor, kUser, 40, 10), SizeIs(40));
        journals[day.PlusDays(i)] = JournalsOf(day.PlusDays(i));
        if (i < 2) {
            ASSERT_THAT(closer().Close(day.PlusDays(i), kEarly), IsIn(DayState::kClosing));
        }
    }
    closer().Start();
    const auto relay = StartRelay();
    ASSERT_EVENTUALLY(OutboxRows() == 0 && days_.Unfinished().value().empty());
    closer().Stop();
    EXPECT_OK(replica_.last_error());
    relay->Stop();

    std::map<BusinessDate, std::int64_t> events;
    std::map<BusinessDate, std::set<int>> marked;
    for (const Event& event : ReadEvents()) {
        const BusinessDate date = event.envelope.business_date;
        if (event::IsMark(event.envelope)) {
            EXPECT_TRUE(marked[date].insert(event.partition).second) << "a second mark";
            continue;
        }
        EXPECT_FALSE(marked[date].contains(event.partition))
            << "an event of " << date.ToString() << " behind its mark";
        ++events[date];
    }
    EXPECT_EQ(events, journals);
    EXPECT_EQ(ReadMarks(), MarkedOnce({day, day.Next()}));
}

// Goal: whoever dies between any two statements of a close leaves something that the next one
// takes to its end: the gates move once, and every partition gets one mark.
// Method: for n = 1, 2, … a process that kills itself when its n-th statement has run closes the
// next day, until one gets through; after each, another closer finishes what it left. The deaths
// must have left days in every state.
TEST_F(DayTest, ACrashBehindAnyStatementIsResumed) {
    auto& executor = Start({});
    ASSERT_NO_FATAL_FAILURE(GivenBalance(executor, kUser, 10'000));
    ASSERT_NO_FATAL_FAILURE(PublishAll());
    testing::TempDir directory("day");
    const mysql::ConnectOptions& connect = schema_->options();
    const BusinessDate first = OpenDay();
    std::vector<BusinessDate> days;
    std::map<DayState, int> left;

    constexpr int kStatementsMax = 100;
    bool through = false;
    for (int statement = 1; !through && statement <= kStatementsMax; ++statement) {
        const BusinessDate day = first.PlusDays(statement - 1);
        SCOPED_TRACE("killed behind statement " + std::to_string(statement));
        testing::ProcessOptions worker;
        worker.command = {KESSAI_PAYMENT_DAY_WORKER,
                          connect.host,
                          std::to_string(connect.port),
                          connect.user,
                          connect.password,
                          connect.schema,
                          topics_.brokers,
                          topics_.events,
                          topics_.dead_letters,
                          std::to_string(day.ToNumber()),
                          std::to_string(statement)};
        worker.output_file = directory.Path("worker.log");
        ASSERT_OK_AND_ASSIGN(const auto process, testing::Process::Start(worker));
        const auto status = process->Wait(60s);
        ASSERT_TRUE(status.has_value());
        days.push_back(day);
        if (WIFSIGNALED(*status)) {
            ASSERT_EQ(WTERMSIG(*status), SIGKILL);
            ASSERT_OK_AND_ASSIGN(const Day found, days_.Find(day));
            ++left[found.state];
        } else {
            ASSERT_EQ(WEXITSTATUS(*status), 0) << testing::ReadFile(directory.Path("worker.log"));
            ASSERT_THAT(days_.Find(day), IsIn(DayState::kClosed));
            through = true;
        }
        // What an operator, or the schedule, does again. It may wait for the dead one's locks.
        ASSERT_THAT(closer().Close(day, kEarly), IsOk());
        ASSERT_OK(closer().RunOnce());
        ASSERT_THAT(GivenPayments(executor, kUser, 1, 1), SizeIs(1));
        ASSERT_NO_FATAL_FAILURE(PublishAll());
        ASSERT_OK(closer().RunOnce());
        ASSERT_THAT(days_.Find(day), IsIn(DayState::kClosed));
        ASSERT_EQ(OpenDay(), day.Next());
        ASSERT_EQ(JournalsOf(day.Next()), 1);
        ASSERT_EQ(Number("SELECT COUNT(DISTINCT business_date) FROM gate"), 1);
    }
    EXPECT_TRUE(through);
    for (const DayState state :
         {DayState::kOpen, DayState::kClosing, DayState::kMarked, DayState::kClosed}) {
        EXPECT_GT(left[state], 0) << "no death left a day in state " << static_cast<int>(state);
    }
    EXPECT_EQ(ReadMarks(), MarkedOnce(days));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM business_day WHERE state = 4"),
              static_cast<std::int64_t>(days.size()));
    ExpectBooksBalance();
}

// Goal: a commit whose reply is lost is found done, at each of the three durable steps.
TEST_F(DayTest, LostRepliesToCommitsChangeNothing) {
    const auto& connect = schema_->options();
    testing::TcpProxy proxy(connect.host, connect.port);
    auto over_proxy = connect;
    over_proxy.host = "127.0.0.1";
    over_proxy.port = proxy.port();
    Replica lossy(over_proxy, 3, hasher_, CloserOptions());
    const BusinessDate day = OpenDay();
    // Connects: that speaks of READ COMMITTED too.
    ASSERT_OK(lossy.days().Read());

    proxy.LoseReplyTo("COMMIT");
    EXPECT_THAT(lossy.closer().Close(day, kEarly), IsIn(DayState::kClosing));
    EXPECT_EQ(proxy.cuts(), 1);
    EXPECT_EQ(OpenDay(), day.Next());

    proxy.LoseReplyTo("COMMIT");
    EXPECT_OK(lossy.closer().RunOnce());
    EXPECT_EQ(proxy.cuts(), 2);
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kMarked));
    EXPECT_EQ(Number("SELECT SUM(entry_count) FROM outbox"), kPartitions);

    DrainOutbox();
    proxy.LoseReplyTo("COMMIT");
    EXPECT_OK(lossy.closer().RunOnce());
    EXPECT_EQ(proxy.cuts(), 3);
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kClosed));
    EXPECT_EQ(OutboxRows(), 0);
    EXPECT_THAT(days_.Unfinished(), IsOkAnd(IsEmpty()));
}

// Goal: closing again, whatever the day's state, and closing out of order change nothing.
TEST_F(DayTest, ClosingAgainOrOutOfOrderChangesNothing) {
    const BusinessDate day = OpenDay();
    const auto never_open = Refuses(Code::kFailedPrecondition, "DAY_NOT_CURRENT");
    const auto expect_refused = [&] {
        const auto before = Footprint();
        EXPECT_THAT(closer().Close(day.Previous(), kEarly), never_open);
        EXPECT_THAT(closer().Close(day.PlusDays(2), kEarly), never_open);
        EXPECT_THAT(closer().Close(day.PlusDays(400), kEarly), never_open);
        EXPECT_EQ(Footprint(), before);
    };
    expect_refused();
    EXPECT_THAT(closer().Close(day.Next(), kEarly), never_open);
    EXPECT_THAT(days_.Find(day), IsIn(DayState::kOpen));

    auto& executor = Start({});
    ASSERT_OK(ExecuteOne(executor, domain::OpenWallet{kUser}));
    ASSERT_OK(ExecuteOne(executor, domain::TopUpWallet{kUser, "given", Yen(1), "development"}));
    const auto expect_done = [&](DayState state) {
        SCOPED_TRACE(static_cast<int>(state));
        const auto before = Footprint();
        EXPECT_THAT(closer().Close(day, kEarly), IsIn(state));
        EXPECT_THAT(days_.MoveGates(day), never_open);
        EXPECT_EQ(Footprint(), before);
        expect_refused();
        EXPECT_EQ(OpenDay(), day.Next());
    };
    ASSERT_THAT(closer().Close(day, kEarly), IsIn(DayState::kClosing));
    expect_done(DayState::kClosing);
    DrainOutbox();
    ASSERT_OK(closer().RunOnce());
    expect_done(DayState::kMarked);
    // Marks that are stored are not stored again, under whatever row they come.
    const auto before = Footprint();
    EXPECT_OK(days_.StoreMarks(day, "another mark", kPartitions, ids_.Current()->Next()));
    EXPECT_THAT(days_.FinishIfMarksSent(day), IsOkAnd(false));
    EXPECT_EQ(Footprint(), before);
    DrainOutbox();
    ASSERT_OK(closer().RunOnce());
    expect_done(DayState::kClosed);
    ASSERT_OK(closer().RunOnce());
    EXPECT_OK(days_.StoreMarks(day, "another mark", kPartitions, ids_.Current()->Next()));
    EXPECT_THAT(days_.FinishIfMarksSent(day), IsOkAnd(true));
    EXPECT_THAT(days_.FinishIfMarksSent(day.Next()), IsOkAnd(false));
    expect_done(DayState::kClosed);
    EXPECT_EQ(OutboxRows(), 0);
}

// Goal: two replicas that do every step at once do it once.
// Method: both close each of five days at the same moment, and then both run their background's
// rounds without a pause until the day is closed.
TEST_F(DayTest, TwoReplicasCloseOnce) {
    const auto relay = StartRelay();
    Replica other(schema_->options(), 3, hasher_, CloserOptions());
    std::vector<BusinessDate> days;
    const BusinessDate first = OpenDay();
    constexpr int kDays = 5;
    for (int i = 0; i < kDays; ++i) days.push_back(first.PlusDays(i));

    std::barrier together(2);
    const auto close_all = [&](Replica& replica) {
        for (const BusinessDate day : days) {
            together.arrive_and_wait();
            EXPECT_THAT(replica.closer().Close(day, kEarly), IsOk());
            together.arrive_and_wait();
            EXPECT_EVENTUALLY(Finish(replica.closer(), day));
        }
    };
    std::thread there([&] { close_all(other); });
    close_all(replica_);
    there.join();

    EXPECT_EQ(OpenDay(), first.PlusDays(kDays));
    EXPECT_EQ(Number("SELECT COUNT(*) FROM business_day WHERE state = 4"), kDays);
    EXPECT_EQ(Number("SELECT COUNT(*) FROM business_day"), kDays);
    ASSERT_EVENTUALLY(OutboxRows() == 0);
    EXPECT_EQ(ReadMarks(), MarkedOnce(days));
}

// Goal: by schedule a day is closed when the next one has begun in Japan, by the database's clock,
// one after the other, and never today's.
// Method: the gates are set back by three days.
TEST_F(DayTest, TheScheduleClosesWhatIsOver) {
    auto options = CloserOptions();
    options.scheduled = true;
    Replica scheduled(schema_->options(), 3, hasher_, options);
    Run("UPDATE gate SET business_date = business_date - INTERVAL 3 DAY");
    const BusinessDate first = OpenDay();
    ASSERT_OK(closer().RunOnce());
    EXPECT_EQ(OpenDay(), first) << "without a schedule nothing closes";

    ASSERT_OK(scheduled.closer().RunOnce());
    EXPECT_EQ(OpenDay(), first.Next());
    scheduled.closer().Start();
    ASSERT_EVENTUALLY([&] {
        const auto now = days_.Read().value();
        return now.open_date == BusinessDate::OfJst(now.time);
    }());
    EXPECT_GE(OpenDay(), first.PlusDays(3));
    // Nobody has sent the marks yet.
    ASSERT_EVENTUALLY(days_.Find(first.PlusDays(2)).value().state == DayState::kMarked);
    DrainOutbox();
    ASSERT_EVENTUALLY(days_.Find(first.PlusDays(2)).value().state == DayState::kClosed);
    scheduled.closer().Stop();
    EXPECT_OK(scheduled.last_error());
    const auto now = days_.Read().value();
    EXPECT_EQ(now.open_date, BusinessDate::OfJst(now.time));
}

// Goal: a day that is not over in Japan is closed only by who says so.
// Method: the gates are put on the day before today and on the day after, so that a midnight that
// passes in between changes nothing.
TEST_F(DayTest, ADayThatIsNotOverIsClosedOnlyEarly) {
    const BusinessDate today = BusinessDate::OfJst(days_.Read().value().time);
    const auto open = [&](BusinessDate day) {
        Run("UPDATE gate SET business_date = '" + day.ToString() + "'");
    };
    open(today.Previous());
    EXPECT_THAT(closer().Close(today.Previous()), IsIn(DayState::kClosing));

    const BusinessDate tomorrow = today.Next();
    open(tomorrow);
    const auto before = Footprint();
    EXPECT_THAT(closer().Close(tomorrow), Refuses(Code::kFailedPrecondition, "DAY_NOT_OVER"));
    EXPECT_EQ(Footprint(), before);
    EXPECT_THAT(closer().Close(tomorrow, kEarly), IsIn(DayState::kClosing));
    // What is closed is closed, however it was.
    EXPECT_THAT(closer().Close(tomorrow), IsIn(DayState::kClosing));
    EXPECT_THAT(closer().Close(tomorrow.Next()),
                Refuses(Code::kFailedPrecondition, "DAY_NOT_OVER"));
}

// Goal: who closes a day by hand does not wait for the background's next round; what goes wrong in
// the background is told and tried again.
TEST_F(DayTest, TheBackgroundIsWokenAndToldOfErrors) {
    const BusinessDate day = OpenDay();
    auto options = CloserOptions();
    options.poll_every = 1h;
    Replica sleepy(schema_->options(), 3, hasher_, options);
    // Its first round fails, so that it is known to be over: the next would be in an hour.
    Run("RENAME TABLE business_day TO gone");
    sleepy.closer().Start();
    ASSERT_EVENTUALLY(!sleepy.last_error().ok());
    Run("RENAME TABLE gone TO business_day");
    ASSERT_THAT(sleepy.closer().Close(day, kEarly), IsIn(DayState::kClosing));
    ASSERT_EVENTUALLY(days_.Find(day).value().state == DayState::kMarked);
    sleepy.closer().Stop();
    DrainOutbox();

    Run("RENAME TABLE business_day TO gone");
    closer().Start();
    ASSERT_EVENTUALLY(!replica_.last_error().ok());
    Run("RENAME TABLE gone TO business_day");
    ASSERT_EVENTUALLY(days_.Find(day).value().state == DayState::kClosed);
}

}  // namespace
}  // namespace kessai::payment
