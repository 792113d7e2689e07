#include "bench/release/damage_proof.h"

#include <set>
#include <utility>

#include "bench/release/contender.h"
#include "domain/release.h"
#include "kessai/mysql/query.h"
#include "kessai/time/clock.h"

namespace kessai::bench {
namespace {

using payout::domain::HoldReason;

constexpr mysql::Query kHeld{"bench.held", R"sql(
    SELECT merchant_id, reason, total_gross, total_fee, total_count, recount_gross, recount_fee,
           recount_count
    FROM merchant_hold WHERE business_date = ? AND released_round IS NULL)sql"};
constexpr mysql::Query kReleased{"bench.released", R"sql(
    SELECT COUNT(DISTINCT merchant_id), COALESCE(SUM(gross), 0), COALESCE(SUM(fee), 0),
           COALESCE(SUM(item_count), 0)
    FROM merchant_release WHERE business_date = ?)sql"};
constexpr mysql::Query kSealed{"bench.sealed", R"sql(
    SELECT COUNT(DISTINCT merchant_id), COALESCE(SUM(gross), 0), COALESCE(SUM(fee), 0),
           COALESCE(SUM(item_count), 0)
    FROM merchant_day_total WHERE business_date = ?)sql"};
constexpr mysql::Query kBoth{"bench.held_and_released", R"sql(
    SELECT COUNT(*) FROM merchant_hold h JOIN merchant_release r
        ON r.business_date = h.business_date AND r.merchant_id = h.merchant_id
    WHERE h.business_date = ? AND h.released_round IS NULL)sql"};
constexpr mysql::Query kSealedOfHeld{"bench.sealed_of_held", R"sql(
    SELECT COUNT(DISTINCT t.merchant_id), COALESCE(SUM(t.gross), 0), COALESCE(SUM(t.fee), 0),
           COALESCE(SUM(t.item_count), 0)
    FROM merchant_hold h JOIN merchant_day_total t
        ON t.business_date = h.business_date AND t.merchant_id = h.merchant_id
    WHERE h.business_date = ? AND h.released_round IS NULL)sql"};

/// Merchants, gross, fee and accruals.
struct Sums {
    std::int64_t merchants = 0;
    std::int64_t gross = 0;
    std::int64_t fee = 0;
    std::int64_t items = 0;

    bool operator==(const Sums&) const = default;
    Sums operator-(const Sums& other) const {
        return {merchants - other.merchants, gross - other.gross, fee - other.fee,
                items - other.items};
    }
};

std::string AmountsOf(const Sums& sums) {
    return "gross " + std::to_string(sums.gross) + ", fees " + std::to_string(sums.fee) + ", " +
           std::to_string(sums.items) + " accruals";
}

std::string ToText(const Sums& sums) {
    return std::to_string(sums.merchants) + " merchants, " + AmountsOf(sums);
}

class Proof {
 public:
    Proof(mysql::Session& session, MeasuredPayout& payout, BusinessDate day)
        : session_(session), payout_(payout), day_(day) {}

    Result<DamageProof> Run(int count, std::uint64_t seed,
                            const std::function<void(const std::string&)>& tell) {
        KESSAI_ASSIGN_OR_RETURN(const PlantedDamage damage, Plant(count, seed));
        tell("releasing the damaged day");
        KESSAI_RETURN_IF_ERROR(Timed(false, proof_.release_seconds));
        KESSAI_RETURN_IF_ERROR(CheckHeld(damage));
        KESSAI_RETURN_IF_ERROR(CheckReleased());
        tell("running it deep");
        KESSAI_RETURN_IF_ERROR(Timed(true, proof_.deep_seconds));
        CheckFound(damage);
        KESSAI_RETURN_IF_ERROR(CheckReleased());
        tell("putting the rows back, and releasing the rest");
        KESSAI_RETURN_IF_ERROR(damage.Repair(session_));
        KESSAI_RETURN_IF_ERROR(ReleaseTheRest());
        return std::move(proof_);
    }

 private:
    void Wrong(bool is_wrong, const std::string& what) {
        if (is_wrong) proof_.wrong.push_back(what);
    }

    Result<PlantedDamage> Plant(int count, std::uint64_t seed) {
        auto damage = PlantedDamage::Plant(session_, day_, count, seed);
        if (!damage.ok()) return damage;
        for (int kind = 0; kind < kDamageKinds; ++kind) {
            const auto of = static_cast<DamageKind>(kind);
            proof_.kinds.push_back({of, damage->CountOf(of)});
        }
        proof_.visible = static_cast<std::int64_t>(damage->visible().size());
        proof_.hidden = static_cast<std::int64_t>(damage->hidden().size());
        return damage;
    }

    Status Timed(bool deep, double& seconds) {
        const SteadyInstant start = SystemClock().SteadyNow();
        KESSAI_RETURN_IF_ERROR(payout_.release_day().Run(day_, deep));
        seconds = std::chrono::duration<double>(SystemClock().SteadyNow() - start).count();
        return OkStatus();
    }

    Status CheckHeld(const PlantedDamage& damage) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kHeld, day_));
        std::set<std::int64_t> held;
        while (rows.Next()) {
            const std::int64_t merchant = rows.Int(0);
            const auto reason = static_cast<HoldReason>(rows.Int(1));
            held.insert(merchant);
            Wrong(reason != HoldReason::kRecountDiffers,
                  "merchant " + std::to_string(merchant) + " is held back as " +
                      std::string(payout::domain::HoldReasonName(reason)));
            const Sums sealed{1, rows.Int(2), rows.Int(3), rows.Int(4)};
            const Sums recounted{1, rows.Int(5), rows.Int(6), rows.Int(7)};
            // Another tax class does not show in sums over all.
            if (sealed == recounted) continue;
            proof_.held_example = "merchant " + std::to_string(merchant) + ", " +
                                  std::string(payout::domain::HoldReasonName(reason)) +
                                  ": sealed " + AmountsOf(sealed) + "; recounted " +
                                  AmountsOf(recounted);
        }
        proof_.held_back = static_cast<std::int64_t>(held.size());
        Compare("held back", damage.visible(), held);
        return OkStatus();
    }

    /// All that was sealed is released, but what is of those held back, who have nothing.
    Status CheckReleased() {
        KESSAI_ASSIGN_OR_RETURN(const Sums sealed, Read(kSealed));
        KESSAI_ASSIGN_OR_RETURN(const Sums of_held, Read(kSealedOfHeld));
        KESSAI_ASSIGN_OR_RETURN(const Sums released, Read(kReleased));
        Wrong(released != sealed - of_held,
              "released are " + ToText(released) + ", not " + ToText(sealed - of_held));
        KESSAI_ASSIGN_OR_RETURN(auto both, session_.Select(kBoth, day_));
        Wrong(!both.Next() || both.Int(0) != 0, "merchants that are held back were released");
        proof_.released = released.merchants;
        return OkStatus();
    }

    void CheckFound(const PlantedDamage& damage) {
        std::set<std::int64_t> found;
        for (const auto& [merchant, fault] : payout_.released_faults()) {
            found.insert(merchant.value());
            proof_.found_example = "merchant " + merchant.ToString() + ", " + fault;
        }
        proof_.found_deep = static_cast<std::int64_t>(found.size());
        Compare("named by the deep run", damage.hidden(), found);
    }

    Status ReleaseTheRest() {
        double seconds = 0;
        KESSAI_RETURN_IF_ERROR(Timed(false, seconds));
        KESSAI_ASSIGN_OR_RETURN(const Sums sealed, Read(kSealed));
        KESSAI_ASSIGN_OR_RETURN(const Sums released, Read(kReleased));
        Wrong(released != sealed, "when the rows were put back, released are " + ToText(released) +
                                      ", not " + ToText(sealed));
        proof_.released_later = released.merchants - proof_.released;
        return OkStatus();
    }

    void Compare(const std::string& what, const std::set<std::int64_t>& expected,
                 const std::set<std::int64_t>& found) {
        for (const std::int64_t merchant : expected) {
            Wrong(!found.contains(merchant),
                  "merchant " + std::to_string(merchant) + " is not " + what);
        }
        for (const std::int64_t merchant : found) {
            Wrong(!expected.contains(merchant), "merchant " + std::to_string(merchant) + " is " +
                                                    what + ", and nothing is wrong");
        }
    }

    Result<Sums> Read(const mysql::Query& query) {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(query, day_));
        rows.Next();
        return Sums{rows.Int(0), rows.Int(1), rows.Int(2), rows.Int(3)};
    }

    mysql::Session& session_;
    MeasuredPayout& payout_;
    const BusinessDate day_;
    DamageProof proof_;
};

}  // namespace

Result<DamageProof> ProveDamageIsFound(mysql::Session& session, MeasuredPayout& payout,
                                       BusinessDate day, int count, std::uint64_t seed,
                                       const std::function<void(const std::string&)>& tell) {
    return Proof(session, payout, day).Run(count, seed, tell);
}

}  // namespace kessai::bench
