#pragma once

#include "app/digest_repairs.h"
#include "kessai/digest/row_hash.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::payment::storage {

class MysqlDigestRepairs final : public app::DigestRepairs {
 public:
    /// All must outlive it.
    MysqlDigestRepairs(mysql::Pool& pool, const digest::RowHasher& hasher, const Clock& clock)
        : pool_(pool), hasher_(hasher), clock_(clock) {}

    Result<digest::RecomputedBucket> Recompute(BusinessDate date, int bucket,
                                               std::string_view key) override;

 private:
    mysql::Pool& pool_;
    const digest::RowHasher& hasher_;
    const Clock& clock_;
};

}  // namespace kessai::payment::storage
