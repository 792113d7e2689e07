#include <gtest/gtest.h>

#include <string>

#include "assumption.h"
#include "batch_times.h"
#include "inbox_tables.h"
#include "item.h"
#include "kessai/event/v1/dead_letter.pb.h"
#include "kessai/inbox/policy.h"
#include "kessai/outbox/batch_writer.h"

namespace kessai::inbox {
namespace {

const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");

std::string Sealed(std::int64_t object, std::uint32_t version) {
    return *event::Seal({.type = "test.Changed",
                         .object_id = object,
                         .version = version,
                         .event_id = 1,
                         .business_date = kDay,
                         .occurred_at = FromMicros(1),
                         .payload = "p"});
}

TEST(ItemTest, ReadsEventsAndMarks) {
    const Item event = ReadItem(7, "42", Sealed(42, 3), "trace");
    ASSERT_TRUE(event.event.has_value());
    EXPECT_EQ(event.object_id, 42);
    EXPECT_EQ(event.event->event.version, 3u);
    EXPECT_EQ(event.event->offset, 7);
    EXPECT_EQ(event.event->traceparent, "trace");
    EXPECT_TRUE(event.unreadable.ok());

    const std::string sealed = *event::SealMark(
        {.business_date = kDay, .partition_count = 12, .service = "payment"}, 5, FromMicros(1));
    const Item mark = ReadItem(8, "", sealed, "");
    ASSERT_TRUE(mark.mark.has_value());
    EXPECT_EQ(mark.mark->business_date, kDay);
    EXPECT_EQ(mark.object_id, 0);
}

// Goal: whatever stands in the topic is read as an event, a mark, or as unreadable with its reason
// and the object to block.
TEST(ItemTest, SaysWhyItCannotBeRead) {
    const auto reason = [](std::string_view key, std::string_view value) {
        const Item item = ReadItem(0, key, value, "");
        EXPECT_FALSE(item.event.has_value() || item.mark.has_value());
        return std::string(item.unreadable.reason());
    };
    EXPECT_EQ(reason("42", "garbage"), event::kEventMalformed);
    EXPECT_EQ(reason("42", ""), event::kEventMalformed);
    EXPECT_EQ(reason("43", Sealed(42, 1)), reason::kKeyMismatch);
    EXPECT_EQ(reason("", Sealed(42, 1)), reason::kKeyMismatch);
    // No object, and no mark that we know.
    EXPECT_EQ(reason("", *event::Seal({.type = "test.NewMark",
                                       .object_id = 0,
                                       .version = 0,
                                       .event_id = 1,
                                       .business_date = kDay,
                                       .occurred_at = {},
                                       .payload = ""})),
              event::kEventFieldInvalid);
    EXPECT_EQ(ReadItem(0, "42", "garbage", "").object_id, 42);
    for (const char* key : {"", "x", "42x", " 42", "-42", "0", "99999999999999999999"}) {
        EXPECT_EQ(ReadItem(0, key, "garbage", "").object_id, 0) << key;
    }
}

TEST(PolicyTest, CoversEveryCode) {
    EXPECT_EQ(ActionFor(Code::kOk), Action::kContinue);
    for (const Code code : {Code::kUnavailable, Code::kAborted, Code::kDeadlineExceeded,
                            Code::kResourceExhausted, Code::kCancelled, Code::kUnknown}) {
        EXPECT_EQ(ActionFor(code), Action::kRetry) << CodeName(code);
    }
    for (const Code code :
         {Code::kInvalidArgument, Code::kFailedPrecondition, Code::kNotFound, Code::kAlreadyExists,
          Code::kOutOfRange, Code::kUnimplemented, Code::kDataLoss}) {
        EXPECT_EQ(ActionFor(code), Action::kDeadLetter) << CodeName(code);
    }
    EXPECT_EQ(ActionFor(Code::kInternal), Action::kIsolate);
    EXPECT_EQ(ActionFor(Code::kPermissionDenied), Action::kStop);
    EXPECT_EQ(ActionFor(Code::kUnauthenticated), Action::kStop);
}

// Goal: any bytes can be stored as text.
TEST(CleanTextTest, KeepsUtf8AndReplacesTheRest) {
    EXPECT_EQ(CleanText("plain", 100), "plain");
    EXPECT_EQ(CleanText("決済 €", 100), "決済 €");
    EXPECT_EQ(CleanText("a\xff\xfe z", 100), "a?? z");
    EXPECT_EQ(CleanText("\xe6\xb1", 100), "??");
    EXPECT_EQ(CleanText("\xc0\x80", 100), "??");
    EXPECT_EQ(CleanText("\xed\xa0\x80", 100), "???");
    EXPECT_EQ(CleanText("\xf4\x90\x80\x80", 100), "????");
    EXPECT_EQ(CleanText("決済", 4), "決");
    EXPECT_EQ(CleanText("abcdef", 3), "abc");
}

// Goal: the largest message that a topic takes still fits its dead letter; a larger one leaves its
// bytes in the table only.
TEST(DeadLetterTest, StaysWithinTheOutboxBound) {
    const PartitionKey key{.group = "g", .topic = "t", .partition = 3};
    const std::string largest(std::size_t{1} << 20, 'x');
    const Item item = ReadItem(5, "42", largest, "");
    const Failed failed{.item = &item, .why = item.unreadable};
    const std::string sealed = SealDeadLetter(key, failed, FromMicros(9));
    EXPECT_LE(sealed.size(), outbox::kEntryBytesMax);
    event::v1::DeadLetter letter;
    ASSERT_TRUE(letter.ParseFromString(sealed));
    EXPECT_EQ(letter.value(), largest);
    EXPECT_EQ(letter.reason(), event::kEventTooLarge);
    EXPECT_EQ(letter.object_id(), 42);

    const std::string beyond(outbox::kEntryBytesMax, 'x');
    const Item huge = ReadItem(5, "42", beyond, "");
    ASSERT_TRUE(letter.ParseFromString(
        SealDeadLetter(key, {.item = &huge, .why = huge.unreadable}, FromMicros(9))));
    EXPECT_EQ(letter.value(), "");
    EXPECT_EQ(letter.offset(), 5);
}

// Goal: however often events are known, few batches run twice; and where they are new again, few
// look up behind the next that is not.
// Method: a partition whose every batch has a known event, counted over many batches.
TEST(AssumptionTest, FewBatchesRunTwiceWhereEventsAreKnown) {
    Assumption assumption;
    int twice = 0;
    for (int batch = 0; batch < 10'000; ++batch) {
        const bool assumed_new = assumption.Holds();
        if (assumed_new) {
            ++twice;
            assumption.OnRefused();
        }
        assumption.OnCommitted(/*assumed_new=*/false);
    }
    // Behind 4, 8, … 256 batches, and each 256 from then on.
    EXPECT_EQ(twice, 45);

    while (!assumption.Holds()) assumption.OnCommitted(false);
    for (int batch = 0; batch < 10; ++batch) {
        ASSERT_TRUE(assumption.Holds());
        assumption.OnCommitted(/*assumed_new=*/true);
    }
    assumption.OnRefused();
    for (int batch = 0; batch < Assumption::kLookUpsFirst; ++batch) {
        EXPECT_FALSE(assumption.Holds());
        assumption.OnCommitted(false);
    }
    EXPECT_TRUE(assumption.Holds());
}

TEST(AssumptionTest, AFailureThatSaysNothingOfTheEventsCostsOneLookUp) {
    Assumption assumption;
    for (int failure = 0; failure < 5; ++failure) {
        EXPECT_TRUE(assumption.Holds());
        assumption.OnInterrupted();
        EXPECT_FALSE(assumption.Holds());
        assumption.OnCommitted(false);
    }
    EXPECT_TRUE(assumption.Holds());
}

// Goal: batches fall where the phase says, once each time, whatever the time.
TEST(BatchTimesTest, TheNextBatchIsAtItsPhase) {
    constexpr Duration kEvery = std::chrono::seconds(2);
    const Instant kNow = FromMicros(1'800'000'000'000'000);
    for (const std::int64_t phase : {0, 1, 41'666, 1'999'999}) {
        for (const std::int64_t past : {0, 1, 41'666, 41'667, 1'000'000, 1'999'999}) {
            const Instant now = kNow + Duration(past);
            const Duration wait = UntilNextBatch(now, kEvery, Duration(phase));
            EXPECT_GE(wait, kEvery / 4);
            EXPECT_LE(wait, kEvery + kEvery / 4);
            EXPECT_EQ(ToMicros(now + wait) % kEvery.count(), phase);
        }
    }
}

}  // namespace
}  // namespace kessai::inbox
