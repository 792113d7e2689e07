#include "options.h"

#include "domain/time_of_day.h"
#include "kessai/http/client.h"
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
                .max = 10'000});
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
                {.description = "Release days by themselves"});
    schema.Text(
        "release_at", &options.release_at,
        {.description = "Time of day in Japan, like 06:00, before which a day is not released "
                        "by itself on the day after it; empty: as soon as it is closed",
         .max_length = 5});
    schema.Check([&options]() -> Status {
        KESSAI_ASSIGN_OR_RETURN(options.keeper.release_at,
                                domain::ParseTimeOfDay(options.release_at));
        return {};
    });
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

void Describe(config::Schema& schema, TransferSettings& options) {
    schema.Int("merchants_per_chunk", &options.create.merchants_per_chunk,
               {.description = "Merchants whose transfers are made in one transaction",
                .unit = "merchants",
                .min = 1,
                .max = 500});
    schema.Text("at", &options.at,
                {.description = "Time of day in Japan, like 09:00, at which the transfers that are "
                                "due are made by themselves on bank business days, once the days "
                                "before are released; empty: never",
                 .max_length = 5});
    schema.Check([&options]() -> Status {
        KESSAI_ASSIGN_OR_RETURN(options.due_dates.at, domain::ParseTimeOfDay(options.at));
        KESSAI_ASSIGN_OR_RETURN(options.due_dates.files_at,
                                domain::ParseTimeOfDay(options.files_at));
        if (options.due_dates.at && options.due_dates.files_at &&
            *options.due_dates.files_at < *options.due_dates.at) {
            return {Code::kInvalidArgument, "FILES_TOO_EARLY",
                    "transfers.files_at is before transfers.at"};
        }
        return {};
    });
    schema.Text("files_at", &options.files_at,
                {.description = "Time of day in Japan, not before `at`, at which a bank business "
                                "day's transfers are gathered into files by themselves, once: what "
                                "is made later goes with the next day's; empty: never",
                 .max_length = 5});
    schema.Int("transfers_per_file", &options.transfers_per_file,
               {.description = "Transfers in one file for the bank at most",
                .unit = "transfers",
                .min = 1,
                .max = 999'999});
    schema.Size(
        "result_bytes_max", &options.import.file_bytes_max,
        {.description = "Largest result file taken in; the gateway's limits.result_bytes_max "
                        "bounds it too",
         .min = 1'024,
         .max = 64 << 20});
    schema.Choice("line_end", &options.line_end,
                  {{"none", zengin::LineEnd::kNone},
                   {"lf", zengin::LineEnd::kLf},
                   {"crlf", zengin::LineEnd::kCrLf}},
                  {.description = "What stands behind each record of a transfer file, as the bank "
                                  "takes it"});
    schema.Choice(
        "statement_years", &options.statement_years,
        {{"reiwa", zengin::StatementYears::kReiwa}, {"western", zengin::StatementYears::kWestern}},
        {.description = "What the bank counts years by in an account's statement (result "
                        "format zengin-statement): 08 or 26 for 2026"});
    schema.Text("originator_code", &options.originator_code,
                {.description = "Ten digits that the bank gave us; without them no file is made",
                 .max_length = 10});
    schema.Text("originator_name", &options.originator_name,
                {.description = "Our name as the bank has it, kana", .max_length = 160});
    schema.Text("bank_code", &options.bank_code,
                {.description = "Our account: the bank's four digits", .max_length = 4});
    schema.Text("branch_code", &options.branch_code,
                {.description = "Its branch's three digits", .max_length = 3});
    schema.Int("account_type", &options.account_type,
               {.description = "1 ordinary, 2 current, 4 savings", .min = 1, .max = 4});
    schema.Text("account_number", &options.account_number,
                {.description = "Its seven digits", .max_length = 7});
    schema.Check([&options]() -> Status { return SendingOf(options).status(); });
}

void Describe(config::Schema& schema, AccountSettings& options) {
    schema.Choice(
        "verification", &options.accounts.verification_required,
        {{"none", false}, {"required", true}},
        {.description = "Whether a merchant's bank account comes into force only when its "
                        "bank has verified it; those in force stay"});
    schema.Text("verifier_url", &options.verifier_url,
                {.description = "Where a bank is asked about an account (http or https); empty: "
                                "none can be asked",
                 .max_length = 1'000});
    schema.Secret("verifier_token", &options.verifier_token,
                  {.description = "Bearer token that the questions carry; empty: none"});
    schema.Time("verifier_timeout", &options.verifier_timeout,
                {.description = "How long an answer may take in all",
                 .min = milliseconds(100),
                 .max = seconds(60)});
    schema.File("verifier_ca_file", &options.verifier_ca_file,
                {.description = "Who signed its certificate, PEM; empty: the system's"});
    schema.Check([&options]() -> Status {
        if (options.verifier_url.empty()) {
            if (!options.accounts.verification_required) return {};
            return {Code::kInvalidArgument, "VERIFIER_MISSING",
                    "accounts.verification is required, and accounts.verifier_url is empty"};
        }
        return http::Url::Parse(options.verifier_url).status();
    });
}

void Describe(config::Schema& schema, StatementSettings& options) {
    schema.Text(
        "issuer_name", &options.issuer.name,
        {.description = "Our name on invoices; without it none is issued", .max_length = 120});
    schema.Text("issuer_address", &options.issuer.address,
                {.description = "Our address on them", .max_length = 240});
    schema.Text("registration_number", &options.issuer.registration_number,
                {.description = "Our registration number as an issuer of qualified invoices: T and "
                                "13 digits",
                 .max_length = 14});
    schema.File("font_file", &options.font_file,
                {.description = "The font of statements, with Japanese characters"});
    schema.Check([&options]() -> Status { return domain::CheckIssuer(options.issuer); });
}

Result<app::SendTransfersOptions> SendingOf(const TransferSettings& settings) {
    app::SendTransfersOptions sending;
    sending.line_end = settings.line_end;
    sending.transfers_per_file = settings.transfers_per_file;
    if (settings.originator_code.empty()) return sending;
    zengin::Originator& originator = sending.originator;
    originator.code = settings.originator_code;
    KESSAI_ASSIGN_OR_RETURN(originator.name, zengin::KanaText::FromText(settings.originator_name));
    KESSAI_ASSIGN_OR_RETURN(originator.account,
                            zengin::CheckAccount({.bank_code = settings.bank_code,
                                                  .branch_code = settings.branch_code,
                                                  .type = settings.account_type,
                                                  .number = settings.account_number,
                                                  .holder = settings.originator_name}));
    KESSAI_ASSIGN_OR_RETURN(originator.office,
                            zengin::NamesOf(settings.bank_code, settings.branch_code));
    return sending;
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
    schema.Section("transfers", options.transfers);
    schema.Section("accounts", options.accounts);
    schema.Section("statements", options.statements);
    schema.Check([&options]() -> Status {
        options.days.release.blocked_events_max = options.days.close.blocked_events_max;
        return {};
    });
}

}  // namespace kessai::payout
