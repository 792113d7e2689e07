#pragma once

#include <optional>

#include "app/bank_result_format.h"
#include "kessai/zengin/account.h"
#include "kessai/zengin/account_statement.h"

namespace kessai::payout::transport {

/// "zengin-statement": the statement of the account that transfers are paid from (入出金取引明細,
/// kessai/zengin/account_statement.h), of which the credits of what did not arrive are taken.
///
/// Such a credit says so in its summary: ﾌﾉｳ (振込不能: the bank could not make it) or ｸﾐﾓﾄﾞｼ
/// (組戻: it was called back), upon which it came back as TRANSFER_IMPOSSIBLE or RECALLED. Its EDI
/// text has to be the twenty digits that our record had in the same place, the customer codes. All
/// other movements pass by. A statement does not say what had been settled before, so what is in
/// transit has failed by it, and what was settled is returned; and that the rest arrived, it does
/// not say at all.
class StatementResultFormat final : public app::BankResultFormat {
 public:
    /// `account`: ours; nothing where none is configured, upon which any account's is taken.
    StatementResultFormat(zengin::StatementYears years, std::optional<zengin::Account> account)
        : years_(years), account_(std::move(account)) {}

    std::string_view name() const override { return "zengin-statement"; }
    /// RESULT_LINE_INVALID also for a credit of what did not arrive without our digits, and for a
    /// file without a statement of our account.
    Result<app::ResultFile> Read(std::string_view bytes) const override;

 private:
    const zengin::StatementYears years_;
    const std::optional<zengin::Account> account_;
};

}  // namespace kessai::payout::transport
