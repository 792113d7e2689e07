#pragma once

#include <cstddef>
#include <string_view>

#include "kessai/result/result.h"
#include "kessai/zengin/kana_text.h"

/// The banks and branches of Japan by their numbers, from the table that is compiled in
/// (data/banks.txt). Thread safe; the first call reads the table, in milliseconds.
namespace kessai::zengin {

namespace reason {
/// NOT_FOUND: not in the table.
inline constexpr std::string_view kBankUnknown = "BANK_UNKNOWN";
inline constexpr std::string_view kBranchUnknown = "BRANCH_UNKNOWN";
/// INVALID_ARGUMENT: not four digits, not three digits.
inline constexpr std::string_view kBankCodeMalformed = "BANK_CODE_MALFORMED";
inline constexpr std::string_view kBranchCodeMalformed = "BRANCH_CODE_MALFORMED";
}  // namespace reason

/// A bank, or a branch of one.
struct DirectoryEntry {
    /// As a transfer file carries it, at most 15 characters, without "bank" or "branch".
    KanaText kana = {};
    /// In Japanese (UTF-8), for people. Lives as long as the process.
    std::string_view name = {};
};

/// BANK_CODE_MALFORMED, BANK_UNKNOWN.
Result<DirectoryEntry> FindBank(std::string_view bank_code);
/// Those of FindBank, BRANCH_CODE_MALFORMED, BRANCH_UNKNOWN.
Result<DirectoryEntry> FindBranch(std::string_view bank_code, std::string_view branch_code);

struct DirectoryEdition {
    /// "zengin-code 1.1.0.20260824".
    std::string_view source = {};
    std::size_t bank_count = 0;
    std::size_t branch_count = 0;
};
DirectoryEdition EditionOfDirectory();

}  // namespace kessai::zengin
