// Goal: accounts outside over books in memory: the cases of outside_use_cases.h, and what only
// books in memory can be made to do: commits whose reply is lost, others that change an account
// meanwhile.

#include "tests/outside_use_cases.h"

#include "app/statement_identity.h"
#include "kessai/zengin/testing/statement_records.h"
#include "tests/fake_outside_books.h"

namespace kessai::reconciliation::testing {
namespace {

class InMemory {
 public:
    app::OutsideTransactions& transactions() { return books; }
    FakeOutsideBooks books;
};
INSTANTIATE_TYPED_TEST_SUITE_P(InMemory, OutsideUseCases, InMemory);

class OutsideFakesTest : public OutsideUseCases<InMemory> {};

// Goal: an import whose commit's reply was lost runs again, finds its own file, and says so.
TEST_F(OutsideFakesTest, AnImportWhoseReplyWasLostIsTakenInOnce) {
    PutTemplateAndRules();
    books_.books.replies_are_lost = true;
    const auto done = Import("2026-11-20,-1000,r1,paid\n2026-11-20,-1000,r1,paid\n");
    ASSERT_OK(done);
    EXPECT_EQ(done->import.added, 2);
    EXPECT_EQ(Unmatched(domain::OutsideSide::kBooked).size(), 2u);
    EXPECT_EQ(enquiries_.ListImports({}, 10)->size(), 1u);
}

// Goal: a run that others overtook begins again, and gives up when they never end.
TEST_F(OutsideFakesTest, ARunThatWasOvertakenBeginsAgain) {
    PutTemplateAndRules();
    Note({Expected(1, -1'000, "R-1")});
    ASSERT_OK(Import("2026-11-20,-1000,r1,paid\n"));
    int transactions = 0;
    int overtakes = 1;
    books_.books.before_transaction = [&] {
        // Between reading and storing.
        if (++transactions % 2 != 0 || overtakes == 0) return;
        --overtakes;
        auto state = books_.books.FindAccount("main-bank").value();
        ++state.revision;
        EXPECT_OK(books_.books.UpdateAccount("main-bank", state));
    };
    overtakes = 1'000;
    EXPECT_THAT(Match().status(),
                kessai::testing::Refuses(Code::kAborted, "OUTSIDE_ACCOUNT_MOVED"));
    transactions = 0;
    overtakes = 2;
    const auto run = Match();
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 1);
    EXPECT_EQ(transactions, 6);
}

// Goal: the same entries in another encoding are the same entries.
TEST_F(OutsideFakesTest, AnotherEncodingIsNoOtherEntry) {
    PutTemplateAndRules();
    std::string yaml = kBankTemplate;
    yaml.replace(yaml.find("name: bank"), 10, "name: sjis");
    yaml.replace(yaml.find("utf_8"), 5, "shift_jis");
    ASSERT_OK(enquiries_.PutTemplate("sjis", yaml, kActor));
    ASSERT_OK(Import("2026-11-20,-1000,r1,テスト\n2026-11-20,-1000,r1,テスト\n"));
    auto file = File(
        "day,amount,ref,text\n2026-11-20,-1000,r1,\x83\x65\x83\x58\x83\x67\n"
        "2026-11-20,-1000,r1,\x83\x65\x83\x58\x83\x67\n");
    file.template_name = "sjis";
    const auto again = import_.Run(file, kActor);
    ASSERT_OK(again);
    EXPECT_EQ(again->import.known, 2);
    EXPECT_EQ(again->import.added, 0);
}

/// A day's statement of the Bankers Association's format, with as many entries of 5 and 7 yen.
std::string ZenginFile(int fives, int sevens) {
    zengin::StatementRecords records;
    records.Header("0001", "004", "1", "0007654321", 1'000);
    for (int i = 0; i < fives; ++i) records.Entry(true, 5, "ﾌﾘｺﾐ", "00000000000000000077");
    for (int i = 0; i < sevens; ++i) records.Entry(false, 7, "ﾃｽｳﾘﾖｳ", "");
    records.Trailer();
    return records.End();
}

// Goal: the Bankers Association's files go in, are checked against their trailers, and their
// entries are known by 照会番号, of which a later file of the day has more.
TEST_F(OutsideFakesTest, ZenginFilesOverlap) {
    PutTemplateAndRules();
    Note({Expected(77, 5, "77", 10)});
    const auto import = [&](const std::string& content) {
        return import_.Run({.format = app::StatementFormat::kZengin, .content = content}, kActor);
    };
    const auto first = import(ZenginFile(2, 0));
    ASSERT_OK(first);
    EXPECT_EQ(first->import.added, 2);
    ASSERT_EQ(first->import.statements.size(), 1u);
    EXPECT_TRUE(first->import.statements[0].balance_checked);
    EXPECT_EQ(first->import.statements[0].closing, Yen(1'010));
    const auto second = import(ZenginFile(2, 3));
    ASSERT_OK(second);
    EXPECT_EQ(second->import.known, 2);
    EXPECT_EQ(second->import.added, 3);
    // Both have the reference, and neither is beyond doubt.
    const auto run = Match();
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 0);
    EXPECT_EQ(run->suggestions_made, 2);

    std::string wrong = ZenginFile(2, 3);
    // The trailer's count of entries in.
    wrong.replace(wrong.find("8000002"), 7, "8000003");
    EXPECT_THAT(import(wrong).status(),
                kessai::testing::Refuses(Code::kInvalidArgument, "STATEMENT_TOTALS_WRONG"));
    EXPECT_THAT(import(ZenginFile(1, 1).substr(0, 400)).status(),
                kessai::testing::Refuses(Code::kInvalidArgument, "STATEMENT_FILE_INCOMPLETE"));
}

std::string CamtEntry(std::string_view amount, std::string_view id, std::string_view text) {
    return "<Ntry><Amt Ccy=\"JPY\">" + std::string(amount) +
           "</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
           "<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>" +
           std::string(id) + "</AcctSvcrRef><AddtlNtryInf>" + std::string(text) +
           "</AddtlNtryInf></Ntry>";
}

std::string CamtBalance(std::string_view code, int amount) {
    return "<Bal><Tp><CdOrPrtry><Cd>" + std::string(code) +
           "</Cd></CdOrPrtry></Tp><Amt Ccy=\"JPY\">" + std::to_string(amount) +
           "</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>";
}

std::string CamtFile(const std::string& inner) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document "
           "xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>"
           "M"
           "</MsgId></GrpHdr><Stmt><Id>S-1</Id><Acct><Id><Othr><Id>0001-004-1-7654321</Id></Othr>"
           "</Id><Ccy>JPY</Ccy></Acct>" +
           inner + "</Stmt></BkToCstmrStmt></Document>";
}

// Goal: camt.053 goes in, its balances are checked, and its entries are known by the bank's ids,
// whatever else is written of them.
TEST_F(OutsideFakesTest, CamtFilesOverlap) {
    PutTemplateAndRules();
    const auto import = [&](const std::string& content) {
        return import_.Run({.format = app::StatementFormat::kCamt053, .content = content}, kActor);
    };
    const auto first = import(CamtFile(CamtBalance("OPBD", 100) + CamtBalance("CLBD", 90) +
                                       CamtEntry("10", "B-1", "fee")));
    ASSERT_OK(first);
    EXPECT_TRUE(first->import.statements[0].balance_checked);
    EXPECT_EQ(first->import.statements[0].id, "S-1");
    const auto second =
        import(CamtFile(CamtBalance("OPBD", 100) + CamtBalance("CLBD", 80) +
                        CamtEntry("10", "B-2", "fee") + CamtEntry("10", "B-1", "fee of November")));
    ASSERT_OK(second);
    EXPECT_EQ(second->import.known, 1);
    EXPECT_EQ(second->import.added, 1);
    const auto wrong = import(CamtFile(CamtBalance("OPBD", 100) + CamtBalance("CLBD", 91) +
                                       CamtEntry("10", "B-3", "fee")));
    EXPECT_THAT(wrong.status(),
                kessai::testing::Refuses(Code::kInvalidArgument, "STATEMENT_TOTALS_WRONG"));
    EXPECT_EQ(Unmatched(domain::OutsideSide::kBooked).size(), 2u);
}

statementfile::StatementItem Entry(std::int64_t amount, std::string kind, std::string value,
                                   std::string text = "t") {
    statementfile::StatementItem item;
    item.amount = Yen(amount);
    item.booked = item.value_date = BusinessDate::Parse("2026-11-20").value();
    item.references = {{std::move(kind), std::move(value)}};
    item.text = std::move(text);
    return item;
}

// Goal: an entry is known by the bank's own id whatever else is written of it, and by all that is
// written where the bank has none; the n-th of equal ones is another entry.
TEST(StatementIdentityTest, WhatAnEntryIsKnownBy) {
    using app::StatementFormat;
    const auto of = [](StatementFormat format, const statementfile::StatementItem& item) {
        return app::StatementIdentities(format).Next("a", item);
    };
    for (const auto& [format, kind] : {std::pair{StatementFormat::kCamt053, "AcctSvcrRef"},
                                       std::pair{StatementFormat::kZengin, "照会番号"}}) {
        EXPECT_EQ(of(format, Entry(1, kind, "7")), of(format, Entry(1, kind, "7", "other")));
        EXPECT_NE(of(format, Entry(1, kind, "7")), of(format, Entry(1, kind, "8")));
        EXPECT_NE(of(format, Entry(1, kind, "7")), of(format, Entry(-1, kind, "7")));
    }
    const auto csv = StatementFormat::kCsv;
    EXPECT_NE(of(csv, Entry(1, "ref", "7")), of(csv, Entry(1, "ref", "7", "other")));
    EXPECT_NE(of(csv, Entry(1, "ref", "7")), of(csv, Entry(1, "ref", "8")));
    const auto camt = StatementFormat::kCamt053;
    EXPECT_EQ(of(camt, Entry(1, "NtryRef", "1")), of(camt, Entry(1, "NtryRef", "2")));

    app::StatementIdentities first(csv);
    app::StatementIdentities second(csv);
    const auto one = first.Next("a", Entry(1, "ref", "7"));
    EXPECT_NE(one, first.Next("a", Entry(1, "ref", "7")));
    EXPECT_NE(one, first.Next("b", Entry(1, "ref", "7")));
    EXPECT_EQ(one, second.Next("a", Entry(1, "ref", "7")));
}

// Goal: accounts that can't be meant are refused with the account.
TEST(OutsideAccountsTest, WhatCantBeMeantIsRefused) {
    using domain::OutsideAccounts;
    const auto refuses = [](std::vector<domain::OutsideAccount> accounts, const char* why) {
        const auto made = OutsideAccounts::Make(std::move(accounts));
        EXPECT_THAT(made.status(),
                    kessai::testing::Refuses(Code::kInvalidArgument, "OUTSIDE_ACCOUNTS_INVALID"));
        EXPECT_THAT(std::string(made.status().message()), ::testing::HasSubstr(why));
    };
    refuses({{.name = "Main", .number = "1"}}, "needs a name");
    refuses({{.name = "a", .number = ""}}, "no number");
    refuses({{.name = "a", .number = "1"}, {.name = "a", .number = "2"}}, "twice");
    refuses({{.name = "a", .number = "1"}, {.name = "b", .number = "1"}}, "number");
    refuses({{.name = "a", .number = "1", .transfers = true},
             {.name = "b", .number = "2", .transfers = true}},
            "second");
    refuses({{.name = "a", .number = "1", .top_up_sources = {"atm"}},
             {.name = "b", .number = "2", .top_up_sources = {"atm"}}},
            "top-ups");
    const auto made =
        OutsideAccounts::Make({{.name = "a", .number = "1", .transfers = true},
                               {.name = "b", .number = "2", .top_up_sources = {"atm", "card"}}});
    ASSERT_OK(made);
    EXPECT_EQ(made->OfTransfers()->name, "a");
    EXPECT_EQ(made->OfTopUps("card")->name, "b");
    EXPECT_EQ(made->OfTopUps("cash"), nullptr);
    EXPECT_EQ(made->FindNumber("2")->name, "b");
    EXPECT_EQ(made->Find("c"), nullptr);
}

domain::OutsideItem Item(std::int64_t id, std::int64_t amount, std::string reference) {
    return {.id = domain::OutsideItemId(id),
            .account = "a",
            .amount = Yen(amount),
            .date = BusinessDate::Parse("2026-11-20").value(),
            .references = {std::move(reference)}};
}

// Goal: items that a person said to be apart fit no more, and what else fits them has its turn.
TEST(OutsideApartTest, OthersAndWeakerRulesHaveTheirTurn) {
    using domain::OutsideItemId;
    const std::vector<domain::OutsideRule> rules{
        {.name = "reference", .reference_equal = true},
        {.name = "amount", .reference_equal = false},
        {.name = "parts",
         .cardinality = domain::OutsideCardinality::kOneToMany,
         .reference_equal = false}};
    const BusinessDate today = BusinessDate::Parse("2026-11-20").value();
    const std::vector<domain::OutsideItem> expected{Item(1, 100, "A")};
    const std::vector<domain::OutsideItem> booked{Item(2, 100, "A"), Item(3, 60, "B"),
                                                  Item(4, 40, "C")};
    const auto run = [&](const std::vector<domain::OutsideApart>& apart) {
        return domain::MatchOutside(expected, booked, rules, today, apart).value();
    };
    ASSERT_EQ(run({}).matches.size(), 1u);
    EXPECT_EQ(run({}).matches[0].booked, std::vector{OutsideItemId(2)});
    const domain::OutsideApart pair{{OutsideItemId(1)}, {OutsideItemId(2)}};
    const auto without = run({pair});
    ASSERT_EQ(without.matches.size(), 1u);
    EXPECT_EQ(without.matches[0].rule, 2u);
    EXPECT_EQ(without.matches[0].booked, (std::vector{OutsideItemId(3), OutsideItemId(4)}));
    const domain::OutsideApart group{{OutsideItemId(1)}, {OutsideItemId(3), OutsideItemId(4)}};
    const auto nothing = run({pair, group});
    EXPECT_THAT(nothing.matches, ::testing::IsEmpty());
    EXPECT_THAT(nothing.suggestions, ::testing::IsEmpty());
    // Of items that are not there it means nothing.
    const domain::OutsideApart gone{{OutsideItemId(1)}, {OutsideItemId(2), OutsideItemId(9)}};
    EXPECT_EQ(run({gone}), run({}));
}

}  // namespace
}  // namespace kessai::reconciliation::testing
