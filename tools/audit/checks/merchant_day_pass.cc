#include "checks/merchant_day_pass.h"

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "rules/merchant_day.h"
#include "rules/running_balances.h"
#include "rules/seals.h"
#include "source/kept_balances.h"
#include "source/payout_tables.h"
#include "source/reconciliation_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

using Place = std::pair<DayNumber, std::int64_t>;

template <class Row>
Place PlaceOf(const Row& row) {
    return {row.business_date, row.merchant_id};
}

/// What the releases of one round sum to.
struct RoundSum {
    std::int64_t merchants = 0;
    Wide gross = 0;
    Wide fee = 0;
    Wide tax = 0;
    Wide net = 0;
    bool operator==(const RoundSum&) const = default;
};
std::string ToText(const RoundSum& sum) {
    using audit::ToText;
    return ToText(sum.merchants) + " merchants, gross " + ToText(sum.gross) + ", fee " +
           ToText(sum.fee) + ", tax " + ToText(sum.tax) + ", net " + ToText(sum.net);
}

class MerchantDayPass {
 public:
    MerchantDayPass(const MerchantDaySources& sources, const SpillSpace& space, Report& report)
        : sources_(sources),
          report_(report),
          totals_(sources.payout),
          parts_(sources.payout),
          holds_(sources.payout),
          releases_(sources.payout),
          chunks_(sources.payout),
          cycles_(space) {
        if (sources.reconciliation != nullptr) matched_kept_.emplace(*sources.reconciliation);
        for (const VolumeRow& row : sources.payout_books.plans.volumes()) {
            volumes_[{row.merchant_id, row.month_start}];
        }
    }

    Status Run() {
        MerchantDay day;
        while (Gather(day)) {
            if (day.business_date != day_) TurnTo(day.business_date);
            CheckMerchantDay(day, progress_, report_);
            if (IsClosedForMerchant(day, progress_)) ++closed_merchant_days_;
            FollowSeal(day);
            AddReleases(day);
            AddToVolume(day);
        }
        KESSAI_RETURN_IF_ERROR(StatusOfSources());
        if (seal_.has_value()) seal_->End();
        SealEmptyDaysBefore(std::numeric_limits<DayNumber>::max());
        CheckRounds();
        KESSAI_RETURN_IF_ERROR(CheckBalances());
        CheckVolumes();
        Count();
        return OkStatus();
    }

 private:
    // --- gathering ---

    bool Gather(MerchantDay& day) {
        std::optional<Place> place;
        const auto see = [&](const auto* row) {
            if (row != nullptr && (!place.has_value() || PlaceOf(*row) < *place)) {
                place = PlaceOf(*row);
            }
        };
        see(sources_.payout_books.sums.Peek());
        see(sources_.payout_books.parts.Peek());
        see(totals_.Peek());
        see(parts_.Peek());
        see(holds_.Peek());
        see(releases_.Peek());
        if (sources_.payable != nullptr) see(sources_.payable->Peek());
        if (sources_.matched != nullptr) see(sources_.matched->Peek());
        if (matched_kept_.has_value()) see(matched_kept_->Peek());
        if (!place.has_value() || !StatusOfSources().ok()) return false;

        day = MerchantDay();
        day.business_date = place->first;
        day.merchant_id = place->second;
        TakeAll(*place, sources_.payout_books.sums,
                [&](const AccrualSum& row) { day.accrued.push_back(row); });
        TakeAll(*place, sources_.payout_books.parts,
                [&](const PartSum& row) { day.accrued_parts.push_back(row); });
        TakeAll(*place, totals_, [&](const TotalRow& row) { day.totals.push_back(row); });
        TakeAll(*place, parts_, [&](const PartRow& row) { day.parts.push_back(row); });
        TakeAll(*place, holds_, [&](const HoldRow& row) { day.hold = row; });
        TakeAll(*place, releases_, [&](const ReleaseRow& row) { day.releases.push_back(row); });
        const auto add_to = [](MerchantDay::ByCurrency& sums) {
            return [&](const MerchantDaySum& row) { sums[row.currency] += row.amount; };
        };
        if (sources_.payable != nullptr) TakeAll(*place, *sources_.payable, add_to(day.payable));
        if (sources_.matched != nullptr) TakeAll(*place, *sources_.matched, add_to(day.matched));
        if (matched_kept_.has_value()) {
            TakeAll(*place, *matched_kept_, [&](const MatchedTotalRow& row) {
                day.matched_kept[row.currency] += row.gross;
            });
        }
        return true;
    }
    template <class Source, class Put>
    static void TakeAll(const Place& place, Source& source, const Put& put) {
        for (; source.Peek() != nullptr && PlaceOf(*source.Peek()) == place; source.Pop()) {
            put(*source.Peek());
        }
    }
    Status StatusOfSources() const {
        KESSAI_RETURN_IF_ERROR(sources_.payout_books.sums.status());
        KESSAI_RETURN_IF_ERROR(sources_.payout_books.parts.status());
        KESSAI_RETURN_IF_ERROR(totals_.status());
        KESSAI_RETURN_IF_ERROR(parts_.status());
        KESSAI_RETURN_IF_ERROR(holds_.status());
        KESSAI_RETURN_IF_ERROR(releases_.status());
        KESSAI_RETURN_IF_ERROR(chunks_.status());
        if (sources_.payable != nullptr) KESSAI_RETURN_IF_ERROR(sources_.payable->status());
        if (sources_.matched != nullptr) KESSAI_RETURN_IF_ERROR(sources_.matched->status());
        return matched_kept_.has_value() ? matched_kept_->status() : OkStatus();
    }

    // --- days and their seals ---

    void TurnTo(DayNumber day) {
        if (seal_.has_value()) seal_->End();
        seal_.reset();
        SealEmptyDaysBefore(day);
        day_ = day;
        progress_ = DayProgress();
        progress_.has_payment = sources_.payment_days != nullptr && sources_.payable != nullptr;
        progress_.has_reconciliation = matched_kept_.has_value() && sources_.matched != nullptr;
        progress_.reconciliation_is_up = sources_.reconciliation_is_up;
        if (progress_.has_payment) {
            const auto ended = sources_.payment_days->ended.find(day);
            progress_.closed_in_payment =
                ended != sources_.payment_days->ended.end() && ended->second.state == kDayClosed;
        }
        const auto found = sources_.payout_books.days.find(day);
        if (found == sources_.payout_books.days.end()) return;
        progress_.payout_state = found->second.state;
        if (progress_.payout_state < kPayoutClosed) return;
        seal_.emplace(found->second, ChunksOf(day), report_);
        ++sealed_days_;
    }
    /// Of a day that comes after those that were asked for before.
    std::vector<ChunkRow> ChunksOf(DayNumber day) {
        std::vector<ChunkRow> chunks;
        while (chunks_.Peek() != nullptr && chunks_.Peek()->business_date <= day) {
            if (chunks_.Peek()->business_date == day) chunks.push_back(*chunks_.Peek());
            chunks_.Pop();
        }
        return chunks;
    }
    void FollowSeal(const MerchantDay& day) {
        if (!seal_.has_value()) return;
        if (day.hold.has_value() && day.hold->open_at_close) return;
        for (const TotalRow& total : day.totals) seal_->Follow(total);
        sealed_totals_ += day.totals.size();
    }
    /// Closed days on which no merchant has anything are sealed too: those before `day`, behind the
    /// last one that was sealed.
    void SealEmptyDaysBefore(DayNumber day) {
        auto next = sources_.payout_books.days.upper_bound(day_);
        for (; next != sources_.payout_books.days.end() && next->first < day; ++next) {
            if (next->second.state < kPayoutClosed) continue;
            SealFollower(next->second, ChunksOf(next->first), report_).End();
            ++sealed_days_;
        }
    }

    // --- releases ---

    void AddReleases(const MerchantDay& day) {
        std::set<std::int32_t> rounds;
        for (const ReleaseRow& release : day.releases) {
            RoundSum& sum = rounds_[{release.business_date, release.round}];
            sum.gross += release.gross;
            sum.fee += release.fee;
            sum.tax += release.tax;
            sum.net += release.net;
            if (rounds.insert(release.round).second) ++sum.merchants;
            cycles_.Add({CycleStart(release.business_date), release.tax_class, release.merchant_id,
                         release.fee, release.tax, release.net});
            if (sources_.months == nullptr) continue;
            sources_.months->Add(
                {release.merchant_id, CycleStart(release.business_date), Wide{release.net}});
        }
        release_lines_ += day.releases.size();
    }

    void CheckRounds() {
        for (const RoundRow& round : sources_.payout_books.rounds) {
            const auto found = rounds_.find({round.business_date, round.round});
            const RoundSum expected = found == rounds_.end() ? RoundSum{} : found->second;
            if (found != rounds_.end()) rounds_.erase(found);
            if (!round.finished) continue;
            report_.Expect(
                kM8, "round of release", [&] { return OfRound(round.business_date, round.round); },
                expected,
                RoundSum{round.merchant_count, round.gross, round.fee, round.tax, round.net});
        }
        for (const auto& [place, sum] : rounds_) {
            report_.Found(kM8, "releases of no round", [&, of = place, found = sum] {
                return Finding{OfRound(of.first, of.second), "a round", ToText(found)};
            });
        }
    }
    static Subject OfRound(DayNumber day, int round) {
        return {{"day", DayText(day)}, {"round", std::int64_t{round}}};
    }

    // --- what releases sum to ---

    Status CheckBalances() {
        KESSAI_ASSIGN_OR_RETURN(auto cycles, cycles_.Finish());
        KESSAI_ASSIGN_OR_RETURN(auto kept, KeptBalances::Open(sources_.payout));
        std::uint64_t cycles_count = 0;
        while (cycles.Peek() != nullptr || kept.Peek() != nullptr) {
            std::optional<RunningBalance> sum;
            if (const CycleSum* first = cycles.Peek(); first != nullptr) {
                const RunningBalance* stored = kept.Peek();
                const auto place = std::tuple(first->merchant_id, first->tax_class);
                if (stored == nullptr || place <= stored->place()) {
                    sum = RunningBalance{first->merchant_id, first->tax_class, 0, 0, 0};
                }
            }
            while (sum.has_value() && cycles.Peek() != nullptr &&
                   std::tuple(cycles.Peek()->merchant_id, cycles.Peek()->tax_class) ==
                       sum->place()) {
                CheckCycle(*cycles.Peek());
                Join(*cycles.Peek(), *sum);
                cycles.Pop();
                ++cycles_count;
            }
            std::optional<RunningBalance> stored;
            if (kept.Peek() != nullptr && (!sum || kept.Peek()->place() == sum->place())) {
                stored = *kept.Peek();
                kept.Pop();
            }
            // Where none is kept it follows from the rows.
            if (sum && !stored && !kept.Cover(sum->merchant_id)) continue;
            CheckBalance(sum, stored);
        }
        KESSAI_RETURN_IF_ERROR(cycles.status());
        KESSAI_RETURN_IF_ERROR(kept.status());
        for (const KeptBalances::Fault& fault : kept.faults()) {
            report_.Found(kM2, "pieces of running balances", [&] {
                return Finding{{{"merchant", fault.merchant}}, "every merchant's", fault.what};
            });
        }
        report_.LookedAt(kM7, "merchants' invoice cycles", cycles_count);
        report_.LookedAt(kM2, "merchants' running balances", kept.count());
        return OkStatus();
    }

    void CheckCycle(const CycleSum& cycle) {
        const auto tax = InvoiceTax(cycle.tax_class, cycle.fee);
        report_.Expect(
            kM7, "tax of invoice cycle",
            [&] {
                return Subject{{"merchant", cycle.merchant_id},
                               {"cycle", DayText(cycle.cycle_start)},
                               {"tax class", std::int64_t{cycle.tax_class}}};
            },
            tax.value_or(0), cycle.tax);
    }

    void CheckBalance(const std::optional<RunningBalance>& sum,
                      const std::optional<RunningBalance>& stored) {
        const RunningBalance& any = sum ? *sum : *stored;
        const RunningBalance none{any.merchant_id, any.tax_class, kNoDay, 0, 0};
        report_.Expect(
            kM2, "running balance",
            [&] {
                return Subject{{"merchant", any.merchant_id},
                               {"tax class", std::int64_t{any.tax_class}}};
            },
            sum.value_or(none), stored.value_or(none));
    }

    // --- what tiers follow ---

    /// As many entries as there are volumes.
    struct Volume {
        Wide gross = 0;
        /// Something may have come to a day after the volume was fixed.
        bool was_open = false;
    };

    void AddToVolume(const MerchantDay& day) {
        const auto found = volumes_.find({day.merchant_id, CycleStart(day.business_date)});
        if (found == volumes_.end()) return;
        for (const AccrualSum& sum : day.accrued) found->second.gross += sum.sums.gross;
        if (day.hold.has_value() && day.hold->open_at_close) found->second.was_open = true;
    }

    void CheckVolumes() {
        for (const VolumeRow& row : sources_.payout_books.plans.volumes()) {
            const Volume& volume = volumes_.at({row.merchant_id, row.month_start});
            const auto subject = [&] {
                return Subject{{"merchant", row.merchant_id}, {"month", DayText(row.month_start)}};
            };
            if (!volume.was_open) {
                report_.Expect(kM7, "volume of month", subject, volume.gross, Wide{row.volume});
            }
            if (CycleStart(row.effective_from) <= row.month_start) {
                report_.Found(kM7, "volume in force too early", [&] {
                    return Finding{subject(), "a day after the month", DayText(row.effective_from)};
                });
            }
        }
        // There are some only where a plan has tiers.
        if (!volumes_.empty()) report_.LookedAt(kM7, "volumes of months", volumes_.size());
    }

    void Count() {
        if (matched_kept_.has_value() && !sources_.reconciliation_is_up) {
            report_.CouldNotCheck(kM8, "reconciliation has not read all of the closed days");
        }
        report_.LookedAt(kM7, "merchants' day totals", totals_.count());
        // There are some only where something was given back.
        if (parts_.count() > 0) report_.LookedAt(kM7, "parts of merchants' days", parts_.count());
        report_.LookedAt(kM8, "closed merchant days", closed_merchant_days_);
        report_.LookedAt(kM8, "lines of releases", release_lines_);
        report_.LookedAt(kM9, "sealed days", sealed_days_);
        report_.LookedAt(kM9, "sealed totals", sealed_totals_);
    }

    const MerchantDaySources& sources_;
    Report& report_;
    Paged<TotalTable> totals_;
    Paged<PartTable> parts_;
    Paged<HoldTable> holds_;
    Paged<ReleaseTable> releases_;
    Paged<ChunkTable> chunks_;
    std::optional<Paged<MatchedTotalTable>> matched_kept_;

    // Of the day at hand.
    DayNumber day_ = -1;
    DayProgress progress_;
    std::optional<SealFollower> seal_;

    /// As many entries as there are rounds.
    std::map<std::pair<DayNumber, int>, RoundSum> rounds_;
    Aggregator<CycleSum> cycles_;
    /// By merchant and the month's first day.
    std::map<std::pair<std::int64_t, DayNumber>, Volume> volumes_;
    std::uint64_t sealed_days_ = 0;
    std::uint64_t closed_merchant_days_ = 0;
    std::uint64_t release_lines_ = 0;
    std::uint64_t sealed_totals_ = 0;
};

}  // namespace

Status PassOverMerchantDays(const MerchantDaySources& sources, const SpillSpace& space,
                            Report& report) {
    return MerchantDayPass(sources, space, report).Run();
}

}  // namespace kessai::audit
