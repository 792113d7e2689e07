#include "domain/kind_guide.h"

namespace kessai::reconciliation::domain {

KindGuide GuideOf(DiscrepancyKind kind) {
    using enum DiscrepancyKind;
    switch (kind) {
        case kMissingInPayout:
            return {
                "Payment has this change, payout has no accrual of it: the merchant is not owed "
                "its amount.",
                "Look for a dead letter or parked event of the payment in payout (kessai dlq). If "
                "there is none: the repair PUBLISH_AGAIN if payment's event never came here, "
                "ACCRUE_AGAIN if it did, CORRECTING_JOURNAL if that is refused as DAY_CLOSED."};
        case kMissingInPayment:
            return {"Payout owes a merchant for a change that payment's book does not have.",
                    "Hold the merchant (kessai payout hold) and run kessai audit: if payment's "
                    "event came, "
                    "its row was removed and is to be restored. If it never happened, the repair "
                    "CORRECTING_JOURNAL takes the amount back."};
        case kAmountDiffers:
            return {
                "Payment and payout have the change with different amounts.",
                "The evidence says what the events told. If payout's row was changed since, the "
                "repair "
                "ACCRUE_AGAIN puts it back; if payment's was, restore it. If it was accrued so, "
                "CORRECTING_JOURNAL gives or takes the difference."};
        case kMerchantDiffers:
            return {"Payment and payout have the change for different merchants.",
                    "If payout's row was changed since its event, the repair ACCRUE_AGAIN puts it "
                    "back. "
                    "Else hold both merchants; CORRECTING_JOURNAL moves the amount."};
        case kDateDiffers:
            return {
                "Payment and payout have the change on different business days.",
                "No money is missing, but both days differ; the day that payment's event names is "
                "the right one. If payout's row was changed behind its back the repair "
                "ACCRUE_AGAIN puts it back; if payment's was: ./kessai audit. Else explain it."};
        case kContentDiffers:
            return {"Payout answered another content of the event than payment published.",
                    "Publish payment's event again and compare. Where the books agree, as they do "
                    "now, explain and accept it."};
        case kDigestDiffers:
            return {
                "A book's kept digest of a bucket does not fit its rows: rows were changed, or "
                "the digest was, outside of the service.",
                "Run kessai audit, and settle first what else differs in the bucket. Then the "
                "repair RECOMPUTE_TOTAL computes the digest from its rows."};
        case kPaymentEventMissing:
            return {"Both books have the change, but payment's event of it never came here.",
                    "The repair PUBLISH_AGAIN has payment publish it again. Readers of the topic "
                    "beside this one may lack it too. Preview it first: where payment's other "
                    "records do not show that the change happened, somebody put the row in."};
        case kPayoutEventMissing:
            return {
                "Both books have the change, but payout's event of it never came here.",
                "Look for dead letters (kessai dlq). If there are none, the repair PUBLISH_AGAIN "
                "has payout tell of its accrual again."};
        case kMissingInBoth:
            return {
                "Events told of the change, but neither book has it: a database was restored to "
                "an earlier moment, or rows were deleted.",
                "Stop releases of the day. Restore the rows, or decide with payment's "
                "operators what becomes of the payment."};
        case kChangedInBoth:
            return {
                "Both books agree with each other, but not with what their events said: both "
                "were changed behind the services.",
                "Treat it as tampering: keep the databases' logs, hold the merchant, and find "
                "out who wrote."};
        case kMerchantHeldBack:
            return {
                "Payout holds the merchant's day back: its totals and accruals differ, or an "
                "event waits.",
                "See docs/operations.md, merchants held back: the evidence has payout's reason. "
                "It settles by itself with the release."};
        case kFeeDiffers:
            return {
                "A fee is not what it should be: by its plan, by the fees of its payment, or by "
                "what payout told.",
                "The evidence says by which. Nothing is corrected in place: give or take the "
                "difference by an adjustment that names the change."};
        case kTaxDiffers:
            return {"A fee is under another consumption-tax rate than that of its payment's day.",
                    "The merchant's invoice of the month is affected. Correct it with the tax "
                    "adviser; give or take the difference by an adjustment."};
        case kDuplicate:
            return {
                "The same version of a payment was told again with another content or event id. "
                "The first counts; the second was not applied and is a dead letter.",
                "Find out who published it (kessai dlq show). Later events of the payment wait "
                "behind it until the dead letter is settled."};
        case kStateInvalid:
            return {
                "A change cannot follow those of its payment: a refund above what was captured, "
                "something after a cancel, a second payment.",
                "Look at the payment's changes in payment. Money may have gone back twice: hold "
                "the merchant until it is clear."};
        case kOutOfOrder:
            return {"A change came whose predecessor never did: an event was lost or skipped.",
                    "Publish the payment's earlier event again (kessai republish). The next run of "
                    "the day settles it once it came."};
        case kAccruedDiffers:
            return {
                "Payout's totals of the merchant's day are not what both sides' events sum to.",
                "If single changes of the merchant differ too, work on those: this one goes with "
                "them. If none does, the repair RECOMPUTE_TOTAL counts our totals again from the "
                "matches; where it refuses, payout's totals were changed: run the day deep."};
        case kReleasedDiffers:
            return {
                "What payout made available to the merchant is not what the day's totals say, or "
                "its net or tax does not follow from them.",
                "Hold the merchant (kessai payout hold) before the next transfer; give or take "
                "the difference by an adjustment. Once the rows agree again the day's next run "
                "settles it, deep or not. A tax that is wrong alone is found by deep runs only."};
        case kReleaseToldDiffers:
            return {
                "What payout told of the day's release is not what its rows sum to. Payment "
                "cleared what was told.",
                "Compare kessai books of the day in payment and payout; the clearing needs a "
                "correction of the difference."};
        case kBalanceDiffers:
            return {
                "The merchant's available balance or money in transit is not what its releases, "
                "transfers, prices and adjustments sum to.",
                "Hold the merchant at once: it may be paid too much. Run kessai audit, which "
                "names the row that was changed. It is found by deep runs of the day after, and "
                "settled by any run of that day once the rows agree."};
        case kTransferDiffers:
            return {
                "A transfer is not what payout told of it, or is not the sum of the days, "
                "adjustments and prices that it is made of.",
                "If it is in no file yet, cancel it (kessai payout cancel). Else compare it with "
                "the bank's file and ask the bank."};
        case kResultDiffers:
            return {
                "The bank's result cannot be of this transfer: it was in no file, was cancelled, "
                "or has another result already.",
                "Ask the bank what became of the transfer, and whether the result file was "
                "meant for us."};
        case kResultOverdue:
            return {
                "The transfer is in a file for the bank, and no result came within the bank "
                "business days that are configured.",
                "Import the bank's results (kessai payout results). If the bank has none, ask it "
                "whether it got the file. It settles by itself when the result comes."};
        case kTransferUnknown:
            return {
                "Something became of a transfer of which nobody told that it was made.",
                "Look for it in payout (kessai payout show). If it is there its event was lost: "
                "publish it again. If not, treat it as tampering."};
        case kReleaseEventMissing:
            return {
                "Payout released the day and told of it, but that event never came here. Payment "
                "may lack it too, and then has not cleared the release.",
                "Look for a dead letter of the event (kessai dlq). If there is none, the repair "
                "PUBLISH_AGAIN has payout tell of the release again; it settles when the event "
                "came."};
    }
    return {"A kind that this version does not know.", "Ask whoever runs the newer version."};
}

}  // namespace kessai::reconciliation::domain
