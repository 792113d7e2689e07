#pragma once

#include <string_view>

/// The reasons that statements are refused with, as in `kessai.payout.v1.StatementReason` without
/// its prefix (a test compares).
namespace kessai::payout::domain::reason {

inline constexpr std::string_view kProfileInvalid = "PROFILE_INVALID";
inline constexpr std::string_view kProfileMissing = "PROFILE_MISSING";
inline constexpr std::string_view kIssuerInvalid = "ISSUER_INVALID";
inline constexpr std::string_view kIssuerMissing = "ISSUER_MISSING";
inline constexpr std::string_view kStatementNotFinal = "STATEMENT_NOT_FINAL";
inline constexpr std::string_view kStatementDiffers = "STATEMENT_DIFFERS";
inline constexpr std::string_view kStatementFileDamaged = "STATEMENT_FILE_DAMAGED";
inline constexpr std::string_view kStatementTooLarge = "STATEMENT_TOO_LARGE";
inline constexpr std::string_view kStatementFormatUnknown = "STATEMENT_FORMAT_UNKNOWN";
inline constexpr std::string_view kStatementUnknown = "STATEMENT_UNKNOWN";
inline constexpr std::string_view kStatementNotIssued = "STATEMENT_NOT_ISSUED";
inline constexpr std::string_view kStatementOutOfTurn = "STATEMENT_OUT_OF_TURN";
inline constexpr std::string_view kStatementUnchanged = "STATEMENT_UNCHANGED";
inline constexpr std::string_view kNotPrintable = "NOT_PRINTABLE";

}  // namespace kessai::payout::domain::reason
