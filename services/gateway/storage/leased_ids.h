#pragma once

#include <cstdint>

#include "app/id_source.h"
#include "kessai/lease/leased_ids.h"

namespace kessai::gateway::storage {

/// Single ids, from the process's leased worker number.
class LeasedIds final : public app::IdSource {
 public:
    /// `ids` must outlive it.
    explicit LeasedIds(const lease::LeasedIds& ids) : ids_(ids) {}

    Result<std::int64_t> Next() override { return ids_.Next(); }

 private:
    const lease::LeasedIds& ids_;
};

}  // namespace kessai::gateway::storage
