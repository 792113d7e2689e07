#include "checks/merchant_day_pass.h"

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "rules/merchant_day.h"
#include "rules/seals.h"
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
        KESSAI_RETURN_IF_ERROR(CheckCycles());
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
        see(totals_.Peek());
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
        TakeAll(*place, totals_, [&](const TotalRow& row) { day.totals.push_back(row); });
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
        KESSAI_RETURN_IF_ERROR(totals_.status());
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
                         release.currency, release.gross, release.fee, release.tax, release.net});
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

    Status CheckCycles() {
        KESSAI_ASSIGN_OR_RETURN(auto expected, cycles_.Finish());
        Paged<CycleTable> rows(sources_.payout);
        while (expected.Peek() != nullptr || rows.Peek() != nullptr) {
            std::optional<CycleSum> stored;
            if (const CycleRow* row = rows.Peek()) {
                stored = CycleSum{row->cycle_start, row->tax_class, row->merchant_id, row->currency,
                                  row->gross,       row->fee,       row->tax,         row->net};
            }
            const CycleSum* sum = expected.Peek();
            const bool has_stored =
                stored.has_value() && (sum == nullptr || stored->place() <= sum->place());
            const bool has_sum = sum != nullptr && (!has_stored || sum->place() == stored->place());
            CheckCycle(has_sum ? sum : nullptr, has_stored ? &*stored : nullptr);
            if (has_sum) expected.Pop();
            if (has_stored) rows.Pop();
        }
        KESSAI_RETURN_IF_ERROR(expected.status());
        KESSAI_RETURN_IF_ERROR(rows.status());
        report_.LookedAt(kM2, "merchants' invoice cycles", rows.count());
        return OkStatus();
    }

    void CheckCycle(const CycleSum* expected, const CycleSum* stored) {
        const CycleSum& any = expected != nullptr ? *expected : *stored;
        const auto subject = [&] {
            return Subject{{"merchant", any.merchant_id},
                           {"cycle", DayText(any.cycle_start)},
                           {"tax class", std::int64_t{any.tax_class}}};
        };
        const CycleSum none;
        const CycleSum& sum = expected != nullptr ? *expected : none;
        const CycleSum& row = stored != nullptr ? *stored : none;
        report_.Expect(kM2, "cycle's gross", subject, sum.gross, row.gross);
        report_.Expect(kM2, "cycle's fee", subject, sum.fee, row.fee);
        report_.Expect(kM2, "cycle's tax", subject, sum.tax, row.tax);
        report_.Expect(kM2, "cycle's net", subject, sum.net, row.net);
        const auto tax = InvoiceTax(any.tax_class, sum.fee);
        report_.Expect(kM7, "tax of invoice cycle", subject, tax.value_or(0), sum.tax);
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
        report_.LookedAt(kM8, "closed merchant days", closed_merchant_days_);
        report_.LookedAt(kM8, "lines of releases", release_lines_);
        report_.LookedAt(kM9, "sealed days", sealed_days_);
        report_.LookedAt(kM9, "sealed totals", sealed_totals_);
    }

    const MerchantDaySources& sources_;
    Report& report_;
    Paged<TotalTable> totals_;
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
