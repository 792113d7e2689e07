// Goal: a merchant's month, as the service lived it, is on its statement to the yen; what was
// issued stays as it is; nothing is issued that could still change. Method: the use cases and the
// RPC over a real MariaDB; sums against the rows of the ledger.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/issue_statements.h"
#include "app/manage_merchant_profiles.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/payout/v1/statement_service.pb.h"
#include "kessai/rpc/call.h"
#include "kessai/rpc/channel.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/worker_pool.h"
#include "storage/mysql_statement_store.h"
#include "tests/payout_fixture.h"
#include "tests/reference.h"
#include "tests/transfer_fixture.h"
#include "transport/csv_statement_format.h"
#include "transport/pdf_statement_format.h"
#include "transport/statement_service.h"

namespace kessai::payout {
namespace {

using domain::MerchantId;
using domain::TransferId;
using ::testing::HasSubstr;
using testing::Refuses;
using ::testing::StartsWith;

const BusinessDate kMonth = Day(20261101);
const BusinessDate kEnd = Day(20261130);

domain::InvoiceIssuer Issuer() {
    return {"決済株式会社", "東京都", "T9000000000000"};
}

class StatementTest : public PayoutTest {
 protected:
    StatementTest()
        : clock_(kMonth.At(std::chrono::hours(10))),
          transfers_(payout_->pool, clock_),
          store_(payout_->pool, clock_),
          pdf_(pdf::Font::Open(std::string(pdf::kIpaexGothicFile)).value()),
          profiles_(transfers_.store, store_, {&csv_, &pdf_}),
          statements_(Issuer(), transfers_.store, store_, {&csv_, &pdf_},
                      domain::TaxTable::Japan()) {}

    void Name(std::int64_t merchant, const std::string& name = "株式会社みせ") {
        ASSERT_OK(profiles_.Put({MerchantId(merchant), 0, name, "aiko"}).status());
    }
    void ReleaseDay(BusinessDate day) {
        payout_->Close(day);
        ASSERT_OK(payout_->release_day.Run(day, false).status());
    }
    void OpenAccount(std::int64_t merchant) {
        ASSERT_OK_AND_ASSIGN(const auto account,
                             transfers_.bank_accounts.Put({.merchant = MerchantId(merchant),
                                                           .bank_code = "0001",
                                                           .branch_code = "004",
                                                           .type = 1,
                                                           .number = "1234567",
                                                           .holder = "カ）ミセ"},
                                                          "aiko"));
        ASSERT_OK(transfers_.bank_accounts.Confirm(MerchantId(merchant), account.version, "ken")
                      .status());
    }
    void Adjust(MerchantId merchant, const std::string& key, std::int64_t amount, bool approve) {
        domain::Adjustment wish;
        wish.merchant = merchant;
        wish.request_key = key;
        wish.amount = amount;
        wish.reason = "販促";
        wish.requested_by = "aiko";
        ASSERT_OK_AND_ASSIGN(const auto asked, transfers_.adjust.Request(wish));
        ASSERT_OK(transfers_.adjust.Decide(asked.id, approve, "ken").status());
    }
    /// The last day of the month, closed and released, with the clock in the next.
    void EndMonth() {
        ReleaseDay(kEnd);
        clock_.Set(kEnd.Next().At(std::chrono::hours(9)));
    }

    ManualClock clock_;
    Transfers transfers_;
    storage::MysqlStatementStore store_;
    transport::CsvStatementFormat csv_;
    transport::PdfStatementFormat pdf_;
    app::ManageMerchantProfiles profiles_;
    app::IssueStatements statements_;
};

TEST_F(StatementTest, EveryMerchantsMonthSumsToItsLedger) {
    Seeded random;
    const BusinessDate first = Day(20261022);
    const int days = 40;
    // Journals are never dated before an earlier one.
    clock_.Set(first.At(std::chrono::hours(1)));
    const auto trade = RandomTrade(random, 400, 25, 1, first, days);
    std::map<BusinessDate, std::vector<domain::PaymentChange>> by_day;
    std::set<MerchantId> merchants;
    for (const domain::PaymentChange& change : trade) {
        by_day[change.business_date].push_back(change);
        merchants.insert(change.merchant);
    }
    domain::PayoutTerms terms;
    terms.cycle = domain::PayoutCycle::kDaily;
    terms.transfer_fee = 165;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    for (const MerchantId merchant : merchants) {
        OpenAccount(merchant.value());
        Name(merchant.value());
    }
    std::map<std::pair<BusinessDate, MerchantId>, std::pair<std::int64_t, std::int64_t>> funds;
    std::int64_t keys = 0;
    for (int i = 0; i < days; ++i) {
        const BusinessDate day = first.PlusDays(i);
        clock_.Set(day.At(std::chrono::hours(10)));
        ASSERT_TRUE(payout_->Deliver(by_day[day]).empty());
        for (const MerchantId merchant : merchants) {
            if (!random.OneIn(5)) continue;
            const std::string key = "k" + std::to_string(++keys);
            const auto paid = transfers_.request.OnDemand(merchant, key, "aiko");
            if (paid.ok() && random.OneIn(2)) {
                const domain::Transfer& transfer = paid->transfers[0];
                ASSERT_OK(transfers_.send.Gather(transfer.transfer_date, "aiko").status());
                ResultFileText results;
                if (random.OneIn(2)) {
                    results.Add(transfer.id, "SETTLED", transfer.amount);
                } else {
                    results.Add(transfer.id, "FAILED", transfer.amount, "NO_ACCOUNT");
                }
                ASSERT_OK(transfers_.import.Run("csv", results.Text(), "aiko").status());
            } else if (paid.ok() && random.OneIn(4)) {
                const TransferId transfer = paid->transfers[0].id;
                const auto cancelled = transfers_.cancel.Run(transfer, "test", "ken");
                ASSERT_TRUE(cancelled.ok() || cancelled.status().reason() == "TRANSFER_IN_FILE");
            } else if (!paid.ok()) {
                Adjust(merchant, key, random.Between(1, 900), random.OneIn(2));
            }
        }
        ReleaseDay(day);
        if (day == kMonth.Previous() || day == kEnd) {
            for (const MerchantId merchant : merchants) {
                const auto balance = payout_->reader.FindBalance(merchant);
                if (!balance.ok()) continue;
                funds[{day, merchant}] = {balance->available, balance->in_transit};
            }
        }
    }
    clock_.Set(kEnd.Next().At(std::chrono::hours(9)));
    for (const MerchantId merchant : merchants) {
        ASSERT_OK_AND_ASSIGN(const auto view, statements_.Issue(merchant, kMonth, "aiko"));
        const domain::Statement& statement = view.paper.statement;
        const auto before = funds[{kMonth.Previous(), merchant}];
        const auto after = funds[{kEnd, merchant}];
        EXPECT_EQ(statement.opening, before.first);
        EXPECT_EQ(statement.opening_in_transit, before.second);
        EXPECT_EQ(statement.closing, after.first);
        EXPECT_EQ(statement.closing_in_transit, after.second);
        std::int64_t sales = 0;
        std::int64_t returns = 0;
        std::int64_t sale_count = 0;
        std::int64_t return_count = 0;
        for (const domain::PaymentChange& change : trade) {
            if (change.merchant != merchant || domain::CycleStart(change.business_date) != kMonth) {
                continue;
            }
            if (change.kind == domain::ChangeKind::kCompleted) {
                sales += change.amount;
                ++sale_count;
            } else if (change.kind != domain::ChangeKind::kAuthorized) {
                returns -= change.amount;
                ++return_count;
            }
        }
        EXPECT_EQ(statement.sums.days.sales, sales);
        EXPECT_EQ(statement.sums.days.returns, returns);
        EXPECT_EQ(statement.sums.days.sale_count, sale_count);
        EXPECT_EQ(statement.sums.days.return_count, return_count);
        // The next month opens with it.
        ASSERT_OK_AND_ASSIGN(const auto next, statements_.Show(merchant, kEnd.Next()));
        EXPECT_EQ(next.paper.statement.opening, statement.closing);
    }
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement"),
              static_cast<std::int64_t>(merchants.size()));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement_file"),
              static_cast<std::int64_t>(2 * merchants.size()));
}

TEST_F(StatementTest, WhatWasIssuedStaysAsItIs) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    Name(7);
    ASSERT_OK_AND_ASSIGN(const auto draft, statements_.Write(MerchantId(7), kMonth, "csv"));
    EXPECT_THAT(draft.content, HasSubstr("下書き"));
    ASSERT_OK_AND_ASSIGN(const auto view, statements_.Issue(MerchantId(7), kMonth, "aiko"));
    EXPECT_EQ(view.paper.number, "202611-7");
    EXPECT_EQ(view.paper.issued_on, kEnd.Next());
    ASSERT_TRUE(view.issued.has_value());
    ASSERT_EQ(view.issued->files.size(), 2u);
    EXPECT_EQ(view.issued->issued_by, "aiko");
    ASSERT_OK_AND_ASSIGN(const auto csv, statements_.Write(MerchantId(7), kMonth, "csv"));
    ASSERT_OK_AND_ASSIGN(const auto pdf, statements_.Write(MerchantId(7), kMonth, "pdf"));
    EXPECT_THAT(csv.content, HasSubstr("確定"));
    EXPECT_THAT(csv.content, HasSubstr("株式会社みせ"));
    EXPECT_THAT(pdf.content, StartsWith("%PDF-"));
    EXPECT_EQ(view.issued->files[0].hash, domain::HashOf(csv.content));
    EXPECT_EQ(view.issued->files[1].hash, domain::HashOf(pdf.content));

    // Another name, another issuer, another operator, more trade: nothing of it changes.
    Name(7, "合同会社べつ");
    ASSERT_TRUE(payout_->Deliver({Sale(2, 7, kEnd.Next(), 500)}).empty());
    ReleaseDay(kEnd.Next());
    app::IssueStatements others({"別の会社", "", "T7000012050002"}, transfers_.store, store_,
                                {&csv_, &pdf_}, domain::TaxTable::Japan());
    ASSERT_OK_AND_ASSIGN(const auto again, others.Issue(MerchantId(7), kMonth, "ken"));
    EXPECT_EQ(again.issued->issued_by, "aiko");
    EXPECT_EQ(again.paper.recipient, "株式会社みせ");
    ASSERT_OK_AND_ASSIGN(const auto same, others.Write(MerchantId(7), kMonth, "pdf"));
    EXPECT_EQ(same.content, pdf.content);

    payout_->Run("UPDATE merchant_statement_file SET content = 'x' WHERE format = 'csv'");
    EXPECT_THAT(statements_.Write(MerchantId(7), kMonth, "csv").status(),
                Refuses(Code::kDataLoss, "STATEMENT_FILE_DAMAGED"));
    payout_->Run("UPDATE merchant_statement SET closing = closing + 1");
    EXPECT_THAT(statements_.Show(MerchantId(7), kMonth).status(),
                Refuses(Code::kDataLoss, "STATEMENT_DIFFERS"));
}

TEST_F(StatementTest, NothingIsIssuedThatCouldStillChange) {
    const auto not_final = Refuses(Code::kFailedPrecondition, "STATEMENT_NOT_FINAL");
    const auto why = [&] {
        const auto view = statements_.Show(MerchantId(7), kMonth);
        EXPECT_OK(view.status());
        return view.ok() ? view->not_final : std::string();
    };
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    Name(7);
    EXPECT_EQ(why(), "the cycle is not over");
    EXPECT_THAT(statements_.Issue(MerchantId(7), kMonth, "aiko").status(), not_final);
    clock_.Set(kEnd.Next().At(std::chrono::hours(1)));
    EXPECT_EQ(why(), "2026-11-30 is not closed");
    // A day closed, but not released.
    ASSERT_TRUE(payout_->Deliver({Sale(2, 7, kEnd, 2'000)}).empty());
    payout_->Close(kEnd);
    EXPECT_EQ(why(), "2026-11-30 is not released");
    EXPECT_THAT(statements_.Issue(MerchantId(7), kMonth, "aiko").status(), not_final);
    // Held back: its total is not its rows'.
    payout_->Run("UPDATE accrual SET fee = fee + 1 WHERE payment_id = 2");
    ASSERT_OK(payout_->release_day.Run(kEnd, false).status());
    EXPECT_EQ(why(), "2026-11-30 is held back");
    EXPECT_THAT(statements_.Issue(MerchantId(7), kMonth, "aiko").status(), not_final);
    // The next month waits for it too: it opens with what this one closes with.
    ASSERT_OK_AND_ASSIGN(const auto next, statements_.Show(MerchantId(7), kEnd.Next()));
    EXPECT_EQ(next.not_final, "the cycle is not over");
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE payment_id = 2");
    ASSERT_OK(payout_->release_day.Run(kEnd, false).status());
    EXPECT_EQ(why(), "");
    ASSERT_OK_AND_ASSIGN(const auto view, statements_.Issue(MerchantId(7), kMonth, "aiko"));
    EXPECT_EQ(view.paper.statement.sums.days.sales, 12'000);
    // From here on no journal is of the month, whatever a clock says.
    clock_.Set(kEnd.At(std::chrono::hours(1)));
    Adjust(MerchantId(7), "late", 5, true);
    ASSERT_OK_AND_ASSIGN(const auto after, statements_.Show(MerchantId(7), kMonth));
    EXPECT_EQ(after.paper.statement.closing, view.paper.statement.closing);
}

TEST_F(StatementTest, AnInvoiceHasNames) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    EXPECT_THAT(statements_.Issue(MerchantId(7), kMonth, "aiko").status(),
                Refuses(Code::kFailedPrecondition, "PROFILE_MISSING"));
    EXPECT_THAT(profiles_.InForce(MerchantId(7)).status(),
                Refuses(Code::kNotFound, "PROFILE_MISSING"));
    EXPECT_THAT(profiles_.Put({MerchantId(7), 0, "すし🍣", "aiko"}).status(),
                Refuses(Code::kInvalidArgument, "NOT_PRINTABLE"));
    EXPECT_THAT(profiles_.Put({MerchantId(7), 0, "", "aiko"}).status(),
                Refuses(Code::kInvalidArgument, "PROFILE_INVALID"));
    Name(7);
    Name(7);
    ASSERT_OK_AND_ASSIGN(const auto profile, profiles_.InForce(MerchantId(7)));
    EXPECT_EQ(profile.version, 1);
    app::IssueStatements nobody({}, transfers_.store, store_, {&csv_}, domain::TaxTable::Japan());
    EXPECT_THAT(nobody.Issue(MerchantId(7), kMonth, "aiko").status(),
                Refuses(Code::kFailedPrecondition, "ISSUER_MISSING"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement"), 0);
    // Of a merchant that only has a name there is an empty statement; of nobody there is none.
    Name(8);
    ASSERT_OK_AND_ASSIGN(const auto empty, statements_.Issue(MerchantId(8), kMonth, "aiko"));
    EXPECT_EQ(empty.paper.statement.closing, 0);
    EXPECT_THAT(statements_.Show(MerchantId(9), kMonth).status(),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_THAT(statements_.Write(MerchantId(7), kMonth, "docx").status(),
                Refuses(Code::kInvalidArgument, "STATEMENT_FORMAT_UNKNOWN"));
}

TEST_F(StatementTest, DamagedRowsMakeNoStatement) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    Name(7);
    payout_->Run("UPDATE merchant_release SET tax = tax + 1, net = net - 1");
    EXPECT_THAT(statements_.Issue(MerchantId(7), kMonth, "aiko").status(),
                Refuses(Code::kDataLoss, "STATEMENT_DIFFERS"));
}

// Goal: a month's statements are issued in as many calls as it takes, begun anew at any point; what
// cannot be issued hinders nobody.
TEST_F(StatementTest, AMonthIsIssuedPieceByPiece) {
    std::vector<domain::PaymentChange> sales;
    for (std::int64_t merchant = 1; merchant <= 12; ++merchant) {
        sales.push_back(Sale(merchant, merchant, kMonth, 1'000 * merchant));
        if (merchant != 5) Name(merchant);
    }
    Name(20);  // has nothing in it
    ASSERT_TRUE(payout_->Deliver(sales).empty());
    ReleaseDay(kMonth);
    EXPECT_THAT(statements_.IssueNext(kMonth, {}, 5, "aiko").status(),
                Refuses(Code::kFailedPrecondition, "STATEMENT_NOT_FINAL"));
    // One is held back on the last day, one's rows are damaged.
    ASSERT_TRUE(payout_->Deliver({Sale(101, 3, kEnd, 700)}).empty());
    payout_->Close(kEnd);
    payout_->Run("UPDATE accrual SET fee = fee + 1 WHERE payment_id = 101");
    ASSERT_OK(payout_->release_day.Run(kEnd, false).status());
    payout_->Run("UPDATE merchant_release SET tax = tax + 1, net = net - 1 WHERE merchant_id = 8");
    clock_.Set(kEnd.Next().At(std::chrono::hours(9)));
    app::IssueStatements nobody({}, transfers_.store, store_, {&csv_}, domain::TaxTable::Japan());
    EXPECT_THAT(nobody.IssueNext(kMonth, {}, 5, "aiko").status(),
                Refuses(Code::kFailedPrecondition, "ISSUER_MISSING"));

    ASSERT_OK_AND_ASSIGN(const auto first, statements_.IssueNext(kMonth, {}, 5, "aiko"));
    EXPECT_EQ(first.issued_count, 4);  // 1, 2, 4, 6
    EXPECT_EQ(first.not_final_count, 1);
    EXPECT_EQ(first.next, MerchantId(6));
    // As after a crash: from the beginning.
    const auto all = [&] {
        app::IssuedMonth sum;
        std::optional<MerchantId> from = MerchantId();
        while (from) {
            const auto issued = statements_.IssueNext(kMonth, *from, 3, "ken");
            EXPECT_OK(issued.status());
            if (!issued.ok()) break;
            sum.issued_count += issued->issued_count;
            sum.not_final_count += issued->not_final_count;
            sum.empty_count += issued->empty_count;
            for (const auto& refused : issued->refused) sum.refused.push_back(refused);
            from = issued->next;
        }
        return sum;
    };
    const app::IssuedMonth rest = all();
    EXPECT_EQ(rest.issued_count, 5);  // 7, 9, 10, 11, 12
    EXPECT_EQ(rest.not_final_count, 1);
    EXPECT_EQ(rest.empty_count, 1);
    ASSERT_EQ(rest.refused.size(), 1u);
    EXPECT_EQ(rest.refused[0].merchant, MerchantId(8));
    EXPECT_EQ(rest.refused[0].why.reason(), "STATEMENT_DIFFERS");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement"), 9);
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement WHERE issued_by = 'aiko'"),
              4);
    // What was held back comes later, and what got a name.
    payout_->Run("UPDATE accrual SET fee = fee - 1 WHERE payment_id = 101");
    ASSERT_OK(payout_->release_day.Run(kEnd, false).status());
    Name(5);
    EXPECT_EQ(all().issued_count, 2);
    EXPECT_EQ(all().issued_count, 0);
}

// Goal: an invoice with an error is corrected by one that names it, and both are kept.
TEST_F(StatementTest, WhatWasIssuedIsCorrectedByAnother) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    Name(7, "株式会社みせ");
    const auto correct = [&](int version, const std::string& reason = "宛名の誤り") {
        return statements_.Correct(MerchantId(7), kMonth, version, reason, "ken");
    };
    EXPECT_THAT(correct(2).status(), Refuses(Code::kFailedPrecondition, "STATEMENT_NOT_ISSUED"));
    ASSERT_OK(statements_.Issue(MerchantId(7), kMonth, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto original, statements_.Write(MerchantId(7), kMonth, "pdf"));
    EXPECT_THAT(correct(2).status(), Refuses(Code::kFailedPrecondition, "STATEMENT_UNCHANGED"));
    Name(7, "株式会社ミセ");
    EXPECT_THAT(correct(1).status(), Refuses(Code::kFailedPrecondition, "STATEMENT_OUT_OF_TURN"));
    EXPECT_THAT(correct(3).status(), Refuses(Code::kFailedPrecondition, "STATEMENT_OUT_OF_TURN"));
    EXPECT_THAT(correct(2, "").status(), Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_THAT(correct(2, std::string(256, 'x')).status(),
                Refuses(Code::kInvalidArgument, "FIELD_INVALID"));
    EXPECT_THAT(correct(2, "🍣").status(), Refuses(Code::kInvalidArgument, "NOT_PRINTABLE"));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement"), 1);

    clock_.Set(kEnd.PlusDays(5).At(std::chrono::hours(9)));
    ASSERT_OK_AND_ASSIGN(const auto corrected, correct(2));
    EXPECT_EQ(corrected.paper.number, "202611-7-2");
    EXPECT_EQ(corrected.paper.issued_on, kEnd.PlusDays(5));
    EXPECT_EQ(corrected.paper.corrects,
              (domain::StatementCorrection{"202611-7", kEnd.Next(), "宛名の誤り"}));
    EXPECT_EQ(corrected.issued->version, 2);
    EXPECT_EQ(corrected.issued->issued_by, "ken");
    // The latest is what is asked for without a version; the first is what it was.
    ASSERT_OK_AND_ASSIGN(const auto csv, statements_.Write(MerchantId(7), kMonth, "csv"));
    EXPECT_THAT(csv.content, HasSubstr("修正対象"));
    EXPECT_THAT(csv.content, HasSubstr("202611-7（発行日 2026-12-01）"));
    EXPECT_THAT(csv.content, HasSubstr("宛名の誤り"));
    EXPECT_THAT(csv.content, HasSubstr("株式会社ミセ"));
    EXPECT_EQ(corrected.issued->files[0].hash, domain::HashOf(csv.content));
    ASSERT_OK_AND_ASSIGN(const auto first, statements_.Write(MerchantId(7), kMonth, "pdf", 1));
    EXPECT_EQ(first.content, original.content);
    ASSERT_OK_AND_ASSIGN(const auto shown, statements_.Show(MerchantId(7), kMonth, 1));
    EXPECT_EQ(shown.paper.number, "202611-7");
    EXPECT_EQ(shown.paper.recipient, "株式会社みせ");
    EXPECT_EQ(shown.paper.corrects, std::nullopt);
    EXPECT_THAT(statements_.Show(MerchantId(7), kMonth, 3).status(),
                Refuses(Code::kNotFound, "STATEMENT_UNKNOWN"));
    EXPECT_THAT(statements_.Write(MerchantId(7), kMonth, "pdf", 3).status(),
                Refuses(Code::kNotFound, "STATEMENT_UNKNOWN"));
    // The same again, and the issue again, give what there is; and nothing new without a change.
    ASSERT_OK_AND_ASSIGN(const auto again, correct(2, "other"));
    EXPECT_EQ(again.paper.corrects->reason, "宛名の誤り");
    ASSERT_OK_AND_ASSIGN(const auto issued, statements_.Issue(MerchantId(7), kMonth, "mio"));
    EXPECT_EQ(issued.paper.number, "202611-7-2");
    EXPECT_THAT(correct(3).status(), Refuses(Code::kFailedPrecondition, "STATEMENT_UNCHANGED"));
    // A correction may have an error too.
    app::IssueStatements moved({"決済株式会社", "大阪府", "T9000000000000"}, transfers_.store,
                               store_, {&csv_, &pdf_}, domain::TaxTable::Japan());
    ASSERT_OK_AND_ASSIGN(const auto third,
                         moved.Correct(MerchantId(7), kMonth, 3, "住所の誤り", "ken"));
    EXPECT_EQ(third.paper.corrects->number, "202611-7-2");
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement_file"), 6);
    EXPECT_EQ(payout_->Number("SELECT COUNT(DISTINCT closing) FROM merchant_statement"), 1);
}

// Goal: the price of a payout that was cancelled is on no invoice, unless an earlier one may have
// said it: then it is given back on the next.
TEST_F(StatementTest, ThePriceOfACancelledPayoutIsGivenBack) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    Name(7);
    OpenAccount(7);
    domain::PayoutTerms terms;
    terms.transfer_fee = 110;
    ASSERT_OK(transfers_.terms.Put(terms, "aiko").status());
    ASSERT_OK_AND_ASSIGN(const auto first, transfers_.request.OnDemand(MerchantId(7), "a", "aiko"));
    ASSERT_OK(transfers_.cancel.Run(first.transfers[0].id, "typed twice", "ken").status());
    clock_.Set(kEnd.At(std::chrono::hours(9)));
    ASSERT_OK_AND_ASSIGN(const auto second,
                         transfers_.request.OnDemand(MerchantId(7), "b", "aiko"));
    EndMonth();
    ASSERT_OK_AND_ASSIGN(const auto month, statements_.Issue(MerchantId(7), kMonth, "aiko"));
    ASSERT_EQ(month.paper.statement.prices.size(), 1u);
    EXPECT_EQ(month.paper.statement.prices[0].payout, second.payout.id);
    EXPECT_EQ(month.paper.statement.sums.prices, -110);
    EXPECT_EQ(month.paper.statement.closing, 0);
    ASSERT_OK(transfers_.cancel.Run(second.transfers[0].id, "typed twice", "ken").status());
    ASSERT_OK_AND_ASSIGN(const auto next, statements_.Show(MerchantId(7), kEnd.Next()));
    const domain::Statement& statement = next.paper.statement;
    ASSERT_EQ(statement.prices.size(), 1u);
    EXPECT_EQ(statement.prices[0].price, -110);
    EXPECT_EQ(statement.prices[0].tax, -10);
    EXPECT_EQ(statement.prices[0].charged_on, kEnd);
    EXPECT_EQ(statement.sums.prices, 110);
    EXPECT_EQ(statement.opening, 0);
    EXPECT_EQ(statement.closing, 10'000 - 198 - 19);
    ASSERT_OK_AND_ASSIGN(const auto csv, statements_.Write(MerchantId(7), kEnd.Next(), "csv"));
    EXPECT_THAT(csv.content, HasSubstr("振込手数料返還"));
    EXPECT_THAT(csv.content, HasSubstr("基となる取引 2026-11-30"));
    EXPECT_THAT(csv.content, HasSubstr("振込取消"));
    EXPECT_OK(statements_.Write(MerchantId(7), kEnd.Next(), "pdf").status());
    // The month before is as it was issued.
    ASSERT_OK_AND_ASSIGN(const auto before, statements_.Show(MerchantId(7), kMonth));
    EXPECT_EQ(before.paper.statement.prices.size(), 1u);
}

// Goal: whoever asks at once, one statement is issued, and all get it.
TEST_F(StatementTest, IssuedAtOnceItIsIssuedOnce) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    Name(7);
    std::vector<std::string> winners(6);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < winners.size(); ++i) {
        threads.emplace_back([&, i] {
            const auto view = statements_.Issue(MerchantId(7), kMonth, "op" + std::to_string(i));
            EXPECT_OK(view.status());
            if (view.ok()) winners[i] = view->issued->issued_by;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(winners, ::testing::Each(winners[0]));
    EXPECT_EQ(payout_->Number("SELECT COUNT(*) FROM merchant_statement_file"), 2);
}

constexpr rpc::Name kStatements = "kessai.payout.v1.StatementService";
constexpr auto& PutProfile = rpc::MethodOf<kStatements, "PutMerchantProfile",
                                           v1::PutMerchantProfileRequest, v1::MerchantProfile>;
constexpr auto& GetStatement =
    rpc::MethodOf<kStatements, "GetStatement", v1::StatementRequest, v1::Statement>;
constexpr auto& GetStatementFile =
    rpc::MethodOf<kStatements, "GetStatementFile", v1::GetStatementFileRequest, v1::FilePiece>;
constexpr auto& IssueStatement =
    rpc::MethodOf<kStatements, "IssueStatement", v1::StatementRequest, v1::Statement>;

constexpr auto& IssueStatements =
    rpc::MethodOf<kStatements, "IssueStatements", v1::IssueStatementsRequest, v1::IssuedStatements>;
constexpr auto& CorrectStatement =
    rpc::MethodOf<kStatements, "CorrectStatement", v1::CorrectStatementRequest, v1::Statement>;

/// The same behind a real server, called over a real connection.
class StatementRpcTest : public StatementTest {
 protected:
    StatementRpcTest()
        : ring_(auth::KeyRing::Parse("key 1 " + std::string(64, 'a') + "\nsign 1\n").value()),
          verifier_(ring_, SystemClock(), {.audience = "payout"}),
          signer_(ring_, SystemClock()),
          methods_(profiles_, statements_),
          pool_({.name = "test", .threads = 2, .queue_max = 16}),
          server_({}, SystemClock(), verifier_, nullptr) {
        rpc::Service service(transport::kStatementServiceName, transport::StatementPolicy());
        methods_.Register(service, pool_, pool_);
        server_.Add(std::move(service));
        EXPECT_OK(server_.Start());
        rpc::ChannelOptions options;
        options.target = "127.0.0.1:" + std::to_string(server_.port());
        channel_ =
            std::make_unique<rpc::Channel>(rpc::Channel::Create(options, SystemClock()).value());
    }
    ~StatementRpcTest() override {
        channel_ = nullptr;
        (void)server_.Stop(std::chrono::seconds(5));
        pool_.Stop();
    }

    rpc::CallOptions As(auth::Role role, std::vector<std::string> scopes, std::int64_t merchant) {
        auth::Principal principal;
        principal.role = role;
        principal.subject = "aiko";
        principal.scopes = std::move(scopes);
        principal.merchant_id = merchant;
        rpc::CallOptions options;
        options.timeout = std::chrono::seconds(20);
        token_ = signer_.Mint(principal, "payout").value();
        options.token = token_;
        options.wait_for_ready = true;
        return options;
    }
    rpc::CallOptions Operator(const std::string& scope) {
        return As(auth::Role::kOperator, {scope}, 0);
    }
    rpc::CallOptions Merchant(std::int64_t merchant) {
        return As(auth::Role::kMerchant, {}, merchant);
    }
    Result<std::string> File(const v1::GetStatementFileRequest& request,
                             const rpc::CallOptions& options) {
        std::string bytes;
        KESSAI_RETURN_IF_ERROR(rpc::CallStreaming(*channel_, GetStatementFile(), request, options,
                                                  [&](const v1::FilePiece& piece) {
                                                      bytes += piece.content();
                                                      return OkStatus();
                                                  }));
        return bytes;
    }

    auth::FixedKeyRing ring_;
    auth::TokenVerifier verifier_;
    auth::TokenSigner signer_;
    transport::StatementService methods_;
    rpc::WorkerPool pool_;
    rpc::Server server_;
    std::unique_ptr<rpc::Channel> channel_;
    std::string token_;
};

TEST_F(StatementRpcTest, AStatementOverTheWire) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    v1::PutMerchantProfileRequest profile;
    profile.set_merchant_id(7);
    profile.set_invoice_name("株式会社みせ");
    ASSERT_OK_AND_ASSIGN(const auto named,
                         rpc::Call(*channel_, PutProfile(), profile, Operator("transfer:write")));
    EXPECT_EQ(named.version(), 1);
    EXPECT_EQ(named.put_by(), "aiko");

    v1::StatementRequest request;
    request.set_merchant_id(7);
    request.set_month(202611);
    ASSERT_OK_AND_ASSIGN(const auto draft,
                         rpc::Call(*channel_, GetStatement(), request, Merchant(7)));
    EXPECT_EQ(draft.number(), "");
    EXPECT_EQ(draft.not_final(), "");
    EXPECT_EQ(draft.sums().sales(), 10'000);
    EXPECT_EQ(draft.sums().fee(), -198);
    EXPECT_EQ(draft.sums().tax(), -19);
    EXPECT_EQ(draft.closing(), 10'000 - 198 - 19);
    ASSERT_EQ(draft.rates_size(), 1);
    EXPECT_EQ(draft.rates(0).tax_class(), "standard_10");
    ASSERT_OK_AND_ASSIGN(const auto issued, rpc::Call(*channel_, IssueStatement(), request,
                                                      Operator("transfer:write")));
    EXPECT_EQ(issued.number(), "202611-7");
    EXPECT_EQ(issued.issued_on_date(), 20261201);
    ASSERT_EQ(issued.files_size(), 2);
    EXPECT_EQ(issued.files(1).format(), "pdf");
    v1::GetStatementFileRequest file;
    file.set_merchant_id(7);
    file.set_month(202611);
    file.set_format("pdf");
    ASSERT_OK_AND_ASSIGN(const std::string pdf, File(file, Merchant(7)));
    const domain::FileHash hash = domain::HashOf(pdf);
    EXPECT_EQ(issued.files(1).file_hash(), std::string(hash.begin(), hash.end()));
}

TEST_F(StatementRpcTest, AMonthAndACorrectionOverTheWire) {
    ASSERT_TRUE(payout_->Deliver({Sale(1, 7, kMonth, 10'000), Sale(2, 8, kMonth, 500)}).empty());
    ReleaseDay(kMonth);
    EndMonth();
    Name(7);
    Name(8);
    v1::IssueStatementsRequest month;
    month.set_month(202611);
    month.set_after_merchant_id(7);
    EXPECT_THAT(rpc::Call(*channel_, IssueStatements(), month, Operator("payout:read")),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    ASSERT_OK_AND_ASSIGN(
        auto issued, rpc::Call(*channel_, IssueStatements(), month, Operator("transfer:write")));
    EXPECT_EQ(issued.issued_count(), 1);
    month.set_after_merchant_id(0);
    ASSERT_OK_AND_ASSIGN(
        issued, rpc::Call(*channel_, IssueStatements(), month, Operator("transfer:write")));
    EXPECT_EQ(issued.issued_count(), 1);
    EXPECT_EQ(issued.next_merchant_id(), 0);
    Name(7, "合同会社べつ");
    v1::CorrectStatementRequest correct;
    correct.set_merchant_id(7);
    correct.set_month(202611);
    correct.set_version(2);
    correct.set_reason("宛名の誤り");
    EXPECT_THAT(rpc::Call(*channel_, CorrectStatement(), correct, Merchant(7)),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    ASSERT_OK_AND_ASSIGN(const auto corrected, rpc::Call(*channel_, CorrectStatement(), correct,
                                                         Operator("transfer:write")));
    EXPECT_EQ(corrected.number(), "202611-7-2");
    EXPECT_EQ(corrected.version(), 2);
    EXPECT_EQ(corrected.corrects(), "202611-7");
    EXPECT_EQ(corrected.correction_reason(), "宛名の誤り");
    v1::StatementRequest first;
    first.set_merchant_id(7);
    first.set_month(202611);
    first.set_version(1);
    ASSERT_OK_AND_ASSIGN(const auto shown,
                         rpc::Call(*channel_, GetStatement(), first, Merchant(7)));
    EXPECT_EQ(shown.number(), "202611-7");
    EXPECT_EQ(shown.recipient(), "株式会社みせ");
}

TEST_F(StatementRpcTest, WhatMayNotBeIsRefused) {
    Name(7);
    v1::StatementRequest request;
    request.set_merchant_id(7);
    request.set_month(202611);
    EXPECT_THAT(rpc::Call(*channel_, GetStatement(), request, Merchant(8)),
                Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    EXPECT_THAT(rpc::Call(*channel_, IssueStatement(), request, Merchant(7)),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    EXPECT_THAT(rpc::Call(*channel_, IssueStatement(), request, Operator("payout:read")),
                Refuses(Code::kPermissionDenied, "ROLE_NOT_ALLOWED"));
    for (const int month : {0, -1, 2026, 202613, 20261101, 2'000'000'000}) {
        request.set_month(month);
        EXPECT_THAT(rpc::Call(*channel_, GetStatement(), request, Merchant(7)),
                    Refuses(Code::kInvalidArgument, "FIELD_INVALID"))
            << month;
    }
    v1::GetStatementFileRequest file;
    file.set_merchant_id(7);
    file.set_month(202611);
    EXPECT_THAT(File(file, Merchant(8)), Refuses(Code::kNotFound, "MERCHANT_UNKNOWN"));
    file.set_format("doc");
    EXPECT_THAT(File(file, Merchant(7)),
                Refuses(Code::kInvalidArgument, "STATEMENT_FORMAT_UNKNOWN"));
}

}  // namespace
}  // namespace kessai::payout
