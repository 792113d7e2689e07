#pragma once

#include <functional>
#include <utility>

#include "app/event_encoder.h"
#include "app/republish_events.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

/// What HoldTeller has told.
class MysqlHoldSteps final : public app::HoldSteps {
 public:
    /// Both must outlive it. `on_events` is told of the outbox's shards that have something to
    /// publish; it may be empty.
    MysqlHoldSteps(mysql::Pool& pool, const app::EventEncoder& events,
                   std::function<void(unsigned shards)> on_events = {})
        : pool_(pool), events_(events), on_events_(std::move(on_events)) {}

    Result<std::vector<domain::HoldStep>> Find(std::span<const std::int64_t> numbers) override;
    Status TellAgain(std::span<const domain::HoldStep> steps) override;

 private:
    mysql::Pool& pool_;
    const app::EventEncoder& events_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payout::storage
