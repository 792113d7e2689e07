#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assumption.h"
#include "batch_work.h"
#include "consumer_metrics.h"
#include "item.h"
#include "kessai/inbox/consumer.h"
#include "kessai/kafka/consumer_client.h"
#include "kessai/mysql/pool.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"
#include "kessai/tracing/tracer.h"

namespace kessai::inbox {

/// What one partition's reader has in common with the others.
struct ReaderContext {
    const ConsumerOptions& options;
    mysql::Pool& pool;
    Handler& handler;
    ConsumerMetrics& metrics;
    const Clock& clock;
};

/// Applies one assigned partition: finds where to begin, gathers batches, runs each as a
/// transaction. Made when the partition is assigned, and thrown away with all it has read when it
/// is taken away. One thread.
class PartitionReader {
 public:
    PartitionReader(const ReaderContext& context, int partition,
                    std::shared_ptr<kafka::ConsumerClient> client);

    /// Does what can be done now, at most one batch. Gives when to be called again at the latest;
    /// it may be called earlier when there is something to read.
    SteadyInstant Step();

    /// Not ok while the partition waits for somebody to repair something.
    const Status& stopped() const { return stopped_; }
    /// The broker lost the offset while it was being read, and has one to go on from now, which
    /// only a new client can read.
    bool wants_new_client() const { return wants_new_client_; }

 private:
    /// An event's span, from when it was read until it is applied.
    struct Traced {
        tracing::Span span;
        std::string traceparent;
    };
    struct Pending {
        std::shared_ptr<kafka::RecordBatch> memory;
        /// Null when the event is not traced. Declared before `item`, which refers to it.
        std::unique_ptr<Traced> traced;
        Item item;
    };
    enum class End { kCommitted, kOffsetMoved, kRefused };
    struct Outcome {
        End end = End::kRefused;
        Status status;
        bool by_handler = false;
    };

    PartitionKey Key() const;
    SteadyInstant Position();
    Status FindPosition();
    bool Gather();
    std::unique_ptr<Traced> Trace(const kafka::Record& record) const;
    /// Says in the event's span what became of it, other than that it was applied.
    void NoteInSpan(std::int64_t offset, const Status& outcome);
    int CountBatch() const;
    SteadyInstant NextBatchAfter(SteadyInstant now) const;
    SteadyInstant RunBatch();
    Outcome RunTransaction(std::span<const Item* const> items,
                           std::map<std::int64_t, Status>& rejected);
    EffectCheck ChooseCheck() const;
    Outcome RunOnce(mysql::Session& session, std::span<const Item* const> items,
                    EffectCheck effect_check, std::map<std::int64_t, Status>& rejected,
                    bool& again);
    SteadyInstant AfterCommit(std::size_t count);
    SteadyInstant AfterRefusal(const Outcome& outcome, std::size_t count);
    void DropPending();
    SteadyInstant BackOff();
    void Stop(const Status& why);
    void ShowLag();

    const ReaderContext context_;
    const int partition_;
    const std::shared_ptr<kafka::ConsumerClient> client_;

    bool positioned_ = false;
    bool client_is_lost_ = false;
    bool wants_new_client_ = false;
    /// The next offset to apply; -1 before it was first known.
    std::int64_t next_offset_ = -1;
    std::deque<Pending> pending_;
    /// The values' sizes: beyond a batch's bytes no more is gathered.
    std::size_t pending_bytes_ = 0;
    Status stopped_;

    SteadyInstant not_before_{};
    SteadyInstant next_batch_at_{};
    Duration backoff_;
    Assumption assumption_;
    /// Events in the next batch at most: halved to find the one that is refused.
    std::size_t batch_limit_;
    /// Decided about already: the event that is refused alone.
    std::map<std::int64_t, Status> condemned_;
    int isolated_in_a_row_ = 0;
};

}  // namespace kessai::inbox
