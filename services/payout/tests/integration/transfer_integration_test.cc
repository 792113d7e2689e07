// Goal: released money reaches merchants' banks once, whatever fails on the way, and the books show
// it to the yen.
// Method: the use cases over a real MariaDB; the books as rows, and against sums over the journal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "kessai/event/envelope.h"
#include "kessai/testing/process.h"
#include "kessai/testing/temp_dir.h"
#include "kessai/zengin/testing/statement_records.h"
#include "tests/inquiry_server.h"
#include "tests/payout_fixture.h"
#include "tests/seeded.h"
#include "tests/transfer_fixture.h"
#include "transport/http_account_verifier.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;
using domain::TransferId;
using domain::TransferState;
using testing::IsOkAnd;
using testing::Refuses;

// A Monday, and the last day of its month.
const BusinessDate kDue = Day(20261130);

const std::string kBooks[] = {
    "SELECT CONCAT_WS(',', journal_id, business_date, merchant_id, kind, object_id, amount, fee, "
    "tax) FROM merchant_journal ORDER BY journal_id",
    "SELECT CONCAT_WS(',', merchant_id, moved_available, in_transit, bank_account, terms, "
    "open_holds) FROM merchant_account ORDER BY merchant_id",
    "SELECT CONCAT_WS(',', payout_id, merchant_id, request_key, on_demand, amount, fee, tax, "
    "requested_by) FROM payout ORDER BY payout_id",
    "SELECT CONCAT_WS(',', transfer_id, payout_id, attempt, merchant_id, bank_account, "
    "transfer_date, amount, state, reason, batch_id) FROM transfer ORDER BY transfer_id",
    "SELECT CONCAT_WS(',', due_date, transfer_date, merchants_through, transfer_count, amount, "
    "held_count, below_minimum_count, finished_at_us IS NULL) FROM transfer_run ORDER BY due_date",
    "SELECT CONCAT_WS(',', hold_id, merchant_id, cause, payout_id, note, lifted_by IS NULL) "
    "FROM payout_hold ORDER BY hold_id",
    "SELECT CONCAT_WS(',', HEX(file_hash), settled_count, settled_amount, failed_count, "
    "failed_amount, returned_count, returned_amount, repeated_count) FROM bank_result_file "
    "ORDER BY file_hash",
    "SELECT CONCAT_WS(',', business_date, last_journal, last_object, outbox_rows) "
    "FROM ledger_gate",
    "SELECT CONCAT_WS(',', row_id, shard, entry_count, HEX(entries)) FROM outbox "
    "ORDER BY row_id, shard"};

class TransferTest : public PayoutTest {
 protected:
    TransferTest() : clock_(kDue.At(std::chrono::hours(10))), transfers_(payout_->pool, clock_) {}

    /// What a release makes available.
    static void Release(Payout& payout, std::int64_t merchant, std::int64_t net) {
        payout.Run("INSERT IGNORE INTO payout_day (business_date, state) VALUES ('2026-11-22', 4)");
        payout.Run(
            "INSERT INTO merchant_release (business_date, merchant_id, tax_class, round, currency, "
            "gross, fee, tax, net, item_count) VALUES ('2026-11-22', " +
            std::to_string(merchant) + ", 2, 0, 'JPY', 0, 0, 0, " + std::to_string(net) +
            ", 1) ON DUPLICATE KEY UPDATE net = net + VALUES(net)");
    }
    void Release(std::int64_t merchant, std::int64_t net) { Release(*payout_, merchant, net); }

    static void OpenAccount(Transfers& transfers, std::int64_t merchant,
                            const std::string& number = "1234567") {
        ASSERT_OK_AND_ASSIGN(const auto account,
                             transfers.bank_accounts.Put({.merchant = MerchantId(merchant),
                                                          .bank_code = "0001",
                                                          .branch_code = "004",
                                                          .type = 1,
                                                          .number = number,
                                                          .holder = "カ）ミセ"},
                                                         "aiko"));
        ASSERT_OK(
            transfers.bank_accounts.Confirm(MerchantId(merchant), account.version, "ken").status());
    }
    void OpenAccount(std::int64_t merchant, const std::string& number = "1234567") {
        OpenAccount(transfers_, merchant, number);
    }

    app::MerchantBalance BalanceOf(std::int64_t merchant) {
        const auto balance = payout_->reader.FindBalance(MerchantId(merchant));
        EXPECT_OK(balance.status());
        return balance.ok() ? *balance : app::MerchantBalance{};
    }

    static std::vector<std::string> Books(Payout& payout) {
        std::vector<std::string> texts;
        auto session = payout.pool.Acquire(std::chrono::seconds(5));
        EXPECT_OK(session.status());
        for (const std::string& sql : kBooks) {
            auto rows = (*session)->Select(mysql::Query{"test.rows", sql});
            EXPECT_OK(rows.status());
            while (rows.ok() && rows->Next()) texts.push_back(rows->Text(0));
            texts.emplace_back("--");
        }
        return texts;
    }
    std::vector<std::string> Books() { return Books(*payout_); }

    std::string FileOf(domain::BatchId batch) {
        std::string bytes;
        const auto written =
            transfers_.send.WriteFile(batch, /*again=*/true, [&](std::string_view piece) {
                bytes += piece;
                return OkStatus();
            });
        EXPECT_OK(written.status());
        return bytes;
    }

    /// The transfers of a payout of the due date, made and sent.
    std::vector<domain::Transfer> Send() {
        EXPECT_OK(transfers_.create.Run(kDue, "aiko").status());
        EXPECT_OK(transfers_.send.Gather(kDue, "aiko").status());
        std::vector<domain::Transfer> sent;
        auto session = payout_->pool.Acquire(std::chrono::seconds(5));
        auto rows = (*session)->Select(
            mysql::Query{"test.transfers", "SELECT payout_id FROM payout ORDER BY payout_id"});
        EXPECT_OK(rows.status());
        while (rows->Next()) {
            const auto payout = transfers_.reader.FindPayout(domain::PayoutId(rows->Int(0)));
            EXPECT_OK(payout.status());
            sent.push_back(payout->transfers.back());
        }
        return sent;
    }

    /// That stored balances are the sums of postings, transfers in transit what is in transit, and
    /// journals numbered without a gap.
    void CheckBooks() {
        EXPECT_EQ(payout_->Number("SELECT COUNT(*) - MAX(journal_id) FROM merchant_journal"), 0);
        EXPECT_EQ(
            payout_->Number(
                "SELECT COUNT(*) FROM merchant_account a WHERE in_transit < 0 OR in_transit <> "
                "(SELECT COALESCE(SUM(t.amount), 0) FROM transfer t "
                "WHERE t.merchant_id = a.merchant_id AND t.state = 1)"),
            0);
        EXPECT_EQ(
            payout_->Number("SELECT COUNT(*) FROM merchant_account a WHERE moved_available <> "
                            "(SELECT COALESCE(SUM(CASE kind WHEN 1 THEN -(amount + fee + tax) "
                            "WHEN 2 THEN 0 WHEN 8 THEN amount + fee + tax ELSE amount END), 0) "
                            "FROM merchant_journal j "
                            "WHERE j.merchant_id = a.merchant_id)"),
            0);
        EXPECT_EQ(
            payout_->Number("SELECT COUNT(*) FROM merchant_account a WHERE in_transit <> "
                            "(SELECT COALESCE(SUM(CASE kind WHEN 1 THEN amount WHEN 2 THEN -amount "
                            "WHEN 3 THEN -amount WHEN 8 THEN -amount ELSE 0 END), 0) "
                            "FROM merchant_journal j "
                            "WHERE j.merchant_id = a.merchant_id)"),
            0);
        // No payout has two attempts whose money did not come back.
        EXPECT_EQ(
            payout_->Number("SELECT COUNT(*) FROM (SELECT payout_id FROM transfer "
                            "WHERE state IN (1, 2) GROUP BY payout_id HAVING COUNT(*) > 1) p"),
            0);
    }

    ManualClock clock_;
    Transfers transfers_;
};

// Goal: the whole way of a sale's money.
TEST_F(TransferTest, FromASaleToTheBank) {
    const BusinessDate day = Day(20261122);
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, day, 100'000)}).empty());
    payout_->Close(day);
    ASSERT_OK(payout_->release_day.Run(day, false).status());
    const std::int64_t net = 100'000 - 1'980 - 198;
    EXPECT_EQ(BalanceOf(7).available, net);
    OpenAccount(7);
    domain::PayoutTerms terms;
    terms.merchant = MerchantId(7);
    terms.cycle = domain::PayoutCycle::kMonthEnd;
    terms.transfer_fee = 110;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());

    ASSERT_OK_AND_ASSIGN(const auto run, transfers_.create.Run(kDue, "aiko"));
    EXPECT_EQ(run.transfer_count, 1);
    EXPECT_EQ(run.amount, net - 110);
    EXPECT_EQ(run.transfer_date, kDue);
    EXPECT_EQ(BalanceOf(7).available, 0);
    EXPECT_EQ(BalanceOf(7).in_transit, net - 110);

    ASSERT_OK_AND_ASSIGN(const auto batches, transfers_.send.Gather(kDue, "aiko"));
    ASSERT_EQ(batches.size(), 1u);
    const std::string bytes = FileOf(batches[0].id);
    ASSERT_OK_AND_ASSIGN(const auto file, zengin::ReadTransferFile(bytes));
    ASSERT_EQ(file.transfers.size(), 1u);
    EXPECT_EQ(file.transfers[0].amount, Yen(net - 110));
    EXPECT_EQ(file.transfers[0].payee.number, "1234567");
    EXPECT_EQ(file.transfers[0].payee.holder.ToUtf8(), "ｶ)ﾐｾ");
    ASSERT_OK_AND_ASSIGN(
        const std::int64_t id,
        std::get<zengin::CustomerCodes>(file.transfers[0].reference).ToTransferId());
    // The same bytes again.
    EXPECT_EQ(FileOf(batches[0].id), bytes);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer_batch WHERE HEX(file_hash) = '" +
                              domain::ToHex(domain::HashOf(bytes)) + "'"),
              1);

    ASSERT_OK_AND_ASSIGN(
        const auto results,
        transfers_.import.Run(
            "csv", ResultFileText().Add(TransferId(id), "SETTLED", net - 110).Text(), "aiko"));
    EXPECT_EQ(results.settled, (app::ImportedResults::Sums{1, net - 110}));
    EXPECT_EQ(BalanceOf(7).in_transit, 0);
    CheckBooks();

    ASSERT_OK_AND_ASSIGN(const auto of_day, transfers_.books.Run(day));
    ASSERT_OK_AND_ASSIGN(const auto of_due, transfers_.books.Run(kDue));
    EXPECT_TRUE(of_day.journals_final());
    EXPECT_FALSE(of_due.journals_final());
    EXPECT_EQ(of_due.opening, of_day.closing);
    const domain::TrialBalance& released = of_day.moved;
    const domain::TrialBalance& paid = of_due.moved;
    using domain::Account;
    EXPECT_EQ(released.Total().value(), 0);
    EXPECT_EQ(paid.Total().value(), 0);
    EXPECT_EQ(released.Of(Account::kClearing), -100'000);
    EXPECT_EQ(released.Of(Account::kAvailable), net);
    EXPECT_EQ(paid.Of(Account::kAvailable), -net);
    EXPECT_EQ(paid.Of(Account::kBankSettlement), net - 110);
    EXPECT_EQ(paid.Of(Account::kFeeRevenue), 100);
    EXPECT_EQ(paid.Of(Account::kConsumptionTax), 10);

    domain::TrialBalance lines;
    int count = 0;
    for (const BusinessDate date : {day, kDue}) {
        ASSERT_OK(transfers_.reader.StreamJournal(date, {}, [&](const app::JournalLine& line) {
            ++count;
            EXPECT_OK(lines.Add(line.postings));
            return true;
        }));
    }
    EXPECT_EQ(count, 4);
    EXPECT_EQ(lines.Of(Account::kAvailable), 0);
    EXPECT_EQ(lines.Of(Account::kBankSettlement), net - 110);
    EXPECT_EQ(lines.Total().value(), 0);
}

// Goal: who is paid on a due date, and who is not; again changes nothing.
TEST_F(TransferTest, OnlyWhoIsDueAndHasMoneyIsPaid) {
    for (std::int64_t merchant = 1; merchant <= 20; ++merchant) {
        Release(merchant, 1'000 * merchant);
        if (merchant != 20) OpenAccount(merchant);  // 20 has none
    }
    Release(1, -5'000);  // a debt
    domain::PayoutTerms terms;
    terms.merchant = MerchantId(2);
    terms.minimum_amount = 2'001;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    terms = {};
    terms.merchant = MerchantId(3);
    terms.cycle = domain::PayoutCycle::kOnDemand;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    ASSERT_OK(transfers_.terms.Hold(MerchantId(4), "asked by the police", "aiko").status());
    // Proposed, not confirmed.
    ASSERT_OK(transfers_.bank_accounts
                  .Put({.merchant = MerchantId(20),
                        .bank_code = "0001",
                        .branch_code = "004",
                        .type = 1,
                        .number = "7654321",
                        .holder = "ミセ"},
                       "aiko")
                  .status());

    EXPECT_THAT(transfers_.create.Run(Day(20261129), "aiko"),
                Refuses(Code::kInvalidArgument, "NOT_A_BUSINESS_DAY"));
    EXPECT_THAT(transfers_.create.Run(Day(20261209), "aiko"),
                Refuses(Code::kFailedPrecondition, "DUE_DATE_TOO_EARLY"));
    // A slip of the year: every cycle has been due since.
    EXPECT_THAT(transfers_.create.Run(Day(20251128), "aiko"),
                Refuses(Code::kFailedPrecondition, "DUE_DATE_TOO_OLD"));
    EXPECT_THAT(transfers_.create.Run(Day(20260928), "aiko"),
                Refuses(Code::kFailedPrecondition, "DUE_DATE_TOO_OLD"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer_run"), 0);
    EXPECT_EQ(transfers_.create.Run(Day(21500104), "aiko").status().reason(),
              "DATE_OUTSIDE_CALENDAR");
    ASSERT_OK_AND_ASSIGN(const auto run, transfers_.create.Run(kDue, "aiko"));
    EXPECT_EQ(run.transfer_count, 15);
    EXPECT_EQ(run.held_count, 1);
    EXPECT_EQ(run.below_minimum_count, 2);
    EXPECT_EQ(BalanceOf(1).available, -4'000);
    EXPECT_EQ(BalanceOf(2).available, 2'000);
    EXPECT_EQ(BalanceOf(5).in_transit, 5'000);
    EXPECT_EQ(BalanceOf(20).available, 20'000);
    const auto books = Books();
    Release(5, 700);
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.create.Run(kDue, "ken"));
    EXPECT_EQ(again.transfer_count, 15);
    EXPECT_EQ(Books(), books);
    EXPECT_EQ(BalanceOf(5).available, 700);

    // A due date that nobody made transfers of is made up for, on the day that is left.
    ASSERT_OK_AND_ASSIGN(const auto late, transfers_.create.Run(Day(20261127), "aiko"));
    EXPECT_EQ(late.transfer_date, kDue);
    EXPECT_EQ(late.transfer_count, 0);
    CheckBooks();
}

TEST_F(TransferTest, FilesAreCutAndDamageToTheirRowsIsFound) {
    for (std::int64_t merchant = 1; merchant <= 100; ++merchant) {
        Release(merchant, 1'000 + merchant);
        OpenAccount(merchant);
    }
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto batches, transfers_.send.Gather(kDue, "aiko"));
    ASSERT_EQ(batches.size(), 3u);  // 40 a file
    std::int64_t transfers = 0;
    for (const app::TransferBatch& batch : batches) {
        ASSERT_OK_AND_ASSIGN(const auto file, zengin::ReadTransferFile(FileOf(batch.id)));
        EXPECT_EQ(file.totals.count, batch.transfer_count);
        EXPECT_EQ(file.totals.amount, Yen(batch.amount));
        transfers += batch.transfer_count;
    }
    EXPECT_EQ(transfers, 100);
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.send.Gather(kDue, "ken"));
    EXPECT_EQ(again.size(), 3u);

    const auto write = [&](domain::BatchId batch) {
        return transfers_.send.WriteFile(batch, /*again=*/true,
                                         [](std::string_view) { return OkStatus(); });
    };
    payout_->Run("UPDATE bank_account SET account_number = '0000009' WHERE merchant_id = 3");
    EXPECT_THAT(write(batches[0].id), Refuses(Code::kFailedPrecondition, "TRANSFER_FILE_DIFFERS"));
    payout_->Run("UPDATE transfer SET amount = amount + 1 WHERE merchant_id = 50");
    EXPECT_THAT(write(batches[1].id), Refuses(Code::kFailedPrecondition, "TRANSFER_FILE_DIFFERS"));
    EXPECT_OK(write(batches[2].id).status());
    EXPECT_THAT(write(domain::BatchId(99'999)), Refuses(Code::kNotFound, "BATCH_UNKNOWN"));
}

// Goal: two operators never both have a file that looks like theirs to send.
TEST_F(TransferTest, AFileIsTakenOnce) {
    Release(7, 9'000);
    OpenAccount(7);
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto batches, transfers_.send.Gather(kDue, "aiko"));
    ASSERT_EQ(batches.size(), 1u);
    std::string bytes;
    const auto take = [&](bool again) {
        bytes.clear();
        return transfers_.send
            .WriteFile(batches[0].id, again,
                       [&](std::string_view piece) {
                           bytes += piece;
                           return OkStatus();
                       })
            .status();
    };
    // Whoever is through first has it, though another began before.
    std::optional<Status> other;
    const auto first =
        transfers_.send.WriteFile(batches[0].id, /*again=*/false, [&](std::string_view) {
            if (!other) other = take(false);
            return OkStatus();
        });
    EXPECT_THAT(first, Refuses(Code::kFailedPrecondition, "TRANSFER_FILE_TAKEN"));
    ASSERT_TRUE(other);
    EXPECT_OK(*other);
    const std::string taken = bytes;
    EXPECT_THAT(take(false), Refuses(Code::kFailedPrecondition, "TRANSFER_FILE_TAKEN"));
    EXPECT_EQ(bytes, "");
    EXPECT_OK(take(true));
    EXPECT_EQ(bytes, taken);
}

// Goal: what a date's files missed goes out with the next ones, never with a date that is past.
TEST_F(TransferTest, WhatWasNotSentGoesWithTheNextFile) {
    Release(7, 9'000);
    OpenAccount(7);
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    clock_.Set(Day(20261201).At(std::chrono::hours(10)));
    ASSERT_OK_AND_ASSIGN(const auto past, transfers_.send.Gather(kDue, "aiko"));
    EXPECT_TRUE(past.empty());
    EXPECT_THAT(transfers_.send.Gather(Day(20261205), "aiko"),
                Refuses(Code::kInvalidArgument, "NOT_A_BUSINESS_DAY"));
    // A slip of the month would keep the money back until then.
    EXPECT_THAT(transfers_.send.Gather(Day(20261209), "aiko"),
                Refuses(Code::kFailedPrecondition, "TRANSFER_DATE_TOO_EARLY"));
    ASSERT_OK_AND_ASSIGN(const auto batches, transfers_.send.Gather(Day(20261202), "aiko"));
    ASSERT_EQ(batches.size(), 1u);
    ASSERT_OK_AND_ASSIGN(const auto file, zengin::ReadTransferFile(FileOf(batches[0].id)));
    EXPECT_EQ(file.day, std::chrono::December / 2);
    EXPECT_EQ(file.totals.amount, Yen(9'000));
    CheckBooks();
}

// Goal: who is held is paid nothing, though its transfer was made before; it goes out once the hold
// is lifted. What is in a file already is as the bank was told.
TEST_F(TransferTest, AHoldKeepsTransfersOutOfFiles) {
    for (std::int64_t merchant = 1; merchant <= 90; ++merchant) {
        Release(merchant, 1'000);
        OpenAccount(merchant);
    }
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto hold,
                         transfers_.terms.Hold(MerchantId(3), "asked by the police", "aiko"));
    ASSERT_OK(transfers_.terms.Hold(MerchantId(90), "the same", "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto batches, transfers_.send.Gather(kDue, "aiko"));
    ASSERT_EQ(batches.size(), 3u);  // 40 a file
    EXPECT_EQ(batches[0].transfer_count + batches[1].transfer_count + batches[2].transfer_count,
              88);
    for (const app::TransferBatch& batch : batches) {
        EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer WHERE batch_id = " +
                                  batch.id.ToString()),
                  batch.transfer_count);
        EXPECT_THAT(FileOf(batch.id), ::testing::Not(::testing::IsEmpty()));
    }
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer WHERE batch_id = 0"), 2);
    EXPECT_EQ(BalanceOf(3).in_transit, 1'000);

    ASSERT_OK(transfers_.terms.Hold(MerchantId(5), "too late", "aiko").status());
    EXPECT_EQ(FileOf(batches[0].id).size(), 120u * 43 + 2 * 43);
    ASSERT_OK(transfers_.terms.Lift(hold.id, "ken").status());
    clock_.Set(Day(20261201).At(std::chrono::hours(10)));
    ASSERT_OK_AND_ASSIGN(const auto next, transfers_.send.Gather(Day(20261201), "aiko"));
    ASSERT_EQ(next.size(), 1u);
    EXPECT_EQ(next[0].transfer_count, 1);
    ASSERT_OK_AND_ASSIGN(const auto file, zengin::ReadTransferFile(FileOf(next[0].id)));
    EXPECT_EQ(file.day, std::chrono::December / 1);
    EXPECT_EQ(payout_->Number("SELECT merchant_id FROM transfer WHERE batch_id = " +
                              next[0].id.ToString()),
              3);
    EXPECT_EQ(payout_->Number("SELECT merchant_id FROM transfer WHERE batch_id = 0"), 90);
    CheckBooks();
}

// Goal: money that did not arrive is back, nothing more is sent to that account by itself, and the
// payout is made again as an attempt of the same one.
// Goal: the paying account's statement brings back what did not arrive, of what was in transit and
// of what was settled, once however often banks list it; and a transfer that it does not know is
// refused.
TEST_F(TransferTest, WhatAStatementShowsToBeBackIsAvailableAgain) {
    for (const int merchant : {7, 8, 9}) {
        Release(merchant, 1'000 * merchant);
        OpenAccount(merchant);
    }
    const auto sent = Send();
    ASSERT_EQ(sent.size(), 3u);
    ASSERT_OK(
        transfers_.import
            .Run("csv", ResultFileText().Add(sent[1].id, "SETTLED", sent[1].amount).Text(), "aiko")
            .status());
    const auto statement = [&](const std::vector<domain::Transfer>& back) {
        zengin::StatementRecords records;
        records.Header("0001", "004", "1", "0007654321", 100'000);
        records.Entry(/*credit=*/false, 24'000, "ｿｳｺﾞｳﾌﾘｺﾐ", "");
        for (const domain::Transfer& transfer : back) {
            std::string digits = transfer.id.ToString();
            digits.insert(0, 20 - digits.size(), '0');
            records.Entry(/*credit=*/true, transfer.amount, "ﾌﾘｺﾐﾌﾉｳ", digits);
        }
        records.Trailer();
        return records.End("\r\n");
    };
    const auto import = [&](const std::string& file) {
        return transfers_.import.Run("zengin-statement", file, "aiko");
    };
    domain::Transfer unknown = sent[0];
    unknown.id = TransferId(99'999);
    const auto books = Books();
    EXPECT_THAT(import(statement({sent[0], unknown})),
                Refuses(Code::kNotFound, "TRANSFER_UNKNOWN"));
    domain::Transfer more = sent[0];
    more.amount += 1;
    EXPECT_THAT(import(statement({sent[1], more})),
                Refuses(Code::kFailedPrecondition, "RESULT_AMOUNT_DIFFERS"));
    EXPECT_EQ(Books(), books);

    ASSERT_OK_AND_ASSIGN(const auto imported, import(statement({sent[0], sent[1]})));
    EXPECT_EQ(imported.failed, (app::ImportedResults::Sums{1, sent[0].amount}));
    EXPECT_EQ(imported.returned, (app::ImportedResults::Sums{1, sent[1].amount}));
    for (const domain::Transfer& transfer : sent) {
        const bool back = transfer.id != sent[2].id;
        EXPECT_EQ(BalanceOf(transfer.merchant.value()).available, back ? transfer.amount : 0);
        EXPECT_EQ(BalanceOf(transfer.merchant.value()).in_transit, back ? 0 : transfer.amount);
    }
    // The next day's statement has them again, and one more.
    ASSERT_OK_AND_ASSIGN(const auto later, import(statement({sent[0], sent[1], sent[2]})));
    EXPECT_EQ(later.repeated_count, 2);
    EXPECT_EQ(later.failed, (app::ImportedResults::Sums{1, sent[2].amount}));
    EXPECT_EQ(later.returned, (app::ImportedResults::Sums{}));
    EXPECT_THAT(import(statement({sent[0], sent[1]})),
                Refuses(Code::kAlreadyExists, "RESULT_FILE_IMPORTED"));
    // One without anything of ours is taken in too, and says nothing.
    ASSERT_OK_AND_ASSIGN(const auto empty, import(statement({})));
    EXPECT_EQ(empty.failed, (app::ImportedResults::Sums{}));
    EXPECT_EQ(empty.repeated_count, 0);
    for (const domain::Transfer& transfer : sent) {
        EXPECT_EQ(BalanceOf(transfer.merchant.value()).available, transfer.amount);
    }
}

TEST_F(TransferTest, WhatFailedIsPaidAgain) {
    Release(7, 9'000);
    OpenAccount(7);
    domain::PayoutTerms terms;
    terms.merchant = MerchantId(7);
    terms.cycle = domain::PayoutCycle::kDaily;
    terms.transfer_fee = 100;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    const domain::Transfer first = Send().at(0);
    EXPECT_EQ(first.amount, 8'900);
    ASSERT_OK(transfers_.import
                  .Run("csv", ResultFileText().Add(first.id, "FAILED", 8'900, "NO_ACCOUNT").Text(),
                       "aiko")
                  .status());
    EXPECT_EQ(BalanceOf(7).available, 8'900);
    EXPECT_EQ(BalanceOf(7).in_transit, 0);
    // Held until somebody looks at it.
    clock_.Set(Day(20261201).At(std::chrono::hours(10)));
    ASSERT_OK_AND_ASSIGN(const auto next, transfers_.create.Run(Day(20261201), "aiko"));
    EXPECT_EQ(next.transfer_count, 0);
    EXPECT_EQ(next.held_count, 1);
    EXPECT_THAT(transfers_.request.OnDemand(MerchantId(7), "now", "aiko"),
                Refuses(Code::kFailedPrecondition, "PAYOUT_HELD"));

    OpenAccount(7, "7777777");
    EXPECT_THAT(transfers_.request.Reissue(first.payout, 3, "ken"),
                Refuses(Code::kFailedPrecondition, "ATTEMPT_OUT_OF_TURN"));
    EXPECT_THAT(transfers_.request.Reissue(domain::PayoutId(99'999), 2, "ken"),
                Refuses(Code::kNotFound, "PAYOUT_UNKNOWN"));
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.request.Reissue(first.payout, 2, "ken"));
    ASSERT_EQ(again.transfers.size(), 2u);
    EXPECT_EQ(again.transfers[1].bank_account, 2);
    EXPECT_EQ(again.transfers[1].amount, 8'900);
    const auto books = Books();
    ASSERT_OK_AND_ASSIGN(const auto repeated, transfers_.request.Reissue(first.payout, 2, "ken"));
    EXPECT_EQ(repeated.transfers.size(), 2u);
    EXPECT_EQ(Books(), books);
    EXPECT_EQ(BalanceOf(7).available, 0);
    EXPECT_EQ(BalanceOf(7).in_transit, 8'900);
    EXPECT_THAT(transfers_.request.Reissue(first.payout, 3, "ken"),
                Refuses(Code::kFailedPrecondition, "TRANSFER_UNDER_WAY"));

    ASSERT_OK(transfers_.send.Gather(Day(20261201), "aiko").status());
    const TransferId second = again.transfers[1].id;
    ASSERT_OK(
        transfers_.import.Run("csv", ResultFileText().Add(second, "SETTLED", 8'900).Text(), "aiko")
            .status());
    EXPECT_EQ(BalanceOf(7).in_transit, 0);
    // Days later the money comes back all the same.
    clock_.Set(Day(20261204).At(std::chrono::hours(10)));
    ASSERT_OK(transfers_.import
                  .Run("csv", ResultFileText().Add(second, "RETURNED", 8'900, "R1").Text(), "aiko")
                  .status());
    EXPECT_EQ(BalanceOf(7).available, 8'900);
    // Refunds took it meanwhile.
    Release(7, -8'000);
    EXPECT_THAT(transfers_.request.Reissue(first.payout, 3, "ken"),
                Refuses(Code::kFailedPrecondition, "NOTHING_TO_PAY"));
    Release(7, 8'000);
    ASSERT_OK(transfers_.request.Reissue(first.payout, 3, "ken").status());
    ASSERT_OK_AND_ASSIGN(const auto payout, transfers_.reader.FindPayout(first.payout));
    ASSERT_EQ(payout.transfers.size(), 3u);
    EXPECT_EQ(payout.transfers[0].state, TransferState::kFailed);
    EXPECT_EQ(payout.transfers[0].reason, "NO_ACCOUNT");
    EXPECT_EQ(payout.transfers[1].state, TransferState::kReturned);
    EXPECT_EQ(payout.transfers[2].state, TransferState::kInTransit);
    EXPECT_EQ(payout.payout.amounts, (domain::PayoutAmounts{8'900, 91, 9}));
    // The price was taken once.
    EXPECT_EQ(payout_->Number("SELECT SUM(fee + tax) FROM merchant_journal"), 100);
    CheckBooks();
}

// Goal: what a bank was not told of is taken back whole: money, price and what is held.
TEST_F(TransferTest, WhatIsInNoFileIsCancelled) {
    Release(7, 9'000);
    OpenAccount(7);
    domain::PayoutTerms terms;
    terms.merchant = MerchantId(7);
    terms.cycle = domain::PayoutCycle::kDaily;
    terms.transfer_fee = 110;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto asked, transfers_.request.OnDemand(MerchantId(7), "a", "aiko"));
    const domain::Transfer first = asked.transfers.at(0);
    EXPECT_EQ(BalanceOf(7).in_transit, 8'890);
    EXPECT_THAT(transfers_.cancel.Run(TransferId(99'999), "why", "ken"),
                Refuses(Code::kNotFound, "TRANSFER_UNKNOWN"));
    for (const std::string& reason : {std::string(), std::string(256, 'x')}) {
        EXPECT_THAT(transfers_.cancel.Run(first.id, reason, "ken"),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    }
    payout_->DrainOutbox();
    ASSERT_OK_AND_ASSIGN(const auto cancelled,
                         transfers_.cancel.Run(first.id, "typed twice", "ken"));
    ASSERT_EQ(cancelled.transfers.size(), 1u);
    EXPECT_EQ(cancelled.transfers[0].state, TransferState::kCancelled);
    EXPECT_EQ(cancelled.transfers[0].reason, "typed twice");
    EXPECT_EQ(cancelled.transfers[0].cancelled_by, "ken");
    EXPECT_EQ(BalanceOf(7).available, 9'000);
    EXPECT_EQ(BalanceOf(7).in_transit, 0);
    EXPECT_EQ(payout_->Number("SELECT SUM(entry_count) FROM outbox"), 1);
    ASSERT_OK_AND_ASSIGN(const auto of_due, transfers_.books.Run(kDue));
    for (int account = 0; account < domain::kAccounts; ++account) {
        EXPECT_EQ(of_due.moved.Of(static_cast<domain::Account>(account)), 0);
    }
    // Again, and what would follow.
    const auto books = Books();
    ASSERT_OK(transfers_.cancel.Run(first.id, "again", "mio").status());
    EXPECT_THAT(transfers_.request.Reissue(first.payout, 2, "ken"),
                Refuses(Code::kFailedPrecondition, "PAYOUT_CANCELLED"));
    EXPECT_EQ(Books(), books);
    // It is in no file, and the merchant's money is paid as it would have been.
    ASSERT_OK_AND_ASSIGN(const auto none, transfers_.send.Gather(kDue, "aiko"));
    EXPECT_TRUE(none.empty());
    const domain::Transfer second = Send().back();
    EXPECT_EQ(second.amount, 8'890);
    EXPECT_THAT(transfers_.cancel.Run(second.id, "too late", "ken"),
                Refuses(Code::kFailedPrecondition, "TRANSFER_IN_FILE"));
    CheckBooks();

    // A second attempt: the merchant is held again, as the failure of the first one held it.
    ASSERT_OK(
        transfers_.import
            .Run("csv", ResultFileText().Add(second.id, "FAILED", second.amount, "E").Text(), "a")
            .status());
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.request.Reissue(second.payout, 2, "ken"));
    EXPECT_EQ(payout_->Number("SELECT open_holds FROM merchant_account"), 0);
    ASSERT_OK(transfers_.cancel.Run(again.transfers[1].id, "wrong account", "ken").status());
    EXPECT_EQ(BalanceOf(7).available, 8'890);
    EXPECT_THAT(transfers_.request.OnDemand(MerchantId(7), "b", "aiko"),
                Refuses(Code::kFailedPrecondition, "PAYOUT_HELD"));
    ASSERT_OK_AND_ASSIGN(const auto third, transfers_.request.Reissue(second.payout, 3, "ken"));
    EXPECT_EQ(third.transfers[2].amount, 8'890);
    EXPECT_EQ(payout_->Number("SELECT open_holds FROM merchant_account"), 0);
    // One price, of the one payout that the bank was told of.
    EXPECT_EQ(payout_->Number("SELECT SUM(IF(kind = 8, -(fee + tax), fee + tax)) "
                              "FROM merchant_journal"),
              110);
    CheckBooks();
}

// Goal: a transfer is in a file or cancelled, never both. Method: both at once, many times.
TEST_F(TransferTest, CancelledOrSentAtOnce) {
    constexpr std::int64_t kMerchants = 60;
    for (std::int64_t merchant = 1; merchant <= kMerchants; ++merchant) {
        Release(merchant, 1'000);
        OpenAccount(merchant);
    }
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    std::vector<TransferId> made;
    {
        ASSERT_OK_AND_ASSIGN(auto session, payout_->pool.Acquire(std::chrono::seconds(5)));
        ASSERT_OK_AND_ASSIGN(
            auto rows,
            session->Select(mysql::Query{
                "test.transfers", "SELECT transfer_id FROM transfer ORDER BY transfer_id DESC"}));
        while (rows.Next()) made.emplace_back(rows.Int(0));
    }
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        Payout other(schema_->options());
        Transfers transfers(other.pool, clock_);
        EXPECT_OK(transfers.send.Gather(kDue, "aiko").status());
    });
    threads.emplace_back([&] {
        Payout other(schema_->options());
        Transfers transfers(other.pool, clock_);
        for (const TransferId transfer : made) {
            const auto cancelled = transfers.cancel.Run(transfer, "test", "ken");
            EXPECT_TRUE(cancelled.ok() || cancelled.status().reason() == "TRANSFER_IN_FILE");
        }
    });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer WHERE state = 5 AND batch_id <> 0"),
              0);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM transfer WHERE state = 1 AND batch_id = 0"), 0);
    EXPECT_EQ(payout_->Number("SELECT SUM(transfer_count) FROM transfer_batch"),
              payout_->Number("SELECT COUNT(*) FROM transfer WHERE batch_id <> 0"));
    CheckBooks();
}

// Goal: who was held when it was due is paid with the next run after that, whatever its cycle.
TEST_F(TransferTest, WhatAHoldMissedIsPaidNext) {
    domain::PayoutTerms terms;
    terms.cycle = domain::PayoutCycle::kMonthEnd;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    for (const std::int64_t merchant : {7, 8, 9}) {
        Release(merchant, 1'000 * merchant);
        OpenAccount(merchant);
    }
    ASSERT_OK_AND_ASSIGN(const auto hold,
                         transfers_.terms.Hold(MerchantId(7), "asked by the police", "aiko"));
    ASSERT_OK_AND_ASSIGN(const auto other, transfers_.terms.Hold(MerchantId(9), "x", "aiko"));
    ASSERT_OK_AND_ASSIGN(const auto due, transfers_.create.Run(kDue, "aiko"));
    EXPECT_EQ(due.transfer_count, 1);
    EXPECT_EQ(due.held_count, 2);
    const auto run = [&](int day) {
        clock_.Set(Day(day).At(std::chrono::hours(10)));
        const auto made = transfers_.create.Run(Day(day), "aiko");
        EXPECT_OK(made.status());
        return made.ok() ? *made : app::TransferRun();
    };
    Release(8, 500);
    EXPECT_EQ(run(20261201).held_count, 2);
    ASSERT_OK(transfers_.terms.Lift(hold.id, "ken").status());
    // No other that is not due.
    EXPECT_EQ(run(20261202).transfer_count, 1);
    EXPECT_EQ(BalanceOf(7).in_transit, 7'000);
    Release(7, 300);
    EXPECT_EQ(run(20261203).transfer_count, 0);
    // Who is paid on demand alone since is not due any more.
    terms.merchant = MerchantId(9);
    terms.cycle = domain::PayoutCycle::kOnDemand;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    ASSERT_OK(transfers_.terms.Lift(other.id, "ken").status());
    EXPECT_EQ(run(20261204).transfer_count, 0);
    EXPECT_EQ(BalanceOf(9).available, 9'000);
    CheckBooks();
}

// Goal: a bank's list may go on saying of what came back that it was settled, which it was.
TEST_F(TransferTest, SettledIsStillTrueOfWhatCameBack) {
    for (std::int64_t merchant = 1; merchant <= 2; ++merchant) {
        Release(merchant, 1'000 * merchant);
        OpenAccount(merchant);
    }
    const auto sent = Send();
    ASSERT_OK(
        transfers_.import.Run("csv", ResultFileText().Add(sent[0].id, "SETTLED", 1'000).Text(), "a")
            .status());
    ASSERT_OK(transfers_.import
                  .Run("csv", ResultFileText().Add(sent[0].id, "RETURNED", 1'000, "R").Text(), "a")
                  .status());
    ASSERT_OK_AND_ASSIGN(const auto next,
                         transfers_.import.Run("csv",
                                               ResultFileText()
                                                   .Add(sent[0].id, "SETTLED", 1'000)
                                                   .Add(sent[1].id, "SETTLED", 2'000)
                                                   .Text(),
                                               "a"));
    EXPECT_EQ(next.repeated_count, 1);
    EXPECT_EQ(next.settled, (app::ImportedResults::Sums{1, 2'000}));
    EXPECT_EQ(BalanceOf(1).available, 1'000);
    CheckBooks();
}

TEST_F(TransferTest, OnDemandIsPaidOnceAKey) {
    Release(7, 9'000);
    EXPECT_THAT(transfers_.request.OnDemand(MerchantId(7), "a", "aiko"),
                Refuses(Code::kFailedPrecondition, "BANK_ACCOUNT_MISSING"));
    OpenAccount(7);
    domain::PayoutTerms terms;
    terms.merchant = MerchantId(7);
    terms.on_demand_fee = 220;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    EXPECT_THAT(transfers_.request.OnDemand(MerchantId(7), "a b", "aiko"),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    // A Saturday's goes out on Monday.
    clock_.Set(Day(20261205).At(std::chrono::hours(10)));
    ASSERT_OK_AND_ASSIGN(const auto payout,
                         transfers_.request.OnDemand(MerchantId(7), "a", "aiko"));
    EXPECT_EQ(payout.payout.amounts, (domain::PayoutAmounts{8'780, 200, 20}));
    EXPECT_EQ(payout.transfers.at(0).transfer_date, Day(20261207));
    const auto books = Books();
    Release(7, 5'000);
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.request.OnDemand(MerchantId(7), "a", "ken"));
    EXPECT_EQ(again.payout.id, payout.payout.id);
    EXPECT_EQ(Books(), books);
    ASSERT_OK(transfers_.request.OnDemand(MerchantId(7), "b", "aiko").status());
    EXPECT_THAT(transfers_.request.OnDemand(MerchantId(7), "c", "aiko"),
                Refuses(Code::kFailedPrecondition, "NOTHING_TO_PAY"));
    CheckBooks();
}

// Goal: a result file is taken in whole or not at all; a second time it changes nothing.
TEST_F(TransferTest, BadResultsChangeNothing) {
    for (std::int64_t merchant = 1; merchant <= 4; ++merchant) {
        Release(merchant, 1'000 * merchant);
        OpenAccount(merchant);
    }
    const auto sent = Send();
    ASSERT_EQ(sent.size(), 4u);
    Release(9, 500);
    OpenAccount(9);
    ASSERT_OK_AND_ASSIGN(const auto unsent,
                         transfers_.request.OnDemand(MerchantId(9), "x", "aiko"));
    const auto books = Books();
    const auto reason = [&](const std::string& text, const std::string& format = "csv") {
        const std::string refused(transfers_.import.Run(format, text, "aiko").status().reason());
        EXPECT_EQ(Books(), books) << refused;
        return refused;
    };
    const auto fine = [&] { return ResultFileText().Add(sent[0].id, "SETTLED", 1'000); };
    EXPECT_EQ(reason(fine().Add(TransferId(99'999), "SETTLED", 5).Text()), "TRANSFER_UNKNOWN");
    EXPECT_EQ(reason(fine().Add(unsent.transfers[0].id, "SETTLED", 500).Text()),
              "TRANSFER_NOT_SENT");
    EXPECT_EQ(reason(fine().Add(sent[1].id, "SETTLED", 2'001).Text()), "RESULT_AMOUNT_DIFFERS");
    EXPECT_EQ(reason(fine().Add(sent[1].id, "RETURNED", 2'000, "R").Text()),
              "TRANSFER_NOT_SETTLED");
    EXPECT_EQ(reason(fine().Add(sent[0].id, "SETTLED", 1'000).Text()), "RESULT_REPEATED");
    std::string wrong = fine().Text();
    wrong.replace(wrong.find("TOTAL,SETTLED,1,1000"), 20, "TOTAL,SETTLED,1,1001");
    EXPECT_EQ(reason(wrong), "RESULT_TOTALS_DIFFER");
    wrong = fine().Text();
    wrong.replace(wrong.find("TOTAL,SETTLED,1,1000"), 20, "TOTAL,SETTLED,2,1000");
    EXPECT_EQ(reason(wrong), "RESULT_TOTALS_DIFFER");
    EXPECT_EQ(reason(fine().Text() + "x\n"), "RESULT_LINE_INVALID");
    EXPECT_EQ(reason(fine().Text(), "xml"), "RESULT_FORMAT_UNKNOWN");
    EXPECT_EQ(reason(std::string((std::size_t{3} << 20) + 1, 'x')), "RESULT_FILE_TOO_LARGE");

    const std::string text = fine().Add(sent[1].id, "FAILED", 2'000, "E").Text();
    ASSERT_OK(transfers_.import.Run("csv", text, "aiko").status());
    const auto after = Books();
    const auto again = transfers_.import.Run("csv", text, "ken");
    EXPECT_THAT(again, Refuses(Code::kAlreadyExists, "RESULT_FILE_IMPORTED"));
    EXPECT_THAT(std::string(again.status().message()),
                ::testing::HasSubstr("aiko imported the file before: settled 1 over 1000, failed 1 "
                                     "over 2000, returned 0 over 0"));
    EXPECT_EQ(Books(), after);
    const auto conflict = [&](const ResultFileText& file) {
        const std::string refused(
            transfers_.import.Run("csv", file.Text(), "aiko").status().reason());
        EXPECT_EQ(Books(), after) << refused;
        return refused;
    };
    EXPECT_EQ(conflict(ResultFileText()
                           .Add(sent[2].id, "SETTLED", 3'000)
                           .Add(sent[0].id, "FAILED", 1'000, "E")),
              "RESULT_CONFLICT");
    EXPECT_EQ(conflict(ResultFileText().Add(sent[1].id, "SETTLED", 2'000)), "RESULT_CONFLICT");
    // Another file may say again what is known.
    ASSERT_OK_AND_ASSIGN(const auto next,
                         transfers_.import.Run("csv",
                                               ResultFileText()
                                                   .Add(sent[0].id, "SETTLED", 1'000)
                                                   .Add(sent[2].id, "SETTLED", 3'000)
                                                   .Text(),
                                               "aiko"));
    EXPECT_EQ(next.repeated_count, 1);
    EXPECT_EQ(next.settled, (app::ImportedResults::Sums{1, 3'000}));
    CheckBooks();
}

class CountingObserver final : public mysql::QueryObserver {
 public:
    void OnQuery(std::string_view name, Duration, const Status&) override {
        ++counts[std::string(name)];
    }
    std::map<std::string, int> counts;
};

// Goal: a file of which nothing arrived, as when the originator's account is empty, does not keep
// the ledger for a statement each.
TEST_F(TransferTest, AWholeFileThatFailsIsTakenInByFewStatements) {
    constexpr std::int64_t kMerchants = 80;
    for (std::int64_t merchant = 1; merchant <= kMerchants; ++merchant) {
        Release(merchant, 1'000 + merchant);
        OpenAccount(merchant);
    }
    ResultFileText file;
    for (const domain::Transfer& transfer : Send()) {
        file.Add(transfer.id, "FAILED", transfer.amount, "NO_FUNDS");
    }
    CountingObserver observer;
    mysql::PoolOptions options;
    options.connect = schema_->options();
    mysql::Pool pool(options, SystemClock(), &observer);
    Transfers counted(pool, clock_);
    ASSERT_OK_AND_ASSIGN(const auto imported, counted.import.Run("csv", file.Text(), "aiko"));
    EXPECT_EQ(imported.failed.count, kMerchants);
    for (const auto& [name, count] : observer.counts) EXPECT_LE(count, 2) << name;
    EXPECT_EQ(payout_->Number("SELECT SUM(open_holds) FROM merchant_account"), kMerchants);
    ASSERT_OK_AND_ASSIGN(const auto holds, transfers_.reader.ListOpenHolds({}, {}, 100));
    ASSERT_EQ(holds.size(), static_cast<std::size_t>(kMerchants));
    EXPECT_EQ(holds.front().merchant, MerchantId(kMerchants));
    EXPECT_THAT(holds.front().note, ::testing::HasSubstr("FAILED NO_FUNDS"));
    CheckBooks();
}

TEST_F(TransferTest, AdjustmentsTakeTwoOperators) {
    Release(7, 1'000);
    domain::Adjustment wish;
    wish.merchant = MerchantId(7);
    wish.request_key = "case-1";
    wish.amount = -1'500;
    wish.reason = "terminal not given back";
    wish.requested_by = "aiko";
    ASSERT_OK_AND_ASSIGN(const auto asked, transfers_.adjust.Request(wish));
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.adjust.Request(wish));
    EXPECT_EQ(again.id, asked.id);
    wish.amount = -1'501;
    EXPECT_THAT(transfers_.adjust.Request(wish), Refuses(Code::kAlreadyExists, "KEY_REUSED"));
    wish.merchant = MerchantId(8);
    EXPECT_THAT(transfers_.adjust.Request(wish), Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_EQ(BalanceOf(7).available, 1'000);
    EXPECT_THAT(transfers_.adjust.Decide(asked.id, true, "aiko"),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    EXPECT_THAT(transfers_.adjust.Decide(domain::AdjustmentId(99'999), true, "ken"),
                Refuses(Code::kNotFound, "ADJUSTMENT_UNKNOWN"));
    ASSERT_OK(transfers_.adjust.Decide(asked.id, true, "ken").status());
    ASSERT_OK(transfers_.adjust.Decide(asked.id, true, "ken").status());
    EXPECT_EQ(BalanceOf(7).available, -500);
    EXPECT_THAT(transfers_.adjust.Decide(asked.id, false, "mio"),
                Refuses(Code::kFailedPrecondition, "ADJUSTMENT_DECIDED"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_journal"), 1);
    ASSERT_OK_AND_ASSIGN(const auto listed,
                         transfers_.reader.ListAdjustments(MerchantId(7), {}, 10));
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].decided_by, "ken");
    CheckBooks();
}

// Goal: what is taken from one merchant and given to another is in the ledger as a whole or not at
// all.
// Method: the second one is refused, first because nobody knows the merchant and then because its
// key is taken; once it can be posted, both are there once, however often it is asked for.
TEST_F(TransferTest, AdjustmentsThatBelongTogetherArePostedTogether) {
    Release(7, 1'000);
    const auto part = [](std::int64_t merchant, std::string key, std::int64_t amount) {
        domain::Adjustment wish;
        wish.merchant = MerchantId(merchant);
        wish.request_key = std::move(key);
        wish.amount = amount;
        wish.reason = "of another merchant";
        wish.requested_by = "aiko";
        return wish;
    };
    const std::array parts{part(7, "recon-1-1", -300), part(8, "recon-1-1-b", 300)};
    EXPECT_THAT(transfers_.adjust.Post(parts, "ken"), Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_EQ(BalanceOf(7).available, 1'000);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM adjustment"), 0);

    Release(8, 500);
    EXPECT_THAT(transfers_.adjust.Post(parts, "aiko"),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    ASSERT_OK(transfers_.adjust.Request(part(8, "recon-1-1-b", 299)).status());
    EXPECT_THAT(transfers_.adjust.Post(parts, "ken"), Refuses(Code::kAlreadyExists, "KEY_REUSED"));
    EXPECT_EQ(BalanceOf(7).available, 1'000);

    const std::array others{part(7, "recon-2-1", -300), part(8, "recon-2-1-b", 300)};
    ASSERT_OK_AND_ASSIGN(const auto posted, transfers_.adjust.Post(others, "ken"));
    ASSERT_OK_AND_ASSIGN(const auto again, transfers_.adjust.Post(others, "ken"));
    ASSERT_EQ(posted.size(), 2u);
    EXPECT_EQ(posted[0].id, again[0].id);
    EXPECT_EQ(posted[1].id, again[1].id);
    EXPECT_EQ(BalanceOf(7).available, 700);
    EXPECT_EQ(BalanceOf(8).available, 800);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_journal"), 2);
    CheckBooks();
}

// Goal: whoever gives up a correction can rely on it: a call that is still on the way posts
// nothing. Method: one is withdrawn before it was ever asked for, one that was requested, and one
// that was posted, which stays.
TEST_F(TransferTest, WhatWasWithdrawnIsNeverPosted) {
    Release(7, 1'000);
    domain::Adjustment wish;
    wish.merchant = MerchantId(7);
    wish.amount = 300;
    wish.reason = "corrects a day";
    wish.requested_by = "aiko";
    const auto withdraw = [&] { return transfers_.adjust.Withdraw({&wish, 1}, "reconciliation"); };
    const auto post = [&] { return transfers_.adjust.Post({&wish, 1}, "ken"); };
    wish.request_key = "recon-1-1";
    EXPECT_THAT(withdraw(), IsOkAnd(true));
    EXPECT_THAT(withdraw(), IsOkAnd(true)) << "again changes nothing";
    EXPECT_THAT(post(), Refuses(Code::kFailedPrecondition, "ADJUSTMENT_DECIDED"));
    wish.request_key = "recon-2-1";
    ASSERT_OK(transfers_.adjust.Request(wish).status());
    EXPECT_THAT(withdraw(), IsOkAnd(true));
    EXPECT_THAT(post(), Refuses(Code::kFailedPrecondition, "ADJUSTMENT_DECIDED"));
    EXPECT_EQ(BalanceOf(7).available, 1'000);
    wish.request_key = "recon-3-1";
    ASSERT_OK(post().status());
    EXPECT_THAT(withdraw(), IsOkAnd(false));
    EXPECT_EQ(BalanceOf(7).available, 1'300);
    wish.merchant = MerchantId(8);
    wish.request_key = "recon-4-1";
    EXPECT_THAT(withdraw(), IsOkAnd(true)) << "nothing was ever released to it";
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_journal"), 1);
    CheckBooks();
}

TEST_F(TransferTest, AccountsTakeTwoOperatorsAndAreChecked) {
    const auto put = [&](const std::string& bank, const std::string& branch, int type,
                         const std::string& number, const std::string& holder) {
        return std::string(transfers_.bank_accounts
                               .Put({.merchant = MerchantId(7),
                                     .bank_code = bank,
                                     .branch_code = branch,
                                     .type = type,
                                     .number = number,
                                     .holder = holder},
                                    "aiko")
                               .status()
                               .reason());
    };
    EXPECT_EQ(put("9998", "001", 1, "1234567", "ミセ"), "BANK_UNKNOWN");
    EXPECT_EQ(put("0001", "998", 1, "1234567", "ミセ"), "BRANCH_UNKNOWN");
    EXPECT_EQ(put("1", "001", 1, "1234567", "ミセ"), "BANK_CODE_MALFORMED");
    EXPECT_EQ(put("0001", "001", 3, "1234567", "ミセ"), "ACCOUNT_TYPE_UNKNOWN");
    EXPECT_EQ(put("0001", "001", 1, "123456", "ミセ"), "ACCOUNT_NUMBER_MALFORMED");
    EXPECT_EQ(put("0001", "001", 1, "1234567", "店"), "KANA_NOT_ALLOWED");
    EXPECT_EQ(put("0001", "001", 1, "1234567", ""), "ACCOUNT_HOLDER_MISSING");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM bank_account"), 0);
    EXPECT_EQ(put("0001", "001", 1, "1234567", "ミセ"), "");
    EXPECT_EQ(put("0001", "001", 1, "1234567", "ﾐｾ"), "");  // the same
    EXPECT_EQ(put("0001", "001", 1, "1234568", "ミセ"), "");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM bank_account"), 2);
    EXPECT_THAT(transfers_.bank_accounts.Confirm(MerchantId(7), 1, "ken"),
                Refuses(Code::kFailedPrecondition, "BANK_ACCOUNT_SUPERSEDED"));
    EXPECT_THAT(transfers_.bank_accounts.Confirm(MerchantId(7), 2, "aiko"),
                Refuses(Code::kPermissionDenied, "SAME_OPERATOR"));
    EXPECT_THAT(transfers_.bank_accounts.Confirm(MerchantId(7), 3, "ken"),
                Refuses(Code::kNotFound, "BANK_ACCOUNT_UNKNOWN"));
    ASSERT_OK(transfers_.bank_accounts.Confirm(MerchantId(7), 2, "ken").status());
    EXPECT_EQ(payout_->Number("SELECT bank_account FROM merchant_account"), 2);
}

// Goal: where it is wanted, an account comes into force only when its bank has verified it.
TEST_F(TransferTest, AccountsAreVerifiedWhereItIsWanted) {
    using enum domain::VerificationState;
    OpenAccount(8);  // before it was wanted
    EXPECT_THAT(transfers_.bank_accounts.Verify(MerchantId(8), 1, "aiko"),
                Refuses(Code::kFailedPrecondition, "VERIFIER_MISSING"));
    InquiryServer bank;
    transport::HttpAccountVerifier::Options asking;
    asking.url = http::Url::Parse(bank.url()).value();
    ASSERT_OK_AND_ASSIGN(const auto verifier,
                         transport::HttpAccountVerifier::Create(asking, SystemClock()));
    app::ManageBankAccounts accounts(transfers_.store, {.verification_required = true},
                                     verifier.get());
    const auto put = [&](const std::string& number) {
        return accounts
            .Put({.merchant = MerchantId(7),
                  .bank_code = "0001",
                  .branch_code = "004",
                  .type = 1,
                  .number = number,
                  .holder = "ミセ"},
                 "aiko")
            .status();
    };
    ASSERT_OK(put("1234567"));
    const auto unverified = Refuses(Code::kFailedPrecondition, "BANK_ACCOUNT_UNVERIFIED");
    EXPECT_THAT(accounts.Confirm(MerchantId(7), 1, "ken"), unverified);
    EXPECT_THAT(accounts.Verify(MerchantId(7), 2, "aiko"),
                Refuses(Code::kNotFound, "BANK_ACCOUNT_UNKNOWN"));
    const auto ask = [&] {
        const auto account = accounts.Verify(MerchantId(7), 1, "aiko");
        EXPECT_OK(account.status());
        return account.ok() ? account->verification : domain::Verification();
    };
    bank.Answer("busy", 503);
    EXPECT_EQ(ask(), (domain::Verification{kUnavailable, "VERIFIER_FAILED", "aiko"}));
    EXPECT_THAT(accounts.Confirm(MerchantId(7), 1, "ken"), unverified);
    bank.Answer(R"({"code": "2"})");
    EXPECT_EQ(ask(), (domain::Verification{kRefused, "HOLDER_DIFFERS", "aiko"}));
    EXPECT_THAT(accounts.Confirm(MerchantId(7), 1, "ken"), unverified);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_account WHERE merchant_id = 7 AND "
                              "bank_account <> 0"),
              0);
    bank.Answer(R"({"code": "0"})");
    EXPECT_EQ(ask(), (domain::Verification{kVerified, {}, "aiko"}));
    EXPECT_EQ(bank.questions().size(), 3u);
    // It is what it is: nobody is asked again, and no failure takes it back.
    bank.Answer("busy", 503);
    EXPECT_EQ(ask().state, kVerified);
    EXPECT_EQ(bank.questions().size(), 3u);
    ASSERT_OK(accounts.Confirm(MerchantId(7), 1, "ken").status());
    ASSERT_OK_AND_ASSIGN(const auto listed, transfers_.reader.BankAccounts(MerchantId(7)));
    EXPECT_EQ(listed.at(0).verification.state, kVerified);
    // Another account is another question; the one in force stays meanwhile.
    ASSERT_OK(put("7654321"));
    EXPECT_THAT(accounts.Confirm(MerchantId(7), 2, "ken"), unverified);
    EXPECT_EQ(payout_->Number("SELECT bank_account FROM merchant_account WHERE merchant_id = 7"),
              1);
    Release(8, 500);
    EXPECT_OK(transfers_.request.OnDemand(MerchantId(8), "a", "aiko").status());
}

// Goal: whatever is done at once, each merchant is paid once, and only what it has.
// Method: threads that make the same transfers, ask for payouts and release debts and money, all at
// the same time.
TEST_F(TransferTest, AtOnceEverybodyIsPaidOnce) {
    constexpr std::int64_t kMerchants = 30;
    for (std::int64_t merchant = 1; merchant <= kMerchants; ++merchant) {
        Release(merchant, 10'000);
        OpenAccount(merchant);
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            Payout other(schema_->options());
            Transfers transfers(other.pool, clock_);
            EXPECT_OK(transfers.create.Run(kDue, "aiko").status());
        });
    }
    threads.emplace_back([&] {
        Payout other(schema_->options());
        for (std::int64_t merchant = kMerchants; merchant > 0; --merchant) {
            Release(other, merchant, merchant % 2 == 0 ? 300 : -300);
        }
    });
    threads.emplace_back([&] {
        Payout other(schema_->options());
        Transfers transfers(other.pool, clock_);
        for (std::int64_t merchant = 1; merchant <= kMerchants; merchant += 3) {
            const auto asked = transfers.request.OnDemand(MerchantId(merchant), "k", "ken");
            EXPECT_TRUE(asked.ok() || asked.status().reason() == "NOTHING_TO_PAY");
        }
    });
    for (auto& thread : threads) thread.join();
    CheckBooks();
    for (std::int64_t merchant = 1; merchant <= kMerchants; ++merchant) {
        const auto balance = BalanceOf(merchant);
        EXPECT_EQ(balance.available + balance.in_transit, merchant % 2 == 0 ? 10'300 : 9'700);
        EXPECT_LE(std::abs(balance.available), 300);
    }
}

// Goal: others are told of every step of every transfer, once, with what moved it, and what they
// are told can be made again from the rows, byte for byte. Method: transfers of several ends; the
// events are made again by SQL's rows, and looked for in the outbox.
TEST_F(TransferTest, EveryStepIsTold) {
    payout_->DrainOutbox();
    domain::PayoutTerms terms;
    terms.transfer_fee = 110;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    for (std::int64_t merchant = 1; merchant <= 12; ++merchant) {
        Release(merchant, 1'000 * merchant);
        OpenAccount(merchant);
    }
    Release(1, -990);  // too little is left
    const auto told = [&] { return payout_->Number("SELECT SUM(entry_count) FROM outbox"); };
    EXPECT_EQ(told(), 0);
    ASSERT_OK(transfers_.create.Run(kDue, "aiko").status());
    EXPECT_EQ(told(), 11);
    const auto sent = Send();
    EXPECT_EQ(told(), 22);
    // A failed attempt and a second one; one that comes back later; and files that change nothing.
    const auto amount = [&](std::size_t i) { return sent[i].amount; };
    ResultFileText first;
    first.Add(sent[0].id, "FAILED", amount(0), "E1");
    for (std::size_t i = 1; i < 6; ++i) first.Add(sent[i].id, "SETTLED", amount(i));
    ASSERT_OK(transfers_.import.Run("csv", first.Text(), "aiko").status());
    EXPECT_EQ(told(), 28);
    clock_.Set(Day(20261201).At(std::chrono::hours(10)));
    EXPECT_THAT(transfers_.import.Run("csv", first.Text(), "aiko"),
                Refuses(Code::kAlreadyExists, "RESULT_FILE_IMPORTED"));
    EXPECT_FALSE(
        transfers_.import
            .Run("csv", ResultFileText().Add(sent[0].id, "SETTLED", amount(0)).Text(), "aiko")
            .ok());
    EXPECT_EQ(told(), 28);
    ASSERT_OK(
        transfers_.import
            .Run("csv", ResultFileText().Add(sent[1].id, "RETURNED", amount(1), "R2").Text(), "ken")
            .status());
    ASSERT_OK_AND_ASSIGN(const auto reissued, transfers_.request.Reissue(sent[0].payout, 2, "ken"));
    EXPECT_EQ(told(), 30);
    ASSERT_OK(transfers_.cancel.Run(reissued.transfers[1].id, "wrong account", "ken").status());
    Release(12, 3'000);
    ASSERT_OK_AND_ASSIGN(const auto twice, transfers_.request.OnDemand(MerchantId(12), "x", "ken"));
    ASSERT_OK(transfers_.cancel.Run(twice.transfers[0].id, "typed twice", "ken").status());
    EXPECT_EQ(told(), 33);
    domain::Adjustment wish;
    wish.merchant = MerchantId(7);
    wish.request_key = "case-1";
    wish.amount = 5;
    wish.reason = "no transfer";
    wish.requested_by = "aiko";
    ASSERT_OK_AND_ASSIGN(const auto asked, transfers_.adjust.Request(wish));
    ASSERT_OK(transfers_.adjust.Decide(asked.id, true, "ken").status());
    EXPECT_EQ(told(), 33);

    std::vector<domain::TransferEvent> events;
    ASSERT_OK_AND_ASSIGN(auto session, payout_->pool.Acquire(std::chrono::seconds(5)));
    const auto add = [&](const std::string& sql, const auto& complete) {
        auto rows =
            session->Select(mysql::Query{"test.events",
                                         "SELECT t.transfer_id, t.payout_id, t.attempt, "
                                         "t.merchant_id, t.bank_account, t.amount, t.reason, "
                                         "t.batch_id, " +
                                             sql});
        ASSERT_OK(rows.status());
        while (rows->Next()) {
            domain::TransferEvent& event = events.emplace_back();
            event.transfer.id = TransferId(rows->Int(0));
            event.transfer.payout = domain::PayoutId(rows->Int(1));
            event.transfer.attempt = static_cast<int>(rows->Int(2));
            event.transfer.merchant = MerchantId(rows->Int(3));
            event.transfer.bank_account = static_cast<int>(rows->Int(4));
            event.transfer.amount = rows->Int(5);
            event.transfer.reason = rows->Text(6);
            event.transfer.batch = domain::BatchId(rows->Int(7));
            complete(*rows, event);
        }
    };
    add("j.kind, j.fee, j.tax, j.business_date, j.recorded_at_us FROM merchant_journal j "
        "JOIN transfer t ON t.transfer_id = j.object_id AND j.kind <> 5",
        [](const mysql::Rows& row, domain::TransferEvent& event) {
            event.step = domain::StepOf(static_cast<domain::JournalKind>(row.Int(8)));
            event.fee = row.Int(9);
            event.tax = row.Int(10);
            event.business_date = row.Date(11);
            event.at = row.At(12);
        });
    add("b.transfer_date, b.created_at_us FROM transfer t "
        "JOIN transfer_batch b ON b.batch_id = t.batch_id",
        [](const mysql::Rows& row, domain::TransferEvent& event) {
            event.step = domain::TransferStep::kSent;
            event.transfer.transfer_date = row.Date(8);
            event.at = row.At(9);
            event.business_date = BusinessDate::OfJst(event.at);
        });
    EXPECT_EQ(events.size(), 33u);
    std::set<std::string> different;
    for (const domain::TransferEvent& event : events) {
        ASSERT_OK_AND_ASSIGN(const std::string sealed, payout_->encoder.TransferChanged(event));
        different.insert(sealed);
        ASSERT_OK_AND_ASSIGN(
            auto found,
            session->Select(mysql::Query{"test.told",
                                         "SELECT COUNT(*) FROM outbox WHERE INSTR(entries, ?) > 0"},
                            mysql::Bytes{sealed}));
        found.Next();
        EXPECT_EQ(found.Int(0), 1)
            << event.transfer.id.ToString() << " " << static_cast<int>(event.step);
        const auto opened = event::Open(sealed);
        ASSERT_OK(opened.status());
        EXPECT_GT(opened->object_id, Day(99991231).ToNumber());
    }
    EXPECT_EQ(different.size(), events.size());

    // Whoever has missed one is told again, byte for byte.
    std::vector<app::EventName> names;
    for (const domain::TransferEvent& event : events) {
        names.push_back({domain::EventObjectOf(event.transfer.id), domain::VersionOf(event.step)});
    }
    const auto unknown = Refuses(Code::kNotFound, "EVENT_UNKNOWN");
    auto with_unknown = names;
    with_unknown.push_back({names[0].object, 7});
    EXPECT_THAT(transfers_.republish.Run(with_unknown), unknown);
    EXPECT_THAT(transfers_.republish.Run(std::vector<app::EventName>{{1, 1}}), unknown);
    EXPECT_THAT(transfers_.republish.Run({}), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_EQ(told(), 33);
    names.push_back(names[0]);
    EXPECT_THAT(transfers_.republish.Run(names), testing::IsOkAnd(33));
    EXPECT_EQ(told(), 66);
    for (const std::string& sealed : different) {
        ASSERT_OK_AND_ASSIGN(
            auto again, session->Select(mysql::Query{"test.told_twice",
                                                     "SELECT COUNT(*), COUNT(DISTINCT row_id) "
                                                     "FROM outbox WHERE INSTR(entries, ?) > 0"},
                                        mysql::Bytes{sealed}));
        again.Next();
        EXPECT_EQ(again.Int(0), 2);
        EXPECT_EQ(again.Int(1), 2);
    }
    // They keep no day from ending.
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM outbox WHERE business_date < '9999-12-31'"), 0);
}

class TransferKillTest : public TransferTest {
 protected:
    /// Runs the worker until it gets through, killing it at random statements before; gives how
    /// often that was.
    int WorkThrough(Seeded& random, const std::string& what, const std::string& of,
                    int statements) {
        testing::TempDir directory("transfer");
        const mysql::ConnectOptions& connect = schema_->options();
        for (int kills = 0;;) {
            testing::ProcessOptions worker;
            worker.command = {
                KESSAI_PAYOUT_TRANSFER_WORKER,
                connect.host,
                std::to_string(connect.port),
                connect.user,
                connect.password,
                connect.schema,
                what,
                of,
                std::to_string(kills < 20 && statements > 0 ? random.Between(1, statements) : 0)};
            worker.output_file = directory.Path("worker.log");
            const auto process = testing::Process::Start(worker);
            EXPECT_OK(process.status());
            if (!process.ok()) return kills;
            const auto status = (*process)->Wait(std::chrono::seconds(60));
            EXPECT_TRUE(status.has_value());
            if (status && WIFSIGNALED(*status)) {
                EXPECT_EQ(WTERMSIG(*status), SIGKILL);
                ++kills;
                continue;
            }
            EXPECT_EQ(WEXITSTATUS(*status), 0) << testing::ReadFile(directory.Path("worker.log"));
            return kills;
        }
    }
};

// Goal: the making of transfers and the import of results, killed anywhere, end as if nothing had
// happened.
// Method: another process kills itself by SIGKILL at a random statement, again and again until it
// gets through; the books against those of a run untouched.
TEST_F(TransferKillTest, KilledAtAnyPointTheBooksAreTheSame) {
    Seeded random;
    const auto untouched_schema = testing::MysqlServer::Shared().CreateSchema();
    {
        auto session = mysql::Session::Connect(untouched_schema->options());
        ASSERT_OK(session.status());
        ASSERT_OK(mysql::Migrate(**session, AllMigrations()));
    }
    Payout untouched_payout(untouched_schema->options());
    Transfers untouched(untouched_payout.pool, clock_);
    for (std::int64_t merchant = 1; merchant <= 60; ++merchant) {
        const std::int64_t net = random.Between(-2'000, 9'000);
        Release(merchant, net);
        Release(untouched_payout, merchant, net);
        OpenAccount(transfers_, merchant);
        OpenAccount(untouched, merchant);
    }
    ASSERT_OK(untouched.create.Run(kDue, "worker").status());
    // Some nine chunks of nine statements.
    int kills = WorkThrough(random, "create", std::to_string(kDue.ToNumber()), 60);
    EXPECT_EQ(Books(), Books(untouched_payout));

    ASSERT_OK(untouched.send.Gather(kDue, "aiko").status());
    ASSERT_OK(transfers_.send.Gather(kDue, "aiko").status());
    ResultFileText results;
    for (std::int64_t id = 1; id <= 200; ++id) {
        const auto amount = payout_->Number("SELECT amount FROM transfer WHERE transfer_id = " +
                                            std::to_string(id));
        if (amount == 0) continue;
        const bool fails = random.OneIn(4);
        results.Add(TransferId(id), fails ? "FAILED" : "SETTLED", amount, fails ? "E1" : "");
    }
    testing::TempDir directory("results");
    const std::string path = directory.Path("results.csv");
    std::ofstream(path) << results.Text();
    ASSERT_OK(untouched.import.Run("csv", results.Text(), "worker").status());
    kills += WorkThrough(random, "import", path, 25);
    EXPECT_EQ(Books(), Books(untouched_payout));
    // Again, after all.
    EXPECT_EQ(WorkThrough(random, "import", path, 0), 0);
    EXPECT_EQ(Books(), Books(untouched_payout));
    EXPECT_GE(kills, 1);
    std::cout << kills << " kills" << std::endl;
    CheckBooks();
}

}  // namespace
}  // namespace kessai::payout
