#include "options.h"

#include "domain/merchant_files.h"
#include "kessai/kafka/config.h"
#include "kessai/mysql/config.h"
#include "kessai/rpc/config.h"

namespace kessai::reconciliation::domain {

/// An element of outside.accounts.
void Describe(config::Schema& schema, OutsideAccount& account) {
    schema.Text("name", &account.name,
                {.description = "Ours, in commands, rules and metrics; it never changes",
                 .max_length = OutsideAccounts::kNameMax,
                 .required = true});
    schema.Text("number", &account.number,
                {.description = "As statements name it; of a Japanese bank "
                                "bank-branch-type-number: 0001-004-1-7654321",
                 .max_length = 255,
                 .required = true});
    schema.Bool("transfers", &account.transfers,
                {.description = "Payout's transfers leave from it, and come back to it"});
    schema.TextList("top_up_sources", &account.top_up_sources,
                    {.description = "Funding sources of wallets that pay into it"});
    schema.Int("overdue_days", &account.overdue_days,
               {.description = "An item that has been unmatched for more is overdue",
                .unit = "days",
                .min = 0,
                .max = 366});
}

}  // namespace kessai::reconciliation::domain

namespace kessai::reconciliation {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void DescribeUpstreams(config::Schema schema, Options& options) {
    schema.Text("payment", &options.payment.target,
                {.description = "Where payment answers: a name and port, dns:///name:port for all "
                                "addresses of a headless service",
                 .required = true});
    schema.Text("payout", &options.payout.target,
                {.description = "Where payout answers", .required = true});
    schema.Text("payment_server_name", &options.payment.server_name,
                {.description = "The name in payment's certificate"});
    schema.Text("payout_server_name", &options.payout.server_name,
                {.description = "The name in payout's certificate"});
    schema.Time("digest_timeout", &options.peers.digest_timeout,
                {.description = "For the digests of a day; deep ones read all its rows. The other "
                                "side's grpc.deadline_max bounds it too",
                 .min = seconds(1),
                 .max = minutes(30)});
    schema.Time("list_timeout", &options.peers.list_timeout,
                {.description = "For the rows of one bucket of a day",
                 .min = seconds(1),
                 .max = minutes(30)});
    schema.Int("bucket_rows_max", &options.peers.bucket_rows_max,
               {.description = "Rows of one bucket (a 1,024th of a day) held in memory while they "
                               "are compared; more end the run",
                .unit = "rows",
                .min = 1'000,
                .max = 100'000'000});
}

void DescribeConsumer(config::Schema schema, ConsumerTuning& consumer) {
    schema.Int(
        "workers", &consumer.workers,
        {.description = "Threads that apply batches, for each of the two topics, each with a "
                        "database session",
         .unit = "threads",
         .min = 1,
         .max = 12});
    schema.Int("batch_events_max", &consumer.batch_events_max,
               {.description = "Events of a partition in one transaction",
                .unit = "events",
                .min = 1,
                .max = 5'000});
    schema.Time("batch_every", &consumer.batch_every,
                {.description = "A partition begins a batch at most this often, unless a full one "
                                "waits",
                 .max = seconds(5)});
}

void DescribeDayRun(config::Schema schema, transport::DayRunWorkerOptions& day_run) {
    schema.Time("poll_every", &day_run.poll_every,
                {.description = "How often days that are due are looked for",
                 .min = milliseconds(100),
                 .max = minutes(10)});
    schema.Time("retry_first", &day_run.retry.retry_first,
                {.description = "First wait before a failed comparison is tried again; it doubles",
                 .min = milliseconds(100),
                 .max = hours(1)});
    schema.Time("retry_max", &day_run.retry.retry_max,
                {.description = "Longest wait before that", .min = seconds(1), .max = hours(24)});
}

void DescribeRepairs(config::Schema schema, Options& options) {
    schema.TextList("automatic", &options.automatic_repairs,
                    {.description = "Kinds of repairs that are ordered by themselves: "
                                    "PUBLISH_AGAIN, ACCRUE_AGAIN, RECOMPUTE_TOTAL; none that moves "
                                    "money"});
    schema.Int("automatic_max_per_day", &options.repairs.policy.automatic_max_per_day,
               {.description = "Repairs that are ordered so in a day of Japan, at most",
                .unit = "repairs",
                .min = 0,
                .max = 1'000'000});
    schema.Int(
        "automatic_max_per_discrepancy", &options.repairs.policy.automatic_max_per_discrepancy,
        {.description = "Repairs that are ordered so of one discrepancy that is found again, "
                        "at most; then a person has to see why it comes back",
         .unit = "repairs",
         .min = 1,
         .max = 1'000});
    schema.Time("poll_every", &options.repairs.poll_every,
                {.description = "How often repairs are carried on",
                 .min = milliseconds(100),
                 .max = minutes(10)});
    schema.Time("patience", &options.repairs.policy.patience,
                {.description = "How long after a repair was carried out the difference may still "
                                "be there; then it is WITHOUT_EFFECT",
                 .min = seconds(1),
                 .max = hours(24)});
    schema.Time("call_timeout", &options.repair_call_timeout,
                {.description = "For each question to payment and payout",
                 .min = milliseconds(100),
                 .max = minutes(5)});
}

void DescribeOutside(config::Schema schema, OutsideOptions& outside) {
    schema.List(
        "accounts", &outside.accounts,
        {.description = "Accounts at banks, ATM networks and card networks, whose statements "
                        "are held against our books",
         .max_items = domain::OutsideAccounts::kAccountsMax});
    schema.Size("file_bytes_max", &outside.file_bytes_max,
                {.description = "Largest statement file; the gateway's limits.result_bytes_max "
                                "bounds it too",
                 .min = 1'024,
                 .max = 64 << 20});
    schema.Int("run_items_max", &outside.run_items_max,
               {.description = "Unmatched items of an account that are matched at once, of both "
                               "sides; they are held in memory",
                .unit = "items",
                .min = 100,
                .max = 2'000'000});
    schema.Int("run_suggestions_max", &outside.run_suggestions_max,
               {.description = "Suggestions of an account that a run leaves open: the best of what "
                               "it finds",
                .unit = "suggestions",
                .min = 10,
                .max = 200'000});
    schema.Time("poll_every", &outside.poll_every,
                {.description = "How often accounts that wait for a run are looked for, and what "
                                "is unmatched is counted for the metrics",
                 .min = milliseconds(100),
                 .max = hours(1)});
    schema.Check([&outside] { return domain::OutsideAccounts::Make(outside.accounts).status(); });
}

void DescribeFiles(config::Schema schema, FileTuning& files) {
    schema.Text(
        "work_folder", &files.run.make.work_folder,
        {.description = "An existing folder for rows that do not fit files.memory_max while "
                        "a day's files are made: room for the day's rows",
         .required = true});
    schema.Size("memory_max", &files.run.make.memory_max,
                {.description = "Rows held in memory while files are made, over all threads",
                 .min = std::uint64_t{4} << 20,
                 .max = std::uint64_t{64} << 30});
    schema.Int("threads", &files.run.make.threads,
               {.description = "Threads that read rows, and afterwards as many that write files",
                .unit = "threads",
                .min = 1,
                .max = 64});
    schema.Text("schedule_at", &files.schedule_at,
                {.description = "When a day's files are made, in Japan on the day behind the last "
                                "one that they need, of templates that do not say: HH:MM",
                 .max_length = 5});
    schema.Time("keep", &files.run.keep,
                {.description = "How long the content of a file is kept",
                 .min = hours(24 * 7),
                 .max = hours(24 * 3660)});
    schema.Time("keep_records", &files.keep_records,
                {.description = "How long it is known which files there were of a day; afterwards "
                                "none of that day are made. Longer than files.keep",
                 .min = hours(24 * 8),
                 .max = hours(24 * 7320)});
    schema.Time("poll_every", &files.worker.poll_every,
                {.description = "How often runs that are due are looked for",
                 .min = milliseconds(100),
                 .max = minutes(10)});
    schema.Time("retry_first", &files.run.retry_first,
                {.description = "First wait before a run that failed is tried again; it doubles",
                 .min = milliseconds(100),
                 .max = hours(1)});
    schema.Time("retry_max", &files.run.retry_max,
                {.description = "Longest wait before that", .min = seconds(1), .max = hours(24)});
    schema.Int("serve_threads", &files.serve_threads,
               {.description = "Threads that send the content of files, make previews and assign "
                               "templates: as many callers at a time",
                .unit = "threads",
                .min = 1,
                .max = 256});
    schema.Check([&files]() -> Status {
        if (files.keep_records <= files.run.keep) {
            return Status(Code::kInvalidArgument, config::kConfigInvalid,
                          "files.keep_records must be longer than files.keep");
        }
        const auto time = domain::ParseTimeOfDay(files.schedule_at);
        if (time.ok()) return OkStatus();
        return Status(Code::kInvalidArgument, config::kConfigInvalid,
                      "files.schedule_at: " + std::string(time.status().message()));
    });
}

}  // namespace

void Describe(config::Schema& schema, Options& options) {
    schema.Section("mysql", options.mysql);
    schema.Section("kafka", options.kafka);
    schema.Section("grpc", options.grpc);
    schema.Section("tls", options.tls);
    schema.File("internal_token.key_file", &options.internal_token_key_file,
                {.description = "Key ring that internal tokens are verified with, and signed for "
                                "our own calls",
                 .required = true});
    schema.Secret("digest.key", &options.digest_key,
                  {.description = "Key of the day digests, 32 hexadecimal digits; the same in "
                                  "payment, payout and reconciliation",
                   .max_length = 32,
                   .required = true});
    schema.Secret(
        "audit.key", &options.audit_key,
        {.description = "Key of the audit trail, 64 hexadecimal digits: whoever has it and "
                        "the database can change the history of discrepancies unseen",
         .max_length = 64,
         .required = true});
    DescribeUpstreams(schema.Under("upstreams"), options);
    DescribeConsumer(schema.Under("consumer"), options.consumer);
    DescribeDayRun(schema.Under("day_run"), options.day_run);
    DescribeRepairs(schema.Under("repairs"), options);
    schema.Int("against_payout.result_bank_days", &options.result_bank_days,
               {.description = "A transfer's result is due so many bank business days after its "
                               "transfer date; later it is a discrepancy",
                .unit = "days",
                .min = 1,
                .max = 30});
    schema.Int(
        "day_run.threads", &options.compare_threads,
        {.description = "Buckets of a day that are compared side by side, each with a "
                        "database session and one call at a time to payment or payout, whose "
                        "own queries wait meanwhile if these are many",
         .unit = "threads",
         .min = 1,
         .max = 32});
    DescribeOutside(schema.Under("outside"), options.outside);
    schema.Section("file_store", options.file_store);
    DescribeFiles(schema.Under("files"), options.files);
    schema.Int("queries.threads", &options.query_threads,
               {.description = "Threads that answer questions, each with a database session",
                .min = 1,
                .max = 64});
    schema.Check([&options]() -> Status {
        auto& automatic = options.repairs.policy.automatic;
        automatic.clear();
        for (const std::string& name : options.automatic_repairs) {
            const auto kind = domain::RepairKindOf(name);
            if (!kind) {
                return Status(Code::kInvalidArgument, config::kConfigInvalid,
                              "repairs.automatic: " + name + " is no kind of repair");
            }
            automatic.push_back(*kind);
        }
        const Status safe = app::CheckPolicy(options.repairs.policy);
        if (safe.ok()) return OkStatus();
        return Status(Code::kInvalidArgument, config::kConfigInvalid,
                      "repairs.automatic: " + std::string(safe.message()));
    });
    // The relay and its leases, the ids, runs of days and of files and repairs with their leases,
    // imports and runs of accounts outside, beside the threads. Who serves files holds a session
    // for a moment only.
    schema.Check([&options]() -> Status {
        const int needed =
            2 * options.consumer.workers + options.query_threads + options.compare_threads + 13;
        if (options.mysql.sessions_max >= needed) return OkStatus();
        return Status(
            Code::kInvalidArgument, config::kConfigInvalid,
            "mysql.sessions_max must be at least " + std::to_string(needed) +
                " for consumer.workers, queries.threads, day_run.threads and the background "
                "tasks");
    });
}

}  // namespace kessai::reconciliation
