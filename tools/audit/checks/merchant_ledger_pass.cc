#include "checks/merchant_ledger_pass.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "rules/fees.h"
#include "rules/merchant_ledger.h"
#include "source/merchant_ledger_tables.h"
#include "source/paged.h"
#include "spill/aggregator.h"

namespace kessai::audit {
namespace {

using enum Invariant;

class MerchantLedgerPass {
 public:
    MerchantLedgerPass(mysql::Session& session, const SpillSpace& space,
                       TransferEventsCheck* events, Aggregator<MerchantMonth>* months,
                       Report& report)
        : session_(session), events_(events), months_(months), report_(report), moved_(space), steps_(space), sent_(space) {}

    Status Run() {
        KESSAI_RETURN_IF_ERROR(JoinJournals());
        KESSAI_RETURN_IF_ERROR(CheckNumbers());
        KESSAI_RETURN_IF_ERROR(FollowAvailable());
        KESSAI_RETURN_IF_ERROR(CompareResults());
        KESSAI_RETURN_IF_ERROR(CheckDays());
        KESSAI_RETURN_IF_ERROR(CheckPayouts());
        KESSAI_RETURN_IF_ERROR(CompareFiles());
        return CompareAccounts();
    }

 private:
    /// Transfers and adjustments have their numbers in common: three tables side by side.
    Status JoinJournals() {
        Paged<MerchantJournalTable> journals(session_);
        Paged<TransferTable> transfers(session_);
        Paged<AdjustmentTable> adjustments(session_);
        while (journals.Peek() != nullptr || transfers.Peek() != nullptr ||
               adjustments.Peek() != nullptr) {
            std::int64_t object = INT64_MAX;
            if (journals.Peek() != nullptr) object = journals.Peek()->object_id;
            if (transfers.Peek() != nullptr) {
                object = std::min(object, transfers.Peek()->transfer_id);
            }
            if (adjustments.Peek() != nullptr) {
                object = std::min(object, adjustments.Peek()->adjustment_id);
            }
            std::vector<MerchantJournalRow> implied;
            std::optional<TransferRow> transfer;
            if (transfers.Peek() != nullptr && transfers.Peek()->transfer_id == object) {
                transfer = *transfers.Peek();
                implied = ImpliedBy(*transfer);
                if (transfer->batch_id != 0) sent_.Add({transfer->batch_id, 1, transfer->amount});
                transfers.Pop();
            }
            if (adjustments.Peek() != nullptr && adjustments.Peek()->adjustment_id == object) {
                CheckAdjustment(*adjustments.Peek(), report_);
                for (const auto& journal : ImpliedBy(*adjustments.Peek())) {
                    implied.push_back(journal);
                }
                adjustments.Pop();
            }
            std::vector<MerchantJournalRow> found;
            while (journals.Peek() != nullptr && journals.Peek()->object_id == object) {
                found.push_back(*journals.Peek());
                moved_.Add(MovedBy(found.back()));
                steps_.Add(StepOf(found.back()));
                AddToMonth(found.back());
                AddResult(found.back(), booked_);
                journals.Pop();
            }
            CheckJournalsOf(object, implied, found, report_);
            if (events_ != nullptr && transfer) events_->Follow(*transfer, found);
        }
        if (events_ != nullptr) KESSAI_RETURN_IF_ERROR(events_->Finish());
        KESSAI_RETURN_IF_ERROR(journals.status());
        KESSAI_RETURN_IF_ERROR(transfers.status());
        KESSAI_RETURN_IF_ERROR(adjustments.status());
        report_.LookedAt(kM1, "merchant journals", journals.count());
        report_.LookedAt(kM1, "transfers", transfers.count());
        return OkStatus();
    }

    void AddToMonth(const MerchantJournalRow& journal) {
        if (months_ == nullptr) return;
        months_->Add({journal.merchant_id, CycleStart(journal.business_date),
                      MovedBy(journal).available});
    }

    /// Numbers have no gap, so a journal that went with its transfer is missed all the same.
    Status CheckNumbers() {
        KESSAI_ASSIGN_OR_RETURN(const JournalNumbers numbers, ReadJournalNumbers(session_));
        const auto subject = [] { return Subject{{"table", std::string("merchant_journal")}}; };
        report_.Expect(kM1, "number of the last merchant journal", subject, numbers.last,
                       numbers.highest);
        report_.Expect(kM1, "count of merchant journals", subject, numbers.last, numbers.count);
        return OkStatus();
    }

    /// Every merchant's money, in the order in which journals moved it.
    Status FollowAvailable() {
        KESSAI_ASSIGN_OR_RETURN(Sorted<MerchantStep> steps, steps_.Finish());
        AvailableFollower follower(report_);
        for (; steps.Peek() != nullptr; steps.Pop()) follower.Follow(*steps.Peek());
        return steps.status();
    }

    Status CompareResults() {
        KESSAI_ASSIGN_OR_RETURN(const ResultsByOutcome files, ReadResultFiles(session_));
        CheckResults(files, booked_, report_);
        return OkStatus();
    }

    Status CheckDays() {
        Paged<JournalDayTable> journals(session_);
        JournalDayRow before;
        for (; journals.Peek() != nullptr; journals.Pop()) {
            CheckJournalDay(before, *journals.Peek(), report_);
            before = *journals.Peek();
        }
        return journals.status();
    }

    Status CheckPayouts() {
        Paged<AttemptTable> attempts(session_);
        std::uint64_t payouts = 0;
        while (attempts.Peek() != nullptr) {
            const std::int64_t payout = attempts.Peek()->payout_id;
            std::vector<TransferRow> of_payout;
            for (; attempts.Peek() != nullptr && attempts.Peek()->payout_id == payout;
                 attempts.Pop()) {
                of_payout.push_back(*attempts.Peek());
            }
            CheckAttempts(of_payout, report_);
            ++payouts;
        }
        KESSAI_RETURN_IF_ERROR(attempts.status());
        report_.LookedAt(kM4, "payouts", payouts);
        return OkStatus();
    }

    Status CompareFiles() {
        KESSAI_ASSIGN_OR_RETURN(Aggregated<BatchSums> sent, sent_.Finish());
        Paged<TransferBatchTable> files(session_);
        while (files.Peek() != nullptr || sent.Peek() != nullptr) {
            std::int64_t file = INT64_MAX;
            if (files.Peek() != nullptr) file = files.Peek()->batch_id;
            if (sent.Peek() != nullptr) file = std::min(file, sent.Peek()->batch_id);
            TransferBatchRow stored;
            if (files.Peek() != nullptr && files.Peek()->batch_id == file) {
                stored = *files.Peek();
                files.Pop();
            }
            BatchSums sums;
            if (sent.Peek() != nullptr && sent.Peek()->batch_id == file) {
                sums = *sent.Peek();
                sent.Pop();
            }
            const auto subject = [&] { return Subject{{"file", file}}; };
            report_.Expect(kM2, "file's count of transfers", subject, sums.count,
                           stored.transfer_count);
            report_.Expect(kM2, "file's amount", subject, sums.amount, Wide{stored.amount});
        }
        KESSAI_RETURN_IF_ERROR(files.status());
        report_.LookedAt(kM2, "files of transfers", files.count());
        return sent.status();
    }

    Status CompareAccounts() {
        KESSAI_ASSIGN_OR_RETURN(Aggregated<MerchantMoved> moved, moved_.Finish());
        Paged<MerchantAccountTable> accounts(session_);
        Paged<OpenHoldTable> holds(session_);
        while (accounts.Peek() != nullptr || moved.Peek() != nullptr || holds.Peek() != nullptr) {
            std::int64_t merchant = INT64_MAX;
            if (holds.Peek() != nullptr) merchant = holds.Peek()->merchant_id;
            if (accounts.Peek() != nullptr) {
                merchant = std::min(merchant, accounts.Peek()->merchant_id);
            }
            if (moved.Peek() != nullptr) merchant = std::min(merchant, moved.Peek()->merchant_id);
            MerchantAccountRow stored;
            if (accounts.Peek() != nullptr && accounts.Peek()->merchant_id == merchant) {
                stored = *accounts.Peek();
                accounts.Pop();
            }
            MerchantMoved sums;
            if (moved.Peek() != nullptr && moved.Peek()->merchant_id == merchant) {
                sums = *moved.Peek();
                moved.Pop();
            }
            std::int64_t open_holds = 0;
            for (; holds.Peek() != nullptr && holds.Peek()->merchant_id == merchant; holds.Pop()) {
                ++open_holds;
            }
            const auto subject = [&] { return Subject{{"merchant", merchant}}; };
            CheckAccountInForce(stored, report_);
            report_.Expect(kM2, "merchant's open holds", subject, open_holds, stored.open_holds);
            report_.Expect(kM2, "merchant's moved balance", subject, sums.available,
                           Wide{stored.moved_available});
            report_.Expect(kM2, "merchant's balance in transit", subject, sums.in_transit,
                           Wide{stored.in_transit});
            if (stored.in_transit < 0) {
                report_.Found(kM3, "balance in transit", [&] {
                    return Finding{subject(), "not below zero", std::to_string(stored.in_transit)};
                });
            }
        }
        KESSAI_RETURN_IF_ERROR(accounts.status());
        KESSAI_RETURN_IF_ERROR(holds.status());
        report_.LookedAt(kM2, "merchant accounts", accounts.count());
        return moved.status();
    }

    mysql::Session& session_;
    TransferEventsCheck* const events_;
    Aggregator<MerchantMonth>* const months_;
    Report& report_;
    Aggregator<MerchantMoved> moved_;
    Sorter<MerchantStep> steps_;
    Aggregator<BatchSums> sent_;
    ResultsByOutcome booked_;
};

}  // namespace

Status PassOverMerchantLedger(mysql::Session& session, const SpillSpace& space,
                              TransferEventsCheck* events, Aggregator<MerchantMonth>* months,
                              Report& report) {
    return MerchantLedgerPass(session, space, events, months, report).Run();
}

}  // namespace kessai::audit
