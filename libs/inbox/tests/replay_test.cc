#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "inbox_fixture.h"
#include "kessai/event/v1/dead_letter.pb.h"

namespace kessai::inbox {
namespace {

using namespace std::chrono_literals;
using testing::Eventually;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Refuses;
using ::testing::SizeIs;

class ReplayTest : public InboxTest {
 protected:
    // Object 1 has a rejected version 2, with 3 … `last` parked behind it; object 2 is well.
    void Break(int last) {
        handler_.rejected = {"bad"};
        std::vector<Put> events{{1, 1}, {1, 2, "bad"}, {2, 1}};
        for (int version = 3; version <= last; ++version) events.push_back({1, version});
        Publish(events);
        consumer_ = StartConsumer();
        ASSERT_EVENTUALLY(Count("parked_event") == last - 2 && VersionsOf(2) == "1");
        ASSERT_EQ(VersionsOf(1), "1");
    }
    void Repair() {
        const std::lock_guard lock(handler_.mutex);
        handler_.rejected.clear();
    }
    DeadLetterId TheOne() {
        const auto letters = DeadLetters();
        EXPECT_THAT(letters, SizeIs(1));
        return letters.empty() ? DeadLetterId{} : letters.front().id;
    }
    static std::string Versions(int first, int last) {
        std::string versions = std::to_string(first);
        for (int version = first + 1; version <= last; ++version) {
            versions += "," + std::to_string(version);
        }
        return versions;
    }

    std::unique_ptr<Consumer> consumer_;
};

TEST_F(ReplayTest, AppliesTheDeadLetterAndWhatWaitedBehindItInOrder) {
    Break(8);
    const auto letters = DeadLetters();
    ASSERT_THAT(letters, SizeIs(1));
    EXPECT_EQ(letters[0].reason, "TEST_REJECTED");
    EXPECT_EQ(letters[0].code, Code::kFailedPrecondition);
    EXPECT_EQ(letters[0].object_id, 1);
    EXPECT_EQ(letters[0].version, 2u);
    EXPECT_EQ(letters[0].type, "test.Changed");
    EXPECT_EQ(letters[0].business_date, kDay);
    EXPECT_EQ(letters[0].key, "1");
    EXPECT_EQ(letters[0].value, Sealed({1, 2, "bad"}));
    EXPECT_EQ(letters[0].parked, 6);
    EXPECT_EQ(letters[0].attempts, 1);

    Repair();
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome,
                         Replay(*pool_, handler_, Replaying(), letters[0].id));
    EXPECT_EQ(outcome.applied, 7);
    EXPECT_EQ(outcome.parked, 0);
    EXPECT_FALSE(outcome.stopped_by.has_value());
    EXPECT_EQ(VersionsOf(1), Versions(1, 8));
    EXPECT_EQ(Count("parked_event"), 0);
    EXPECT_THAT(DeadLetters(), IsEmpty());
    const auto settled = DeadLetters(DeadLetterState::kReplayed);
    ASSERT_THAT(settled, SizeIs(1));
    EXPECT_EQ(settled[0].settled_by, "op@example.test");
    EXPECT_EQ(settled[0].note, "fixed");

    // It goes on as if nothing had been.
    Publish({{1, 9}, {1, 2, "bad"}});
    EXPECT_EVENTUALLY(VersionsOf(1) == Versions(1, 9));
    EXPECT_EVENTUALLY(Metric("kessai_inbox_repeated_total") == 1);
    EXPECT_THAT(Replay(*pool_, handler_, Replaying(), letters[0].id),
                Refuses(Code::kFailedPrecondition, reason::kDeadLetterSettled));
}

// Goal: a long row of parked events is worked off in bounded transactions, while the consumer goes
// on parking behind it, and the order holds.
TEST_F(ReplayTest, WorksOffInBoundedStepsUnderLoad) {
    Break(60);
    Repair();
    ReplayContext context = Replaying();
    context.batch_events_max = 7;
    std::jthread load([&] {
        for (int version = 61; version <= 160; ++version) Publish({{1, version}});
    });
    ASSERT_OK(Replay(*pool_, handler_, context, TheOne()));
    load.join();
    EXPECT_EVENTUALLY(VersionsOf(1) == Versions(1, 160));
    EXPECT_EQ(Count("parked_event"), 0);
}

TEST_F(ReplayTest, WhatIsRefusedAgainStaysInItsPlace) {
    Break(5);
    const DeadLetterId id = TheOne();
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome, Replay(*pool_, handler_, Replaying(), id));
    EXPECT_EQ(outcome.applied, 0);
    EXPECT_EQ(outcome.parked, 3);
    ASSERT_TRUE(outcome.stopped_by.has_value());
    EXPECT_EQ(outcome.stopped_by->id, id);
    EXPECT_EQ(outcome.stopped_by->attempts, 2);
    EXPECT_EQ(VersionsOf(1), "1");
    EXPECT_THAT(DeadLetters(), SizeIs(1));
    Publish({{1, 6}});
    EXPECT_EVENTUALLY(Count("parked_event") == 4);
}

// Goal: a parked event that is refused takes the dead letter's place; what was before it stays
// applied.
TEST_F(ReplayTest, AParkedEventThatIsRefusedBlocksInItsTurn) {
    handler_.rejected = {"bad", "worse"};
    Publish({{1, 1}, {1, 2, "bad"}, {1, 3}, {1, 4, "worse"}, {1, 5}});
    consumer_ = StartConsumer();
    ASSERT_EVENTUALLY(Count("parked_event") == 3);
    const DeadLetterId first = TheOne();
    handler_.rejected = {"worse"};
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome,
                         ReplayObject(*pool_, handler_, Replaying(), 1));
    EXPECT_EQ(outcome.applied, 2);
    EXPECT_EQ(outcome.parked, 1);
    ASSERT_TRUE(outcome.stopped_by.has_value());
    EXPECT_EQ(outcome.stopped_by->version, 4u);
    EXPECT_EQ(VersionsOf(1), "1,2,3");
    Publish({{1, 6}});
    ASSERT_EVENTUALLY(Count("parked_event") == 2);
    EXPECT_THAT(Replay(*pool_, handler_, Replaying(), first),
                Refuses(Code::kFailedPrecondition, reason::kDeadLetterSettled));
    handler_.rejected.clear();
    ASSERT_OK(Replay(*pool_, handler_, Replaying(), TheOne()));
    EXPECT_EVENTUALLY(VersionsOf(1) == "1,2,3,4,5,6");
    EXPECT_EQ(Count("dead_letter"), 2);
    EXPECT_THAT(DeadLetters(), IsEmpty());
}

// Goal: a failure of the whole call is narrowed down to its event here too.
TEST_F(ReplayTest, AParkedEventThatFailsItsBatchIsFound) {
    Break(20);
    Repair();
    handler_.failing.emplace("poison", Status(Code::kInternal, "TEST_POISON", ""));
    Publish({{1, 21, "poison"}, {1, 22}});
    ASSERT_EVENTUALLY(Count("parked_event") == 20);
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome,
                         Replay(*pool_, handler_, Replaying(), TheOne()));
    EXPECT_EQ(VersionsOf(1), Versions(1, 20));
    ASSERT_TRUE(outcome.stopped_by.has_value());
    EXPECT_EQ(outcome.stopped_by->version, 21u);
    EXPECT_EQ(outcome.parked, 1);
}

TEST_F(ReplayTest, DiscardSkipsItAndGoesOn) {
    Break(5);
    const DeadLetterId id = TheOne();
    ReplayContext nameless = Replaying();
    nameless.note.clear();
    EXPECT_THAT(Discard(*pool_, handler_, nameless, id),
                Refuses(Code::kInvalidArgument, reason::kDeadLetterNoteMissing));
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome, Discard(*pool_, handler_, Replaying(), id));
    EXPECT_EQ(outcome.applied, 3);
    EXPECT_EQ(VersionsOf(1), "1,3,4,5");
    EXPECT_THAT(DeadLetters(DeadLetterState::kDiscarded), SizeIs(1));
    Publish({{1, 6}});
    EXPECT_EVENTUALLY(VersionsOf(1) == "1,3,4,5,6");
}

// Goal: unreadable bytes can be settled, and what names no object blocks nothing.
TEST_F(ReplayTest, UnreadableBytesAreSettledByDiscarding) {
    PublishRaw(0, "who?", "garbage");
    consumer_ = StartConsumer();
    ASSERT_EVENTUALLY(Count("dead_letter") == 1);
    const DeadLetterId id = TheOne();
    ASSERT_OK_AND_ASSIGN(const ReplayOutcome outcome, Replay(*pool_, handler_, Replaying(), id));
    EXPECT_TRUE(outcome.stopped_by.has_value());
    ASSERT_OK(Discard(*pool_, handler_, Replaying(), id));
    EXPECT_THAT(DeadLetters(), IsEmpty());
}

TEST_F(ReplayTest, RefusesWhatItDoesNotKnow) {
    EXPECT_THAT(Replay(*pool_, handler_, Replaying(), {topic_, 0, 99}),
                Refuses(Code::kNotFound, reason::kDeadLetterUnknown));
    EXPECT_THAT(Replay(*pool_, handler_, Replaying(), {"another", 0, 99}),
                Refuses(Code::kNotFound, reason::kDeadLetterUnknown));
    EXPECT_THAT(ReplayObject(*pool_, handler_, Replaying(), 1),
                Refuses(Code::kNotFound, reason::kDeadLetterUnknown));
}

// Goal: whoever closes a day sees what is not applied yet of it, and what may be of it.
TEST_F(ReplayTest, BlockedEventsOfADayAreListed) {
    Break(4);
    PublishRaw(0, "who?", "garbage");
    ASSERT_EVENTUALLY(Count("dead_letter") == 2);
    auto session = Session();
    ASSERT_OK_AND_ASSIGN(const auto blocked, ListBlocked(*session, group_, topic_, kDay, 100));
    EXPECT_THAT(blocked, SizeIs(4));
    EXPECT_EQ(std::ranges::count_if(blocked, &BlockedEvent::parked), 2);
    ASSERT_OK_AND_ASSIGN(const auto before,
                         ListBlocked(*session, group_, topic_, kDay.Previous(), 100));
    ASSERT_THAT(before, SizeIs(1));
    EXPECT_EQ(before[0].value, "garbage");
    EXPECT_FALSE(before[0].business_date.has_value());
}

// Goal: dead letters are published with everything that is known, in the transaction that stores
// them.
TEST_F(ReplayTest, DeadLettersArePublishedThroughTheOutbox) {
    Break(3);
    auto session = Session();
    static constexpr mysql::Query kEntries{"test.entries", "SELECT entries FROM outbox"};
    auto rows = session->Select(kEntries);
    ASSERT_OK(rows);
    ASSERT_EQ(rows->size(), 1u);
    rows->Next();
    const std::string packed = rows->Bytes(0);
    // One entry: its value is the end of the row.
    const auto letters = DeadLetters();
    ASSERT_THAT(letters, SizeIs(1));
    event::v1::DeadLetter letter;
    for (std::size_t at = 1; at < packed.size() && letter.topic() != topic_; ++at) {
        if (!letter.ParseFromString(packed.substr(at))) letter.Clear();
    }
    EXPECT_EQ(letter.consumer_group(), group_);
    EXPECT_EQ(letter.offset(), letters[0].id.offset);
    EXPECT_EQ(letter.value(), letters[0].value);
    EXPECT_EQ(letter.reason(), "TEST_REJECTED");
    EXPECT_EQ(letter.object_id(), 1);
    EXPECT_EQ(letter.attempt(), 1);
}

TEST(DeadLetterIdTest, ParsesWhatItPrints) {
    const DeadLetterId id{.topic = "payment.events.v1", .partition = 7, .offset = 1'234};
    EXPECT_EQ(id.ToString(), "payment.events.v1/7/1234");
    EXPECT_THAT(DeadLetterId::Parse(id.ToString()), testing::IsOkAnd(id));
    for (const char* bad : {"", "/", "//", "a/b", "a/1/", "a//1", "/1/2", "a/-1/2", "a/1/x"}) {
        EXPECT_THAT(DeadLetterId::Parse(bad),
                    Refuses(Code::kInvalidArgument, reason::kDeadLetterIdMalformed))
            << bad;
    }
}

}  // namespace
}  // namespace kessai::inbox
