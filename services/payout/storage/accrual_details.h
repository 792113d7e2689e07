#pragma once

#include <map>
#include <string>
#include <string_view>

#include "domain/accrual.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"

namespace kessai::payout::storage {

/// "1:700 2:300"; of a split that is all money "".
std::string SplitText(const domain::MethodSplit& split);
/// A text that is none gives a split that no change is valid with.
domain::MethodSplit ReadSplit(std::string_view text);

/// What of accruals' splits and stores is kept apart from their rows. See accrual_detail.
class AccrualDetails {
 public:
    /// Those of a day and range of buckets.
    static Result<AccrualDetails> Load(mysql::Session& session, BusinessDate day, int first_bucket,
                                       int last_bucket);
    static Result<AccrualDetails> LoadOne(mysql::Session& session, BusinessDate day,
                                          domain::EffectKey key);

    /// Completes an accrual that was read from its row.
    void AddTo(domain::Accrual& accrual) const;

 private:
    struct Detail {
        domain::MethodSplit captured_methods;
        domain::MethodSplit methods;
        std::string store;
    };
    void Read(mysql::Rows& rows);

    std::map<domain::EffectKey, Detail> details_;
};

/// Those that are kept apart, on their way to the table; of nearly all accruals nothing.
class DetailRows {
 public:
    void Add(const domain::Accrual& accrual);
    /// No statement when there are none.
    Status AddTo(mysql::StatementBatch& statements) const;

 private:
    mysql::RowList rows_;
};

}  // namespace kessai::payout::storage
