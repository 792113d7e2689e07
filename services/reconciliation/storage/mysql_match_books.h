#pragma once

#include "app/books.h"
#include "kessai/mysql/session.h"

namespace kessai::reconciliation::storage {

/// Matches and their sums in MySQL, in the transaction that is open on `session`.
class MysqlMatchBooks final : public app::MatchBooks {
 public:
    explicit MysqlMatchBooks(mysql::Session& session) : session_(session) {}

    Result<std::vector<domain::Match>> Find(std::span<const domain::ChangeKey> keys) override;
    Result<std::vector<domain::Match>> Lock(std::span<const domain::ChangeKey> keys) override;
    Status Insert(std::span<const domain::Match> matches) override;
    Status Update(std::span<const domain::Match> matches) override;
    Status AddSums(const app::MatchedSums& sums, int slot) override;
    Result<digest::DayDigest> KeptDigest(BusinessDate business_date) override;
    Result<std::vector<app::MatchedLine>> SumMatched(BusinessDate business_date,
                                                     digest::BucketRange buckets) override;
    Result<std::vector<domain::Match>> ListDay(BusinessDate business_date, int bucket,
                                               domain::ChangeKey after, int limit) override;

 private:
    mysql::Session& session_;
};

}  // namespace kessai::reconciliation::storage
