#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/client.h"

namespace kessai::load {

/// What an answer means to whoever asked for money to move.
enum class Verdict : std::uint8_t {
    /// It was done, and we were told.
    kAcknowledged,
    /// It was not done and will not be: another request would be needed.
    kRefused,
    /// It was not done, says the answer (or nothing was ever sent), and may be tried again.
    kNotDone,
    /// It may have been done. To be sent again with the same key.
    kUnknown,
};
std::string_view VerdictName(Verdict verdict);  // "acknowledged" and so on

struct Outcome {
    Verdict verdict = Verdict::kUnknown;
    /// Empty when acknowledged; otherwise the interface's code, or the client's reason.
    std::string reason;
};

/// POST /v2/codes. `code_id` is set when acknowledged.
Outcome ReadCreatedCode(const Answer& answer, std::string& code_id);

struct PaidCode {
    std::int64_t payment_id = 0;
    std::int64_t amount = 0;
};
/// POST /app/v1/codes/{codeId}/payments. An answer that does not say COMPLETED is no
/// acknowledgement.
Outcome ReadPaidCode(const Answer& answer, PaidCode& paid);

struct RefundedPayment {
    std::int64_t payment_id = 0;
    std::int64_t amount = 0;
};
/// POST /v2/refunds.
Outcome ReadRefund(const Answer& answer, RefundedPayment& refunded);

/// DELETE /v2/payments/{merchantPaymentId}.
Outcome ReadCancel(const Answer& answer);

struct ToppedUp {
    std::int64_t top_up_id = 0;
    std::int64_t amount = 0;
};
/// POST /app/v1/top-ups.
Outcome ReadTopUp(const Answer& answer, ToppedUp& topped_up);

struct CodePayment {
    std::string status;
    std::int64_t payment_id = 0;  // 0 while there is none
    std::int64_t amount = 0;
};
/// GET /v2/codes/payments/{merchantPaymentId}.
Outcome ReadCodePayment(const Answer& answer, CodePayment& payment);

/// A text, or a number as text, at `path` ("data/apiKey") of a JSON object; empty when it is not
/// there. For set-up, not for the hot path.
std::string TextAt(std::string_view json, std::string_view path);

}  // namespace kessai::load
