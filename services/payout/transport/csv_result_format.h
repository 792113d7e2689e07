#pragma once

#include "app/bank_result_format.h"

namespace kessai::payout::transport {

/// "csv": the result file of a bank that gives one as comma-separated lines, each ended by LF or
/// CRLF:
///
///     transfer_id,outcome,amount,reason
///     1042,SETTLED,25000,
///     1043,FAILED,300,ACCOUNT_CLOSED
///     TOTAL,SETTLED,1,25000
///     TOTAL,FAILED,1,300
///     TOTAL,RETURNED,0,0
///
/// Outcomes are SETTLED, FAILED and RETURNED; the last two have a reason of 1 to 32 capitals,
/// digits, - and _, SETTLED has none. The three totals, count and amount, stand at the end in this
/// order. Nothing else is taken: no blanks, quotes, signs, leading zeros or lines beyond.
class CsvResultFormat final : public app::BankResultFormat {
 public:
    std::string_view name() const override { return "csv"; }
    Result<app::ResultFile> Read(std::string_view bytes) const override;
};

}  // namespace kessai::payout::transport
