#include "bench/release/kill_proof.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "bench/release/contender.h"
#include "domain/release.h"
#include "domain/tax.h"
#include "kessai/mysql/query.h"
#include "kessai/time/clock.h"
#include "load/random.h"

extern char** environ;

namespace kessai::bench {
namespace {

using payout::domain::DayState;
using std::chrono::milliseconds;

constexpr Duration kPoll = milliseconds(2);
// A dead process's turn ends by itself, and then the day is counted anew.
constexpr Duration kStartWithin = std::chrono::minutes(2);
constexpr Duration kEndWithin = std::chrono::minutes(30);

constexpr mysql::Query kTurn{"bench.turn", "SELECT fence FROM lease WHERE name = 'payout.release'"};
constexpr mysql::Query kDone{"bench.chunks_done", R"sql(
    SELECT COUNT(*), COALESCE(SUM(done), 0) FROM release_chunk
    WHERE business_date = ? AND round = 0)sql"};
constexpr mysql::Query kReopen{
    "bench.close_again", "UPDATE payout_day SET state = ?, rounds = 0 WHERE business_date = ?"};
// Everything but when it began and ended.
constexpr mysql::Query kSameRounds{"bench.same_rounds", R"sql(
    SELECT (SELECT COUNT(*) FROM release_round),
           (SELECT COUNT(*) FROM release_round a JOIN bench_untouched_round b
                ON a.business_date = b.business_date AND a.round = b.round AND a.deep = b.deep
                AND a.merchant_count = b.merchant_count AND a.held_back_count = b.held_back_count
                AND a.gross = b.gross AND a.fee = b.fee AND a.tax = b.tax AND a.net = b.net
            WHERE a.finished_at_us IS NOT NULL),
           (SELECT COUNT(*) FROM bench_untouched_round))sql"};
constexpr mysql::Query kSameChunks{"bench.same_chunks", R"sql(
    SELECT (SELECT COUNT(*) FROM release_chunk),
           (SELECT COUNT(*) FROM release_chunk NATURAL JOIN bench_untouched_chunk),
           (SELECT COUNT(*) FROM bench_untouched_chunk))sql"};

constexpr mysql::Query kSameBalances{"bench.same_balances", R"sql(
    SELECT (SELECT COUNT(*) FROM running_balance),
           (SELECT COUNT(*) FROM running_balance NATURAL JOIN bench_untouched_balance),
           (SELECT COUNT(*) FROM bench_untouched_balance))sql"};
constexpr mysql::Query kKeepBalancesBefore{"bench.keep_balances_before", R"sql(
    INSERT INTO running_balance SELECT * FROM bench_untouched_balance WHERE business_date <> ?)sql"};
constexpr mysql::Query kTurnBack{"bench.turn_back", R"sql(
    UPDATE payout_gate SET balances_date = (SELECT MAX(business_date) FROM running_balance)
    WHERE id = 1)sql"};

/// What a release writes, and the names under which the untouched one's are kept.
struct TableAside {
    std::string_view real;
    std::string_view aside;
};
constexpr TableAside kTables[] = {{"merchant_release", "bench_untouched_release"},
                                  {"running_balance", "bench_untouched_balance"},
                                  {"release_round", "bench_untouched_round"},
                                  {"release_chunk", "bench_untouched_chunk"}};

/// A process that this one started, killed and reaped at the latest when this is destroyed.
class Child {
 public:
    static Result<Child> Start(const std::vector<std::string>& command) {
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.data()));
        arguments.push_back(nullptr);
        pid_t pid = 0;
        if (::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
            return Status(Code::kUnavailable, "COMMAND_FAILED", command[0] + " does not start");
        }
        return Child(pid);
    }
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    Child& operator=(Child&&) = delete;
    ~Child() {
        if (pid_ != 0) Kill9();
    }

    /// The status as waitpid gives it, once it has ended.
    std::optional<int> Ended() {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
        pid_ = 0;
        return status;
    }
    void Kill9() {
        ::kill(pid_, SIGKILL);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
    }

 private:
    explicit Child(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

class Proof {
 public:
    Proof(mysql::Session& session, BusinessDate day, const KillOptions& options)
        : session_(session), day_(day), options_(options), random_(options.seed) {
        proof_.asked = options.kills;
    }

    Result<KillProof> Run(const std::function<void(const std::string&)>& tell) {
        KESSAI_RETURN_IF_ERROR(PutAside());
        const SteadyInstant start = SystemClock().SteadyNow();
        bool ended = false;
        for (const double point : Points()) {
            KESSAI_ASSIGN_OR_RETURN(ended, ReleaseUntil(point));
            if (ended) break;
            tell("killed with " + std::to_string(proof_.done_at_kill.back()) + " of " +
                 std::to_string(proof_.chunks) + " chunks done");
        }
        if (!ended) KESSAI_RETURN_IF_ERROR(ReleaseToTheEnd());
        proof_.seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
        KESSAI_RETURN_IF_ERROR(Compare());
        return std::move(proof_);
    }

 private:
    struct Progress {
        std::int64_t chunks = 0;
        std::int64_t done = 0;
    };

    /// The untouched release's tables get other names, and the day is as its close left it.
    Status PutAside() {
        for (const auto& [real, aside] : kTables) {
            const std::string name(real);
            const std::string kept(aside);
            KESSAI_RETURN_IF_ERROR(RunSql(session_, "RENAME TABLE " + name + " TO " + kept));
            KESSAI_RETURN_IF_ERROR(RunSql(session_, "CREATE TABLE " + name + " LIKE " + kept));
        }
        KESSAI_RETURN_IF_ERROR(internal::TakeStatus(session_.Execute(kKeepBalancesBefore, day_)));
        KESSAI_RETURN_IF_ERROR(internal::TakeStatus(session_.Execute(kTurnBack)));
        KESSAI_RETURN_IF_ERROR(RunSql(session_, "DELETE FROM outbox"));
        return internal::TakeStatus(
            session_.Execute(kReopen, static_cast<int>(DayState::kClosed), day_));
    }

    /// In seconds of an untouched release, rising.
    std::vector<double> Points() {
        std::vector<double> points(static_cast<std::size_t>(options_.kills));
        for (double& point : points) {
            point = random_.Unit() * (options_.recount_seconds + options_.write_seconds);
        }
        std::sort(points.begin(), points.end());
        return points;
    }

    /// Releases and kills. True when the release was over before its point came.
    Result<bool> ReleaseUntil(double point) {
        KESSAI_ASSIGN_OR_RETURN(const Progress before, ReadProgress());
        KESSAI_ASSIGN_OR_RETURN(const std::int64_t turn, ReadTurn());
        KESSAI_ASSIGN_OR_RETURN(Child child, Child::Start(options_.command));
        KESSAI_RETURN_IF_ERROR(AwaitTurn(child, turn));
        const double into_writing = point - options_.recount_seconds;
        if (into_writing < 0) {
            SystemClock().SleepFor(
                milliseconds(static_cast<std::int64_t>(1'000 * std::max(0.0, point))));
        } else {
            KESSAI_RETURN_IF_ERROR(AwaitChunks(before.done, into_writing / options_.write_seconds));
        }
        if (const auto status = child.Ended()) return CheckEnd(*status);
        child.Kill9();
        KESSAI_ASSIGN_OR_RETURN(const Progress after, ReadProgress());
        proof_.chunks = std::max(proof_.chunks, after.chunks);
        proof_.done_at_kill.push_back(after.done);
        ++(after.done == before.done ? proof_.in_recount : proof_.in_writing);
        return false;
    }

    /// Until the child, and not who died before it, has the turn.
    Status AwaitTurn(Child& child, std::int64_t before) {
        for (Duration waited{}; waited < kStartWithin; waited += kPoll) {
            KESSAI_ASSIGN_OR_RETURN(const std::int64_t now, ReadTurn());
            if (now != before) return OkStatus();
            if (child.Ended()) {
                return Status(Code::kInternal, "COMMAND_FAILED", "a releasing process ended");
            }
            SystemClock().SleepFor(kPoll);
        }
        return Status(Code::kDeadlineExceeded, "COMMAND_DEADLINE",
                      "a releasing process does not get its turn");
    }

    /// Until it has done one chunk at least and `share` of all are, and then for a random part of
    /// what a chunk takes; or until all are.
    Status AwaitChunks(std::int64_t done_before, double share) {
        for (Duration waited{}; waited < kEndWithin; waited += kPoll) {
            KESSAI_ASSIGN_OR_RETURN(const Progress now, ReadProgress());
            if (now.chunks > 0 && now.done == now.chunks) return OkStatus();
            if (now.done > done_before &&
                static_cast<double>(now.done) >= share * static_cast<double>(now.chunks)) {
                const double chunk = options_.write_seconds / static_cast<double>(now.chunks);
                SystemClock().SleepFor(
                    Duration(static_cast<std::int64_t>(random_.Unit() * 2'000'000 * chunk)));
                return OkStatus();
            }
            SystemClock().SleepFor(kPoll);
        }
        return Status(Code::kDeadlineExceeded, "COMMAND_DEADLINE", "a release does not go on");
    }

    Status ReleaseToTheEnd() {
        KESSAI_ASSIGN_OR_RETURN(Child child, Child::Start(options_.command));
        for (Duration waited{}; waited < kEndWithin; waited += kPoll) {
            if (const auto status = child.Ended()) {
                return internal::TakeStatus(CheckEnd(*status));
            }
            SystemClock().SleepFor(kPoll);
        }
        return Status(Code::kDeadlineExceeded, "COMMAND_DEADLINE", "a release does not end");
    }

    static Result<bool> CheckEnd(int status) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
        return Status(Code::kInternal, "COMMAND_FAILED", "a releasing process failed");
    }

    Status Compare() {
        KESSAI_ASSIGN_OR_RETURN(const bool same,
                                HoldTheSame(session_, day_, "bench_untouched_release"));
        KESSAI_ASSIGN_OR_RETURN(const bool balances, AllAlike(kSameBalances));
        KESSAI_ASSIGN_OR_RETURN(const bool rounds, AllAlike(kSameRounds));
        KESSAI_ASSIGN_OR_RETURN(const bool chunks, AllAlike(kSameChunks));
        proof_.equal = same && balances && rounds && chunks;
        const auto wrong = [&](bool is_wrong, const char* what) {
            if (is_wrong) proof_.wrong.emplace_back(what);
        };
        wrong(!same, "rows of releases are not those of the untouched release");
        wrong(!balances, "running balances are not those of the untouched release");
        wrong(!rounds, "the round is not that of the untouched release");
        wrong(!chunks, "the chunks are not those of the untouched release");
        KESSAI_ASSIGN_OR_RETURN(
            const auto events,
            NumberOf(session_, "SELECT COALESCE(SUM(entry_count), 0) FROM outbox"));
        wrong(events != 1, "the release has not one event");
        for (const TableAside& table : kTables) {
            KESSAI_RETURN_IF_ERROR(RunSql(session_, "DROP TABLE " + std::string(table.aside)));
        }
        return OkStatus();
    }

    /// The query gives how many there are, how many of them are alike, and how many there were.
    Result<bool> AllAlike(const mysql::Query& query) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(query));
        return rows.Next() && rows.Int(0) > 0 && rows.Int(0) == rows.Int(1) &&
               rows.Int(1) == rows.Int(2);
    }

    Result<std::int64_t> ReadTurn() {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kTurn));
        return rows.Next() ? rows.Int(0) : 0;
    }
    Result<Progress> ReadProgress() {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kDone, day_));
        rows.Next();
        return Progress{rows.Int(0), rows.Int(1)};
    }

    mysql::Session& session_;
    const BusinessDate day_;
    const KillOptions& options_;
    load::Random random_;
    KillProof proof_;
};

}  // namespace

Result<KillProof> ProveKillsChangeNothing(mysql::Session& session, BusinessDate day,
                                          const KillOptions& options,
                                          const std::function<void(const std::string&)>& tell) {
    return Proof(session, day, options).Run(tell);
}

}  // namespace kessai::bench
