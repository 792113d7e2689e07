#pragma once

#include <vector>

#include "model/merchant_ledger_rows.h"
#include "report.h"

// What must be of merchants' money after its release: services/payout/README.md, "Paying", and the
// head of its domain/ledger.h.
namespace kessai::audit {

/// The journals that a transfer implies by its state, by kind; of an adjustment likewise. Their
/// numbers and days are not told.
std::vector<MerchantJournalRow> ImpliedBy(const TransferRow& transfer);
std::vector<MerchantJournalRow> ImpliedBy(const AdjustmentRow& adjustment);

/// What a journal moves.
MerchantMoved MovedBy(const MerchantJournalRow& journal);

MerchantStep StepOf(const MerchantJournalRow& journal);
/// M3: follows a merchant's steps, in their order. A transfer takes only what there is: right after
/// it was made, what was released by then and what journals moved are together not below zero.
class AvailableFollower {
 public:
    explicit AvailableFollower(Report& report) : report_(report) {}
    void Follow(const MerchantStep& step);

 private:
    Report& report_;
    std::int64_t merchant_id_ = 0;
    /// By its journals so far.
    Wide moved_ = 0;
};

/// Adds a journal of a result to those of its outcome.
void AddResult(const MerchantJournalRow& journal, ResultsByOutcome& results);
/// M1: what journals say that banks said is what banks' files said.
void CheckResults(const ResultsByOutcome& files, const ResultsByOutcome& journals, Report& report);

/// M1: the object's journals (by kind) are exactly the implied ones.
void CheckJournalsOf(std::int64_t object, const std::vector<MerchantJournalRow>& implied,
                     const std::vector<MerchantJournalRow>& found, Report& report);
/// M4: a payout's attempts (by number) are 1, 2, …, each of its amount and merchant; at most one is
/// on its way or paid, and it is the last. What has a result was sent in a file, and each goes to
/// an account of two operators.
void CheckAttempts(const std::vector<TransferRow>& attempts, Report& report);
/// M4: who decided an adjustment is another than who requested it, when it was approved.
void CheckAdjustment(const AdjustmentRow& adjustment, Report& report);
/// M4: the bank account in force, if there is one, was confirmed by another than who put it.
void CheckAccountInForce(const MerchantAccountRow& merchant, Report& report);
/// M9: a journal is of no day before that of an earlier one.
void CheckJournalDay(const JournalDayRow& before, const JournalDayRow& journal, Report& report);

}  // namespace kessai::audit
