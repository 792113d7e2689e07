#pragma once

#include "app/id_source.h"
#include "app/user_directory.h"
#include "kessai/mysql/pool.h"
#include "kessai/time/clock.h"

namespace kessai::gateway::storage {

class MysqlUserDirectory final : public app::UserDirectory {
 public:
    MysqlUserDirectory(mysql::Pool& pool, app::IdSource& ids, const Clock& clock)
        : pool_(pool), ids_(ids), clock_(clock) {}

    Result<std::optional<std::int64_t>> Find(std::string_view issuer,
                                             std::string_view subject) override;
    Result<std::int64_t> FindOrCreate(std::string_view issuer, std::string_view subject) override;

 private:
    mysql::Pool& pool_;
    app::IdSource& ids_;
    const Clock& clock_;
};

}  // namespace kessai::gateway::storage
