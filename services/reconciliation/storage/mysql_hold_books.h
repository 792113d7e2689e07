#pragma once

#include <span>
#include <vector>

#include "app/books.h"
#include "kessai/mysql/session.h"

namespace kessai::reconciliation::storage {

/// Within the transaction that is open on the session.
class MysqlHoldBooks final : public app::HoldBooks {
 public:
    explicit MysqlHoldBooks(mysql::Session& session) : session_(session) {}

    Result<std::vector<domain::NotedHold>> FindNoted(
        std::span<const std::int64_t> objects) override;
    Status Insert(std::span<const domain::HoldNotice> notices) override;

 private:
    mysql::Session& session_;
};

}  // namespace kessai::reconciliation::storage
