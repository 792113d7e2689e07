#pragma once

#include "app/ledger_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

class MysqlLedgerReader final : public app::LedgerReader {
 public:
    /// `pool` must outlive it.
    explicit MysqlLedgerReader(mysql::Pool& pool) : pool_(pool) {}

    Result<app::PayoutHistory> FindPayout(domain::PayoutId payout) override;
    Result<std::vector<app::PayoutHistory>> ListPayouts(domain::MerchantId merchant,
                                                        domain::PayoutId before,
                                                        int limit) override;
    Result<std::vector<domain::BankAccount>> BankAccounts(domain::MerchantId merchant) override;
    Result<domain::PayoutTerms> TermsInForce(domain::MerchantId merchant) override;
    Result<std::vector<app::PayoutHold>> ListOpenHolds(domain::MerchantId merchant,
                                                       domain::PayoutHoldId before,
                                                       int limit) override;
    Result<std::vector<domain::Adjustment>> ListAdjustments(domain::MerchantId merchant,
                                                            domain::AdjustmentId before,
                                                            int limit) override;
    Status StreamJournal(BusinessDate day, app::JournalPosition from,
                         const std::function<bool(const app::JournalLine&)>& take) override;

 private:
    using TakeLine = std::function<bool(const app::JournalLine&)>;
    // Those behind a merchant, or a number; false when `take` ended it.
    Result<bool> StreamTotals(BusinessDate day, domain::MerchantId after, const TakeLine& take);
    Result<bool> StreamReleases(BusinessDate day, domain::MerchantId after, const TakeLine& take);
    Status StreamRows(BusinessDate day, domain::JournalId after, const TakeLine& take);

    mysql::Pool& pool_;
};

}  // namespace kessai::payout::storage
