#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/ids.h"
#include "kessai/result/result.h"

namespace kessai::payment::domain {

/// What a QR code stands for on the outside: "04-" and 16 base62 characters that carry the
/// payment's id (63 bit) and its 32-bit salt. So a code is found by its payment's primary key, and
/// cannot be guessed from another.
struct CodeId {
    PaymentId payment;
    std::uint32_t salt = 0;

    bool operator==(const CodeId&) const = default;
};

std::string FormatCodeId(CodeId code);

/// Refuses with kCodeUnknown what FormatCodeId cannot have made.
Result<CodeId> ParseCodeId(std::string_view text);

}  // namespace kessai::payment::domain
