#pragma once

#include <functional>
#include <utility>

#include "app/event_encoder.h"
#include "app/republish_events.h"
#include "kessai/mysql/pool.h"

namespace kessai::payout::storage {

/// What the rounds that MysqlReleaseStore finished have told.
class MysqlToldReleases final : public app::ToldReleases {
 public:
    /// Both must outlive it. `on_events` is told of the outbox's shards that have something to
    /// publish; it may be empty.
    MysqlToldReleases(mysql::Pool& pool, const app::EventEncoder& events,
                      std::function<void(unsigned shards)> on_events = {})
        : pool_(pool), events_(events), on_events_(std::move(on_events)) {}

    Result<std::vector<app::DayReleasedEvent>> Find(std::span<const BusinessDate> days) override;
    Status TellAgain(std::span<const app::DayReleasedEvent> events) override;

 private:
    mysql::Pool& pool_;
    const app::EventEncoder& events_;
    const std::function<void(unsigned)> on_events_;
};

}  // namespace kessai::payout::storage
