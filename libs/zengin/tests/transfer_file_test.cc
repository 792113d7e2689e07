#include "kessai/zengin/transfer_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kessai/calendar/bank_days.h"
#include "kessai/testing/matchers.h"
#include "kessai/zengin/bank_directory.h"
#include "kessai/zengin/testing/jis_bytes.h"

namespace kessai::zengin {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAnd;
using testing::Refuses;

constexpr std::size_t kRecordSize = 120;

KanaText Kana(std::string_view text, CharacterSet set = CharacterSet::kName) {
    return KanaText::FromText(text, set).value();
}

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

Originator SomeOriginator() {
    return {"0012345678",
            Kana("カ）ケツサイ"),
            {"0001", "004", AccountType::kOrdinary, "7654321", {}},
            NamesOf("0001", "004").value()};
}

Transfer SomeTransfer() {
    return {{"0310", "101", AccountType::kOrdinary, "0123456", Kana("ヤマダ　タロウ")},
            {Kana("ジーエムオーアオゾラネツト"), Kana("ホウジン")},
            Yen(150'000),
            NewCode::kOther,
            CustomerCodes::OfTransferId(12'345'678'901).value()};
}

/// What a writer wrote.
struct Written {
    std::string bytes = {};
    TransferFileWriter::Sink Sink() {
        return [this](std::string_view record) {
            bytes += record;
            return OkStatus();
        };
    }
};

std::string FileOf(const std::vector<Transfer>& transfers, LineEnd line_end = LineEnd::kNone) {
    Written written;
    auto writer =
        TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"), line_end, written.Sink());
    for (const Transfer& transfer : transfers) EXPECT_OK(writer->Add(transfer));
    EXPECT_OK(writer->Finish());
    return written.bytes;
}

/// `bytes` with `text` from `position` (1 to 120) of record `number` (from 1) on.
std::string WithAt(std::string bytes, std::size_t number, std::size_t position,
                   std::string_view text) {
    return bytes.replace((number - 1) * kRecordSize + position - 1, text.size(), text);
}

std::string Spaces(std::size_t count) {
    return std::string(count, ' ');
}

// Goal: the bytes are those of the published record format.
// Method: a file written out here field by field, in the order and with the sizes of section 8 of
// the Bankers Association's 適用業務およびレコード・フォーマット.
TEST(TransferFileTest, WritesThePublishedLayout) {
    Transfer with_codes = SomeTransfer();
    Transfer with_edi = SomeTransfer();
    with_edi.payee = {"9900", "018", AccountType::kSavings, "1234567", Kana("カ）アオバ")};
    with_edi.office = {};
    with_edi.amount = Yen(9'999'999'999);
    with_edi.new_code = NewCode::kFirst;
    with_edi.reference = EdiText{Kana("セイキユウ／１２", CharacterSet::kEdi)};

    const std::string header = JisBytes(
                                   "1"
                                   "21"
                                   "0"
                                   "0012345678"
                                   "ｶ)ｹﾂｻｲ") +
                               Spaces(40 - 6) +
                               JisBytes(
                                   "1130"
                                   "0001"
                                   "ﾐｽﾞﾎ") +
                               Spaces(15 - 4) + JisBytes("004ﾏﾙﾉｳﾁﾁﾕｳｵｳ") + Spaces(15 - 10) +
                               "1"
                               "7654321" +
                               Spaces(17);
    const std::string first = JisBytes(
                                  "2"
                                  "0310"
                                  "ｼﾞ-ｴﾑｵ-ｱｵｿﾞﾗﾈﾂﾄ"
                                  "101"
                                  "ﾎｳｼﾞﾝ") +
                              Spaces(15 - 5) +
                              JisBytes(
                                  "0000"
                                  "1"
                                  "0123456"
                                  "ﾔﾏﾀﾞ ﾀﾛｳ") +
                              Spaces(30 - 8) +
                              "0000150000"
                              "0"
                              "0000000001"
                              "2345678901"
                              "7"
                              " " +
                              Spaces(7);
    const std::string second =
        "2"
        "9900" +
        Spaces(15) + "018" + Spaces(15) +
        JisBytes(
            "0000"
            "4"
            "1234567"
            "ｶ)ｱｵﾊﾞ") +
        Spaces(30 - 6) +
        JisBytes(
            "9999999999"
            "1"
            "ｾｲｷﾕｳ/12") +
        Spaces(20 - 8) +
        "7"
        "Y" +
        Spaces(7);
    const std::string trailer =
        "8"
        "000002"
        "010000149999" +
        Spaces(101);
    const std::string end = "9" + Spaces(119);

    const std::pair<LineEnd, std::string> line_ends[] = {
        {LineEnd::kNone, ""}, {LineEnd::kLf, "\n"}, {LineEnd::kCrLf, "\r\n"}};
    for (const auto& [line_end, text] : line_ends) {
        std::string expected;
        for (const std::string& record : {header, first, second, trailer, end}) {
            ASSERT_EQ(record.size(), kRecordSize);
            expected += record + text;
        }
        EXPECT_EQ(FileOf({with_codes, with_edi}, line_end), expected);
    }
}

// Goal: what is written is what is read, for any transfers.
// Method: random files under a printed seed, with every line end.
TEST(TransferFileTest, ReadsWhatItWrote) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto digits = [&](std::size_t count) {
        std::string text;
        while (text.size() < count) text += static_cast<char>('0' + random() % 10);
        return text;
    };
    const auto kana = [&](std::size_t size_max, CharacterSet set) {
        const std::string_view letters = "ABC123().- ";
        std::string bytes(1, 'X');
        for (std::size_t left = random() % size_max; left > 0; --left) {
            bytes += random() % 2 == 0 ? static_cast<char>(0xB1 + random() % 0x2F)
                                       : letters[random() % letters.size()];
        }
        if (set == CharacterSet::kEdi) bytes.front() = '\xA6';
        return KanaText::FromBytes(bytes, set).value();
    };
    for (int round = 0; round < 300; ++round) {
        const auto line_end = static_cast<LineEnd>(random() % 3);
        const BusinessDate day =
            calendar::BankDayAtOrAfter(Day("2026-01-01").PlusDays(static_cast<int>(random() % 365)))
                .value();
        Originator originator = SomeOriginator();
        originator.name = kana(40, CharacterSet::kName);
        originator.code = digits(10);
        Written written;
        ASSERT_OK_AND_ASSIGN(auto writer,
                             TransferFileWriter::Begin(originator, day, line_end, written.Sink()));
        std::vector<Transfer> transfers;
        for (std::size_t left = 1 + random() % 20; left > 0; --left) {
            Transfer transfer;
            transfer.payee = {digits(4), digits(3),
                              std::vector{AccountType::kOrdinary, AccountType::kCurrent,
                                          AccountType::kSavings, AccountType::kOther}[random() % 4],
                              digits(7), kana(30, CharacterSet::kName)};
            if (random() % 2 == 0) {
                transfer.office = {kana(15, CharacterSet::kName), kana(15, CharacterSet::kName)};
            }
            transfer.amount = Yen(1 + static_cast<std::int64_t>(random() % 9'999'999'999));
            transfer.new_code = static_cast<NewCode>(random() % 3);
            if (random() % 3 == 0) {
                transfer.reference = EdiText{kana(20, CharacterSet::kEdi)};
            } else {
                transfer.reference =
                    CustomerCodes::OfTransferId(static_cast<std::int64_t>(random() >> 1) | 1)
                        .value();
            }
            ASSERT_OK(writer.Add(transfer));
            transfers.push_back(transfer);
        }
        ASSERT_OK_AND_ASSIGN(const TransferTotals totals, writer.Finish());

        ASSERT_OK_AND_ASSIGN(const TransferFile file, ReadTransferFile(written.bytes));
        EXPECT_EQ(file.originator, originator);
        const std::chrono::year_month_day date(day.day());
        EXPECT_EQ(file.day, date.month() / date.day());
        EXPECT_EQ(file.line_end, line_end);
        EXPECT_EQ(file.transfers, transfers);
        EXPECT_EQ(file.totals, totals);
        EXPECT_EQ(totals.count, static_cast<std::int64_t>(transfers.size()));
    }
}

// Goal: an id of ours comes back, whichever it is.
TEST(CustomerCodesTest, CarryATransferId) {
    for (const std::int64_t id : {std::int64_t{1}, std::int64_t{9'999'999'999},
                                  std::int64_t{10'000'000'000}, std::int64_t{INT64_MAX}}) {
        EXPECT_THAT(CustomerCodes::OfTransferId(id)->ToTransferId(), IsOkAnd(id));
    }
    EXPECT_EQ(CustomerCodes::OfTransferId(INT64_MAX).value(),
              (CustomerCodes{922'337'203, 6'854'775'807}));
    const auto refused = Refuses(Code::kOutOfRange, reason::kTransferIdOutOfRange);
    EXPECT_THAT(CustomerCodes::OfTransferId(0), refused);
    EXPECT_THAT(CustomerCodes::OfTransferId(-1), refused);
    EXPECT_THAT(CustomerCodes{}.ToTransferId(), refused);
    EXPECT_THAT((CustomerCodes{922'337'203, 6'854'775'808}).ToTransferId(), refused);
    EXPECT_THAT((CustomerCodes{9'999'999'999, 9'999'999'999}).ToTransferId(), refused);
    EXPECT_THAT((CustomerCodes{0, -1}).ToTransferId(), refused);
    EXPECT_THAT((CustomerCodes{10'000'000'000, 0}).ToTransferId(), refused);
}

TEST(TransferFileWriterTest, RefusesAnOriginatorThatCanBeNone) {
    const auto begin = [](const std::function<void(Originator&)>& change,
                          std::string_view day = "2026-11-30") {
        Written written;
        Originator originator = SomeOriginator();
        change(originator);
        const Status status =
            TransferFileWriter::Begin(originator, Day(day), LineEnd::kNone, written.Sink())
                .status();
        EXPECT_EQ(written.bytes.empty(), !status.ok());
        return status;
    };
    const auto invalid = [](std::string_view reason) {
        return Refuses(Code::kInvalidArgument, reason);
    };
    EXPECT_OK(begin([](auto&) {}));
    for (const char* code : {"", "123456789", "12345678901", "000000000a"}) {
        EXPECT_THAT(begin([&](auto& o) { o.code = code; }),
                    invalid(reason::kOriginatorCodeMalformed));
    }
    EXPECT_THAT(begin([](auto& o) { o.name = {}; }), invalid(reason::kAccountHolderMissing));
    EXPECT_THAT(begin([](auto& o) { o.name = Kana(std::string(41, 'A')); }),
                invalid(reason::kNameTooLong));
    EXPECT_THAT(begin([](auto& o) { o.name = Kana("A/B", CharacterSet::kEdi); }),
                invalid(reason::kKanaNotAllowed));
    EXPECT_THAT(begin([](auto& o) { o.account.bank_code = "1"; }),
                invalid(reason::kBankCodeMalformed));
    EXPECT_THAT(begin([](auto& o) { o.account.branch_code = "1"; }),
                invalid(reason::kBranchCodeMalformed));
    EXPECT_THAT(begin([](auto& o) { o.account.number = "1"; }),
                invalid(reason::kAccountNumberMalformed));
    EXPECT_THAT(begin([](auto& o) { o.account.type = AccountType::kSavings; }),
                invalid(reason::kAccountTypeUnknown));
    EXPECT_THAT(begin([](auto& o) { o.office.bank = Kana(std::string(16, 'A')); }),
                invalid(reason::kNameTooLong));
    EXPECT_THAT(begin([](auto&) {}, "2026-11-29"), invalid(reason::kNotABankDay));
    EXPECT_THAT(begin([](auto&) {}, "2026-12-31"), invalid(reason::kNotABankDay));
    EXPECT_THAT(begin([](auto&) {}, "2051-01-05"),
                Refuses(Code::kOutOfRange, calendar::reason::kDateOutsideCalendar));
}

// Goal: a transfer that can't be carried leaves no trace in the file, which goes on without it.
// Method: offer each kind of bad transfer between two good ones.
TEST(TransferFileWriterTest, RefusesATransferAndGoesOn) {
    Written written;
    ASSERT_OK_AND_ASSIGN(auto writer, TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"),
                                                                LineEnd::kCrLf, written.Sink()));
    ASSERT_OK(writer.Add(SomeTransfer()));
    const std::string before = written.bytes;
    const auto add = [&](const std::function<void(Transfer&)>& change) {
        Transfer transfer = SomeTransfer();
        change(transfer);
        const Status status = writer.Add(transfer);
        EXPECT_EQ(written.bytes, before);
        return status;
    };
    const auto invalid = [](std::string_view reason) {
        return Refuses(Code::kInvalidArgument, reason);
    };
    for (const std::int64_t amount :
         {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{10'000'000'000}, INT64_MAX}) {
        EXPECT_THAT(add([&](auto& t) { t.amount = Yen(amount); }),
                    Refuses(Code::kOutOfRange, reason::kAmountOutOfRange));
    }
    EXPECT_THAT(add([](auto& t) { t.payee.bank_code = "31"; }),
                invalid(reason::kBankCodeMalformed));
    EXPECT_THAT(add([](auto& t) { t.payee.branch_code = "1011"; }),
                invalid(reason::kBranchCodeMalformed));
    EXPECT_THAT(add([](auto& t) { t.payee.number = "12345678"; }),
                invalid(reason::kAccountNumberMalformed));
    EXPECT_THAT(add([](auto& t) { t.payee.type = static_cast<AccountType>(3); }),
                invalid(reason::kAccountTypeUnknown));
    EXPECT_THAT(add([](auto& t) { t.payee.holder = {}; }), invalid(reason::kAccountHolderMissing));
    EXPECT_THAT(add([](auto& t) { t.payee.holder = Kana(std::string(31, 'A')); }),
                invalid(reason::kNameTooLong));
    EXPECT_THAT(add([](auto& t) { t.payee.holder = Kana("ヲ", CharacterSet::kEdi); }),
                invalid(reason::kKanaNotAllowed));
    EXPECT_THAT(add([](auto& t) { t.office.branch = Kana(std::string(16, 'A')); }),
                invalid(reason::kNameTooLong));
    EXPECT_THAT(add([](auto& t) { t.reference = EdiText{Kana(std::string(21, 'A'))}; }),
                invalid(reason::kNameTooLong));
    for (const CustomerCodes codes : {CustomerCodes{10'000'000'000, 0},
                                      CustomerCodes{0, 10'000'000'000}, CustomerCodes{-1, 0}}) {
        EXPECT_THAT(add([&](auto& t) { t.reference = codes; }),
                    Refuses(Code::kOutOfRange, reason::kCustomerCodeOutOfRange));
    }
    ASSERT_OK(writer.Add(SomeTransfer()));
    EXPECT_THAT(writer.Finish(), IsOkAnd(TransferTotals{2, Yen(300'000)}));
    EXPECT_EQ(ReadTransferFile(written.bytes)->transfers.size(), 2u);
}

TEST(TransferFileWriterTest, KeepsCountAndTotalWithinTheirFields) {
    const auto nothing = [](std::string_view) { return OkStatus(); };
    Transfer transfer = SomeTransfer();
    transfer.amount = Yen(9'999'999'999);
    ASSERT_OK_AND_ASSIGN(
        auto by_total,
        TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"), LineEnd::kNone, nothing));
    for (int count = 0; count < 100; ++count) ASSERT_OK(by_total.Add(transfer));
    EXPECT_THAT(by_total.Add(transfer), Refuses(Code::kOutOfRange, reason::kTotalOutOfRange));
    transfer.amount = Yen(99);
    EXPECT_OK(by_total.Add(transfer));
    EXPECT_THAT(by_total.Finish(), IsOkAnd(TransferTotals{101, Yen(999'999'999'999)}));

    transfer.amount = Yen(1);
    ASSERT_OK_AND_ASSIGN(
        auto by_count,
        TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"), LineEnd::kNone, nothing));
    for (int count = 0; count < 999'999; ++count) ASSERT_OK(by_count.Add(transfer));
    EXPECT_THAT(by_count.Add(transfer), Refuses(Code::kOutOfRange, reason::kTooManyTransfers));
    EXPECT_THAT(by_count.Finish(), IsOkAnd(TransferTotals{999'999, Yen(999'999)}));
}

// Goal: a file that could not be written is never taken for one that was.
// Method: a sink that fails at each record in turn.
TEST(TransferFileWriterTest, IsClosedByAFailingSinkAndByItsEnd) {
    const auto closed = Refuses(Code::kFailedPrecondition, reason::kWriterClosed);
    const auto full = Refuses(Code::kResourceExhausted, "DISK_FULL");
    for (int good = 0; good < 4; ++good) {
        int left = good;
        const auto sink = [&left](std::string_view) {
            return left-- > 0 ? OkStatus()
                              : Status(Code::kResourceExhausted, "DISK_FULL", "no room");
        };
        auto writer =
            TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"), LineEnd::kLf, sink);
        if (good == 0) {
            EXPECT_THAT(writer, full);
            continue;
        }
        ASSERT_THAT(writer, IsOk());
        if (good == 1) {
            EXPECT_THAT(writer->Add(SomeTransfer()), full);
            EXPECT_EQ(writer->totals(), TransferTotals{});
        } else {
            ASSERT_OK(writer->Add(SomeTransfer()));
            EXPECT_THAT(writer->Finish(), full);
        }
        EXPECT_THAT(writer->Add(SomeTransfer()), closed);
        EXPECT_THAT(writer->Finish(), closed);
    }
    Written written;
    ASSERT_OK_AND_ASSIGN(auto writer, TransferFileWriter::Begin(SomeOriginator(), Day("2026-11-30"),
                                                                LineEnd::kNone, written.Sink()));
    EXPECT_THAT(writer.Finish(), Refuses(Code::kInvalidArgument, reason::kFileEmpty));
    ASSERT_OK(writer.Add(SomeTransfer()));
    ASSERT_OK(writer.Finish());
    const std::string finished = written.bytes;
    EXPECT_THAT(writer.Add(SomeTransfer()), closed);
    EXPECT_THAT(writer.Finish(), closed);
    EXPECT_EQ(written.bytes, finished);
}

// Goal: banks' own ways of writing the same are read.
// Method: blank what the format says may be, add an end-of-file byte, leave off the last line end.
TEST(TransferFileReaderTest, ReadsWhatBanksMayWrite) {
    const std::string good = FileOf({SomeTransfer()});
    std::string blank = WithAt(good, 2, 39, Spaces(4));
    blank = WithAt(blank, 2, 91, Spaces(1 + 20 + 1));
    ASSERT_OK_AND_ASSIGN(const TransferFile file, ReadTransferFile(blank));
    EXPECT_EQ(std::get<CustomerCodes>(file.transfers[0].reference), CustomerCodes{});
    EXPECT_EQ(file.transfers[0].new_code, NewCode::kOther);
    EXPECT_OK(ReadTransferFile(WithAt(good, 1, 104, JisBytes("101ｼﾝｼﾞﾕｸ"))));
    EXPECT_OK(ReadTransferFile(good + "\x1A"));
    const std::string lines = FileOf({SomeTransfer()}, LineEnd::kCrLf);
    EXPECT_OK(ReadTransferFile(lines + "\x1A"));
    EXPECT_OK(ReadTransferFile(lines.substr(0, lines.size() - 2)));
}

// Goal: whatever is wrong with a file has its own name, and says where.
// Method: damage a good file in one place at a time.
TEST(TransferFileReaderTest, NamesWhatIsWrong) {
    const std::string good = FileOf({SomeTransfer(), SomeTransfer()});
    ASSERT_THAT(ReadTransferFile(good), IsOk());
    const std::string header = good.substr(0, kRecordSize);
    const std::string data = good.substr(kRecordSize, kRecordSize);
    const std::string trailer = good.substr(3 * kRecordSize, kRecordSize);
    const std::string end = good.substr(4 * kRecordSize);
    const std::string lines = FileOf({SomeTransfer(), SomeTransfer()}, LineEnd::kLf);
    const struct {
        std::string bytes;
        std::string_view reason;
        const char* message;
    } cases[] = {
        // Records.
        {"", reason::kFileIncomplete, "stops before its end"},
        {good.substr(0, 4 * kRecordSize), reason::kFileIncomplete, "stops before its end"},
        {good.substr(0, 3 * kRecordSize), reason::kFileIncomplete, "stops before its end"},
        {header, reason::kFileIncomplete, "stops before its end"},
        {good.substr(0, good.size() - 1), reason::kRecordLengthWrong,
         "record 5 has 119 bytes, not 120"},
        {good + " ", reason::kRecordLengthWrong, "record 6 has 1 bytes"},
        {good + "\n", reason::kRecordLengthWrong, "record 6 ends after 0 bytes"},
        {header + "\n" + good.substr(kRecordSize), reason::kRecordLengthWrong, "record 2 has not"},
        {lines.substr(0, 100) + lines.substr(101), reason::kRecordLengthWrong,
         "record 1 ends after 119 bytes"},
        {lines.substr(0, 200) + lines.substr(201), reason::kRecordLengthWrong,
         "record 2 ends after 119 bytes"},
        {lines.substr(0, 200) + " " + lines.substr(200), reason::kRecordLengthWrong,
         "record 2 has not the line end"},
        {WithAt(good, 2, 1, "3"), reason::kRecordKindUnknown, "record 2 begins with none"},
        {WithAt(good, 3, 1, " "), reason::kRecordKindUnknown, "record 3 begins with none"},
        {data + trailer + end, reason::kRecordOutOfOrder, "record 1 of kind 2"},
        {trailer + end, reason::kRecordOutOfOrder, "record 1 of kind 8"},
        {end, reason::kRecordOutOfOrder, "record 1 of kind 9"},
        {header + header + data + trailer + end, reason::kRecordOutOfOrder, "record 2 of kind 1"},
        {header + data + end, reason::kRecordOutOfOrder, "record 3 of kind 9"},
        {header + data + data + trailer + data + end, reason::kRecordOutOfOrder,
         "record 5 of kind 2"},
        {good + header, reason::kRecordOutOfOrder, "record 6 of kind 1"},
        {good + end, reason::kRecordOutOfOrder, "record 6 of kind 9"},
        {header + WithAt(trailer, 1, 2, "000000000000000000") + end, reason::kFileEmpty, "no data"},
        // The header.
        {WithAt(good, 1, 2, "11"), reason::kFileKindWrong, "record 1, bytes 2 to 3"},
        {WithAt(good, 1, 4, "1"), reason::kCodeDivisionUnsupported, "EBCDIC"},
        {WithAt(good, 1, 4, "2"), reason::kFieldMalformed, "record 1, bytes 4 to 4"},
        {WithAt(good, 1, 5, "A"), reason::kFieldMalformed, "record 1, bytes 5 to 14"},
        {WithAt(good, 1, 15, Spaces(40)), reason::kFieldMalformed, "bytes 15 to 54"},
        {WithAt(good, 1, 15, "a"), reason::kKanaNotAllowed, "record 1, bytes 15 to 54"},
        {WithAt(good, 1, 55, "1301"), reason::kFieldMalformed, "record 1, bytes 55 to 58"},
        {WithAt(good, 1, 55, "0230"), reason::kFieldMalformed, "record 1, bytes 55 to 58"},
        {WithAt(good, 1, 55, "0000"), reason::kFieldMalformed, "record 1, bytes 55 to 58"},
        {WithAt(good, 1, 59, " "), reason::kFieldMalformed, "record 1, bytes 59 to 62"},
        {WithAt(good, 1, 63, "/"), reason::kKanaNotAllowed, "record 1, bytes 63 to 77"},
        {WithAt(good, 1, 78, "-"), reason::kFieldMalformed, "record 1, bytes 78 to 80"},
        {WithAt(good, 1, 81, "#"), reason::kKanaNotAllowed, "record 1, bytes 81 to 95"},
        {WithAt(good, 1, 96, "4"), reason::kAccountTypeUnknown, "record 1, bytes 96 to 96"},
        {WithAt(good, 1, 97, " "), reason::kFieldMalformed, "record 1, bytes 97 to 103"},
        // Data.
        {WithAt(good, 3, 2, "x"), reason::kFieldMalformed, "record 3, bytes 2 to 5"},
        {WithAt(good, 3, 6, "\x82"), reason::kKanaNotAllowed, "record 3, bytes 6 to 20"},
        {WithAt(good, 3, 21, " "), reason::kFieldMalformed, "record 3, bytes 21 to 23"},
        {WithAt(good, 3, 24, "\xA7"), reason::kKanaNotAllowed, "record 3, bytes 24 to 38"},
        {WithAt(good, 3, 39, "x"), reason::kFieldMalformed, "record 3, bytes 39 to 42"},
        {WithAt(good, 3, 43, "3"), reason::kAccountTypeUnknown, "record 3, bytes 43 to 43"},
        {WithAt(good, 3, 44, " "), reason::kFieldMalformed, "record 3, bytes 44 to 50"},
        {WithAt(good, 3, 51, Spaces(30)), reason::kFieldMalformed, "record 3, bytes 51 to 80"},
        {WithAt(good, 3, 52, "\xB0"), reason::kKanaNotAllowed, "record 3, bytes 51 to 80"},
        {WithAt(good, 3, 81, " "), reason::kFieldMalformed, "record 3, bytes 81 to 90"},
        {WithAt(good, 3, 81, "-"), reason::kFieldMalformed, "record 3, bytes 81 to 90"},
        {WithAt(good, 3, 91, "3"), reason::kFieldMalformed, "record 3, bytes 91 to 91"},
        {WithAt(good, 3, 92, " "), reason::kFieldMalformed, "record 3, bytes 92 to 101"},
        {WithAt(good, 3, 111, "A"), reason::kFieldMalformed, "record 3, bytes 102 to 111"},
        {WithAt(good, 3, 112, "A"), reason::kFieldMalformed, "record 3, bytes 112 to 112"},
        {WithAt(good, 3, 113, "X"), reason::kFieldMalformed, "record 3, bytes 113 to 113"},
        {WithAt(WithAt(good, 3, 113, "Y"), 3, 92, "*"), reason::kKanaNotAllowed,
         "record 3, bytes 92 to 111"},
        // Totals.
        {WithAt(good, 4, 2, " "), reason::kFieldMalformed, "record 4, bytes 2 to 7"},
        {WithAt(good, 4, 8, "x"), reason::kFieldMalformed, "record 4, bytes 8 to 19"},
        {WithAt(good, 4, 2, "000003"), reason::kCountWrong, "is 3, the data records are 2"},
        {WithAt(good, 4, 8, "000000300001"), reason::kTotalWrong,
         "is 300001, the data records sum to 300000"},
        {WithAt(good, 3, 81, "0000150001"), reason::kTotalWrong, "sum to 300001"},
    };
    for (const auto& example : cases) {
        const auto file = ReadTransferFile(example.bytes);
        EXPECT_THAT(file.status(), Refuses(Code::kInvalidArgument, example.reason));
        EXPECT_THAT(std::string(file.status().message()), HasSubstr(example.message));
    }
    EXPECT_THAT(ReadTransferFile(WithAt(good, 3, 81, "0000000000")).status(),
                Refuses(Code::kOutOfRange, reason::kAmountOutOfRange));
}

// Goal: no damage to one byte changes what is paid without being seen.
// Method: random bytes of a good file changed at random under a printed seed.
TEST(TransferFileReaderTest, ADamagedByteChangesNoAmountUnseen) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::string good = FileOf({SomeTransfer(), SomeTransfer()}, LineEnd::kCrLf);
    const TransferFile original = ReadTransferFile(good).value();
    int refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = good;
        bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto file = ReadTransferFile(bytes);
        if (!file.ok()) {
            ++refused;
            continue;
        }
        EXPECT_EQ(file->totals, original.totals);
        EXPECT_EQ(file->transfers.size(), original.transfers.size());
        for (std::size_t at = 0; at < file->transfers.size(); ++at) {
            EXPECT_EQ(file->transfers[at].amount, original.transfers[at].amount);
        }
    }
    EXPECT_GT(refused, 5'000);
}

// Goal: names come from the directory.
TEST(OfficeNamesTest, AreThoseOfTheDirectory) {
    ASSERT_OK_AND_ASSIGN(const OfficeNames names, NamesOf("0001", "001"));
    EXPECT_EQ(names.bank.ToUtf8(), "ﾐｽﾞﾎ");
    EXPECT_EQ(names.branch.ToUtf8(), "ﾄｳｷﾖｳ");
    EXPECT_THAT(NamesOf("9999", "001"), Refuses(Code::kNotFound, reason::kBankUnknown));
    EXPECT_THAT(NamesOf("0001", "000"), Refuses(Code::kNotFound, reason::kBranchUnknown));
}

}  // namespace
}  // namespace kessai::zengin
