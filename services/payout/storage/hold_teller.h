#pragma once

#include <span>
#include <vector>

#include "app/event_encoder.h"
#include "domain/hold_event.h"
#include "kessai/mysql/session.h"

namespace kessai::payout::storage {

/// Tells others, in the transaction that decides it, whose day is held back and whose no longer is:
/// rows of merchant_hold_step and their events. It counts at its own row of payout_gate, which it
/// locks last, and only when there is something to tell.
class HoldTeller {
 public:
    /// Both must outlive it. `at` is what the steps say.
    HoldTeller(mysql::Session& session, const app::EventEncoder& events, BusinessDate day,
               Instant at)
        : session_(session), events_(events), day_(day), at_(at) {}

    /// `round` released `released`. Who was told the same before is not told again. Precondition:
    /// rising by merchant, each in one of both; nobody else decides of them meanwhile.
    Status Tell(std::span<const domain::HeldBack> held,
                std::span<const domain::MerchantId> released, int round);

    /// Shards of the outbox that have something to publish after the commit.
    unsigned shards() const { return shards_; }

 private:
    Status TellSome(std::vector<domain::HoldStep> steps);

    mysql::Session& session_;
    const app::EventEncoder& events_;
    const BusinessDate day_;
    const Instant at_;
    unsigned shards_ = 0;
};

}  // namespace kessai::payout::storage
