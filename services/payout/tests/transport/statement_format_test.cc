// Goal: what a statement says is on paper, in Japanese, on as many pages as it takes, and the same
// paper is the same bytes.
// Method: one statement with everything in it as CSV against its text, and as PDF through
// pdftotext (poppler), which reads the document as a stranger would.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include "domain/statement.h"
#include "kessai/testing/matchers.h"
#include "kessai/testing/temp_dir.h"
#include "transport/csv_statement_format.h"
#include "transport/pdf_statement_format.h"

namespace kessai::payout::transport {
namespace {

using domain::JournalKind;
using domain::TaxClass;
using ::testing::HasSubstr;
using ::testing::Not;

BusinessDate Day(int number) {
    return BusinessDate::FromNumber(number).value();
}

domain::StatementMove Move(JournalKind kind, int day, std::int64_t object, std::int64_t amount) {
    domain::StatementMove move;
    move.journal = domain::JournalId(day);
    move.business_date = move.transfer_date = Day(day);
    move.row.kind = kind;
    move.row.merchant = domain::MerchantId(1'001);
    move.row.object = object;
    move.row.amount = amount;
    if (kind != JournalKind::kAdjustment) move.payout = domain::PayoutId(500);
    move.attempt = 1;
    return move;
}

/// A month in which the rate changed, with a payout that failed and was made again.
domain::StatementPaper PaperOfEverything() {
    domain::StatementRows rows;
    rows.merchant = domain::MerchantId(1'001);
    rows.cycle_start = Day(20191001);
    rows.opening = {.merchant = rows.merchant, .released = 500, .moved = -100, .in_transit = 0};
    rows.releases = {
        {Day(20191001), {rows.merchant, TaxClass::kStandard8, {-1'080, -27, 1}, -2, -1'051}},
        {Day(20191001), {rows.merchant, TaxClass::kStandard10, {10'000, 255, 3}, 25, 9'720}},
        {Day(20191002),
         {rows.merchant, TaxClass::kStandard10, {1'234'567, 125, 2}, 13, 1'234'429}}};
    rows.parts = {{Day(20191001),
                   domain::DayPartKind::kReturns,
                   {rows.merchant, TaxClass::kStandard8, {-1'080, -27, 1}},
                   Day(20190928),
                   Day(20190929)},
                  {Day(20191001),
                   domain::DayPartKind::kBenefits,
                   {rows.merchant, TaxClass::kStandard10, {-200, 0, 1}},
                   Day(20191001),
                   Day(20191001)}};
    auto created = Move(JournalKind::kTransferCreated, 20191001, 501, 9'000);
    created.row.fee = 50;
    created.row.tax = 5;
    auto failed = Move(JournalKind::kTransferFailed, 20191003, 501, 9'000);
    failed.reason = "口座なし";
    auto again = Move(JournalKind::kTransferCreated, 20191003, 502, 9'000);
    again.attempt = 2;
    auto adjusted = Move(JournalKind::kAdjustment, 20191004, 600, -300);
    adjusted.reason = "=広告費,\"秋\"";
    rows.moves = {created, failed, again, adjusted};

    domain::StatementPaper paper;
    paper.statement = domain::MakeStatement(rows, domain::TaxTable::Japan()).value();
    paper.issuer = {"決済株式会社", "東京都千代田区一番町一丁目", "T9000000000000"};
    paper.recipient = "株式会社みせ";
    paper.number = "201910-1001";
    paper.issued_on = Day(20191101);
    return paper;
}

constexpr std::string_view kGoldenCsv =
    "\xEF\xBB\xBF"
    "区分,項目,日付,番号,税率,売上件数,返金件数,売上,返金,販促費,手数料,消費税,振込・調整額,増減,"
    "残高,摘要\r\n"
    "文書,状態,,,,,,,,,,,,,,確定\r\n"
    "文書,番号,,,,,,,,,,,,,,201910-1001\r\n"
    "文書,発行日,,,,,,,,,,,,,,2019-11-01\r\n"
    "文書,対象期間,,,,,,,,,,,,,,2019-10-01/2019-10-31\r\n"
    "文書,加盟店番号,,,,,,,,,,,,,,1001\r\n"
    "文書,宛名,,,,,,,,,,,,,,株式会社みせ\r\n"
    "文書,発行者,,,,,,,,,,,,,,決済株式会社\r\n"
    "文書,発行者住所,,,,,,,,,,,,,,東京都千代田区一番町一丁目\r\n"
    "文書,登録番号,,,,,,,,,,,,,,T9000000000000\r\n"
    "残高,前月繰越,2019-10-01,,,,,,,,,,,,400,\r\n"
    "日別,売上精算,2019-10-01,,8%,0,1,0,-1080,0,27,2,,-1051,-651,\r\n"
    "日別,売上精算,2019-10-01,,10%,2,0,10200,0,-200,-255,-25,,9720,9069,\r\n"
    "入出金,振込,2019-10-01,500,,,,,,,-50,-5,-9000,-9055,14,振込指定日 2019-10-01\r\n"
    "日別,売上精算,2019-10-02,,10%,2,0,1234567,0,0,-125,-13,,1234429,1234443,\r\n"
    "入出金,振込不能,2019-10-03,500,,,,,,,,,9000,9000,1243443,理由 口座なし\r\n"
    "入出金,振込,2019-10-03,500-2,,,,,,,0,0,-9000,-9000,1234443,振込指定日 "
    "2019-10-03（2回目）\r\n"
    "入出金,調整,2019-10-04,600,,,,,,,,,-300,-300,1234143,\"'=広告費,\"\"秋\"\"\"\r\n"
    "残高,月末残高,2019-10-31,,,,,,,,,,,,1234143,\r\n"
    "残高,振込処理中,2019-10-31,,,,,,,,,,,,9000,\r\n"
    "適格請求書,決済手数料,,201910-1001,8%,,,,,,0,,,,,取引期間 2019-10-01/2019-10-31\r\n"
    "適格請求書,決済手数料返還,,201910-1001,8%,,,,,,-27,,,,,基となる取引 "
    "2019-09-28/2019-09-29\r\n"
    "適格請求書,税率計,,201910-1001,8%,,,,,,-27,-2,,,,\r\n"
    "適格請求書,決済手数料,,201910-1001,10%,,,,,,380,,,,,取引期間 2019-10-01/2019-10-31\r\n"
    "適格請求書,税率計,,201910-1001,10%,,,,,,380,38,,,,\r\n"
    "適格請求書,振込手数料,2019-10-01,500,10%,,,,,,50,5,,,,税込 55\r\n";

TEST(CsvStatementFormatTest, EverythingIsInTheTable) {
    ASSERT_OK_AND_ASSIGN(const std::string csv, CsvStatementFormat().Write(PaperOfEverything()));
    EXPECT_EQ(csv, kGoldenCsv);
}

TEST(CsvStatementFormatTest, ADraftIsNoInvoice) {
    auto paper = PaperOfEverything();
    paper.number.clear();
    ASSERT_OK_AND_ASSIGN(const std::string csv, CsvStatementFormat().Write(paper));
    EXPECT_THAT(csv, HasSubstr("文書,状態,,,,,,,,,,,,,,下書き（未確定）\r\n"));
    EXPECT_THAT(csv, Not(HasSubstr("適格請求書")));
    EXPECT_THAT(csv, Not(HasSubstr("発行日")));
}

std::string Output(const std::string& command) {
    std::string output;
    std::FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return output;
    std::array<char, 4096> buffer{};
    std::size_t size = 0;
    while ((size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
        output.append(buffer.data(), size);
    }
    EXPECT_EQ(pclose(pipe), 0) << command;
    return output;
}

class PdfStatementFormatTest : public ::testing::Test {
 protected:
    PdfStatementFormatTest()
        : format_(pdf::Font::Open(std::string(pdf::kIpaexGothicFile)).value()) {}

    std::string Write(const domain::StatementPaper& paper) {
        const auto written = format_.Write(paper);
        EXPECT_OK(written.status());
        const std::string file = directory_.Path("statement.pdf");
        std::ofstream(file, std::ios::binary) << written.value();
        return file;
    }
    /// Without blanks: how a table's cells are apart is the reader's.
    std::string TextOf(const domain::StatementPaper& paper) {
        std::string text = Output("pdftotext -layout '" + Write(paper) + "' -");
        std::erase_if(text, [](char letter) { return letter == ' ' || letter == '\n'; });
        return text;
    }

    testing::TempDir directory_;
    PdfStatementFormat format_;
};

TEST_F(PdfStatementFormatTest, WhatAnInvoiceNeedsIsThere) {
    const std::string text = TextOf(PaperOfEverything());
    for (const char* expected :
         {// Issuer and registration number, recipient, dates, number.
          "取引明細書兼適格請求書", "決済株式会社", "東京都千代田区一番町一丁目",
          "登録番号T9000000000000", "株式会社みせ御中", "2019年10月1日～2019年10月31日",
          "発行日2019年11月1日", "番号201910-1001",
          // What was supplied, its sum and tax for each rate; what was returned, and of when.
          "決済サービス利用料10%380", "10%対象計10%38038418",
          "返金による返還（取引日2019-09-28～2019-09-29）", "8%対象計8%-27-2-29", "合計35336389",
          "軽減税率の対象はありません",
          // Each payout's price.
          "2019-10-01500振込サービス利用料10%555",
          // The way from balance to balance.
          "前月からの繰越400円", "売上1,244,767円4件", "返金・取消-1,080円1件",
          "加盟店負担のキャッシュバック・クーポン-200円", "決済手数料（税抜・返還後）-353円",
          "決済手数料の消費税-36円", "振込-18,000円", "振込手数料（税込）-55円",
          "振込不能・組戻・取消による戻入9,000円", "調整-300円",
          "月末残高（翌月へ繰越）1,234,143円ほかに振込処理中9,000円",
          // Days and moves.
          "2019-10-018%", "1,234,567", "理由口座なし", "500-2", "（2回目）", "1/2ページ",
          "2/2ページ"}) {
        std::string compact = expected;
        std::erase(compact, ' ');
        EXPECT_THAT(text, HasSubstr(compact));
    }
}

TEST_F(PdfStatementFormatTest, ADraftSaysSoAndIsNoInvoice) {
    auto paper = PaperOfEverything();
    paper.number.clear();
    const std::string text = TextOf(paper);
    EXPECT_THAT(text, HasSubstr("取引明細書（下書き）"));
    EXPECT_THAT(text, HasSubstr("未確定（適格請求書ではありません）"));
    EXPECT_THAT(text, Not(HasSubstr("登録番号")));
    EXPECT_THAT(text, Not(HasSubstr("201910-1001")));
}

TEST_F(PdfStatementFormatTest, TheSamePaperIsTheSameBytes) {
    ASSERT_OK_AND_ASSIGN(const std::string first, format_.Write(PaperOfEverything()));
    const PdfStatementFormat other(pdf::Font::Open(std::string(pdf::kIpaexGothicFile)).value());
    ASSERT_OK_AND_ASSIGN(const std::string again, other.Write(PaperOfEverything()));
    EXPECT_EQ(first, again);
    // The font's six megabytes are not in there, only the characters that are used.
    EXPECT_LT(first.size(), 200'000u);
    const std::string info = Output("TZ=Asia/Tokyo pdfinfo '" + Write(PaperOfEverything()) + "'");
    EXPECT_THAT(info, HasSubstr("Oct 31 23:59:59 2019"));
    EXPECT_THAT(info, HasSubstr("Pages:           2"));
    EXPECT_THAT(info, HasSubstr("(A4)"));
}

TEST_F(PdfStatementFormatTest, ALongMonthGoesOnOverPages) {
    auto paper = PaperOfEverything();
    const domain::DayLine day = paper.statement.days.back();
    for (int i = 0; i < 60; ++i) paper.statement.days.push_back(day);
    const domain::StatementMove move = paper.statement.moves.front();
    for (int i = 0; i < 140; ++i) paper.statement.moves.push_back(move);
    const std::string file = Write(paper);
    EXPECT_THAT(Output("pdfinfo '" + file + "'"), HasSubstr("Pages:           6"));
    for (int page = 1; page <= 6; ++page) {
        const std::string number = std::to_string(page);
        const std::string text =
            Output("pdftotext -f " + number + " -l " + number + " '" + file + "' -");
        EXPECT_THAT(text, HasSubstr(number + " / 6 ページ"));
        // A table that goes on says again what its columns are.
        if (page == 1) continue;
        EXPECT_TRUE(text.find("精算額") != std::string::npos ||
                    text.find("摘要") != std::string::npos)
            << text;
    }
}

TEST_F(PdfStatementFormatTest, AMonthWithoutAnythingHasItsBalance) {
    domain::StatementRows rows;
    rows.merchant = domain::MerchantId(1'001);
    rows.cycle_start = Day(20240201);
    rows.opening = {.merchant = rows.merchant, .released = 700, .moved = 0, .in_transit = 0};
    domain::StatementPaper paper = PaperOfEverything();
    paper.statement = domain::MakeStatement(rows, domain::TaxTable::Japan()).value();
    const std::string text = TextOf(paper);
    EXPECT_THAT(text, HasSubstr("月末残高（翌月へ繰越）700円"));
    EXPECT_THAT(text, HasSubstr("この期間の取引はありません。"));
    EXPECT_THAT(text, HasSubstr("この期間の決済手数料はありません。"));
}

TEST_F(PdfStatementFormatTest, ANameThatTheFontHasNotIsRefusedBeforeItIsPrinted) {
    EXPECT_OK(format_.CheckName("株式会社髙島﨑・みせ Ｓｈｏｐ１"));
    const Status status = format_.CheckName("みせ🍣");
    EXPECT_EQ(status.reason(), pdf::reason::kNotPrintable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("U+01F363"));
    EXPECT_EQ(format_.CheckName("\xFF").reason(), pdf::reason::kNotPrintable);
}

}  // namespace
}  // namespace kessai::payout::transport
