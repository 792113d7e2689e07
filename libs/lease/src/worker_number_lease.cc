#include "kessai/lease/worker_number_lease.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "kessai/lease/lease_table.h"
#include "kessai/result/check.h"
#include "periodic_thread.h"

namespace kessai::lease {
namespace {

using mysql::Query;

constexpr Query kLoad{"lease.load_worker_numbers", R"sql(
    SELECT name, data, expires_at_us > CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)
      FROM lease WHERE name >= ? AND name < ?)sql"};

/// How many free numbers are tried before the database is asked anew which are free.
constexpr std::size_t kCandidatesMax = 16;

std::int64_t Millis(Duration duration) {
    return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

}  // namespace

struct WorkerNumberLease::Impl {
    Impl(mysql::Pool& lease_pool, WorkerNumberOptions lease_options, const Clock& lease_clock)
        : pool(lease_pool), options(std::move(lease_options)), clock(lease_clock) {
        if (options.owner.empty()) options.owner = NewOwner();
        KESSAI_CHECK(
            options.margin < options.duration && 3 * options.renew_every <= options.duration,
            "a lease is renewed well before it ends");
        KESSAI_CHECK(options.ceiling_ahead > 2 * options.renew_every,
                     "the ceiling stays ahead of the ids between two renewals");
    }

    std::string NameOf(int candidate) const {
        char digits[16];
        std::snprintf(digits, sizeof digits, "/%04d", candidate);
        return options.group + digits;
    }
    Result<std::vector<int>> FreeNumbers(mysql::Session& session) const;
    Status Lease(std::int64_t floor_ms);
    Status Take(mysql::Session& session, int number, Grant grant, std::int64_t floor_ms);
    std::int64_t CeilingFor(std::int64_t highest_ms) const {
        return std::max(IdGenerator::MillisAt(clock.Now()), highest_ms) +
               Millis(options.ceiling_ahead);
    }
    void Renew();

    mysql::Pool& pool;
    WorkerNumberOptions options;
    const Clock& clock;

    mutable std::mutex mutex;
    std::shared_ptr<IdGenerator> generator;
    int number = -1;
    Grant grant;
    /// What is surely stored. The row may say more, when the reply to a renewal was lost.
    std::int64_t stored_ceiling_ms = 0;

    PeriodicThread thread;
};

WorkerNumberLease::WorkerNumberLease(mysql::Pool& pool, WorkerNumberOptions options,
                                     const Clock& clock)
    : impl_(std::make_unique<Impl>(pool, std::move(options), clock)) {}

WorkerNumberLease::~WorkerNumberLease() {
    Stop();
}

Status WorkerNumberLease::Start() {
    KESSAI_RETURN_IF_ERROR(impl_->Lease(0));
    impl_->thread.Start([impl = impl_.get()] {
        impl->Renew();
        return impl->options.renew_every;
    });
    return {};
}

/// Free numbers, those with the lowest ceiling first: above a ceiling that a crashed holder left
/// ahead of the clock, ids would run ahead of it too. By chance among equals, so that replicas that
/// start together do not all ask for the same.
Result<std::vector<int>> WorkerNumberLease::Impl::FreeNumbers(mysql::Session& session) const {
    KESSAI_ASSIGN_OR_RETURN(auto rows,
                            session.Select(kLoad, options.group + "/", options.group + "0"));
    struct Candidate {
        std::int64_t ceiling_ms = 0;
        std::uint32_t chance = 0;
        int number = 0;
    };
    std::vector<Candidate> candidates(IdGenerator::kWorkers);
    std::minstd_rand random(std::random_device{}());
    for (int i = 0; i < IdGenerator::kWorkers; ++i) {
        candidates[static_cast<std::size_t>(i)] = {0, static_cast<std::uint32_t>(random()), i};
    }
    while (rows.Next()) {
        const std::string name = rows.Text(0);
        int at = -1;
        const char* const begin = name.data() + options.group.size() + 1;
        std::from_chars(begin, name.data() + name.size(), at);
        if (at < 0 || at >= IdGenerator::kWorkers) continue;
        auto& candidate = candidates[static_cast<std::size_t>(at)];
        candidate.ceiling_ms = rows.Int(1);
        if (rows.Bool(2)) candidate.number = -1;
    }
    std::erase_if(candidates, [](const Candidate& c) { return c.number < 0; });
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return std::pair(a.ceiling_ms, a.chance) < std::pair(b.ceiling_ms, b.chance);
    });
    std::vector<int> numbers;
    for (std::size_t i = 0; i < candidates.size() && i < kCandidatesMax; ++i) {
        numbers.push_back(candidates[i].number);
    }
    return numbers;
}

/// Takes some number; its generator begins above `floor_ms` and above the number's own ceiling.
Status WorkerNumberLease::Impl::Lease(std::int64_t floor_ms) {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool.Acquire(options.renew_every));
    KESSAI_ASSIGN_OR_RETURN(const std::vector<int> numbers, FreeNumbers(*session));
    for (const int candidate : numbers) {
        KESSAI_ASSIGN_OR_RETURN(auto acquired, TryAcquire(*session, NameOf(candidate),
                                                          options.owner, options.duration, clock));
        if (acquired.has_value()) {
            return Take(*session, candidate, std::move(*acquired), floor_ms);
        }
    }
    return Status(Code::kResourceExhausted, kNoFreeNumber,
                  "none of the " + std::to_string(IdGenerator::kWorkers) + " numbers of " +
                      options.group + " is free");
}

Status WorkerNumberLease::Impl::Take(mysql::Session& session, int taken, Grant next,
                                     std::int64_t floor_ms) {
    floor_ms = std::max(floor_ms, next.data);
    next.data = CeilingFor(floor_ms);
    // Before the generator can be had: no id is made that the stored ceiling does not cover.
    KESSAI_RETURN_IF_ERROR(lease::Renew(session, next, options.duration, clock));
    auto made = std::make_shared<IdGenerator>(taken, clock, floor_ms);
    const std::lock_guard lock(mutex);
    generator = std::move(made);
    number = taken;
    stored_ceiling_ms = next.data;
    grant = std::move(next);
    return {};
}

void WorkerNumberLease::Impl::Renew() {
    Grant next;
    std::shared_ptr<IdGenerator> current;
    {
        const std::lock_guard lock(mutex);
        next = grant;
        current = generator;
    }
    next.data = std::max(next.data, CeilingFor(current->highest_ms()));
    Status renewed;
    {
        auto session = pool.Acquire(options.renew_every);
        if (!session.ok()) return;
        renewed = lease::Renew(**session, next, options.duration, clock);
    }
    if (renewed.ok()) {
        const std::lock_guard lock(mutex);
        stored_ceiling_ms = next.data;
        grant = std::move(next);
    } else if (renewed.reason() == kLeaseLost) {
        // Tried again at the next renewal if it fails; until then the old ceiling holds, above
        // which the new holder began.
        (void)Lease(current->highest_ms());
    }
}

void WorkerNumberLease::Stop() {
    impl_->thread.Stop();
    std::shared_ptr<IdGenerator> generator;
    Grant grant;
    {
        const std::lock_guard lock(impl_->mutex);
        generator = std::exchange(impl_->generator, nullptr);
        grant = std::exchange(impl_->grant, Grant());
        impl_->number = -1;
    }
    if (!generator) return;
    // From here Confirm refuses, so no id above this is committed any more. A ceiling just above
    // what was used lets the successor begin at the present.
    grant.data = generator->highest_ms();
    auto session = impl_->pool.Acquire(impl_->options.renew_every);
    if (session.ok()) (void)Release(**session, grant);
}

std::shared_ptr<IdGenerator> WorkerNumberLease::generator() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->generator;
}

Status WorkerNumberLease::Confirm(const IdGenerator& generator) const {
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->generator.get() == &generator &&
            generator.highest_ms() <= impl_->stored_ceiling_ms) {
            return {};
        }
    }
    impl_->thread.Wake();
    return Status(Code::kUnavailable, kNumberNotHeld,
                  "the worker number was lost, or its ids are beyond the stored ceiling");
}

int WorkerNumberLease::number() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->number;
}

bool WorkerNumberLease::Held() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->generator != nullptr &&
           impl_->clock.SteadyNow() < impl_->grant.ends_at - impl_->options.margin;
}

}  // namespace kessai::lease
