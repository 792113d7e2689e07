#pragma once

#include <string>

#include "app/close_day.h"
#include "app/create_transfers.h"
#include "app/day_keeper.h"
#include "app/import_results.h"
#include "app/keep_due_dates.h"
#include "app/manage_bank_accounts.h"
#include "app/release_day.h"
#include "app/send_transfers.h"
#include "domain/invoice_parties.h"
#include "kessai/config/schema.h"
#include "kessai/kafka/connection.h"
#include "kessai/mysql/pool.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/tls.h"
#include "kessai/zengin/account_statement.h"

namespace kessai::payout {

/// How events of payment are taken in.
struct ConsumerSettings {
    std::string group = "payout";
    int workers = 2;
    int batch_events_max = 4'000;
    Duration batch_every = std::chrono::milliseconds(200);
};

/// How days are closed and released.
struct DaySettings {
    app::CloseDayOptions close;
    app::ReleaseDayOptions release;
    app::DayKeeperOptions keeper;
    /// "06:00"; empty: keeper.release_at is nothing.
    std::string release_at;
};

/// How merchants are paid.
struct TransferSettings {
    app::CreateTransfersOptions create;
    app::ImportResultsOptions import;
    app::KeepDueDatesOptions due_dates;
    /// "09:00"; empty: due_dates.at is nothing.
    std::string at;
    /// The same of due_dates.files_at.
    std::string files_at;
    zengin::LineEnd line_end = zengin::LineEnd::kCrLf;
    zengin::StatementYears statement_years = zengin::StatementYears::kReiwa;
    int transfers_per_file = 100'000;
    /// Who pays. Without a code no file is made.
    std::string originator_code;
    std::string originator_name;
    std::string bank_code;
    std::string branch_code;
    int account_type = 1;
    std::string account_number;
};

/// The account and names in it. Refuses what zengin::CheckAccount and KanaText do.
Result<app::SendTransfersOptions> SendingOf(const TransferSettings& settings);

/// How merchants' bank accounts come into force.
struct AccountSettings {
    app::BankAccountOptions accounts;
    /// Where a bank is asked; empty: nowhere.
    std::string verifier_url;
    std::string verifier_token;
    Duration verifier_timeout = std::chrono::seconds(5);
    std::string verifier_ca_file;
};

/// Who issues merchants' statements and invoices, and what they are set in.
struct StatementSettings {
    /// Without a name none is issued.
    domain::InvoiceIssuer issuer;
    std::string font_file = "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf";
};

/// Everything the service is configured by, besides what the runtime reads.
struct Options {
    Options();

    mysql::PoolOptions mysql;
    kafka::ConnectionOptions kafka;
    rpc::ServerOptions grpc;
    rpc::TlsFiles tls;
    std::string token_key_file;
    /// 32 hexadecimal digits.
    std::string digest_key;
    ConsumerSettings consumer;
    DaySettings days;
    TransferSettings transfers;
    AccountSettings accounts;
    StatementSettings statements;
    /// Threads of methods that answer from a few rows, and of those that read whole days.
    int quick_threads = 4;
    int slow_threads = 4;
};

void Describe(config::Schema& schema, ConsumerSettings& options);
void Describe(config::Schema& schema, DaySettings& options);
void Describe(config::Schema& schema, TransferSettings& options);
void Describe(config::Schema& schema, AccountSettings& options);
void Describe(config::Schema& schema, StatementSettings& options);
void Describe(config::Schema& schema, Options& options);

}  // namespace kessai::payout
