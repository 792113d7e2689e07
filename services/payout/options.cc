#include "options.h"

#include "kessai/kafka/config.h"
#include "kessai/mysql/config.h"
#include "kessai/rpc/config.h"

namespace kessai::payout {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Options::Options() {
    mysql.sessions_max = 16;
}

void Describe(config::Schema& schema, ConsumerSettings& options) {
    schema.Text("group", &options.group,
                {.description = "Consumer group on payment.events.v1", .max_length = 100});
    schema.Int("workers", &options.workers,
               {.description = "Threads that accrue; a partition stays with one",
                .unit = "threads",
                .min = 1,
                .max = 64});
    schema.Int("batch_events_max", &options.batch_events_max,
               {.description = "Events accrued in one transaction at most",
                .unit = "events",
                .min = 1,
                .max = 5'000});
    schema.Time("batch_every", &options.batch_every,
                {.description = "A partition begins a batch at most this often, unless a full one "
                                "waits; after a silence the first event does not wait",
                 .max = seconds(10)});
}

void Describe(config::Schema& schema, DaySettings& options) {
    schema.Int("merchants_per_chunk", &options.close.merchants_per_chunk,
               {.description = "Merchants that are sealed together, and later released and "
                               "checkpointed together",
                .unit = "merchants",
                .min = 1,
                .max = 50'000});
    schema.Int("blocked_events_max", &options.close.blocked_events_max,
               {.description = "With more events waiting than this no day is closed or released",
                .unit = "events",
                .min = 0,
                .max = 1'000'000});
    schema.Bool("release_automatically", &options.keeper.release_automatically,
                {.description = "Release a day as soon as it is closed"});
    schema.Time("poll_every", &options.keeper.poll_every,
                {.description = "How often it is looked whether a day can go on",
                 .min = milliseconds(10),
                 .max = minutes(10)});
    schema.Int(
        "release_threads", &options.release.threads,
        {.description = "Chunks released at a time", .unit = "threads", .min = 1, .max = 64});
    schema.Int("recount_threads", &options.release.recount.threads,
               {.description = "Segments of a day recounted at a time",
                .unit = "threads",
                .min = 1,
                .max = 64});
    schema.Int("recount_segments", &options.release.recount.segments,
               {.description = "Into how many even segments a day is cut for the recount",
                .unit = "segments",
                .min = 1,
                .max = 1'024});
}

void Describe(config::Schema& schema, Options& options) {
    schema.Section("mysql", options.mysql);
    schema.Section("kafka", options.kafka);
    schema.Section("grpc", options.grpc);
    schema.Int("grpc.quick_threads", &options.quick_threads,
               {.description = "Threads of methods that answer from a few rows",
                .unit = "threads",
                .min = 1,
                .max = 256});
    schema.Int("grpc.slow_threads", &options.slow_threads,
               {.description = "Threads of methods that read whole days",
                .unit = "threads",
                .min = 1,
                .max = 64});
    schema.Section("tls", options.tls);
    schema.File(
        "internal_token.key_file", &options.token_key_file,
        {.description = "Key ring that internal tokens are verified with", .required = true});
    schema.Secret("digest.key", &options.digest_key,
                  {.description = "Key of the day digests, 32 hexadecimal digits; the same in "
                                  "payment, payout and reconciliation",
                   .required = true});
    schema.Section("consumer", options.consumer);
    schema.Section("days", options.days);
    schema.Check([&options]() -> Status {
        options.days.release.blocked_events_max = options.days.close.blocked_events_max;
        return {};
    });
}

}  // namespace kessai::payout
