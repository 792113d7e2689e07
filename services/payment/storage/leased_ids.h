#pragma once

#include <memory>

#include "app/execute_batch.h"
#include "kessai/lease/leased_ids.h"

namespace kessai::payment::storage {

/// The executors' ids, from the process's leased worker number.
class LeasedIds final : public app::IdLease {
 public:
    /// `ids` must outlive it.
    explicit LeasedIds(const lease::LeasedIds& ids) : ids_(ids) {}

    std::shared_ptr<IdGenerator> Current() override { return ids_.generator(); }
    Status Confirm(const IdGenerator& generator) override { return ids_.Confirm(generator); }

 private:
    const lease::LeasedIds& ids_;
};

}  // namespace kessai::payment::storage
