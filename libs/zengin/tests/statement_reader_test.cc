#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/testing/matchers.h"
#include "kessai/zengin/account_statement.h"
#include "kessai/zengin/testing/notice_records.h"
#include "kessai/zengin/testing/statement_records.h"
#include "kessai/zengin/transfer_file.h"

namespace kessai::zengin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

constexpr std::size_t kRecordSize = 200;

/// What was told of a file.
struct Told {
    Status outcome;
    std::vector<AccountStatement> statements;
    std::vector<BrokenRecord> broken;
    std::vector<UnreadSums> unread;

    std::size_t entries() const {
        std::size_t count = 0;
        for (const AccountStatement& statement : statements) count += statement.entries.size();
        return count;
    }
};

Told Read(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    Told told;
    StatementReader reader(StatementYears::kReiwa,
                           {.header =
                                [&](const AccountStatement& header) {
                                    told.statements.push_back(header);
                                    return OkStatus();
                                },
                            .entry =
                                [&](StatementEntry&& entry) {
                                    told.statements.back().entries.push_back(std::move(entry));
                                    return OkStatus();
                                },
                            .broken =
                                [&](BrokenRecord&& broken) {
                                    told.broken.push_back(std::move(broken));
                                    return OkStatus();
                                },
                            .trailer =
                                [&](const AccountStatement& complete, const UnreadSums& unread) {
                                    told.statements.back().closing = complete.closing;
                                    told.unread.push_back(unread);
                                    return OkStatus();
                                }});
    while (!bytes.empty() && told.outcome.ok()) {
        told.outcome = reader.Take(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    if (told.outcome.ok()) told.outcome = reader.Finish();
    return told;
}

/// Records 2 to 4 of one account: 1,000,000 − 25,300 + 300 + 7.
std::string Good(std::string_view line_end = "") {
    StatementRecords records;
    records.Header("0001", "004", "1", "0007654321", 1'000'000);
    records.Entry(/*credit=*/false, 25'300, "ｿｳｺﾞｳﾌﾘｺﾐ", "");
    records.Entry(/*credit=*/true, 300, "ﾌﾘｺﾐﾌﾉｳ", "00000000010000001043");
    records.Entry(/*credit=*/true, 7, "ﾘｿｸ", "");
    records.Trailer();
    return records.End(line_end);
}

/// `bytes` with `text` from `position` (1 to 200) of record `number` (from 1) on.
std::string WithAt(std::string bytes, std::size_t number, std::size_t position,
                   std::string_view text, std::size_t line_end_size = 0) {
    return bytes.replace((number - 1) * (kRecordSize + line_end_size) + position - 1, text.size(),
                         text);
}

// Goal: how a file is cut into pieces changes nothing, and it says what the strict reader says.
TEST(StatementReaderTest, PiecesOfAnySize) {
    for (const std::string_view line_end : {"", "\n", "\r\n"}) {
        const std::string bytes = Good(line_end);
        ASSERT_OK_AND_ASSIGN(const auto strict,
                             ReadAccountStatements(bytes, StatementYears::kReiwa));
        for (const std::size_t piece : {1, 7, 199, 200, 201, 203, 100'000}) {
            const Told told = Read(bytes, piece);
            ASSERT_THAT(told.outcome, IsOk()) << piece;
            ASSERT_THAT(told.statements, SizeIs(1));
            EXPECT_EQ(told.statements[0].entries, strict[0].entries);
            EXPECT_EQ(told.statements[0].opening, strict[0].opening);
            EXPECT_EQ(told.statements[0].closing, strict[0].closing);
            EXPECT_THAT(told.broken, IsEmpty());
            EXPECT_THAT(told.unread, ElementsAre(UnreadSums{0, Yen(0), 0, Yen(0)}));
        }
    }
}

TEST(StatementReaderTest, ABrokenRecordWithItsAmountCounts) {
    const Told told = Read(WithAt(Good(), 2, 10, "081399"));
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_EQ(told.broken[0].record, 2u);
    EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason::kFieldMalformed));
    EXPECT_EQ(told.broken[0].amount, Yen(-25'300));
    EXPECT_THAT(told.statements[0].entries, SizeIs(2));
    EXPECT_THAT(told.unread, ElementsAre(UnreadSums{0, Yen(0), 0, Yen(0)}));
}

TEST(StatementReaderTest, TheTrailerTellsWhatBrokenRecordsSumTo) {
    std::string bytes = WithAt(Good(), 2, 25, "??????????");
    bytes = WithAt(bytes, 3, 1, "5");
    const Told told = Read(bytes);
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.broken, SizeIs(2));
    EXPECT_EQ(told.broken[0].amount, std::nullopt);
    EXPECT_THAT(told.broken[1].why, Refuses(Code::kInvalidArgument, reason::kRecordKindUnknown));
    EXPECT_THAT(told.unread, ElementsAre(UnreadSums{1, Yen(300), 1, Yen(25'300)}));
    EXPECT_EQ(told.statements[0].closing, Yen(975'007));
}

TEST(StatementReaderTest, GoesOnBehindALineOfTheWrongLength) {
    for (const std::string_view line_end : {"\n", "\r\n"}) {
        std::string bytes = Good(line_end);
        bytes.erase(2 * (kRecordSize + line_end.size()) + 50, 3);
        const Told told = Read(bytes);
        ASSERT_THAT(told.outcome, IsOk());
        ASSERT_THAT(told.broken, SizeIs(1));
        EXPECT_EQ(told.broken[0].record, 3u);
        EXPECT_THAT(told.broken[0].why,
                    Refuses(Code::kInvalidArgument, reason::kRecordLengthWrong));
        EXPECT_THAT(std::string(told.broken[0].why.message()), HasSubstr("has 197 bytes, not 200"));
        EXPECT_THAT(told.statements[0].entries, SizeIs(2));
    }
}

TEST(StatementReaderTest, AVeryLongLineIsOneBrokenRecord) {
    std::string bytes = Good("\n");
    bytes.insert(2 * (kRecordSize + 1) + 50, std::string(20'000, '0'));
    const Told told = Read(bytes, 1000);
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_EQ(told.broken[0].record, 3u);
}

// Goal: sums that can't be right whatever the broken record was refuse the file.
TEST(StatementReaderTest, SumsThatNoRecordExplainsAreRefused) {
    const struct {
        std::string bytes;
        std::string_view reason;
    } bad[] = {
        // Known amounts above the total.
        {WithAt(WithAt(Good(), 2, 25, "?"), 5, 8, "0000000000306"), reason::kTotalWrong},
        // Two records more than are there.
        {WithAt(WithAt(Good(), 2, 25, "?"), 5, 2, "000004"), reason::kCountWrong},
        // One in each count.
        {WithAt(WithAt(Good(), 2, 25, "?"), 5, 2, "000003"), reason::kCountWrong},
        // A sum without a record for it.
        {WithAt(WithAt(Good(), 2, 25, "?"), 5, 8, "0000000000308"), reason::kTotalWrong},
        {WithAt(WithAt(Good(), 2, 25, "?"), 5, 41, "00000000975008"), reason::kBalanceWrong},
        {WithAt(WithAt(Good(), 2, 10, "?"), 5, 27, "0000000025301"), reason::kTotalWrong},
        {WithAt(Good(), 5, 1, "5"), reason::kRecordOutOfOrder},
        {WithAt(Good(), 1, 1, "5"), reason::kRecordKindUnknown},
        {WithAt(Good(), 6, 1, "5"), reason::kRecordKindUnknown},
    };
    for (const auto& [bytes, reason] : bad) {
        EXPECT_THAT(Read(bytes).outcome, Refuses(Code::kInvalidArgument, reason));
    }
}

TEST(StatementReaderTest, AReaderThatRefusedStaysClosed) {
    StatementReader reader(StatementYears::kReiwa, {});
    EXPECT_THAT(reader.Take(std::string(400, '5')),
                Refuses(Code::kInvalidArgument, reason::kRecordKindUnknown));
    EXPECT_THAT(reader.Take("x"), Refuses(Code::kFailedPrecondition, reason::kReaderClosed));
    EXPECT_THAT(reader.Finish(), Refuses(Code::kFailedPrecondition, reason::kReaderClosed));
}

// Goal: both layouts of a notice are read, and both ways of counting what was taken back.
TEST(StatementReaderTest, NoticesOfTransfers) {
    for (const bool cancelled_too : {false, true}) {
        NoticeRecords records;
        records.Header("0001", "004", "1", "7654321");
        records.Transfer(1'200, "ﾔﾏﾀﾞ ﾀﾛｳ", "INV-1");
        records.LongTransfer(30'000'000'000, "ｶ)ｵｵｸﾞﾁ", "INV-2");
        records.Transfer(1'200, "ﾔﾏﾀﾞ ﾀﾛｳ", "INV-1", /*cancelled=*/true);
        records.Trailer(cancelled_too);
        const Told told = Read(records.End("\r\n"), 97);
        ASSERT_THAT(told.outcome, IsOk());
        ASSERT_THAT(told.statements, SizeIs(1));
        const AccountStatement& notice = told.statements[0];
        EXPECT_EQ(notice.kind, StatementKind::kIncomingTransfers);
        EXPECT_EQ(notice.number, "7654321");
        EXPECT_EQ(notice.holder, "ｶ)ｹﾂｻｲ");
        ASSERT_THAT(notice.entries, SizeIs(3));
        EXPECT_EQ(notice.entries[0].amount, Yen(1'200));
        EXPECT_TRUE(notice.entries[0].is_credit);
        EXPECT_EQ(notice.entries[0].edi_text, "INV-1");
        EXPECT_EQ(notice.entries[0].originator_name, "ﾔﾏﾀﾞ ﾀﾛｳ");
        EXPECT_EQ(notice.entries[0].inquiry_number, "000001");
        EXPECT_EQ(notice.entries[1].amount, Yen(30'000'000'000));
        EXPECT_EQ(notice.entries[1].edi_text, "INV-2");
        EXPECT_TRUE(notice.entries[2].is_cancellation);
        EXPECT_FALSE(notice.entries[2].is_credit);
    }
}

TEST(StatementReaderTest, SumsOfNoticesAreChecked) {
    NoticeRecords records;
    records.Header("0001", "004", "1", "7654321");
    records.Transfer(1'200, "ﾔﾏﾀﾞ", "");
    records.Transfer(50, "ﾔﾏﾀﾞ", "", /*cancelled=*/true);
    records.Trailer(false);
    const std::string good = records.End();
    ASSERT_THAT(Read(good).outcome, IsOk());
    // A blank count of what was taken back.
    EXPECT_THAT(Read(WithAt(good, 4, 20, std::string(18, ' '))).outcome, IsOk());
    const struct {
        std::string bytes;
        std::string_view reason;
    } bad[] = {
        {WithAt(good, 4, 2, "000003"), reason::kCountWrong},
        {WithAt(good, 4, 8, "000000001201"), reason::kTotalWrong},
        {WithAt(good, 4, 20, "000002"), reason::kCountWrong},
        {WithAt(good, 4, 26, "000000000051"), reason::kTotalWrong},
    };
    for (const auto& [bytes, reason] : bad) {
        EXPECT_THAT(Read(bytes).outcome, Refuses(Code::kInvalidArgument, reason));
    }
    const Told broken = Read(WithAt(good, 2, 20, "x"));
    ASSERT_THAT(broken.outcome, IsOk());
    EXPECT_THAT(broken.unread, ElementsAre(UnreadSums{1, Yen(1'200), 0, Yen(0)}));
}

// Goal: whatever bytes come, what is not refused has lost no record: entries and broken records are
// the data records, and with what the trailer tells of unread ones they make the balance.
TEST(StatementReaderTest, DamagedFilesLoseNothing) {
    const std::string good = Good("\n");
    std::mt19937_64 random(20261130);  // NOLINT: the same each time
    int told_broken = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = good;
        for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
            const std::size_t at = random() % bytes.size();
            if (random() % 4 == 0) {
                bytes.erase(at, 1);
            } else {
                bytes[at] = static_cast<char>(random() % 256);
            }
        }
        const Told told = Read(bytes, 1 + random() % 300);
        if (!told.outcome.ok()) {
            EXPECT_EQ(told.outcome.code(), Code::kInvalidArgument);
            EXPECT_FALSE(told.outcome.reason().empty());
            continue;
        }
        const auto lines = std::ranges::count(bytes, '\n') + (bytes.ends_with('\n') ? 0 : 1);
        EXPECT_EQ(told.entries() + told.broken.size() + 3, static_cast<std::size_t>(lines));
        told_broken += told.broken.empty() ? 0 : 1;
        std::int64_t balance = told.statements[0].opening.minor();
        for (const StatementEntry& entry : told.statements[0].entries) {
            balance += entry.is_credit ? entry.amount.minor() : -entry.amount.minor();
        }
        for (const BrokenRecord& broken : told.broken) {
            if (broken.amount) balance += broken.amount->minor();
        }
        balance += told.unread[0].credits.minor() - told.unread[0].debits.minor();
        EXPECT_EQ(balance, told.statements[0].closing.minor());
    }
    EXPECT_GT(told_broken, 1'000);
}

}  // namespace
}  // namespace kessai::zengin
