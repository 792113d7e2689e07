#pragma once

// Goal: what is expected, taken in, matched and decided of accounts outside, over any books: the
// same cases run over books in memory and over MariaDB. Method: a suite with the books as its type.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/decide_match.h"
#include "app/import_statement.h"
#include "app/match_outside.h"
#include "app/note_expected.h"
#include "app/outside_enquiries.h"
#include "kessai/testing/matchers.h"
#include "kessai/time/clock.h"
#include "tests/bank_texts.h"

namespace kessai::reconciliation::testing {

/// `Books` gives `transactions()`.
template <class Books>
class OutsideUseCases : public ::testing::Test {
 protected:
    static constexpr std::string_view kActor = "aiko";

    app::OutsideTransactions& transactions() { return books_.transactions(); }

    void PutTemplateAndRules() {
        ASSERT_OK(enquiries_.PutTemplate("bank", kBankTemplate, kActor));
        ASSERT_OK(enquiries_.PutRules("main-bank", kBankRules, kActor));
    }
    static app::StatementFile File(std::string_view content) {
        return {.format = app::StatementFormat::kCsv, .template_name = "bank", .content = content};
    }
    Result<app::ImportOutcome> Import(const std::string& lines) {
        const std::string content = "day,amount,ref,text\n" + lines;
        return import_.Run(File(content), kActor);
    }
    Result<app::MatchingRun> Match() {
        return match_.Run("main-bank", app::DayRange::All(), kActor);
    }
    domain::ExpectedItem Expected(std::int64_t object, std::int64_t amount, std::string reference,
                                  int day = 0) {
        return {.key = {object, 2},
                .content = {static_cast<std::uint8_t>(object)},
                .account = "main-bank",
                .amount = Yen(amount),
                .date = kDay.PlusDays(day),
                .references = {std::move(reference)},
                .text = "made"};
    }
    void Note(const std::vector<domain::ExpectedItem>& items) {
        ASSERT_OK(transactions().Run([&](app::OutsideBooks& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const auto conflicts, app::NoteExpected(books, items, false));
            EXPECT_THAT(conflicts, ::testing::IsEmpty());
            return OkStatus();
        }));
    }
    std::vector<app::MatchDetails> Matches(domain::OutsideMatchState state) {
        return enquiries_.ListMatches({.account = "main-bank", .state = state, .limit = 1'000})
            .value();
    }
    std::vector<domain::OutsideRecord> Unmatched(domain::OutsideSide side) {
        return enquiries_.ListUnmatched({.account = "main-bank", .side = side, .limit = 1'000})
            .value();
    }

    const BusinessDate kDay = BusinessDate::Parse("2026-11-20").value();
    Books books_;
    ManualClock clock_{kDay.PlusDays(3).At(std::chrono::hours(12))};
    const domain::OutsideAccounts accounts_ =
        domain::OutsideAccounts::Make({{.name = "main-bank",
                                        .number = "0001-004-1-7654321",
                                        .transfers = true,
                                        .overdue_days = 2},
                                       {.name = "atm", .number = "ATM-1"}})
            .value();
    app::OutsideEnquiries enquiries_{transactions(), accounts_, clock_};
    app::ImportStatement import_{
        {.file_bytes_max = std::size_t{1} << 20}, transactions(), accounts_, clock_};
    app::MatchOutside match_{{.items_max = 5'000}, transactions(), accounts_, clock_};
    app::DecideMatch decide_{transactions(), clock_};
};

TYPED_TEST_SUITE_P(OutsideUseCases);

// Goal: what is beyond doubt is matched, the rest suggested, and a second run changes nothing.
TYPED_TEST_P(OutsideUseCases, AStatementIsTakenInAndMatched) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    this->Note({this->Expected(1, -1'000, "R-1"), this->Expected(2, -2'000, "R-2"),
                this->Expected(3, -3'000, "R-3")});
    const auto done = this->Import("2026-11-20,-1000,r1,paid\n2026-11-21,-2000,,paid\n");
    ASSERT_OK(done);
    EXPECT_EQ(done->import.added, 2);
    EXPECT_EQ(done->import.accounts, std::vector<std::string>{"main-bank"});
    EXPECT_EQ(this->enquiries_.DueAccounts().value(), std::vector<std::string>{"main-bank"});

    const auto run = this->Match();
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 1);
    EXPECT_EQ(run->suggestions_made, 1);
    EXPECT_THAT(this->enquiries_.DueAccounts().value(), ::testing::IsEmpty());
    const auto matched = this->Matches(kMatched);
    ASSERT_EQ(matched.size(), 1u);
    EXPECT_EQ(matched[0].record.rule, "reference");
    ASSERT_EQ(matched[0].items.size(), 2u);
    EXPECT_EQ(matched[0].items[0].amount, Yen(-1'000));
    EXPECT_EQ(matched[0].items[1].line, 2u);
    const auto suggested = this->Matches(kSuggested);
    ASSERT_EQ(suggested.size(), 1u);
    EXPECT_EQ(suggested[0].record.rule, "amount and day");
    EXPECT_GT(suggested[0].record.score, 0);
    EXPECT_THAT(suggested[0].record.why, ::testing::HasSubstr("apart"));
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kExpected).size(), 2u);

    for (int again = 0; again < 2; ++again) {
        const auto second = this->Match();
        ASSERT_OK(second);
        EXPECT_EQ(second->matches_made + second->suggestions_made + second->suggestions_withdrawn,
                  0);
    }
    EXPECT_EQ(this->enquiries_.FindMatch(suggested[0].record.id)->history.size(), 1u);
}

// Goal: what is in doubt in a run over all days is so in a run over some: an item of a day that was
// not asked for may fit too.
TYPED_TEST_P(OutsideUseCases, ARunOverSomeDaysIsNoSurer) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    ASSERT_OK(this->enquiries_.PutRules("main-bank", R"yaml(
rules:
  - {name: amount, action: match, reference_equal: false, days_before: 0, days_after: 4}
)yaml",
                                        this->kActor));
    this->Note({this->Expected(1, -1'000, "R-1"), this->Expected(2, -2'000, "R-2")});
    ASSERT_OK(
        this->Import("2026-11-20,-1000,,paid\n2026-11-24,-1000,,paid\n"
                     "2026-11-20,-2000,,paid\n2026-11-29,-2000,,paid\n"));
    const auto run = this->match_.Run("main-bank", {this->kDay, this->kDay}, this->kActor);
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 1) << "the other one of 2,000 is too late to fit";
    EXPECT_EQ(run->suggestions_made, 2);
    const auto matched = this->Matches(kMatched);
    ASSERT_EQ(matched.size(), 1u);
    EXPECT_EQ(matched[0].items[0].amount, Yen(-2'000));

    const auto later = this->kDay.PlusDays(1);
    const auto other = this->match_.Run("main-bank", {later, later.PlusDays(1)}, this->kActor);
    ASSERT_OK(other);
    EXPECT_EQ(other->suggestions_withdrawn, 0) << "of days that were not asked for";
    const auto all = this->Match();
    ASSERT_OK(all);
    EXPECT_EQ(all->matches_made + all->suggestions_made + all->suggestions_withdrawn, 0);
    EXPECT_EQ(this->Matches(kSuggested).size(), 2u);
}

// Goal: a run leaves as many suggestions as persons can look at, the best, and says how many more
// there are; a second run changes nothing, and decisions make room.
TYPED_TEST_P(OutsideUseCases, ARunLeavesTheBestSuggestions) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    app::MatchOutside match{{.items_max = 5'000, .suggestions_max = 2},
                            this->transactions(),
                            this->accounts_,
                            this->clock_};
    this->Note({this->Expected(1, -1'000, "R-1", 1), this->Expected(2, -2'000, "R-2"),
                this->Expected(3, -3'000, "R-3")});
    ASSERT_OK(this->Import("2026-11-20,-1000,,a\n2026-11-20,-2000,,b\n2026-11-20,-3000,,c\n"));
    const auto run = match.Run("main-bank", app::DayRange::All(), this->kActor);
    ASSERT_OK(run);
    EXPECT_EQ(run->suggestions_made, 2);
    EXPECT_EQ(run->suggestions_left_out, 1);
    const auto second = match.Run("main-bank", app::DayRange::All(), this->kActor);
    ASSERT_OK(second);
    EXPECT_EQ(second->suggestions_made + second->suggestions_withdrawn, 0);
    for (const auto& one : this->Matches(kSuggested)) {
        EXPECT_NE(one.items[0].amount, Yen(-1'000)) << "another day: the worst of them";
        ASSERT_OK(this->decide_.Run(one.record.id, app::MatchDecision::kConfirm, "mio", ""));
    }
    const auto third = match.Run("main-bank", app::DayRange::All(), this->kActor);
    ASSERT_OK(third);
    EXPECT_EQ(third->suggestions_made, 1);
    EXPECT_EQ(third->suggestions_left_out, 0);
}

// Goal: the same file changes nothing, whatever it is called, and tells what it did the first time.
TYPED_TEST_P(OutsideUseCases, TheSameFileTwiceTellsTheFirstOutcome) {
    this->PutTemplateAndRules();
    const auto first = this->Import("2026-11-20,-1000,r1,paid\nno day,5,,\n");
    ASSERT_OK(first);
    EXPECT_FALSE(first->repeated);
    this->clock_.Advance(std::chrono::hours(1));
    const auto again = this->Import("2026-11-20,-1000,r1,paid\nno day,5,,\n");
    ASSERT_OK(again);
    EXPECT_TRUE(again->repeated);
    EXPECT_EQ(again->import.id, first->import.id);
    EXPECT_EQ(again->import.imported_at, first->import.imported_at);
    EXPECT_EQ(again->import.notes, first->import.notes);
    EXPECT_EQ(again->import.statements, first->import.statements);
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 1u);
    EXPECT_EQ(this->enquiries_.ListImports({}, 10)->size(), 1u);
}

// Goal: entries that an earlier file had are known, as often as it had them, and noted.
TYPED_TEST_P(OutsideUseCases, OverlappingFilesAddEachEntryOnce) {
    this->PutTemplateAndRules();
    ASSERT_OK(this->Import("2026-11-20,-500,,fee\n2026-11-20,-500,,fee\n"));
    const auto more = this->Import(
        "2026-11-20,-500,,fee\n2026-11-20,-500,,fee\n2026-11-20,-500,,fee\n"
        "2026-11-21,-500,,fee\n");
    ASSERT_OK(more);
    EXPECT_EQ(more->import.known, 2);
    EXPECT_EQ(more->import.added, 2);
    ASSERT_EQ(more->import.notes.size(), 2u);
    EXPECT_EQ(more->import.notes[1].kind, app::ImportNote::Kind::kKnown);
    EXPECT_EQ(more->import.notes[1].line, 3);
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 4u);
}

// Goal: broken lines are told with their lines and reasons, and the rest goes in.
TYPED_TEST_P(OutsideUseCases, BrokenLinesAreToldAndTheRestGoesIn) {
    this->PutTemplateAndRules();
    const auto done = this->Import(
        "2026-11-20,-1000,r1,paid\n2026-11-31,5,,\n2026-11-20,12x,,\n2026-11-20,-7,,ok\n");
    ASSERT_OK(done);
    EXPECT_EQ(done->import.added, 2);
    EXPECT_EQ(done->import.broken, 2);
    const auto stored = this->enquiries_.FindImport(done->import.id).value();
    ASSERT_EQ(stored.notes.size(), 2u);
    EXPECT_EQ(stored.notes[0].line, 3);
    EXPECT_EQ(stored.notes[0].reason, "DATE_MALFORMED");
    EXPECT_EQ(stored.notes[1].line, 4);
    EXPECT_EQ(stored.notes[1].reason, "AMOUNT_MALFORMED");
    ASSERT_EQ(stored.statements.size(), 1u);
    EXPECT_EQ(stored.statements[0].movements.debits, Yen(1'007));
}

// Goal: a file that is wrong as a whole leaves nothing, and says what is wrong.
TYPED_TEST_P(OutsideUseCases, AWrongFileLeavesNothing) {
    this->PutTemplateAndRules();
    ASSERT_OK(this->enquiries_.PutTemplate(
        "sums", std::string(kBankTemplate) + "totals: {marker: total, net: amount}\n", "aiko"));
    const auto refused = [&](app::StatementFile file, Code code, std::string_view reason) {
        const auto done = this->import_.Run(file, "aiko");
        EXPECT_THAT(done.status(), kessai::testing::Refuses(code, reason));
    };
    auto file = this->File("day,amount,ref,text\n2026-11-20,-1,,\x83\x65\x83\x58\n");
    refused(file, Code::kInvalidArgument, "STATEMENT_ENCODING_WRONG");
    file = this->File("day,amount,ref,text\n2026-11-20,-1,,\ntotal,-2,,\n");
    file.template_name = "sums";
    refused(file, Code::kInvalidArgument, "STATEMENT_TOTALS_WRONG");
    file = this->File("day,amount,text\n2026-11-20,-1,\n");
    refused(file, Code::kInvalidArgument, "STATEMENT_COLUMN_MISSING");
    file.template_name = "other";
    refused(file, Code::kNotFound, "STATEMENT_TEMPLATE_UNKNOWN");
    file = this->File("day,amount,ref,text\n2026-11-20,-1,,\n");
    file.account = "atm";
    refused(file, Code::kFailedPrecondition, "STATEMENT_ACCOUNT_WRONG");
    file.account = "none";
    refused(file, Code::kNotFound, "OUTSIDE_ACCOUNT_UNKNOWN");
    ASSERT_OK(this->enquiries_.PutTemplate("stranger",
                                           "name: x\nencoding: utf_8\naccount: \"9\"\ncolumns: "
                                           "{booked: day, amount: amount}\ndate: yyyy-MM-dd\n",
                                           "aiko"));
    file = this->File("day,amount\n2026-11-20,-1\n");
    file.template_name = "stranger";
    refused(file, Code::kFailedPrecondition, "STATEMENT_ACCOUNT_WRONG");
    const std::string large(2 << 20, 'x');
    refused(this->File(large), Code::kInvalidArgument, "STATEMENT_FILE_TOO_LARGE");
    file = {.format = app::StatementFormat::kCamt053, .content = "<Document/>"};
    refused(file, Code::kInvalidArgument, "STATEMENT_FORMAT_UNSUPPORTED");

    EXPECT_THAT(this->enquiries_.ListImports({}, 10).value(), ::testing::IsEmpty());
    EXPECT_THAT(this->Unmatched(domain::OutsideSide::kBooked), ::testing::IsEmpty());
}

// Goal: an event's item is made once, and one that says something else is a conflict.
TYPED_TEST_P(OutsideUseCases, ExpectedItemsAreMadeOnceForTheirEvent) {
    this->Note({this->Expected(1, -1'000, "R-1"), this->Expected(2, 2'000, "R-2")});
    this->Note({this->Expected(2, 2'000, "R-2"), this->Expected(3, 3'000, "R-3")});
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kExpected).size(), 3u);

    auto other = this->Expected(2, 9'000, "R-2");
    other.content = {0xFF};
    ASSERT_OK(this->transactions().Run([&](app::OutsideBooks& books) -> Status {
        const std::vector items{this->Expected(4, 1, "R-4"), other};
        KESSAI_ASSIGN_OR_RETURN(const auto conflicts, app::NoteExpected(books, items, false));
        EXPECT_EQ(conflicts.size(), 1u);
        EXPECT_THAT(conflicts.at(1),
                    kessai::testing::Refuses(Code::kAlreadyExists, "EFFECT_CONFLICT"));
        return OkStatus();
    }));
    // Without a look-up the key refuses.
    const Status again = this->transactions().Run([&](app::OutsideBooks& books) -> Status {
        const std::vector items{this->Expected(5, 1, "R-5"), this->Expected(1, -1'000, "R-1")};
        return app::NoteExpected(books, items, true).status();
    });
    EXPECT_EQ(again.code(), Code::kAlreadyExists);
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kExpected).size(), 3u);
}

// Goal: a person's decisions are kept with names and reasons, hold against later runs, and move the
// items; deciding the same again changes nothing.
TYPED_TEST_P(OutsideUseCases, APersonDecides) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    this->Note({this->Expected(1, -2'000, "A"), this->Expected(2, -2'000, "B")});
    ASSERT_OK(this->Import("2026-11-20,-2000,,first\n2026-11-20,-2000,,second\n"));
    ASSERT_OK(this->Match());
    ASSERT_EQ(this->Matches(kSuggested).size(), 4u);

    const auto chosen = this->Matches(kSuggested).front().record;
    for (int again = 0; again < 2; ++again) {
        const auto confirmed =
            this->decide_.Run(chosen.id, app::MatchDecision::kConfirm, "aiko", "by phone");
        ASSERT_OK(confirmed);
        EXPECT_EQ(confirmed->state, kMatched);
    }
    // Of the other three, two shared an item with it.
    EXPECT_EQ(this->Matches(kWithdrawn).size(), 2u);
    ASSERT_EQ(this->Matches(kSuggested).size(), 1u);
    const auto other = this->Matches(kSuggested).front().record;
    const auto history = this->enquiries_.FindMatch(chosen.id)->history;
    ASSERT_EQ(history.size(), 2u);
    EXPECT_EQ(history[1].actor, "aiko");
    EXPECT_EQ(history[1].note, "by phone");
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 1u);

    const auto withdrawn = this->Matches(kWithdrawn).front().record;
    EXPECT_THAT(this->decide_.Run(withdrawn.id, app::MatchDecision::kConfirm, "aiko", "").status(),
                kessai::testing::Refuses(Code::kFailedPrecondition, "OUTSIDE_ITEM_MATCHED"));
    EXPECT_THAT(this->decide_.Run(other.id, app::MatchDecision::kTakeApart, "aiko", "no").status(),
                kessai::testing::Refuses(Code::kFailedPrecondition, "OUTSIDE_STATE_NOT_ALLOWED"));
    EXPECT_THAT(
        this->decide_.Run(domain::OutsideMatchId(77), app::MatchDecision::kReject, "aiko", "no")
            .status(),
        kessai::testing::Refuses(Code::kNotFound, "OUTSIDE_MATCH_UNKNOWN"));

    ASSERT_OK(this->decide_.Run(other.id, app::MatchDecision::kReject, "ben", "not that one"));
    ASSERT_OK(this->Match());
    EXPECT_THAT(this->Matches(kSuggested), ::testing::IsEmpty());

    ASSERT_OK(
        this->decide_.Run(chosen.id, app::MatchDecision::kTakeApart, "ben", "wrong customer"));
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 2u);
    const auto run = this->Match();
    ASSERT_OK(run);
    EXPECT_EQ(run->matches_made, 0);
    // The two pairs that nobody said anything of are suggested again, with their history.
    EXPECT_EQ(this->Matches(kSuggested).size(), 2u);
    EXPECT_EQ(this->enquiries_.FindMatch(withdrawn.id)->history.size(), 3u);
    EXPECT_EQ(this->Matches(kTakenApart).size(), 1u);

    // And a person may change their mind.
    ASSERT_OK(this->decide_.Run(chosen.id, app::MatchDecision::kConfirm, "aiko", "it was right"));
    EXPECT_EQ(this->enquiries_.FindMatch(chosen.id)->history.size(), 4u);
}

// Goal: a person puts items together that no rule would, or explains one by itself, and may take
// that back; the same again changes nothing.
TYPED_TEST_P(OutsideUseCases, APersonMatchesItems) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    this->Note({this->Expected(1, -2'000, "A"), this->Expected(2, -3'000, "B", 9)});
    ASSERT_OK(
        this->Import("2026-11-20,-5100,,file\n2026-11-20,-2000,,other\n2026-11-20,-7,,fee\n"));
    ASSERT_OK(this->Match());
    ASSERT_EQ(this->Matches(kSuggested).size(), 1u);
    std::map<std::int64_t, domain::OutsideItemId> ids;
    for (const auto side : {domain::OutsideSide::kExpected, domain::OutsideSide::kBooked}) {
        for (const auto& item : this->Unmatched(side))
            ids[item.amount.minor() * 2 + (side == domain::OutsideSide::kBooked)] = item.id;
    }
    const std::vector together{ids.at(-5'100 * 2 + 1), ids.at(-2'000 * 2), ids.at(-3'000 * 2)};
    domain::OutsideMatchId id{};
    for (int again = 0; again < 2; ++again) {
        const auto matched = this->decide_.MatchItems(together, "aiko", "one file, less its fee");
        ASSERT_OK(matched);
        EXPECT_TRUE(again == 0 || matched->id == id);
        id = matched->id;
        EXPECT_EQ(matched->difference, Yen(-100));
    }
    EXPECT_THAT(this->Matches(kSuggested), ::testing::IsEmpty());
    EXPECT_EQ(this->Matches(kWithdrawn).size(), 1u);
    const auto details = this->enquiries_.FindMatch(id);
    ASSERT_OK(details);
    EXPECT_EQ(details->items.size(), 3u);
    ASSERT_EQ(details->history.size(), 1u);
    EXPECT_EQ(details->history[0].actor, "aiko");
    EXPECT_EQ(details->history[0].note, "one file, less its fee");

    const std::vector fee{ids.at(-7 * 2 + 1)};
    const auto explained = this->decide_.MatchItems(fee, "aiko", "the bank's fee");
    ASSERT_OK(explained);
    EXPECT_EQ(explained->difference, Yen(-7));
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 1u);

    const std::vector overlapping{ids.at(-2'000 * 2 + 1), ids.at(-2'000 * 2)};
    EXPECT_THAT(this->decide_.MatchItems(overlapping, "aiko", "no").status(),
                kessai::testing::Refuses(Code::kFailedPrecondition, "OUTSIDE_ITEM_MATCHED"));
    const std::vector unknown{fee[0], domain::OutsideItemId(1'000'000'000'000)};
    EXPECT_THAT(this->decide_.MatchItems(unknown, "aiko", "no").status(),
                kessai::testing::Refuses(Code::kNotFound, "OUTSIDE_ITEM_UNKNOWN"));
    auto elsewhere = this->Expected(9, 1, "Z");
    elsewhere.account = "atm";
    this->Note({elsewhere});
    const auto other =
        this->enquiries_
            .ListUnmatched({.account = "atm", .side = domain::OutsideSide::kExpected, .limit = 1})
            .value();
    const std::vector mixed{ids.at(-2'000 * 2 + 1), other.at(0).id};
    EXPECT_THAT(this->decide_.MatchItems(mixed, "aiko", "no").status(),
                kessai::testing::Refuses(Code::kInvalidArgument, "OUTSIDE_ITEMS_MIXED"));

    ASSERT_OK(this->decide_.Run(id, app::MatchDecision::kTakeApart, "ben", "two files"));
    ASSERT_OK(
        this->decide_.Run(explained->id, app::MatchDecision::kTakeApart, "ben", "whose fee?"));
    ASSERT_OK(this->Match());
    EXPECT_EQ(this->Matches(kSuggested).size(), 1u);
    EXPECT_EQ(this->Unmatched(domain::OutsideSide::kBooked).size(), 3u);
    ASSERT_OK(this->decide_.MatchItems(fee, "ben", "the bank's fee after all"));
    EXPECT_EQ(this->enquiries_.FindMatch(explained->id)->history.size(), 3u);
}

// Goal: rules that find something else later withdraw what they suggested before.
TYPED_TEST_P(OutsideUseCases, OtherRulesWithdrawWhatTheySuggested) {
    using enum domain::OutsideMatchState;
    this->PutTemplateAndRules();
    this->Note({this->Expected(1, -2'000, "A")});
    ASSERT_OK(this->Import("2026-11-20,-2000,,first\n"));
    ASSERT_OK(this->Match());
    ASSERT_EQ(this->Matches(kSuggested).size(), 1u);
    const char* strict =
        "rules: [{name: ref, action: match, reference_equal: true, days_before: 0, days_after: 0}]";
    EXPECT_EQ(this->enquiries_.PutRules("main-bank", strict, "aiko")->version, 2u);
    EXPECT_EQ(this->enquiries_.PutRules("main-bank", strict, "aiko")->version, 2u);
    const auto run = this->Match();
    ASSERT_OK(run);
    EXPECT_EQ(run->suggestions_withdrawn, 1);
    EXPECT_EQ(run->rules_version, 2u);
    EXPECT_EQ(this->Matches(kWithdrawn).size(), 1u);
}

// Goal: what can't be run says so: no rules, no account, too many items, which fewer days are not.
TYPED_TEST_P(OutsideUseCases, RunsAreBounded) {
    ASSERT_OK(this->enquiries_.PutTemplate("bank", kBankTemplate, "aiko"));
    EXPECT_THAT(this->Match().status(),
                kessai::testing::Refuses(Code::kFailedPrecondition, "OUTSIDE_RULES_MISSING"));
    EXPECT_THAT(this->match_.Run("none", app::DayRange::All(), "aiko").status(),
                kessai::testing::Refuses(Code::kNotFound, "OUTSIDE_ACCOUNT_UNKNOWN"));
    EXPECT_THAT(this->enquiries_.PutRules("main-bank", "rules: [{name: a}]", "aiko").status(),
                kessai::testing::Refuses(Code::kInvalidArgument, "CONFIG_INVALID"));
    ASSERT_OK(this->enquiries_.PutRules("main-bank", kBankRules, "aiko"));
    ASSERT_OK(this->Import("2026-11-01,-10,,a\n2026-11-20,-11,,b\n2026-11-20,-12,,c\n"));
    app::MatchOutside small({.items_max = 2}, this->transactions(), this->accounts_, this->clock_);
    const auto all = small.Run("main-bank", app::DayRange::All(), "aiko");
    EXPECT_THAT(all.status(),
                kessai::testing::Refuses(Code::kResourceExhausted, "OUTSIDE_RUN_TOO_LARGE"));
    const auto some = small.Run("main-bank", {this->kDay, this->kDay}, "aiko");
    ASSERT_OK(some);
    EXPECT_EQ(some->looked_at.booked, 2);
    // Only a run over all days has seen what was imported.
    EXPECT_EQ(this->enquiries_.DueAccounts()->size(), 1u);
}

// Goal: the summary has what is unmatched by age, and what is overdue.
TYPED_TEST_P(OutsideUseCases, TheSummaryHasAges) {
    this->PutTemplateAndRules();
    this->Note({this->Expected(1, -1'000, "A", 3), this->Expected(2, -2'000, "B", 0),
                this->Expected(3, 4'000, "C", -40)});
    const auto summaries = this->enquiries_.Summaries();
    ASSERT_OK(summaries);
    ASSERT_EQ(summaries->size(), 2u);
    const auto& total = (*summaries)[0].expected;
    EXPECT_EQ(total.count, 3);
    EXPECT_EQ(total.value, 7'000);
    EXPECT_EQ(total.overdue_count, 2);
    EXPECT_EQ(total.overdue_value, 6'000);
    EXPECT_EQ(total.oldest_days, 43);
    EXPECT_EQ(total.bucket_count[0], 1);
    EXPECT_EQ(total.bucket_count[1], 1);
    EXPECT_EQ(total.bucket_value[4], 4'000);
    EXPECT_EQ((*summaries)[0].rules_version, 1u);
    EXPECT_EQ((*summaries)[1].rules_version, 0u);
    EXPECT_EQ((*summaries)[1].booked.count, 0);
    // Pages, oldest first.
    const auto first = this->enquiries_.ListUnmatched(
        {.account = "main-bank", .side = domain::OutsideSide::kExpected, .limit = 2});
    ASSERT_OK(first);
    ASSERT_EQ(first->size(), 2u);
    EXPECT_EQ((*first)[0].amount, Yen(4'000));
    const auto rest = this->enquiries_.ListUnmatched({.account = "main-bank",
                                                      .side = domain::OutsideSide::kExpected,
                                                      .after_date = first->back().date,
                                                      .after = first->back().id,
                                                      .limit = 2});
    ASSERT_OK(rest);
    ASSERT_EQ(rest->size(), 1u);
    EXPECT_EQ((*rest)[0].amount, Yen(-1'000));
}

REGISTER_TYPED_TEST_SUITE_P(OutsideUseCases, AStatementIsTakenInAndMatched,
                            TheSameFileTwiceTellsTheFirstOutcome, OverlappingFilesAddEachEntryOnce,
                            BrokenLinesAreToldAndTheRestGoesIn, AWrongFileLeavesNothing,
                            ExpectedItemsAreMadeOnceForTheirEvent, APersonDecides,
                            APersonMatchesItems, OtherRulesWithdrawWhatTheySuggested,
                            RunsAreBounded, ARunOverSomeDaysIsNoSurer, ARunLeavesTheBestSuggestions,
                            TheSummaryHasAges);

}  // namespace kessai::reconciliation::testing
