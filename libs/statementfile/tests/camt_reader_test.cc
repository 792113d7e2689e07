#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "camt_text.h"
#include "kessai/testing/matchers.h"
#include "told_file.h"

namespace kessai::statementfile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

BusinessDate Day(std::string_view text) {
    return BusinessDate::Parse(text).value();
}

ToldFile Read(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    return ReadFile([](StatementSink sink) { return MakeCamtReader(std::move(sink)); }, bytes,
                    piece);
}

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
}

std::string Good(const std::string& version = "08") {
    const CamtText camt(version);
    return camt.File(camt.Statement(
        "S-1",
        CamtText::Balance("OPBD", "1000") + CamtText::Balance("CLBD", "10.00", "DBIT") +
            "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><Sum>1610</Sum>" +
            (version == "02" ? "<TtlNetNtryAmt>1010</TtlNetNtryAmt><CdtDbtInd>DBIT</CdtDbtInd>"
                             : "<TtlNetNtry><Amt>1010</Amt><CdtDbtInd>DBIT</CdtDbtInd>"
                               "</TtlNetNtry>") +
            "</TtlNtries><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>300</Sum></TtlCdtNtries>"
            "<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>1310</Sum></TtlDbtNtries></TxsSummry>\n" +
            camt.Entry("300", "CRDT",
                       "<AcctSvcrRef>B-1</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
                       "<EndToEndId>E-1</EndToEndId><TxId>T-1</TxId></Refs>" +
                           camt.Party("Dbtr", "ヤマダ &amp; 子") +
                           "<RmtInf><Ustrd>請求 1</Ustrd><Ustrd>2</Ustrd></RmtInf>"
                           "</TxDtls></NtryDtls>") +
            camt.Entry("1310", "DBIT", "<AddtlNtryInf>手数料</AddtlNtryInf>")));
}

// Goal: each version's places of the same thing are read alike, however the file is cut.
TEST(CamtReaderTest, EveryVersionIsRead) {
    for (const std::string version : {"02", "03", "04", "05", "06", "07", "08"}) {
        for (const std::size_t piece : {1, 2, 100, 100'000}) {
            const ToldFile told = Read(Good(version), piece);
            ASSERT_THAT(told.outcome, IsOk()) << version;
            ASSERT_THAT(told.items, SizeIs(2));
            EXPECT_EQ(
                told.items[0],
                (StatementItem{
                    .number = 1,
                    .line = 7,
                    .account = "0001-7654321",
                    .booked = Day("2026-11-30"),
                    .value_date = Day("2026-12-01"),
                    .amount = Yen(300),
                    .references = {{"AcctSvcrRef", "B-1"}, {"EndToEndId", "E-1"}, {"TxId", "T-1"}},
                    .counterparty = "ヤマダ & 子",
                    .text = "請求 1 2"}));
            EXPECT_EQ(told.items[1].amount, Yen(-1'310));
            EXPECT_EQ(told.items[1].text, "手数料");
            ASSERT_THAT(told.summary.statements, SizeIs(1));
            EXPECT_EQ(told.summary.statements[0],
                      (StatementSummary{.account = "0001-7654321",
                                        .id = "S-1",
                                        .first = Day("2026-11-30"),
                                        .last = Day("2026-11-30"),
                                        .opening = Yen(1'000),
                                        .closing = Yen(-10),
                                        .movements = {1, Yen(300), 1, Yen(1'310)},
                                        .unread = 0,
                                        .counts_checked = true,
                                        .sums_checked = true,
                                        .balance_checked = true}));
        }
    }
}

std::string Transaction(std::string_view id, std::string_view amount,
                        std::string_view direction = "") {
    const std::string mark =
        direction.empty() ? "" : "<CdtDbtInd>" + std::string(direction) + "</CdtDbtInd>";
    return "<TxDtls><Refs><EndToEndId>" + std::string(id) + "</EndToEndId></Refs>" +
           (amount.empty() ? "" : "<Amt Ccy=\"JPY\">" + std::string(amount) + "</Amt>" + mark) +
           "</TxDtls>";
}

ToldFile ReadEntries(const std::string& entries) {
    const CamtText camt;
    return Read(camt.File(camt.Statement("S-1", entries)));
}

// Goal: a batch becomes its transactions exactly where they make up what was booked.
TEST(CamtReaderTest, BatchEntries) {
    const CamtText camt;
    const auto batch = [&](std::string_view count, const std::string& transactions) {
        return camt.Entry("300", "CRDT",
                          "<NtryDtls><Btch><NbOfTxs>" + std::string(count) + "</NbOfTxs></Btch>" +
                              transactions + "</NtryDtls>");
    };
    const ToldFile parts = ReadEntries(batch(
        "3", Transaction("A", "250") + Transaction("B", "100") + Transaction("C", "50", "DBIT")));
    ASSERT_THAT(parts.items, SizeIs(3));
    EXPECT_EQ(parts.items[0].amount, Yen(250));
    EXPECT_EQ(parts.items[2].amount, Yen(-50));
    EXPECT_THAT(parts.items[1].references, ElementsAre(Reference{"EndToEndId", "B"}));
    EXPECT_EQ(parts.summary.statements[0].movements.credits, Yen(300));
    for (const std::string& whole : {
             batch("2", Transaction("A", "250") + Transaction("B", "49")),
             batch("2", Transaction("A", "250") + Transaction("B", "")),
             batch("3", Transaction("A", "250") + Transaction("B", "50")),
         }) {
        const ToldFile told = ReadEntries(whole);
        ASSERT_THAT(told.items, SizeIs(1));
        EXPECT_EQ(told.items[0].amount, Yen(300));
        EXPECT_THAT(told.items[0].references,
                    ElementsAre(Reference{"EndToEndId", "A"}, Reference{"EndToEndId", "B"}));
    }
    const ToldFile indirect = ReadEntries(camt.Entry(
        "30", "DBIT",
        "<NtryDtls><TxDtls><AmtDtls><TxAmt><Amt Ccy=\"JPY\">10</Amt></TxAmt></AmtDtls></TxDtls>"
        "<TxDtls><AmtDtls><TxAmt><Amt Ccy=\"JPY\">20</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls>"));
    ASSERT_THAT(indirect.items, SizeIs(2));
    EXPECT_EQ(indirect.items[1].amount, Yen(-20));
}

TEST(CamtReaderTest, ReversalsAndEntriesThatAreNotBooked) {
    const CamtText camt;
    const ToldFile told =
        ReadEntries(camt.Entry("5", "DBIT", "<RvslInd>true</RvslInd>") +
                    camt.Entry("6", "CRDT", "", "PDNG") + camt.Entry("7", "CRDT", "", "INFO"));
    ASSERT_THAT(told.outcome, IsOk());
    ASSERT_THAT(told.items, SizeIs(1));
    EXPECT_EQ(told.items[0].amount, Yen(-5));
    EXPECT_TRUE(told.items[0].is_reversal);
    EXPECT_EQ(told.summary.not_booked, 2);
}

TEST(CamtReaderTest, ABrokenEntryIsToldAndTheRestGoesOn) {
    const struct {
        std::string_view what;
        std::string_view by;
        std::string_view reason;
        bool amount_known;
    } broken[] = {
        {">300</Amt>", ">3x0</Amt>", reason::kAmountMalformed, false},
        {">300</Amt>", ">300.5</Amt>", reason::kAmountMalformed, false},
        {">300</Amt>", ">-300</Amt>", reason::kAmountMalformed, false},
        {">300</Amt>", "></Amt>", reason::kFieldMissing, false},
        {"Ccy=\"JPY\">300", "Ccy=\"USD\">300", reason::kCurrencyWrong, false},
        {"Ccy=\"JPY\">300", ">300", reason::kCurrencyWrong, false},
        {">300</Amt><CdtDbtInd>CRDT", ">300</Amt><CdtDbtInd>CRED", reason::kSignUnknown, false},
        {">300</Amt><CdtDbtInd>CRDT</CdtDbtInd>", ">300</Amt>", reason::kFieldMissing, false},
        {"<Cd>BOOK</Cd>", "<Cd>BOOT</Cd>", reason::kStatusUnknown, true},
        {"<Sts><Cd>BOOK</Cd></Sts>", "", reason::kFieldMissing, true},
        {"<Dt>2026-11-30</Dt></BookgDt>", "<Dt>2026-11-31</Dt></BookgDt>", reason::kDateMalformed,
         true},
        {"<AcctSvcrRef>", "<RvslInd>yes</RvslInd><AcctSvcrRef>", reason::kSignUnknown, true},
    };
    for (const auto& [what, by, reason, amount_known] : broken) {
        const ToldFile told = Read(Replaced(Good(), what, by));
        ASSERT_THAT(told.outcome, IsOk()) << by;
        EXPECT_THAT(told.items, SizeIs(1));
        ASSERT_THAT(told.broken, SizeIs(1));
        EXPECT_EQ(told.broken[0].line, 7u);
        EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason)) << by;
        EXPECT_EQ(told.broken[0].amount.has_value(), amount_known) << by;
    }
}

TEST(CamtReaderTest, AnEntryWithoutAnyDayIsBroken) {
    std::string bytes = Replaced(Good(), "<BookgDt><Dt>2026-11-30</Dt></BookgDt>", "");
    EXPECT_EQ(Read(bytes).items[0].booked, Day("2026-12-01"));
    bytes = Replaced(bytes, "<ValDt><DtTm>2026-12-01T00:00:00+09:00</DtTm></ValDt>", "");
    const ToldFile told = Read(bytes);
    ASSERT_THAT(told.broken, SizeIs(1));
    EXPECT_THAT(told.broken[0].why, Refuses(Code::kInvalidArgument, reason::kFieldMissing));
}

// Goal: what makes the whole file untrustworthy refuses it by name, with the numbers.
TEST(CamtReaderTest, RefusesTheFile) {
    const std::string good = Good();
    const struct {
        std::string bytes;
        std::string_view reason;
        std::string_view says;
    } bad[] = {
        {"", reason::kFileIncomplete, ""},
        {good.substr(0, good.size() - 20), reason::kFileIncomplete, "stops before"},
        {CamtText().File(""), reason::kFileIncomplete, "no statement"},
        {Replaced(good, "</Stmt>", "</Smt>"), reason::kXmlMalformed, "line 9"},
        {Replaced(good, "&amp;", "&nbsp;"), reason::kXmlMalformed, "undefined entity"},
        {Replaced(good, "camt.053.001.08", "camt.053.001.09"), reason::kFormatUnsupported, "09"},
        {Replaced(good, "camt.053", "camt.054"), reason::kFormatUnsupported, "camt.054"},
        {"<html/>", reason::kFormatUnsupported, "html"},
        {Replaced(good, "10.00", "11"), reason::kTotalsWrong, "closing balance is -11 JPY"},
        {Replaced(good, "<NbOfNtries>2", "<NbOfNtries>3"), reason::kTotalsWrong,
         "the count is 3, the entries are 2"},
        {Replaced(good, "<Sum>1610", "<Sum>1611"), reason::kTotalsWrong, "1611"},
        {Replaced(good, "<Amt>1010", "<Amt>1011"), reason::kTotalsWrong, "-1011"},
        {Replaced(good, "<NbOfNtries>1", "<NbOfNtries>2"), reason::kTotalsWrong, "TtlCdtNtries"},
        {Replaced(good, "<Sum>1310", "<Sum>1309"), reason::kTotalsWrong, "TtlDbtNtries"},
        {Replaced(good, "<Sum>1310", "<Sum>x"), reason::kFileMalformed, "TtlDbtNtries"},
        {Replaced(good, ">1000</Amt>", ">1,000</Amt>"), reason::kFileMalformed, "OPBD"},
        {Replaced(good, "<Id>0001-7654321</Id>", ""), reason::kFileMalformed, "Acct/Id"},
        {Replaced(good, "encoding=\"UTF-8\"", "encoding=\"Shift_JIS\""), reason::kEncodingWrong,
         "Shift_JIS"},
        {Replaced(good, "手数料", "\x8E\xE8"), reason::kEncodingWrong, "not UTF-8"},
        {std::string("\xFF\xFE<\0", 4), reason::kEncodingWrong, "not UTF-8"},
    };
    for (const auto& [bytes, reason, says] : bad) {
        const ToldFile told = Read(bytes, 64);
        ASSERT_THAT(told.outcome, Refuses(Code::kInvalidArgument, reason)) << says;
        EXPECT_THAT(std::string(told.outcome.message()), HasSubstr(std::string(says)));
    }
}

// Goal: no file makes the reader expand entities, nest without end or hold without end.
TEST(CamtReaderTest, BombsAreRefused) {
    const std::string laughs =
        "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>"
        "<Document>&b;</Document>";
    EXPECT_THAT(Read(laughs).outcome, Refuses(Code::kInvalidArgument, reason::kXmlDoctype));
    const std::string outside = "<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><d/>";
    EXPECT_THAT(Read(outside, 1).outcome, Refuses(Code::kInvalidArgument, reason::kXmlDoctype));

    std::string deep;
    for (int i = 0; i < 1'000; ++i) deep += "<a>";
    EXPECT_THAT(Read(Replaced(Good(), "手数料", deep)).outcome,
                Refuses(Code::kInvalidArgument, reason::kXmlTooLarge));
    EXPECT_THAT(Read(Replaced(Good(), "手数料", std::string(100'000, 'x')), 999).outcome,
                Refuses(Code::kInvalidArgument, reason::kXmlTooLarge));
    const std::string comment = "<!--" + std::string(6 << 20, 'x') + "-->";
    EXPECT_THAT(Read(Replaced(Good(), "手数料", comment), 64 << 10).outcome,
                Refuses(Code::kInvalidArgument, reason::kXmlTooLarge));
    std::string references;
    for (int i = 0; i < 1'000; ++i) references += "<AcctSvcrRef>x</AcctSvcrRef>";
    const ToldFile many = Read(Replaced(Good(), "<AcctSvcrRef>B-1</AcctSvcrRef>", references));
    ASSERT_THAT(many.outcome, IsOk());
    ASSERT_THAT(many.broken, SizeIs(1));
    EXPECT_THAT(many.broken[0].why, Refuses(Code::kInvalidArgument, reason::kEntryTooLarge));
}

TEST(CamtReaderTest, WhatOthersPutInIsLeftOut) {
    const std::string other = "<x:Ntry xmlns:x=\"urn:other\"><Amt Ccy=\"JPY\">9</Amt></x:Ntry>";
    const ToldFile told = Read(Replaced(Good(), "<Ntry>", other + "<Ntry>"));
    ASSERT_THAT(told.outcome, IsOk());
    EXPECT_THAT(told.items, SizeIs(2));
    EXPECT_THAT(told.broken, IsEmpty());
}

}  // namespace
}  // namespace kessai::statementfile
