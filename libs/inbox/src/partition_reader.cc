#include "partition_reader.h"

#include <algorithm>

#include "batch_times.h"
#include "kessai/faults/fault_point.h"
#include "kessai/inbox/policy.h"
#include "kessai/log/log.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::inbox {
namespace {

constexpr Duration kSessionTimeout = std::chrono::seconds(1);
constexpr Duration kBrokerTimeout = std::chrono::seconds(5);
constexpr Duration kIdle = std::chrono::seconds(1);

constexpr std::string_view kOffsetLost = "OFFSET_LOST";
// What spans say of events that were not applied, beside the reasons of dead letters.
constexpr std::string_view kParked = "EVENT_PARKED";
constexpr std::string_view kDropped = "EVENT_DROPPED";

}  // namespace

PartitionReader::PartitionReader(const ReaderContext& context, int partition,
                                 std::shared_ptr<kafka::ConsumerClient> client)
    : context_(context),
      partition_(partition),
      client_(std::move(client)),
      backoff_(context.options.backoff_first),
      batch_limit_(static_cast<std::size_t>(context.options.batch_events_max)) {}

PartitionKey PartitionReader::Key() const {
    return {.group = context_.options.client.group,
            .topic = context_.options.client.topic,
            .partition = partition_};
}

SteadyInstant PartitionReader::Step() {
    const SteadyInstant now = context_.clock.SteadyNow();
    if (now < not_before_) {
        ShowLag();
        return not_before_;
    }
    if (!positioned_) return Position();
    const bool more = Gather();
    if (!positioned_) return not_before_;
    if (pending_.empty()) {
        ShowLag();
        return now + kIdle;
    }
    const bool full = more || CountBatch() < static_cast<int>(pending_.size());
    if (!full && now < next_batch_at_) return next_batch_at_;
    next_batch_at_ = NextBatchAfter(now);
    return RunBatch();
}

// --- Where to begin.

SteadyInstant PartitionReader::Position() {
    const Status status = FindPosition();
    if (status.ok()) {
        positioned_ = true;
        stopped_ = OkStatus();
        return context_.clock.SteadyNow();
    }
    if (status.code() == Code::kOutOfRange) {
        Stop(status);
        not_before_ = context_.clock.SteadyNow() + context_.options.backoff_max;
        return not_before_;
    }
    log::Warn("inbox.position_unknown",
              {{"topic", Key().topic}, {"partition", partition_}, {"status", status}});
    return BackOff();
}

// The stored offset; where there is none, the group begins at what the topic has. An offset that
// the topic does not have is never replaced by another: events would be skipped or the store is not
// this topic's, and a person has to look.
Status PartitionReader::FindPosition() {
    std::optional<std::int64_t> stored;
    {
        KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, context_.pool.Acquire(kSessionTimeout));
        KESSAI_ASSIGN_OR_RETURN(stored, ReadOffset(*session, Key()));
    }
    KESSAI_ASSIGN_OR_RETURN(const kafka::OffsetRange range,
                            client_->QueryOffsets(partition_, kBrokerTimeout));
    if (!stored) {
        KESSAI_ASSIGN_OR_RETURN(const mysql::Lease session, context_.pool.Acquire(kSessionTimeout));
        KESSAI_RETURN_IF_ERROR(BeginOffset(*session, Key(), range.first));
        // Another member may have begun, and even gone on.
        KESSAI_ASSIGN_OR_RETURN(stored, ReadOffset(*session, Key()));
        if (!stored) return Status(Code::kUnavailable, kOffsetLost, "the offset did not stay");
    }
    if (*stored < range.first || *stored > range.end) {
        return Status(Code::kOutOfRange, kOffsetLost,
                      "stored is " + std::to_string(*stored) + ", the topic has " +
                          std::to_string(range.first) + " to " + std::to_string(range.end));
    }
    if (client_is_lost_) {
        wants_new_client_ = true;
        return Status(Code::kUnavailable, kOffsetLost, "the client has to be made anew");
    }
    KESSAI_RETURN_IF_ERROR(client_->Seek(partition_, *stored, kBrokerTimeout));
    next_offset_ = *stored;
    return OkStatus();
}

// --- Reading.

// Takes what was fetched, as far as a batch goes. True if there may be more.
bool PartitionReader::Gather() {
    const auto room = static_cast<std::size_t>(context_.options.batch_events_max);
    if (pending_.size() >= room || pending_bytes_ >= context_.options.batch_bytes_max) return true;
    const int wanted = static_cast<int>(room - pending_.size());
    Result<kafka::RecordBatch> taken = client_->Take(partition_, wanted);
    if (!taken.ok()) {
        const Status& status = taken.status();
        if (status.reason() == kafka::reason::kOffsetOutOfRange) {
            client_is_lost_ = true;
            Stop(status);
            DropPending();
            not_before_ = context_.clock.SteadyNow() + context_.options.backoff_max;
        } else if (status.reason() != kafka::reason::kNotAssigned) {
            log::Warn("inbox.read_refused",
                      {{"topic", Key().topic}, {"partition", partition_}, {"status", status}});
        }
        return false;
    }
    const auto memory = std::make_shared<kafka::RecordBatch>(std::move(*taken));
    std::int64_t expected = next_offset_ + static_cast<std::int64_t>(pending_.size());
    for (const kafka::Record& record : memory->records()) {
        // Our topics are neither compacted nor transactional, so offsets have no gaps: another one
        // means that we do not read where we think we do.
        if (record.offset != expected) {
            context_.metrics.offset_gaps.Add();
            log::Error("inbox.offset_gap", {{"topic", Key().topic},
                                            {"partition", partition_},
                                            {"expected", expected},
                                            {"given", record.offset}});
            DropPending();
            (void)BackOff();
            return false;
        }
        ++expected;
        pending_bytes_ += record.value.size();
        auto traced = Trace(record);
        const std::string_view parent =
            traced == nullptr ? record.traceparent : std::string_view(traced->traceparent);
        pending_.push_back(
            {memory, std::move(traced), ReadItem(record.offset, record.key, record.value, parent)});
    }
    return memory->records().size() == static_cast<std::size_t>(wanted);
}

// Most events are of traces that are not sampled, and have no trace context.
std::unique_ptr<PartitionReader::Traced> PartitionReader::Trace(const kafka::Record& record) const {
    tracing::Tracer* const tracer = context_.options.tracer;
    if (tracer == nullptr || record.traceparent.empty()) return nullptr;
    const auto parent = tracing::ParseTraceparent(record.traceparent);
    if (!parent || !parent->sampled) return nullptr;
    auto traced = std::make_unique<Traced>();
    traced->span = tracer->Start("inbox.apply", tracing::Kind::kConsumer, *parent);
    if (!traced->span.recording()) return nullptr;
    traced->traceparent = tracing::FormatTraceparent(traced->span.context());
    traced->span.SetAttribute("messaging.system", "kafka");
    traced->span.SetAttribute("messaging.destination.name", Key().topic);
    traced->span.SetAttribute("messaging.consumer.group.name", Key().group);
    traced->span.SetAttribute("messaging.destination.partition.id", std::to_string(partition_));
    traced->span.SetAttribute("messaging.kafka.offset", record.offset);
    return traced;
}

void PartitionReader::NoteInSpan(std::int64_t offset, const Status& outcome) {
    const auto at = static_cast<std::size_t>(offset - next_offset_);
    if (Traced* const traced = pending_[at].traced.get()) traced->span.SetStatus(outcome);
}

// The next batch: bounded, and a mark ends it, so that all before it is applied before it.
int PartitionReader::CountBatch() const {
    std::size_t bytes = 0;
    int count = 0;
    for (const Pending& pending : pending_) {
        if (static_cast<std::size_t>(count) >= batch_limit_) break;
        bytes += pending.item.value.size();
        if (count > 0 && bytes > context_.options.batch_bytes_max) break;
        ++count;
        if (pending.item.mark) break;
    }
    return count;
}

SteadyInstant PartitionReader::NextBatchAfter(SteadyInstant now) const {
    const ConsumerOptions& options = context_.options;
    if (!options.batch_phase || options.batch_every <= Duration::zero()) {
        return now + options.batch_every;
    }
    const Duration phase =
        *options.batch_phase + options.batch_every * partition_ / options.partitions;
    return now + UntilNextBatch(context_.clock.Now(), options.batch_every, phase);
}

// --- Applying.

SteadyInstant PartitionReader::RunBatch() {
    const auto count = static_cast<std::size_t>(CountBatch());
    std::vector<const Item*> items;
    items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) items.push_back(&pending_[i].item);
    std::map<std::int64_t, Status> rejected = condemned_;
    const Outcome outcome = [&] {
        const metrics::Timer timer(context_.metrics.batch, context_.clock);
        return RunTransaction(items, rejected);
    }();
    switch (outcome.end) {
        case End::kCommitted:
            context_.metrics.batch_events.Observe(count);
            return AfterCommit(count);
        case End::kOffsetMoved:
            context_.metrics.offset_refusals.Add();
            log::Info("inbox.offset_moved",
                      {{"topic", Key().topic}, {"partition", partition_}, {"from", next_offset_}});
            DropPending();
            return context_.clock.SteadyNow();
        case End::kRefused:
            break;
    }
    return AfterRefusal(outcome, count);
}

PartitionReader::Outcome PartitionReader::RunTransaction(std::span<const Item* const> items,
                                                         std::map<std::int64_t, Status>& rejected) {
    auto session = context_.pool.Acquire(kSessionTimeout);
    if (!session.ok()) return {.status = session.status()};
    // Each round but the second, after one that took the events for new, has at least one rejection
    // more than the one before.
    for (;;) {
        bool again = false;
        Outcome outcome = RunOnce(**session, items, ChooseCheck(), rejected, again);
        if (!again) return outcome;
    }
}

EffectCheck PartitionReader::ChooseCheck() const {
    if (context_.options.ignore_effect_keys_for_test) return EffectCheck::kIgnore;
    return context_.handler.RefusesRepeats() && assumption_.Holds() ? EffectCheck::kAssumeNew
                                                                    : EffectCheck::kLookUp;
}

PartitionReader::Outcome PartitionReader::RunOnce(mysql::Session& session,
                                                  std::span<const Item* const> items,
                                                  EffectCheck effect_check,
                                                  std::map<std::int64_t, Status>& rejected,
                                                  bool& again) {
    const auto ours = [](const auto& refused) { return Outcome{.status = refused.status()}; };
    const auto handlers = [](Status status) {
        return Outcome{.status = std::move(status), .by_handler = true};
    };
    auto transaction = mysql::Transaction::Begin(session);
    if (!transaction.ok()) return ours(transaction);

    const std::int64_t end = items.back()->offset + 1;
    const auto advanced = AdvanceOffset(session, Key(), next_offset_, end);
    if (!advanced.ok()) return ours(advanced);
    if (!*advanced) return {.end = End::kOffsetMoved, .status = OkStatus()};

    auto blocked = FindBlocked(session, Key(), items);
    if (!blocked.ok()) return ours(blocked);

    const Instant now = context_.clock.Now();
    const ConsumerOptions& options = context_.options;
    BatchWork work(context_.handler, Key(),
                   {options.dead_letter_topic, options.dead_letter_partitions}, effect_check, now);
    const auto plan = work.MakePlan(session, items, rejected, std::move(*blocked));
    if (!plan.ok()) return handlers(plan.status());
    const bool assumed_new = effect_check == EffectCheck::kAssumeNew;
    std::map<std::int64_t, Status> rejected_now;
    Status status = work.Apply(session, *plan, rejected_now);
    if (assumed_new && (!status.ok() || !rejected_now.empty())) {
        // A repeat may be behind it, so it condemns no event.
        if (ActionFor(status.code()) == Action::kRetry) {
            assumption_.OnInterrupted();
            return handlers(std::move(status));
        }
        assumption_.OnRefused();
        context_.metrics.assumptions_refused.Add();
        again = true;
        return {};
    }
    if (!status.ok()) return handlers(std::move(status));
    if (!rejected_now.empty()) {
        rejected.merge(rejected_now);
        again = true;
        return {};
    }
    status = StoreParked(session, Key(), plan->parked, now);
    if (status.ok()) status = work.StoreFailed(session, plan->failed);
    if (!status.ok()) return {.status = std::move(status)};

    KESSAI_FAULT_POINT("inbox.after_apply");
    status = transaction->Commit();
    if (!status.ok()) return {.status = std::move(status)};
    KESSAI_FAULT_POINT("inbox.after_commit");

    assumption_.OnCommitted(assumed_new);
    context_.metrics.applied.Add(plan->apply.size());
    context_.metrics.repeated.Add(static_cast<std::uint64_t>(plan->repeated));
    context_.metrics.dead.Add(plan->failed.size());
    context_.metrics.parked.Add(plan->parked.size());
    context_.metrics.marks.Add(plan->marks.size());
    for (const Failed& failed : plan->failed) {
        log::Error("inbox.dead_letter", {{"topic", Key().topic},
                                         {"partition", partition_},
                                         {"offset", failed.item->offset},
                                         {"object", failed.item->object_id},
                                         {"status", failed.why}});
        NoteInSpan(failed.item->offset, failed.why);
    }
    for (const Item* parked : plan->parked) {
        NoteInSpan(parked->offset, Status(Code::kFailedPrecondition, kParked, ""));
    }
    context_.handler.OnCommitted(
        {.topic = Key().topic, .partition = partition_, .deliveries = work.applied()});
    return {.end = End::kCommitted, .status = OkStatus()};
}

SteadyInstant PartitionReader::AfterCommit(std::size_t count) {
    if (condemned_.empty()) isolated_in_a_row_ = 0;
    condemned_.clear();
    next_offset_ = pending_[count - 1].item.offset + 1;
    for (std::size_t i = 0; i < count; ++i) pending_bytes_ -= pending_[i].item.value.size();
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    stopped_ = OkStatus();
    backoff_ = context_.options.backoff_first;
    batch_limit_ =
        std::min(2 * batch_limit_, static_cast<std::size_t>(context_.options.batch_events_max));
    ShowLag();
    // There may be more, here or at the broker.
    return pending_.empty() ? context_.clock.SteadyNow()
                            : std::max(next_batch_at_, context_.clock.SteadyNow());
}

SteadyInstant PartitionReader::AfterRefusal(const Outcome& outcome, std::size_t count) {
    context_.metrics.retries.Add();
    log::Warn("inbox.batch_refused", {{"topic", Key().topic},
                                      {"partition", partition_},
                                      {"offset", next_offset_},
                                      {"events", count},
                                      {"status", outcome.status}});
    // Whether it was committed is in the stored offset.
    if (outcome.status.code() == Code::kUnknown) DropPending();
    Action action = ActionFor(outcome.status.code());
    // What the batch would put into the outbox does not fit there, however often it is tried: fewer
    // events at once do.
    if (outcome.status.reason() == outbox::kBatchTooLarge) {
        if (count > 1) {
            batch_limit_ = count / 2;
            return context_.clock.SteadyNow();
        }
        action = Action::kStop;
    }
    // What our own statements are refused for is no event's fault, and neither is a refusal to
    // store an event that was condemned already.
    if (action != Action::kRetry && (!outcome.by_handler || !condemned_.empty())) {
        action = Action::kStop;
    }
    if (action == Action::kDeadLetter || action == Action::kIsolate) {
        if (count > 1) {
            batch_limit_ = count / 2;
            return context_.clock.SteadyNow();
        }
        const bool too_many = action == Action::kIsolate &&
                              isolated_in_a_row_ >= context_.options.isolated_in_a_row_max;
        if (!too_many) {
            if (action == Action::kIsolate) ++isolated_in_a_row_;
            condemned_.emplace(next_offset_, outcome.status);
            batch_limit_ = 1;
            return context_.clock.SteadyNow();
        }
        action = Action::kStop;
    }
    condemned_.clear();
    if (action == Action::kRetry) return BackOff();
    Stop(outcome.status);
    not_before_ = context_.clock.SteadyNow() + context_.options.backoff_max;
    return not_before_;
}

// --- Odds.

void PartitionReader::DropPending() {
    for (const Pending& pending : pending_) {
        if (pending.traced) pending.traced->span.SetStatus(Status(Code::kAborted, kDropped, ""));
    }
    pending_.clear();
    pending_bytes_ = 0;
    condemned_.clear();
    positioned_ = false;
    context_.handler.OnDropped(Key().topic, partition_);
}

SteadyInstant PartitionReader::BackOff() {
    not_before_ = context_.clock.SteadyNow() + backoff_;
    backoff_ = std::min(2 * backoff_, context_.options.backoff_max);
    return not_before_;
}

void PartitionReader::Stop(const Status& why) {
    if (stopped_ == why) return;
    stopped_ = why;
    log::Error("inbox.partition_stopped", {{"topic", Key().topic},
                                           {"partition", partition_},
                                           {"offset", next_offset_},
                                           {"status", why}});
}

void PartitionReader::ShowLag() {
    const std::int64_t end = client_->KnownEnd(partition_);
    if (end < 0 || next_offset_ < 0) return;
    context_.metrics.lag.At(static_cast<std::size_t>(partition_))
        .Set(std::max<std::int64_t>(0, end - next_offset_));
}

}  // namespace kessai::inbox
