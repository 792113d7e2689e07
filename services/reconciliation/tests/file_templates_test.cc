// Goal: the two files of the partner contract are byte for byte what its section on reconciliation
// files says: names, columns, words, Shift_JIS, LF.
// Method: rows of every status through the shipped templates; the expected text is converted by the
// C library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iconv.h>

#include <string>
#include <vector>

#include "domain/file_sources.h"
#include "kessai/filetemplate/writer.h"
#include "kessai/testing/matchers.h"
#include "made_transactions.h"

namespace kessai::reconciliation {
namespace {

using filetemplate::Template;

class OneFile final : public filetemplate::FileSink {
 public:
    Status Begin(const std::string& begun) override {
        EXPECT_EQ(name, "");
        name = begun;
        return OkStatus();
    }
    Status Write(std::string_view more) override {
        bytes += more;
        return OkStatus();
    }
    Status End(const filetemplate::WrittenFile& written) override {
        file = written;
        return OkStatus();
    }

    std::string name;
    std::string bytes;
    filetemplate::WrittenFile file;
};

std::string ShiftJis(std::string utf8) {
    const iconv_t converter = iconv_open("CP932", "UTF-8");
    std::string bytes(utf8.size(), '\0');
    char* in = utf8.data();
    char* out = bytes.data();
    std::size_t in_left = utf8.size();
    std::size_t out_left = bytes.size();
    EXPECT_EQ(iconv(converter, &in, &in_left, &out, &out_left), 0u);
    iconv_close(converter);
    bytes.resize(bytes.size() - out_left);
    return bytes;
}

OneFile Write(std::string_view yaml, const std::vector<MadeTransaction>& rows) {
    const auto parsed = Template::Parse(yaml, FileSources());
    EXPECT_OK(parsed);
    filetemplate::FileContext context;
    context.merchant_id = "287654321";
    context.date = BusinessDate::FromNumber(20200130).value();
    context.period = parsed->PeriodOf(context.date);
    OneFile sink;
    filetemplate::Writer writer(*parsed, context, sink);
    for (const MadeTransaction& row : rows) EXPECT_OK(writer.Append(row.Row()));
    EXPECT_OK(writer.Finish());
    return sink;
}

std::vector<MadeTransaction> OfEachStatus(bool is_captured_later) {
    std::vector<MadeTransaction> rows;
    for (const TransactionStatus status :
         {TransactionStatus::kAuthorized, TransactionStatus::kCanceled,
          TransactionStatus::kCompleted, TransactionStatus::kExpired, TransactionStatus::kFailed,
          TransactionStatus::kRefunded, TransactionStatus::kRefundFailed}) {
        rows.push_back({.status = status, .is_captured_later = is_captured_later});
    }
    return rows;
}

TEST(FileTemplatesTest, CaptureLater) {
    auto rows = OfEachStatus(true);
    rows[2].methods = Bit(TransactionMethod::kWallet) | Bit(TransactionMethod::kPoint);
    rows[0].store_name = "本店, 2階 \"新\"";
    rows.push_back({.amount = 99});  // captured at once
    const OneFile file = Write(CaptureLaterTemplate(), rows);
    EXPECT_EQ(file.name, "preauth_transaction_287654321_20200130000000_20200130235959_v2.csv");
    const std::string begin = "1234567890123456789,287654321,カフェ決済,shop-0001,";
    const std::string middle = "渋谷駅前店,POS-07,";
    const std::string end = ",2020-01-30T10:53:25+09:00,480,R-000123,";
    const std::string details =
        R"("[{""paymentMethod"":""POINT"",""amount"":80,""breakdown"":[{""type"":""REGULAR"",)"
        R"(""amount"":80}]},{""paymentMethod"":""WALLET"",""amount"":400}]")";
    EXPECT_EQ(file.bytes,
              ShiftJis("orderId,merchantId,brandName,storeId,storeName,terminalId,"
                       "transactionStatus,acceptedAt,amount,orderReceiptNumber,methodOfPayment,"
                       "merchantPaymentId,paymentDetails\n" +
                       begin + "\"本店, 2階 \"\"新\"\"\",POS-07,AUTHORIZED" + end +
                       "wallet,pay-2020-000001,\n" +                               //
                       begin + middle + "CANCELED" + end + "wallet,revert-1,\n" +  //
                       begin + middle + "COMPLETED" + end + "\"wallet,point\",capture-1," +
                       details + "\n" +                                                  //
                       begin + middle + "EXPIRED" + end + "wallet,pay-2020-000001,\n" +  //
                       begin + middle + "FAILED" + end + "wallet,pay-2020-000001,\n" +   //
                       begin + middle + "REFUNDED" + end + "wallet,refund-1," + details + "\n"));
    EXPECT_EQ(file.file.rows, 6u);
    ASSERT_EQ(file.file.totals.size(), 1u);
    EXPECT_EQ(file.file.totals[0].sum, Yen(6 * 480));
}

TEST(FileTemplatesTest, Instant) {
    auto rows = OfEachStatus(false);
    rows[2].methods = 0b11111;
    rows[4].brand_name = "寿司🍣";
    rows.push_back({.is_captured_later = true});
    const OneFile file = Write(InstantTemplate(), rows);
    EXPECT_EQ(file.name, "transaction_287654321_20200130000000_20200130235959_v2.csv");
    const std::string begin = "1234567890123456789,287654321,カフェ決済,";
    const std::string middle = "shop-0001,渋谷駅前店,POS-07,";
    const std::string time = ",2020-01-30T10:53:25+09:00,";
    const std::string end =
        R"(,pay-2020-000001,"[{""paymentMethod"":""PayPayポイント"",""amount"":80},)"
        R"({""paymentMethod"":""PayPay残高"",""amount"":400}]")"
        "\n";
    EXPECT_EQ(
        file.bytes,
        ShiftJis("決済番号,加盟店ID,屋号,店舗ID,店舗名,端末番号/PosID,取引ステータス,取引日時,"
                 "取引金額,レシート番号,支払い方法,マーチャント決済ID,支払い詳細\n" +
                 begin + middle + "取引完了" + time +
                 "480,R-000123,\"PayPay残高,クレジットカード,PayPay(クレジット),PayPayポイント,"
                 "PayPay商品券\"" +
                 end +  //
                 "1234567890123456789,287654321,寿司〓," + middle + "取引失敗" + time +
                 "480,R-000123,PayPay残高" + end +                                        //
                 begin + middle + "返金完了" + time + "-480,R-000123,PayPay残高" + end +  //
                 begin + middle + "返金失敗" + time + "-480,R-000123,PayPay残高" + end));
    EXPECT_EQ(file.file.totals.at(0).sum, Yen(0));
}

TEST(FileTemplatesTest, AMerchantWithoutPaymentsGetsTheColumnsNames) {
    const OneFile file = Write(InstantTemplate(), {});
    EXPECT_EQ(std::count(file.bytes.begin(), file.bytes.end(), '\n'), 1);
    EXPECT_EQ(file.file.rows, 0u);
}

TEST(FileTemplatesTest, OtherSourcesHaveTheirFields) {
    EXPECT_OK(
        Template::Parse("source: releases\ncolumns: [{name: net, value: net}]\n"
                        "file: {name: f}",
                        FileSources()));
    EXPECT_OK(
        Template::Parse("source: transfers\ncolumns: [{name: s, value: status}]\n"
                        "file: {name: f}",
                        FileSources()));
}

}  // namespace
}  // namespace kessai::reconciliation
