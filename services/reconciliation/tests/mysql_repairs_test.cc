// Goal: repairs are kept as they are, and the history of discrepancies is chained so that it can be
// told whether a row of it is as the service stored it.
// Method: use cases over a real MariaDB; the chain is followed row by row.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "app/change_discrepancy.h"
#include "app/count_matches.h"
#include "app/discrepancy_changes.h"
#include "app/enquiries.h"
#include "domain/repair.h"
#include "kessai/digest/store.h"
#include "storage/audit_chain.h"
#include "tests/reconciliation_fixture.h"

namespace kessai::reconciliation::storage {
namespace {

using domain::ChainHash;
using domain::DiscrepancyKind;
using domain::DiscrepancyState;
using domain::Finding;
using domain::RepairKind;
using domain::RepairState;
using domain::testing::Day;
using domain::testing::PaymentSays;
using domain::testing::PayoutSays;
using kessai::testing::IsOk;
using kessai::testing::IsOkAnd;
using kessai::testing::Refuses;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MysqlRepairsTest : public ::testing::Test {
 protected:
    Status InTransaction(const std::function<Status(app::Books&)>& work) {
        return schema_.transactions().Run(work);
    }
    void Record(const domain::Subject& subject) {
        const Finding finding{.subject = subject,
                              .merchant = domain::MerchantId(7),
                              .payment_gross = 1'000,
                              .evidence = "証拠"};
        EXPECT_THAT(InTransaction([&](app::Books& books) -> Status {
                        app::DiscrepancyChanges changes(SystemClock().Now());
                        KESSAI_RETURN_IF_ERROR(changes.AddFindings(books, {&finding, 1}, nullptr));
                        return changes.Store(books);
                    }),
                    IsOk());
    }
    domain::DiscrepancyId Find(std::int64_t payment) {
        Record({.business_date = Day(),
                .kind = DiscrepancyKind::kAmountDiffers,
                .change = {domain::PaymentId(payment), 1}});
        return domain::DiscrepancyId(
            schema_.Count("SELECT discrepancy_id FROM discrepancy WHERE payment_id = " +
                          std::to_string(payment)));
    }
    Status Store(const domain::RepairMove& move) {
        return InTransaction([&](app::Books& books) -> Status {
            app::DiscrepancyChanges changes(SystemClock().Now());
            changes.Add({move.discrepancy, move.discrepancy.latest, move.repair});
            return changes.Store(books);
        });
    }
    domain::Discrepancy Read(domain::DiscrepancyId id) {
        auto record = enquiries_.FindDiscrepancy(id);
        KESSAI_CHECK(record.ok(), record.status().ToString());
        return record->discrepancy;
    }
    domain::RepairMove Begin(domain::DiscrepancyId id, std::uint32_t number = 1) {
        return domain::Begin(
            Read(id), {.kind = RepairKind::kCorrectingJournal, .actor = "花子", .reason = "why"},
            {domain::MerchantId(7), -5}, {domain::MerchantId(8), 5}, number,
            FromMicros(SystemClock().Now().time_since_epoch().count()));
    }
    std::vector<domain::Repair> ListRepairs(const app::RepairFilter& filter) {
        auto repairs = enquiries_.ListRepairs(filter);
        KESSAI_CHECK(repairs.ok(), repairs.status().ToString());
        return *repairs;
    }
    /// Of a step, from the rows alone.
    ChainHash Stored(domain::DiscrepancyId id, std::uint32_t number) {
        auto session = schema_.pool().Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), "a session");
        auto rows = (*session)->Select(
            mysql::Query{"test.hash",
                         "SELECT chain_hash FROM discrepancy_step WHERE discrepancy_id = ? AND "
                         "number = ?"},
            id, number);
        KESSAI_CHECK(rows.ok() && rows->Next(), "the step is there");
        return ReadChainHash(*rows, 0);
    }
    /// What all anchors name, by step.
    std::map<std::pair<std::int64_t, std::uint32_t>, std::string> Anchored() {
        auto session = schema_.pool().Acquire(std::chrono::seconds(5));
        KESSAI_CHECK(session.ok(), "a session");
        auto rows =
            (*session)->Select(mysql::Query{"test.anchors", "SELECT steps FROM audit_anchor"});
        KESSAI_CHECK(rows.ok(), "anchors");
        std::map<std::pair<std::int64_t, std::uint32_t>, std::string> named;
        while (rows->Next()) {
            const std::string bytes = rows->Bytes(0);
            for (std::size_t at = 0; at < bytes.size(); at += 44) {
                std::int64_t id = 0;
                std::uint32_t number = 0;
                for (std::size_t i = 0; i < 8; ++i) {
                    id = id << 8 | static_cast<std::uint8_t>(bytes[at + i]);
                }
                for (std::size_t i = 8; i < 12; ++i) {
                    number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
                }
                EXPECT_TRUE(named.emplace(std::pair(id, number), bytes.substr(at + 12, 32)).second);
            }
        }
        return named;
    }
    static std::string Text(const ChainHash& hash) {
        return {reinterpret_cast<const char*>(hash.data()), hash.size()};
    }

    testing::ReconciliationSchema schema_;
    app::Enquiries enquiries_{schema_.transactions()};
};

TEST_F(MysqlRepairsTest, RepairsComeBackAsTheyWere) {
    const domain::DiscrepancyId first = Find(1);
    const domain::DiscrepancyId second = Find(2);
    const auto requested = Begin(first);
    ASSERT_THAT(Store(requested), IsOk());
    ASSERT_THAT(Store(Begin(second)), IsOk());
    EXPECT_THAT(ListRepairs({.discrepancy = first}), ElementsAre(requested.repair));
    EXPECT_EQ(Read(first).open_repair, 1u);

    const auto approved =
        domain::Decide(Read(first), requested.repair,
                       {.approve = true, .actor = "太郎", .note = "ok"}, SystemClock().Now());
    ASSERT_THAT(approved, IsOk());
    ASSERT_THAT(Store(**approved), IsOk());
    const auto done =
        domain::CarriedOut(Read(first), (*approved)->repair, "posted", SystemClock().Now());
    ASSERT_THAT(Store(done), IsOk());
    EXPECT_THAT(ListRepairs({.state = RepairState::kVerifying}), ElementsAre(done.repair));
    EXPECT_THAT(InTransaction([&](app::Books& books) -> Status {
                    KESSAI_ASSIGN_OR_RETURN(const auto unfinished,
                                            books.repairs.Unfinished({}, 10));
                    EXPECT_THAT(unfinished, ElementsAre(done.repair));
                    KESSAI_ASSIGN_OR_RETURN(const auto open, books.repairs.CountOpen());
                    EXPECT_THAT(open, SizeIs(1));
                    EXPECT_EQ(open.front().count, 2);
                    return OkStatus();
                }),
                IsOk());
    const auto ended = domain::End(Read(first), done.repair, RepairState::kRepaired, "seen",
                                   SystemClock().Now(), true);
    ASSERT_THAT(Store(ended), IsOk());
    EXPECT_EQ(Read(first).corrected_by, 1u);
    EXPECT_EQ(Read(first).state(), DiscrepancyState::kRepaired);

    // Pages go on where they ended.
    ASSERT_THAT(Store(Begin(first, 2)), IsOk());
    const auto page = ListRepairs({.limit = 2});
    ASSERT_THAT(page, SizeIs(2));
    EXPECT_EQ(page[0].discrepancy, second);
    EXPECT_EQ(page[1].number, 2u);
    EXPECT_THAT(ListRepairs({.before = {first, 2}, .limit = 2}), ElementsAre(ended.repair));
}

TEST_F(MysqlRepairsTest, EachStepIsChainedAndAnchored) {
    const domain::DiscrepancyId id = Find(1);
    const domain::Discrepancy found = Read(id);
    const ChainHash evidence = AuditChain::OfEvidence("証拠");
    EXPECT_EQ(found.last_hash, schema_.chain().OfStep({}, found, {}, evidence));

    const auto move = Begin(id);
    ASSERT_THAT(Store(move), IsOk());
    const domain::Discrepancy after = Read(id);
    EXPECT_EQ(after.last_hash,
              schema_.chain().OfStep(found.last_hash, after, schema_.chain().OfRepair(move.repair),
                                     evidence));
    EXPECT_EQ(after.last_hash, Stored(id, 2));
    const auto anchored = Anchored();
    EXPECT_THAT(anchored, SizeIs(2));
    EXPECT_EQ(anchored.at({id.value(), 1}), Text(found.last_hash));
    EXPECT_EQ(anchored.at({id.value(), 2}), Text(after.last_hash));
    // Another key gives other hashes: whoever has the database only cannot make one.
    const AuditChain other(AuditChain::Key{9});
    EXPECT_NE(other.OfStep({}, found, {}, evidence), found.last_hash);
}

// Goal: a step's hash has of its discrepancy's subject what the row has, whatever the kind, so that
// an audit, which knows rows only, comes to the same.
// Method: steps are stored, their hashes removed, and made again from the rows.
TEST_F(MysqlRepairsTest, WhatADiscrepancyIsAboutIsHashedAsItsRowHasIt) {
    const std::vector<domain::Subject> subjects{{.business_date = Day(),
                                                 .kind = DiscrepancyKind::kAmountDiffers,
                                                 .change = {domain::PaymentId(1), 2}},
                                                {.business_date = Day(),
                                                 .kind = DiscrepancyKind::kDigestDiffers,
                                                 .book = domain::Book::kPayout,
                                                 .bucket = 9},
                                                {.business_date = Day(),
                                                 .kind = DiscrepancyKind::kAccruedDiffers,
                                                 .held_merchant = domain::MerchantId(7)},
                                                {.business_date = Day(),
                                                 .kind = DiscrepancyKind::kTransferDiffers,
                                                 .book = domain::Book::kPayout,
                                                 .transfer = domain::TransferId(10)},
                                                {.business_date = Day(),
                                                 .kind = DiscrepancyKind::kResultOverdue,
                                                 .transfer = domain::TransferId(10)},
                                                {.business_date = Day(),
                                                 .kind = DiscrepancyKind::kResultDiffers,
                                                 .transfer = domain::TransferId(11)}};
    for (const domain::Subject& subject : subjects) Record(subject);
    const auto stored = Anchored();
    ASSERT_THAT(stored, SizeIs(subjects.size()));

    for (const char* sql :
         {"UPDATE discrepancy_step SET chain_hash = '', evidence_hash = ''",
          "DELETE FROM audit_anchor", "UPDATE audit_head SET number = 0, hash = ''"}) {
        schema_.Execute(sql);
    }
    auto session = schema_.pool().Acquire(std::chrono::seconds(5));
    ASSERT_THAT(session, IsOk());
    ASSERT_THAT(ChainOlderSteps(**session, schema_.chain(), SystemClock()), IsOk());
    EXPECT_EQ(Anchored(), stored);

    const domain::DiscrepancyId overdue(
        schema_.Count("SELECT discrepancy_id FROM discrepancy WHERE kind = 24"));
    domain::Discrepancy moved = Read(overdue);
    const ChainHash evidence = AuditChain::OfEvidence("証拠");
    EXPECT_EQ(schema_.chain().OfStep({}, moved, {}, evidence), moved.last_hash);
    moved.finding.subject.transfer = domain::TransferId(12);
    EXPECT_NE(schema_.chain().OfStep({}, moved, {}, evidence), moved.last_hash);
}

TEST_F(MysqlRepairsTest, ManyAtTheSameTimeAnchorAll) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([this, thread] {
            for (int i = 0; i < 25; ++i) (void)Find(1 + thread * 100 + i);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(Anchored(), SizeIs(100));
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM audit_anchor"), 100);
    EXPECT_EQ(schema_.Count("SELECT SUM(number) FROM audit_head"), 100);
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM audit_anchor WHERE slot = 0"), 0);
    EXPECT_GT(schema_.Count("SELECT COUNT(DISTINCT slot) FROM audit_anchor"), 10)
        << "no row that all of them wait for";
}

// Steps from before there was a chain get one, once, wherever it was killed in between.
TEST_F(MysqlRepairsTest, OlderStepsAreChainedOnce) {
    std::map<std::int64_t, domain::DiscrepancyId> ids;
    for (int i = 1; i <= 3; ++i) ids[i] = Find(i);
    app::ChangeDiscrepancy change(schema_.transactions(), SystemClock());
    ASSERT_THAT(change.Run(ids[2], {DiscrepancyState::kExplained, "花子", "known"}), IsOk());
    for (const char* sql :
         {"UPDATE discrepancy_step SET chain_hash = '', evidence_hash = ''",
          "DELETE FROM audit_anchor", "UPDATE audit_head SET number = 0, hash = ''"}) {
        schema_.Execute(sql);
    }
    auto session = schema_.pool().Acquire(std::chrono::seconds(5));
    ASSERT_THAT(session, IsOk());
    ASSERT_THAT(ChainOlderSteps(**session, schema_.chain(), SystemClock()), IsOk());
    ASSERT_THAT(ChainOlderSteps(**session, schema_.chain(), SystemClock()), IsOk());
    EXPECT_THAT(Anchored(), SizeIs(4));
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM audit_anchor WHERE slot = 0"), 2);
    const domain::Discrepancy second = Read(ids[2]);
    EXPECT_EQ(second.last_hash, schema_.chain().OfStep(Stored(ids[2], 1), second, {},
                                                       AuditChain::OfEvidence("証拠")));
    // What comes now goes on behind it.
    ASSERT_THAT(change.Run(ids[2], {DiscrepancyState::kOpen, "花子", "not known"}), IsOk());
    EXPECT_EQ(Read(ids[2]).last_hash, schema_.chain().OfStep(second.last_hash, Read(ids[2]), {},
                                                             AuditChain::OfEvidence("証拠")));

    schema_.Execute("DELETE FROM audit_anchor WHERE slot = 0");
    EXPECT_THAT(ChainOlderSteps(**session, schema_.chain(), SystemClock()),
                Refuses(Code::kFailedPrecondition, "AUDIT_TRAIL_BROKEN"));
}

TEST_F(MysqlRepairsTest, KeyIsHexadecimal) {
    EXPECT_THAT(AuditChain::FromHex(std::string(64, 'a')), IsOk());
    for (const std::string& text : {std::string(63, 'a'), std::string(64, 'g'), std::string()}) {
        EXPECT_THAT(AuditChain::FromHex(text).status(),
                    Refuses(Code::kInvalidArgument, "AUDIT_KEY_INVALID"));
    }
}

TEST_F(MysqlRepairsTest, OwnDigestIsThatOfTheMatches) {
    const digest::RowHasher hasher(digest::RowHasher::Key{1, 2, 3});
    const app::MatchChanges match(hasher, SystemClock());
    const auto claim = PaymentSays(3);
    const auto answer = PayoutSays(claim);
    ASSERT_THAT(InTransaction([&](app::Books& books) -> Status {
                    KESSAI_RETURN_IF_ERROR(match.Apply(books, {&claim, 1}, 0).status());
                    return match.Apply(books, {&answer, 1}, 0).status();
                }),
                IsOk());
    schema_.Execute("UPDATE day_digest SET signed_gross = signed_gross + 7, row_count = 4");
    const int bucket = digest::BucketOf(3);
    const auto recompute = [&](std::string_view key) {
        digest::RecomputedBucket digests;
        EXPECT_THAT(InTransaction([&](app::Books& books) -> Status {
                        KESSAI_ASSIGN_OR_RETURN(
                            digests, books.repairs.RecomputeMatched(Day(), bucket, key, hasher));
                        return OkStatus();
                    }),
                    IsOk());
        return digests;
    };
    const auto dry = recompute("");
    EXPECT_EQ(dry.before.signed_gross, 1'007);
    EXPECT_EQ(dry.after.signed_gross, 1'000);
    EXPECT_EQ(schema_.Count("SELECT SUM(row_count) FROM day_digest"), 4);
    EXPECT_EQ(recompute("recon-1-1"), dry);
    EXPECT_EQ(recompute("recon-1-1"), dry) << "the same again tells what was done";
    EXPECT_EQ(schema_.Count("SELECT SUM(row_count) FROM day_digest"), 1);
    EXPECT_EQ(schema_.Count("SELECT SUM(signed_gross) FROM day_digest"), 1'000);
    EXPECT_THAT(
        InTransaction([&](app::Books& books) {
            return books.repairs.RecomputeMatched(Day(), bucket + 1, "recon-1-1", hasher).status();
        }),
        Refuses(Code::kAlreadyExists, "REPAIR_KEY_REUSED"));
}

// Goal: totals that count changes twice are those of the matches again, to the last one, though
// matches come all the time and two replicas correct them; once by its key. Method: a thread that
// matches on; two that count and correct under their own keys, again and again.
TEST_F(MysqlRepairsTest, TotalsAreThoseOfTheMatchesThoughMatchesCome) {
    const digest::RowHasher hasher(digest::RowHasher::Key{1, 2, 3});
    const app::MatchChanges match(hasher, SystemClock());
    const domain::MerchantId merchant(7);
    const auto happen = [&](std::int64_t payment) {
        // Most are of another merchant, or no count of this one would come to its end.
        const bool is_its = payment <= 40 || payment % 60 == 0;
        const auto claim = PaymentSays(payment, 1, 100 + payment, is_its ? merchant.value() : 8);
        auto answer = PayoutSays(claim);
        answer.told_fee = {.fee = payment % 9, .tax_class = domain::TaxClass::kStandard10};
        return InTransaction([&](app::Books& books) -> Status {
            KESSAI_RETURN_IF_ERROR(match.Apply(books, {&claim, 1}, 0).status());
            return match.Apply(books, {&answer, 1}, 0).status();
        });
    };
    for (std::int64_t payment = 1; payment <= 40; ++payment) ASSERT_THAT(happen(payment), IsOk());
    schema_.Execute("UPDATE matched_day_total SET gross = gross * 3, item_count = item_count + 5");

    std::jthread matches([&](const std::stop_token& stop) {
        for (std::int64_t payment = 100; payment < 200 || !stop.stop_requested(); ++payment) {
            EXPECT_THAT(happen(payment), IsOk());
        }
    });
    // Whether it was corrected, or was right.
    const auto correct = [&](app::CountMatches& count, const std::string& key) {
        const auto counted = count.Run(Day(), merchant);
        if (!counted.ok()) return false;
        bool moved = false;
        EXPECT_THAT(
            InTransaction([&](app::Books& books) -> Status {
                KESSAI_RETURN_IF_ERROR(books.days.LockDay(Day()));
                KESSAI_ASSIGN_OR_RETURN(const app::ClassSums kept,
                                        app::KeptTotals(books, Day(), merchant));
                moved = kept != counted->kept;
                if (moved) return OkStatus();
                app::MatchedTotals before{Day(), merchant, Currency::Jpy(), counted->kept};
                app::MatchedTotals after{Day(), merchant, Currency::Jpy(), counted->of_rows};
                return books.repairs.CorrectMatchedTotals(before, after, key);
            }),
            IsOk());
        return !moved;
    };
    {
        std::vector<std::jthread> replicas;
        for (int replica = 1; replica <= 2; ++replica) {
            replicas.emplace_back([&, replica] {
                app::CountMatches count(schema_.transactions(), SystemClock());
                int corrected = 0;
                for (int i = 0; corrected < 3 && i < 200; ++i) {
                    const std::string key =
                        "recon-" + std::to_string(replica) + "-" + std::to_string(i);
                    if (correct(count, key)) ++corrected;
                }
                EXPECT_GT(corrected, 0);
            });
        }
    }
    matches.request_stop();
    matches.join();
    for (const std::string column : {"gross", "fee"}) {
        EXPECT_EQ(schema_.Count("SELECT SUM(" + column + ") FROM matched_day_total"),
                  schema_.Count("SELECT SUM(" + column + ") FROM change_match"));
    }
    EXPECT_EQ(schema_.Count("SELECT SUM(item_count) FROM matched_day_total"),
              schema_.Count("SELECT COUNT(*) FROM change_match"));
    EXPECT_EQ(schema_.Count("SELECT COUNT(DISTINCT tax_class) FROM matched_day_total"), 1);

    // Under a key that was used nothing more is done, whatever the totals are by now.
    const std::int64_t repairs = schema_.Count("SELECT COUNT(*) FROM matched_total_repair");
    ASSERT_GT(repairs, 0);
    schema_.Execute("UPDATE matched_day_total SET gross = gross + 1 LIMIT 1");
    schema_.Execute("UPDATE matched_total_repair SET repair_key = 'recon-9-1' LIMIT 1");
    app::CountMatches count(schema_.transactions(), SystemClock());
    EXPECT_TRUE(correct(count, "recon-9-1"));
    EXPECT_EQ(schema_.Count("SELECT COUNT(*) FROM matched_total_repair"), repairs);
    EXPECT_TRUE(correct(count, "recon-9-2"));
    EXPECT_EQ(schema_.Count("SELECT SUM(gross) FROM matched_day_total"),
              schema_.Count("SELECT SUM(gross) FROM change_match"));
    EXPECT_EQ(schema_.Count("SELECT gross_after - gross_before FROM matched_total_repair WHERE "
                            "repair_key = 'recon-9-2'"),
              -1);
}

TEST_F(MysqlRepairsTest, ThePolicyTakesNoMoreThanItMay) {
    const auto take = [&](BusinessDate day) {
        bool taken = false;
        EXPECT_THAT(InTransaction([&](app::Books& books) -> Status {
                        KESSAI_ASSIGN_OR_RETURN(taken, books.repairs.TakeAutomatic(day, 2));
                        return OkStatus();
                    }),
                    IsOk());
        return taken;
    };
    EXPECT_TRUE(take(Day()));
    EXPECT_TRUE(take(Day()));
    EXPECT_FALSE(take(Day()));
    EXPECT_TRUE(take(Day(1)));

    const domain::DiscrepancyId first = Find(1);
    const domain::DiscrepancyId second = Find(2);
    ASSERT_THAT(Store(Begin(first)), IsOk());
    EXPECT_THAT(
        InTransaction([&](app::Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(const auto without,
                                    books.repairs.OpenOf(DiscrepancyKind::kAmountDiffers, {}, 10));
            EXPECT_THAT(without, ElementsAre(app::OpenDiscrepancy{second, 1}));
            KESSAI_ASSIGN_OR_RETURN(const auto others,
                                    books.repairs.OpenOf(DiscrepancyKind::kDateDiffers, {}, 10));
            EXPECT_THAT(others, IsEmpty());
            return OkStatus();
        }),
        IsOk());
}

}  // namespace
}  // namespace kessai::reconciliation::storage
