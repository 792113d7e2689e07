#pragma once

#include "app/payment_reader.h"
#include "kessai/mysql/pool.h"

namespace kessai::payment::storage {

class MysqlPaymentReader final : public app::PaymentReader {
 public:
    /// `pool` must outlive it.
    explicit MysqlPaymentReader(mysql::Pool& pool) : pool_(pool) {}

    Result<domain::Payment> PaymentById(domain::PaymentId id) override;
    Result<domain::Payment> PaymentByOrder(const domain::OrderKey& key) override;
    Result<std::vector<domain::Refund>> RefundsOf(domain::PaymentId id) override;
    Result<domain::Refund> RefundByKey(const domain::RefundKey& key) override;
    Result<domain::Wallet> WalletOf(domain::UserId user) override;
    Result<std::vector<app::HistoryEntry>> HistoryOf(domain::UserId user, domain::EventId before,
                                                     int limit) override;
    Result<std::vector<domain::Merchant>> Merchants(
        const std::vector<domain::MerchantId>& ids) override;
    Status PutMerchant(const domain::Merchant& merchant) override;
    Result<std::string> DoubtOf(const domain::Change& change) override;
    Result<std::vector<domain::Change>> Changes(
        const std::vector<std::pair<std::int64_t, std::uint32_t>>& keys) override;

 private:
    mysql::Pool& pool_;
};

}  // namespace kessai::payment::storage
