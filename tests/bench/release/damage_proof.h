#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/release/measured_payout.h"
#include "bench/release/planted_damage.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::bench {

/// What became of wrong accruals in a closed day.
struct DamageProof {
    struct Kind {
        DamageKind kind = DamageKind::kGrossMore;
        std::int64_t planted = 0;
    };
    std::vector<Kind> kinds;
    /// Merchants whose sums differ, and those among the held back.
    std::int64_t visible = 0;
    std::int64_t held_back = 0;
    /// Merchants whose sums hide it, and those that the deep run named.
    std::int64_t hidden = 0;
    std::int64_t found_deep = 0;
    /// As it was named, one of each sort.
    std::string held_example;
    std::string found_example;
    std::int64_t released = 0;
    /// By the further round, when the rows were put back.
    std::int64_t released_later = 0;
    double release_seconds = 0;
    double deep_seconds = 0;
    /// What was not as it must be, in words.
    std::vector<std::string> wrong;
};

/// Damages a closed day in `count` places, releases it, and checks that exactly the merchants whose
/// sums differ are held back, each with its reason, and all others released; that a deep run then
/// names exactly those whose sums hide the damage; and that the held back are released when the
/// rows are put back. At its end the day is released whole.
Result<DamageProof> ProveDamageIsFound(mysql::Session& session, MeasuredPayout& payout,
                                       BusinessDate day, int count, std::uint64_t seed,
                                       const std::function<void(const std::string&)>& tell);

}  // namespace kessai::bench
