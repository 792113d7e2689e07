#pragma once

#include <string_view>

/// The reasons that transfers and adjustments are refused with, as in
/// `kessai.payout.v1.TransferReason` without its prefix (a test compares).
namespace kessai::payout::domain::reason {

inline constexpr std::string_view kJournalInvalid = "JOURNAL_INVALID";
inline constexpr std::string_view kInTransitNegative = "IN_TRANSIT_NEGATIVE";
inline constexpr std::string_view kSameOperator = "SAME_OPERATOR";
inline constexpr std::string_view kKeyReused = "KEY_REUSED";
inline constexpr std::string_view kTermsInvalid = "TERMS_INVALID";
inline constexpr std::string_view kBankAccountUnknown = "BANK_ACCOUNT_UNKNOWN";
inline constexpr std::string_view kBankAccountMissing = "BANK_ACCOUNT_MISSING";
inline constexpr std::string_view kBankAccountSuperseded = "BANK_ACCOUNT_SUPERSEDED";
inline constexpr std::string_view kBankAccountUnverified = "BANK_ACCOUNT_UNVERIFIED";
inline constexpr std::string_view kVerifierMissing = "VERIFIER_MISSING";
inline constexpr std::string_view kPayoutHeld = "PAYOUT_HELD";
inline constexpr std::string_view kPayoutUnknown = "PAYOUT_UNKNOWN";
inline constexpr std::string_view kHoldUnknown = "HOLD_UNKNOWN";
inline constexpr std::string_view kNothingToPay = "NOTHING_TO_PAY";
inline constexpr std::string_view kNotABusinessDay = "NOT_A_BUSINESS_DAY";
inline constexpr std::string_view kDueDateTooEarly = "DUE_DATE_TOO_EARLY";
inline constexpr std::string_view kDueDateTooOld = "DUE_DATE_TOO_OLD";
inline constexpr std::string_view kTransferDateTooEarly = "TRANSFER_DATE_TOO_EARLY";
inline constexpr std::string_view kTransferUnderWay = "TRANSFER_UNDER_WAY";
inline constexpr std::string_view kAttemptOutOfTurn = "ATTEMPT_OUT_OF_TURN";
inline constexpr std::string_view kTransferInFile = "TRANSFER_IN_FILE";
inline constexpr std::string_view kPayoutCancelled = "PAYOUT_CANCELLED";
inline constexpr std::string_view kTransferUnknown = "TRANSFER_UNKNOWN";
inline constexpr std::string_view kTransferNotSent = "TRANSFER_NOT_SENT";
inline constexpr std::string_view kTransferNotSettled = "TRANSFER_NOT_SETTLED";
inline constexpr std::string_view kResultConflict = "RESULT_CONFLICT";
inline constexpr std::string_view kResultAmountDiffers = "RESULT_AMOUNT_DIFFERS";
inline constexpr std::string_view kResultRepeated = "RESULT_REPEATED";
inline constexpr std::string_view kResultLineInvalid = "RESULT_LINE_INVALID";
inline constexpr std::string_view kResultTotalsDiffer = "RESULT_TOTALS_DIFFER";
inline constexpr std::string_view kResultFileTooLarge = "RESULT_FILE_TOO_LARGE";
inline constexpr std::string_view kResultFormatUnknown = "RESULT_FORMAT_UNKNOWN";
inline constexpr std::string_view kResultFileImported = "RESULT_FILE_IMPORTED";
inline constexpr std::string_view kBatchUnknown = "BATCH_UNKNOWN";
inline constexpr std::string_view kTransferFileDiffers = "TRANSFER_FILE_DIFFERS";
inline constexpr std::string_view kTransferFileTaken = "TRANSFER_FILE_TAKEN";
inline constexpr std::string_view kTraceUnknown = "TRACE_UNKNOWN";
inline constexpr std::string_view kTraceDiffers = "TRACE_DIFFERS";
inline constexpr std::string_view kAdjustmentInvalid = "ADJUSTMENT_INVALID";
inline constexpr std::string_view kAdjustmentUnknown = "ADJUSTMENT_UNKNOWN";
inline constexpr std::string_view kAdjustmentDecided = "ADJUSTMENT_DECIDED";
inline constexpr std::string_view kEventUnknown = "EVENT_UNKNOWN";

}  // namespace kessai::payout::domain::reason
