#pragma once

#include <string>
#include <vector>

#include "app/adjust_balance.h"
#include "app/balance_books.h"
#include "app/cancel_transfer.h"
#include "app/create_transfers.h"
#include "app/import_results.h"
#include "app/manage_bank_accounts.h"
#include "app/manage_payout_terms.h"
#include "app/republish_events.h"
#include "app/request_payout.h"
#include "app/send_transfers.h"
#include "app/trace_funds.h"
#include "storage/mysql_book_reader.h"
#include "storage/mysql_funds_reader.h"
#include "storage/mysql_hold_steps.h"
#include "storage/mysql_ledger_reader.h"
#include "storage/mysql_ledger_store.h"
#include "storage/mysql_told_releases.h"
#include "transport/csv_result_format.h"
#include "transport/proto_event_encoder.h"
#include "transport/statement_result_format.h"

namespace kessai::payout {

inline constexpr int kTransferEventPartitions = 12;

/// Who pays in tests.
inline app::SendTransfersOptions TestSending() {
    app::SendTransfersOptions sending;
    sending.originator.code = "0000000001";
    sending.originator.name = zengin::KanaText::FromText("ケッサイ").value();
    sending.originator.account = zengin::CheckAccount({.bank_code = "0001",
                                                       .branch_code = "001",
                                                       .type = 1,
                                                       .number = "0000001",
                                                       .holder = "ケッサイ"})
                                     .value();
    sending.originator.office = zengin::NamesOf("0001", "001").value();
    sending.transfers_per_file = 40;
    return sending;
}

/// The parts that pay merchants. Chunks are small, so that a test's few merchants are in several.
struct Transfers {
    Transfers(mysql::Pool& pool, const Clock& clock)
        : encoder(domain::TaxTable::Japan(), kTransferEventPartitions),
          store(pool, clock, encoder),
          reader(pool),
          funds(pool, pool),
          book_reader(pool),
          bank_accounts(store),
          terms(store),
          create({.merchants_per_chunk = 7}, store, domain::TaxTable::Japan()),
          request(store, domain::TaxTable::Japan()),
          cancel(store),
          send(TestSending(), store),
          import({}, store, {&csv, &statement}),
          adjust(store),
          trace(funds, clock),
          books(book_reader, store, clock),
          hold_steps(pool, encoder),
          told_releases(pool, encoder),
          republish(store, hold_steps, told_releases) {}

    transport::ProtoEventEncoder encoder;
    storage::MysqlLedgerStore store;
    storage::MysqlLedgerReader reader;
    storage::MysqlFundsReader funds;
    storage::MysqlBookReader book_reader;
    transport::CsvResultFormat csv;
    transport::StatementResultFormat statement{zengin::StatementYears::kReiwa, std::nullopt};
    app::ManageBankAccounts bank_accounts;
    app::ManagePayoutTerms terms;
    app::CreateTransfers create;
    app::RequestPayout request;
    app::CancelTransfer cancel;
    app::SendTransfers send;
    app::ImportResults import;
    app::AdjustBalance adjust;
    app::TraceFunds trace;
    app::BalanceBooks books;
    storage::MysqlHoldSteps hold_steps;
    storage::MysqlToldReleases told_releases;
    app::RepublishEvents republish;
};

/// A result file with the right totals.
class ResultFileText {
 public:
    ResultFileText& Add(domain::TransferId transfer, const std::string& outcome,
                        std::int64_t amount, const std::string& reason = {}) {
        lines_ += transfer.ToString() + "," + outcome + "," + std::to_string(amount) + "," +
                  reason + "\n";
        const std::size_t at = outcome == "SETTLED" ? 0 : outcome == "FAILED" ? 1 : 2;
        ++counts_[at];
        amounts_[at] += amount;
        return *this;
    }
    std::string Text() const {
        std::string text = "transfer_id,outcome,amount,reason\n" + lines_;
        const char* names[] = {"SETTLED", "FAILED", "RETURNED"};
        for (std::size_t i = 0; i < 3; ++i) {
            text += std::string("TOTAL,") + names[i] + "," + std::to_string(counts_[i]) + "," +
                    std::to_string(amounts_[i]) + "\n";
        }
        return text;
    }

 private:
    std::string lines_;
    std::int64_t counts_[3] = {};
    std::int64_t amounts_[3] = {};
};

}  // namespace kessai::payout
