#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>

#include "kessai/lease/lease.h"
#include "kessai/result/check.h"
#include "periodic_thread.h"

namespace kessai::lease {
namespace {

using mysql::Query;

constexpr Query kBeat{"lease.beat", R"sql(
    INSERT INTO lease (name, owner, fence, expires_at_us, data)
    VALUES (?, ?, 1, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ?, 0)
    ON DUPLICATE KEY UPDATE expires_at_us = VALUES(expires_at_us))sql"};
constexpr Query kLeave{"lease.leave", "DELETE FROM lease WHERE name = ? AND owner = ?"};
// Members that died long ago.
constexpr Query kSweep{"lease.sweep", R"sql(
    DELETE FROM lease
     WHERE name >= ? AND name < ?
       AND expires_at_us < CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) - 3600000000)sql"};
constexpr Query kRenewAll{"lease.renew_all", R"sql(
    UPDATE lease SET expires_at_us = CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) + ?
     WHERE name IN ({keys}) AND owner = ?)sql"};
constexpr Query kLoad{"lease.load_group", R"sql(
    SELECT name, owner, fence,
           expires_at_us > CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)
      FROM lease WHERE name >= ? AND name < ?)sql"};

constexpr int kSizeMax = 512;

}  // namespace

struct LeaseGroup::Impl {
    Impl(mysql::Pool& group_pool, LeaseGroupOptions group_options, const Clock& group_clock)
        : pool(group_pool), options(std::move(group_options)), clock(group_clock) {
        if (options.owner.empty()) options.owner = NewOwner();
        KESSAI_CHECK(options.size > 0 && options.size <= kSizeMax, "a group has 1 to 512 leases");
        KESSAI_CHECK(
            options.margin < options.duration && 3 * options.renew_every <= options.duration,
            "a lease is renewed well before it ends");
    }

    std::string NameOf(int number) const { return options.group + "/" + std::to_string(number); }
    std::string MemberPrefix() const { return options.group + ".member/"; }
    std::string MemberName() const { return MemberPrefix() + options.owner; }
    bool HeldLocked(const Grant& grant) const {
        return clock.SteadyNow() < grant.ends_at - options.margin;
    }

    Duration Step();
    Status Ask(mysql::Session& session);
    Status RenewHeld(mysql::Session& session);
    Status Balance(mysql::Session& session);
    void GiveBack(mysql::Session& session, int number);
    void Report();

    mysql::Pool& pool;
    LeaseGroupOptions options;
    const Clock& clock;
    std::function<void(int, bool)> on_change;
    bool swept = false;

    mutable std::mutex mutex;
    std::map<int, Grant> grants;
    /// What on_change was told last. Of the group's thread.
    std::map<int, bool> reported;

    PeriodicThread thread;
};

LeaseGroup::LeaseGroup(mysql::Pool& pool, LeaseGroupOptions options, const Clock& clock)
    : impl_(std::make_unique<Impl>(pool, std::move(options), clock)) {}

LeaseGroup::~LeaseGroup() {
    Stop();
}

void LeaseGroup::OnChange(std::function<void(int number, bool held)> callback) {
    impl_->on_change = std::move(callback);
}

void LeaseGroup::Start() {
    impl_->thread.Start([impl = impl_.get()] { return impl->Step(); });
}

Duration LeaseGroup::Impl::Step() {
    {
        auto session = pool.Acquire(options.renew_every);
        // After a failure nothing is prolonged, and what runs out is reported as lost.
        if (session.ok()) (void)Ask(**session);
    }
    Report();
    const std::lock_guard lock(mutex);
    Duration wait = options.renew_every;
    for (const auto& [number, grant] : grants) {
        if (!HeldLocked(grant)) continue;
        wait = std::min(
            wait, std::chrono::ceil<Duration>(grant.ends_at - options.margin - clock.SteadyNow()));
    }
    return std::max<Duration>(wait, std::chrono::milliseconds(1));
}

Status LeaseGroup::Impl::Ask(mysql::Session& session) {
    if (!swept) {
        const std::string prefix = MemberPrefix();
        KESSAI_RETURN_IF_ERROR(session.Execute(kSweep, prefix, options.group + ".member0"));
        swept = true;
    }
    KESSAI_RETURN_IF_ERROR(
        session.Execute(kBeat, MemberName(), options.owner, options.duration.count()));
    KESSAI_RETURN_IF_ERROR(RenewHeld(session));
    return Balance(session);
}

/// One statement for all. What it does not match was taken over; Balance sees which.
Status LeaseGroup::Impl::RenewHeld(mysql::Session& session) {
    mysql::KeyList names;
    {
        const std::lock_guard lock(mutex);
        if (grants.empty()) return {};
        for (const auto& [number, grant] : grants) names.Add(grant.name);
    }
    const SteadyInstant ends_at = clock.SteadyNow() + options.duration;
    KESSAI_ASSIGN_OR_RETURN(
        const std::uint64_t renewed,
        session.Execute(kRenewAll, options.duration.count(), names, options.owner));
    const std::lock_guard lock(mutex);
    if (renewed != grants.size()) return {};
    for (auto& [number, grant] : grants) grant.ends_at = ends_at;
    return {};
}

Status LeaseGroup::Impl::Balance(mysql::Session& session) {
    const SteadyInstant now = clock.SteadyNow();
    KESSAI_ASSIGN_OR_RETURN(auto members,
                            session.Select(kLoad, MemberPrefix(), options.group + ".member0"));
    int member_count = 0;
    while (members.Next()) member_count += members.Bool(3) ? 1 : 0;
    member_count = std::max(member_count, 1);
    const auto share = static_cast<std::size_t>((options.size + member_count - 1) / member_count);

    KESSAI_ASSIGN_OR_RETURN(auto leases,
                            session.Select(kLoad, options.group + "/", options.group + "0"));
    std::vector<bool> taken(static_cast<std::size_t>(options.size), false);
    std::map<int, std::int64_t> own;
    while (leases.Next()) {
        const std::string name = leases.Text(0);
        int number = -1;
        const char* const begin = name.data() + options.group.size() + 1;
        const char* const end = name.data() + name.size();
        if (std::from_chars(begin, end, number).ptr != end || number < 0 ||
            number >= options.size) {
            continue;
        }
        if (leases.Text(1) == options.owner) own[number] = leases.Int(2);
        if (leases.Bool(3)) taken[static_cast<std::size_t>(number)] = true;
    }
    std::vector<int> too_many;
    std::size_t held = 0;
    {
        const std::lock_guard lock(mutex);
        std::erase_if(grants, [&](const auto& entry) { return !own.contains(entry.first); });
        for (const auto& [number, grant] : grants) {
            if (++held > share) too_many.push_back(number);
        }
    }
    Report();
    for (const int number : too_many) GiveBack(session, number);

    // Each member begins elsewhere, so that they do not all ask for the same one first.
    const auto offset = std::hash<std::string>()(options.owner) % taken.size();
    for (std::size_t i = 0; i < taken.size() && held < share; ++i) {
        const int number = static_cast<int>((offset + i) % taken.size());
        {
            const std::lock_guard lock(mutex);
            if (taken[static_cast<std::size_t>(number)] || grants.contains(number)) continue;
        }
        KESSAI_ASSIGN_OR_RETURN(auto grant, TryAcquire(session, NameOf(number), options.owner,
                                                       options.duration, clock));
        if (!grant.has_value()) continue;
        ++held;
        const std::lock_guard lock(mutex);
        grants[number] = std::move(*grant);
        // Enough for this step if it has taken long: what is held must be renewed.
        if (clock.SteadyNow() - now > options.renew_every) break;
    }
    return {};
}

void LeaseGroup::Impl::GiveBack(mysql::Session& session, int number) {
    Grant grant;
    {
        const std::lock_guard lock(mutex);
        grant = std::move(grants[number]);
        grants.erase(number);
    }
    Report();
    (void)Release(session, grant);
}

void LeaseGroup::Impl::Report() {
    std::map<int, bool> held;
    {
        const std::lock_guard lock(mutex);
        for (const auto& [number, grant] : grants) held[number] = HeldLocked(grant);
    }
    for (int number = 0; number < options.size; ++number) {
        if (held[number] == reported[number]) continue;
        reported[number] = held[number];
        if (on_change) on_change(number, held[number]);
    }
}

void LeaseGroup::Stop() {
    impl_->thread.Stop();
    std::map<int, Grant> grants;
    {
        const std::lock_guard lock(impl_->mutex);
        grants.swap(impl_->grants);
    }
    impl_->Report();
    if (grants.empty() && !impl_->swept) return;
    auto session = impl_->pool.Acquire(impl_->options.renew_every);
    if (!session.ok()) return;
    for (const auto& [number, grant] : grants) (void)Release(**session, grant);
    (void)(*session)->Execute(kLeave, impl_->MemberName(), impl_->options.owner);
    impl_->swept = false;
}

std::optional<Grant> LeaseGroup::Current(int number) const {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->grants.find(number);
    if (found == impl_->grants.end() || !impl_->HeldLocked(found->second)) return std::nullopt;
    Grant grant = found->second;
    grant.ends_at -= impl_->options.margin;
    return grant;
}

std::vector<int> LeaseGroup::HeldNumbers() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<int> numbers;
    for (const auto& [number, grant] : impl_->grants) {
        if (impl_->HeldLocked(grant)) numbers.push_back(number);
    }
    return numbers;
}

}  // namespace kessai::lease
