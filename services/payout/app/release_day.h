#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "app/close_day.h"
#include "app/recount_day.h"
#include "app/release_store.h"

namespace kessai::payout::app {

struct ReleaseDayOptions {
    /// Chunks in work at a time, each with a session of its own.
    int threads = 3;
    RecountOptions recount;
    int blocked_events_max = 10'000;
};

/// What is told of a release while it runs. Thread safe.
struct ReleaseObserver {
    std::function<void(const ReleaseRound&, Duration recount, std::int64_t rows)> on_recount;
    std::function<void(const ReleaseRound&, const domain::HeldBack&)> on_held_back;
    std::function<void(const ReleaseRound&, Duration took)> on_finished;
    /// Of a deep run of a released day: a merchant that was released before has a wrong accrual, in
    /// words. Nothing is taken back from it; somebody has to look.
    std::function<void(const ReleaseRound&, domain::MerchantId, const std::string& fault)>
        on_released_fault;
};

/// Whom a run or a preview found something wrong with; the lists are cut at so many.
struct ReleaseFindings {
    static constexpr std::size_t kNamedMax = 1'000;
    /// Of a preview: who would be held back, by merchant. (Those of a run are stored.)
    std::vector<domain::HeldBack> held_back;
    /// As ReleaseObserver::on_released_fault, of a preview too: how many there are, and what is
    /// wrong, by merchant.
    std::int64_t released_fault_count = 0;
    std::map<domain::MerchantId, std::string> released_faults;
};

/// Releases a closed day: recounts its accruals, and chunk by chunk makes the money of each
/// merchant available in the transaction that records its equal recount, and holds back those that
/// differ.
///
/// Every chunk is checked off in its own transaction, so whoever runs it again after a crash goes
/// on where it ended, and a run of a released day changes nothing, but for merchants that were held
/// back and now come out equal: they are released in a further round. Thread safe.
class ReleaseDay {
 public:
    ReleaseDay(ReleaseDayOptions options, ReleaseStore& store, PlanCache& plans,
               const domain::TaxTable& taxes, const EventEncoder& events, const Clock& clock,
               ReleaseObserver observer);

    /// What the day's rounds released in all, this one included.
    /// FAILED_PRECONDITION DAY_OPEN, NOT_FOUND DAY_UNKNOWN, ABORTED RELEASE_RUNNING, and the
    /// database's: after those it may simply be run again.
    /// `stop`: UNAVAILABLE STOPPING soon after it is requested; a later run goes on from there.
    /// `findings`, which may be null: what the sums do not say.
    Result<domain::ReleaseSums> Run(BusinessDate day, bool deep, std::stop_token stop = {},
                                    ReleaseFindings* findings = nullptr);

    /// What Run would release now, and how many merchants it would leave held back: recounts and
    /// judges, and changes nothing. Refuses as Run; RELEASE_RUNNING while a round is not finished.
    Result<domain::ReleaseSums> Preview(BusinessDate day, bool deep, std::stop_token stop = {},
                                        ReleaseFindings* findings = nullptr);

 private:
    /// What every chunk of a round is judged by.
    struct Evidence {
        DayRecount recount;
        BlockedMerchants blocked;
    };
    Result<Evidence> Gather(const ReleaseRound& round, const std::stop_token& stop);
    Status Drive(const ReleaseRound& round, const std::stop_token& stop);
    Status DriveWith(const ReleaseRound& round, const Evidence& evidence,
                     const std::stop_token& stop);
    Status ReleaseHeldBack(BusinessDate day, bool deep, const std::stop_token& stop,
                           ReleaseFindings* findings);
    void TellOfReleased(const ReleaseRound& round, const DayRecount& recount,
                        const std::set<domain::MerchantId>& held) const;
    Result<ChunkOutcome> Judge(ChunkTransaction& transaction, const ReleaseRound& round,
                               const ReleaseChunk& chunk, const Evidence& evidence) const;

    const ReleaseDayOptions options_;
    ReleaseStore& store_;
    RecountDay recount_day_;
    const domain::TaxTable& taxes_;
    const EventEncoder& events_;
    const Clock& clock_;
    const ReleaseObserver observer_;
};

}  // namespace kessai::payout::app
