#include "storage/mysql_ledger_store.h"

#include <algorithm>
#include <map>
#include <vector>

#include "domain/day_total.h"
#include "kessai/money/money.h"
#include "kessai/mysql/query.h"
#include "kessai/mysql/transaction.h"
#include "kessai/outbox/batch_writer.h"
#include "kessai/result/check.h"
#include "storage/gate.h"
#include "storage/mysql_merchant_records.h"
#include "storage/mysql_transfer_records.h"
#include "storage/running_balances.h"

namespace kessai::payout::storage {
namespace {

constexpr Duration kAcquireTimeout = std::chrono::seconds(2);
constexpr int kLinesPerPage = 2'000;
constexpr std::size_t kRowsPerStatement = 2'000;

constexpr mysql::Query kLockGate{"ledger_gate.lock", R"sql(
    SELECT business_date, last_journal, last_object, outbox_rows FROM ledger_gate
    WHERE id = 1 FOR UPDATE)sql"};
constexpr mysql::Query kSetGate{"ledger_gate.set", R"sql(
    UPDATE ledger_gate SET business_date = ?, last_journal = ?, last_object = ?, outbox_rows = ?
    WHERE id = 1)sql"};
constexpr mysql::Query kLockAccounts{"merchant_account.lock", R"sql(
    SELECT merchant_id, moved_available, in_transit, bank_account, terms, open_holds, missed_due
    FROM merchant_account FORCE INDEX (PRIMARY) WHERE merchant_id IN ({keys})
    ORDER BY merchant_id FOR UPDATE)sql"};
constexpr mysql::Query kPutAccounts{"merchant_account.put", R"sql(
    INSERT INTO merchant_account (merchant_id, moved_available, in_transit, bank_account, terms,
                                  open_holds, missed_due) VALUES {rows}
    ON DUPLICATE KEY UPDATE moved_available = VALUES(moved_available),
                            in_transit = VALUES(in_transit), bank_account = VALUES(bank_account),
                            terms = VALUES(terms), open_holds = VALUES(open_holds),
                            missed_due = VALUES(missed_due))sql"};
constexpr mysql::Query kInsertJournals{"merchant_journal.insert", R"sql(
    INSERT INTO merchant_journal (journal_id, business_date, merchant_id, kind, object_id, currency,
                                  amount, fee, tax, released, recorded_at_us) VALUES {rows})sql"};
constexpr mysql::Query kDueDateFacts{"transfer_run.facts", R"sql(
    SELECT (SELECT MAX(due_date) FROM transfer_run WHERE finished_at_us IS NOT NULL),
           (SELECT MAX(business_date) FROM payout_day WHERE state > 1),
           (SELECT MIN(business_date) FROM payout_day WHERE state IN (2, 3)),
           (SELECT MAX(transfer_date) FROM transfer_file_day))sql"};
constexpr mysql::Query kBatchLines{"transfer.batch_lines", R"sql(
    SELECT t.transfer_id, t.amount, a.bank_code, a.branch_code, a.account_type, a.account_number,
           a.holder_kana, a.bank_kana, a.branch_kana
    FROM transfer t FORCE INDEX (transfer_batch_rows)
    JOIN bank_account a ON a.merchant_id = t.merchant_id AND a.version = t.bank_account
    WHERE t.batch_id = ? AND t.transfer_date = ? AND t.transfer_id > ?
    ORDER BY t.transfer_id LIMIT ?)sql"};

struct Gate {
    BusinessDate date;
    std::int64_t journal = 0;
    std::int64_t object = 0;
    std::int64_t outbox_rows = 0;

    bool operator==(const Gate&) const = default;
};

class MysqlLedgerTransaction final : public app::LedgerTransaction {
 public:
    MysqlLedgerTransaction(mysql::Session& session, Instant at, const app::EventEncoder& events)
        : session_(session),
          at_(at),
          events_(events),
          merchants_(session, at),
          transfers_(session, at) {}

    Status Begin() {
        KESSAI_ASSIGN_OR_RETURN(auto rows, session_.Select(kLockGate));
        if (!rows.Next()) return Status(Code::kInternal, "GATE_MISSING", "ledger_gate is empty");
        stored_gate_ = {rows.Date(0), rows.Int(1), rows.Int(2), rows.Int(3)};
        gate_ = stored_gate_;
        gate_.date = std::max(gate_.date, BusinessDate::OfJst(at_));
        return OkStatus();
    }

    Instant at() const override { return at_; }
    BusinessDate book_date() const override { return gate_.date; }
    std::int64_t NextObject() override { return ++gate_.object; }

    Status Lock(std::span<const domain::MerchantId> merchants) override {
        std::vector<domain::MerchantId> unlocked;
        for (const domain::MerchantId merchant : merchants) {
            const auto [account, is_new] = accounts_.try_emplace(merchant);
            if (!is_new) continue;
            account->second.now.funds.merchant = merchant;
            unlocked.push_back(merchant);
        }
        if (unlocked.empty()) return OkStatus();
        std::sort(unlocked.begin(), unlocked.end());
        KESSAI_ASSIGN_OR_RETURN(auto rows,
                                session_.Select(kLockAccounts, mysql::KeyList(unlocked)));
        while (rows.Next()) {
            app::MerchantAccount& account = accounts_[domain::MerchantId(rows.Int(0))].now;
            account.funds.moved = rows.Int(1);
            account.funds.in_transit = rows.Int(2);
            account.bank_account = static_cast<int>(rows.Int(3));
            account.terms = static_cast<int>(rows.Int(4));
            account.open_holds = static_cast<int>(rows.Int(5));
            account.missed_due = rows.Bool(6);
            account.known = true;
        }
        // Behind the lock: of what is released later, this transaction has taken nothing.
        KESSAI_ASSIGN_OR_RETURN(const auto balances, LoadNewestBalances(session_, unlocked));
        for (const domain::RunningBalance& balance : balances) {
            app::MerchantAccount& account = accounts_[balance.merchant].now;
            KESSAI_ASSIGN_OR_RETURN(account.funds.released,
                                    CheckedAdd(account.funds.released, balance.released));
            account.known = true;
        }
        for (const domain::MerchantId merchant : unlocked) {
            Account& account = accounts_[merchant];
            account.stored = account.now;
        }
        return OkStatus();
    }

    app::MerchantAccount& AccountOf(domain::MerchantId merchant) override {
        const auto found = accounts_.find(merchant);
        KESSAI_CHECK(found != accounts_.end(), "the merchant's account is not locked");
        return found->second.now;
    }

    Status Post(const domain::MerchantJournal& journal) override {
        KESSAI_RETURN_IF_ERROR(domain::Post(journal, AccountOf(journal.merchant).funds));
        journals_.push_back(journal);
        return OkStatus();
    }

    Status Post(const domain::MerchantJournal& journal, const domain::Transfer& transfer) override {
        KESSAI_RETURN_IF_ERROR(Post(journal));
        return Tell({.step = domain::StepOf(journal.kind),
                     .transfer = transfer,
                     .fee = journal.fee,
                     .tax = journal.tax,
                     .business_date = gate_.date,
                     .at = at_});
    }

    Status TellSent(std::span<const domain::Transfer> transfers) override {
        for (const domain::Transfer& transfer : transfers) {
            KESSAI_RETURN_IF_ERROR(Tell({.step = domain::TransferStep::kSent,
                                         .transfer = transfer,
                                         .business_date = BusinessDate::OfJst(at_),
                                         .at = at_}));
        }
        return OkStatus();
    }

    Status TellAgain(std::span<const domain::TransferEvent> events) override {
        for (const domain::TransferEvent& event : events) {
            KESSAI_RETURN_IF_ERROR(Tell(event, /*again=*/true));
        }
        return OkStatus();
    }

    /// Shards of the outbox that have something to publish.
    unsigned shards() const { return shards_; }

    app::MerchantRecords& merchants() override { return merchants_; }
    app::TransferRecords& transfers() override { return transfers_; }

    /// Stores what was posted and changed.
    Status Finish() {
        KESSAI_RETURN_IF_ERROR(StoreJournals());
        KESSAI_RETURN_IF_ERROR(StoreAccounts());
        KESSAI_RETURN_IF_ERROR(StoreEvents());
        if (gate_ == stored_gate_) return OkStatus();
        return internal::TakeStatus(
            session_.Execute(kSetGate, gate_.date, gate_.journal, gate_.object, gate_.outbox_rows));
    }

 private:
    struct Account {
        app::MerchantAccount now;
        app::MerchantAccount stored;
    };

    Status Tell(const domain::TransferEvent& event, bool again = false) {
        KESSAI_ASSIGN_OR_RETURN(const std::string envelope, events_.TransferChanged(event));
        const outbox::Entry entry{.object_id = domain::EventObjectOf(event.transfer.id),
                                  .envelope = envelope,
                                  .republished = again};
        const Status added = outbox_.Add(entry);
        if (added.reason() != outbox::kBatchTooLarge) return added;
        KESSAI_RETURN_IF_ERROR(StoreEvents());
        return outbox_.Add(entry);
    }

    /// No day's end waits for them: a mark is of changes of payments.
    Status StoreEvents() {
        if (outbox_.empty()) return OkStatus();
        shards_ |= outbox_.shards();
        KESSAI_RETURN_IF_ERROR(
            outbox_.Store(session_, OutboxRowId(++gate_.outbox_rows, kLedgerWriter), kNoDay));
        outbox_.Clear();
        return OkStatus();
    }

    Status StoreJournals() {
        mysql::RowList rows;
        for (std::size_t i = 0; i < journals_.size(); ++i) {
            const domain::MerchantJournal& journal = journals_[i];
            rows.Add(++gate_.journal, gate_.date, journal.merchant, static_cast<int>(journal.kind),
                     journal.object, domain::kBookCurrency.code(), journal.amount, journal.fee,
                     journal.tax, AccountOf(journal.merchant).funds.released, at_);
            if (rows.size() < kRowsPerStatement && i + 1 < journals_.size()) continue;
            KESSAI_RETURN_IF_ERROR(session_.Execute(kInsertJournals, rows));
            rows.Clear();
        }
        return OkStatus();
    }

    Status StoreAccounts() {
        mysql::RowList rows;
        for (const auto& [merchant, account] : accounts_) {
            if (SameRow(account.now, account.stored)) continue;
            const app::MerchantAccount& now = account.now;
            rows.Add(merchant, now.funds.moved, now.funds.in_transit, now.bank_account, now.terms,
                     now.open_holds, now.missed_due);
            if (rows.size() < kRowsPerStatement) continue;
            KESSAI_RETURN_IF_ERROR(session_.Execute(kPutAccounts, rows));
            rows.Clear();
        }
        if (rows.empty()) return OkStatus();
        return internal::TakeStatus(session_.Execute(kPutAccounts, rows));
    }

    static bool SameRow(const app::MerchantAccount& a, const app::MerchantAccount& b) {
        return a.funds == b.funds && a.bank_account == b.bank_account && a.terms == b.terms &&
               a.open_holds == b.open_holds && a.missed_due == b.missed_due;
    }

    mysql::Session& session_;
    const Instant at_;
    const app::EventEncoder& events_;
    MysqlMerchantRecords merchants_;
    MysqlTransferRecords transfers_;
    Gate stored_gate_;
    Gate gate_;
    std::map<domain::MerchantId, Account> accounts_;
    std::vector<domain::MerchantJournal> journals_;
    outbox::BatchWriter outbox_;
    unsigned shards_ = 0;
};

app::BatchLine ReadLine(const mysql::Rows& row) {
    app::BatchLine line;
    line.transfer = domain::TransferId(row.Int(0));
    line.amount = row.Int(1);
    line.account.bank_code = row.Text(2);
    line.account.branch_code = row.Text(3);
    line.account.type = static_cast<domain::AccountType>(row.Int(4));
    line.account.number = row.Text(5);
    line.account.holder_kana = row.Text(6);
    line.account.bank_kana = row.Text(7);
    line.account.branch_kana = row.Text(8);
    return line;
}

}  // namespace

Status MysqlLedgerStore::InTransaction(const std::function<Status(app::LedgerTransaction&)>& work) {
    mysql::RetryPolicy policy;
    // Whatever is asked for again is found to be there.
    policy.rerun_unknown = true;
    policy.acquire_timeout = kAcquireTimeout;
    unsigned shards = 0;
    KESSAI_RETURN_IF_ERROR(
        mysql::InTransaction(pool_, policy, [&](mysql::Session& session) -> Status {
            MysqlLedgerTransaction transaction(session, clock_.Now(), events_);
            KESSAI_RETURN_IF_ERROR(transaction.Begin());
            KESSAI_RETURN_IF_ERROR(work(transaction));
            KESSAI_RETURN_IF_ERROR(transaction.Finish());
            shards = transaction.shards();
            return OkStatus();
        }));
    if (shards != 0 && on_events_) on_events_(shards);
    return OkStatus();
}

Result<app::DueDateFacts> MysqlLedgerStore::FindDueDateFacts() {
    KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
    KESSAI_ASSIGN_OR_RETURN(auto rows, session->Select(kDueDateFacts));
    app::DueDateFacts facts;
    if (!rows.Next()) return facts;
    if (!rows.IsNull(0)) facts.last_finished_run = rows.Date(0);
    if (!rows.IsNull(1)) facts.last_known_day = rows.Date(1);
    if (!rows.IsNull(2)) facts.first_unreleased_day = rows.Date(2);
    if (!rows.IsNull(3)) facts.last_files = rows.Date(3);
    return facts;
}

Status MysqlLedgerStore::StreamBatch(const app::TransferBatch& batch,
                                     const std::function<Status(const app::BatchLine&)>& take) {
    domain::TransferId through;
    while (true) {
        std::vector<app::BatchLine> page;
        {
            KESSAI_ASSIGN_OR_RETURN(auto session, pool_.Acquire(kAcquireTimeout));
            KESSAI_ASSIGN_OR_RETURN(
                auto rows, session->Select(kBatchLines, batch.id, batch.transfer_date, through,
                                           kLinesPerPage));
            while (rows.Next()) page.push_back(ReadLine(rows));
        }
        if (page.empty()) return OkStatus();
        for (const app::BatchLine& line : page) KESSAI_RETURN_IF_ERROR(take(line));
        through = page.back().transfer;
    }
}

}  // namespace kessai::payout::storage
