#include "options.h"

#include "kessai/kafka/config.h"
#include "kessai/mysql/config.h"
#include "kessai/rpc/config.h"

namespace kessai::payment {
namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void DescribePolicy(config::Schema schema, domain::Policy& policy) {
    schema.Int("payment_amount_max", &policy.payment_amount_max,
               {.description = "Largest amount of one payment",
                .unit = "minor units",
                .min = 1,
                .max = 2'147'483'647});
    schema.Int("top_up_amount_max", &policy.top_up_amount_max,
               {.description = "Largest amount of one top-up",
                .unit = "minor units",
                .min = 1,
                .max = 2'147'483'647});
    schema.Int("balance_max", &policy.balance_max,
               {.description = "Largest balance that a top-up may lead to",
                .unit = "minor units",
                .min = 1});
    schema.Time(
        "code_lifetime", &policy.code_lifetime,
        {.description = "How long an order code can be paid when its creator names no expiry",
         .min = seconds(10),
         .max = days(14)});
    schema.Time("code_lifetime_max", &policy.code_lifetime_max,
                {.description = "The farthest expiry that a creator may name",
                 .min = seconds(10),
                 .max = days(365)});
    schema.Int("refunds_max", &policy.refunds_max,
               {.description = "Refunds of one payment at most",
                .unit = "refunds",
                .min = 1,
                .max = 1'000});
    schema.Bool("development_funding", &policy.development_funding,
                {.description = "Allow top-ups that no bank stands behind; never in production"});
}

void DescribeExecutor(config::Schema schema, app::ExecutorOptions& executor) {
    schema.Int(
        "threads", &executor.executors,
        {.description = "Executors, each with a database session of its own", .min = 1, .max = 32});
    schema.Int("batch_max", &executor.batch_max,
               {.description = "Commands in one transaction; 1 is a transaction a command",
                .unit = "commands",
                .min = 1,
                .max = 900});
    schema.Int("queue_max", &executor.queue_max,
               {.description = "Commands that may wait; more are refused as QUEUE_FULL",
                .unit = "commands",
                .min = 1,
                .max = 1'000'000});
    schema.Time("gather", &executor.gather,
                {.description = "How long a batch that is not full waits for more while another is "
                                "being committed",
                 .max = milliseconds(50)});
    schema.Int("known_codes_max", &executor.known.codes_max,
               {.description = "Codes remembered from their making to their payment, so that a "
                               "batch need not read them; 0: every batch reads all its rows",
                .unit = "codes",
                .min = 0,
                .max = 10'000'000});
    schema.Int("known_wallets_max", &executor.known.wallets_max,
               {.description = "Wallets remembered, so that a batch need not read them; 0: every "
                               "batch reads all its rows",
                .unit = "wallets",
                .min = 0,
                .max = 10'000'000});
    schema.Time("retry_backoff", &executor.retry_backoff,
                {.description = "First wait before a transaction is run again; it doubles",
                 .min = microseconds(100),
                 .max = seconds(1)});
    schema.Time("retry_backoff_max", &executor.retry_backoff_max,
                {.description = "Longest wait before a transaction is run again",
                 .min = milliseconds(1),
                 .max = seconds(10)});
    schema.Int(
        "first_gate_slot", &executor.first_gate_slot,
        {.description = "The first gate row of this process; replicas with different rows do "
                        "not wait for each other",
         .min = 0,
         .max = 63});
}

void DescribeDay(config::Schema schema, app::DayCloserOptions& day) {
    schema.Bool("scheduled", &day.scheduled,
                {.description = "Close each day by itself at 00:00 in Japan"});
    schema.Time("poll_every", &day.poll_every,
                {.description = "How often closing days are taken further",
                 .min = milliseconds(10),
                 .max = minutes(1)});
}

}  // namespace

void Describe(config::Schema& schema, Options& options) {
    schema.Section("mysql", options.mysql);
    schema.Section("kafka", options.kafka);
    schema.Section("grpc", options.grpc);
    schema.Section("tls", options.tls);
    schema.File(
        "internal_token.key_file", &options.internal_token_key_file,
        {.description = "Key ring that internal tokens are verified with", .required = true});
    schema.Secret(
        "digest.key", &options.digest_key,
        {.description = "Key of the day digests, 32 hexadecimal digits; the same in payment, "
                        "payout and reconciliation",
         .max_length = 32,
         .required = true});
    DescribePolicy(schema.Under("policy"), options.policy);
    DescribeExecutor(schema.Under("executor"), options.executor);
    DescribeDay(schema.Under("day"), options.day);
    schema.Text("day.first", &options.first_day,
                {.description = "The business day that new books begin with, for trying things out "
                                "in the past; empty: the day of their first migration",
                 .max_length = 10});
    schema.Check([&options]() -> Status {
        return options.first_day.empty() ? OkStatus()
                                         : BusinessDate::Parse(options.first_day).status();
    });
    schema.Int("queries.threads", &options.query_threads,
               {.description = "Threads that answer questions, each with a database session",
                .min = 1,
                .max = 64});
    schema.Time("merchant_cache.lifetime", &options.merchant_cache_lifetime,
                {.description = "For how long a merchant's settings are taken as known",
                 .min = milliseconds(100),
                 .max = minutes(10)});
    schema.Int("merchant_cache.entries_max", &options.merchant_cache_entries_max,
               {.description = "Merchants remembered",
                .unit = "merchants",
                .min = 100,
                .max = 10'000'000});
    // An executor's, a worker's and a background task's session each.
    schema.Check([&options]() -> Status {
        const int needed = options.executor.executors + options.query_threads + kReportThreads + 6;
        if (options.mysql.sessions_max >= needed) return OkStatus();
        return Status(Code::kInvalidArgument, config::kConfigInvalid,
                      "mysql.sessions_max must be at least " + std::to_string(needed) +
                          " for executor.threads, queries.threads and the background tasks");
    });
}

}  // namespace kessai::payment
