#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <array>
#include <set>
#include <string>

#include "kessai/event/bucket.h"
#include "kessai/event/envelope.h"
#include "kessai/event/mark.h"
#include "kessai/event/v1/envelope.pb.h"

namespace kessai::event {
namespace {

const BusinessDate kDay = *BusinessDate::Parse("2026-11-22");

Fields Sample() {
    return {.type = "kessai.payment.v1.PaymentChanged",
            .object_id = 4711,
            .version = 2,
            .event_id = 9001,
            .business_date = kDay,
            .occurred_at = FromMicros(1'795'000'000'000'001),
            .payload = "some bytes"};
}

TEST(EnvelopeTest, OpensWhatWasSealed) {
    const auto bytes = Seal(Sample());
    ASSERT_TRUE(bytes.ok());
    const auto opened = Open(*bytes);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    EXPECT_EQ(opened->type, Sample().type);
    EXPECT_EQ(opened->object_id, 4711);
    EXPECT_EQ(opened->version, 2u);
    EXPECT_EQ(opened->event_id, 9001);
    EXPECT_EQ(opened->business_date, kDay);
    EXPECT_EQ(opened->occurred_at, Sample().occurred_at);
    EXPECT_EQ(opened->payload, "some bytes");
    EXPECT_EQ(opened->content_hash, HashOf(Sample()));
}

// Goal: the bytes and the hash never change, on any machine or library version, because rows hold
// hashes for years.
// Method: the envelope against bytes written down by hand from the wire format, the hash against
// SHA-256 over the documented encoding, made here without the library's code.
TEST(EnvelopeTest, BytesAndHashAreFixed) {
    const Fields fields{.type = "t",
                        .object_id = 1,
                        .version = 2,
                        .event_id = 3,
                        .business_date = kDay,
                        .occurred_at = FromMicros(4),
                        .payload = "p"};
    std::string encoded = "kessai.event.v1\n";
    const auto number = [&](std::uint64_t value) {
        for (int i = 0; i < 8; ++i) encoded.push_back(static_cast<char>(value >> (8 * i)));
    };
    number(1);
    encoded += "t";
    number(1);
    number(2);
    number(3);
    number(20261122);
    number(4);
    number(1);
    encoded += "p";
    std::array<unsigned char, 32> sha{};
    SHA256(reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size(), sha.data());
    const std::string hash(reinterpret_cast<const char*>(sha.data()), 16);

    const std::string expected = std::string("\x08\x03\x12\x01t\x18\x01\x20\x02\x28") +
                                 "\x82\xd2\xd4\x09" + "\x30\x04\x3a\x10" + hash + "\x42\x01p";
    const auto bytes = Seal(fields);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(*bytes, expected);
}

// Goal: equal hashes mean equal events.
// Method: change each field alone, and move bytes between neighbouring texts; all hashes differ.
TEST(EnvelopeTest, EveryFieldIsInTheHash) {
    std::set<ContentHash> hashes{HashOf(Sample())};
    std::size_t variants = 1;
    const auto add = [&](auto change) {
        Fields fields = Sample();
        change(fields);
        hashes.insert(HashOf(fields));
        ++variants;
    };
    add([](Fields& f) { f.type = "kessai.payment.v1.PaymentChange"; });
    add([](Fields& f) { f.object_id = 4712; });
    add([](Fields& f) { f.version = 3; });
    add([](Fields& f) { f.event_id = 9002; });
    add([](Fields& f) { f.business_date = f.business_date.Next(); });
    add([](Fields& f) { f.occurred_at += Duration(1); });
    add([](Fields& f) { f.payload = "some byte"; });
    add([](Fields& f) { f.payload = ""; });
    add([](Fields& f) { std::swap(f.type, f.payload); });
    EXPECT_EQ(hashes.size(), variants);
}

TEST(EnvelopeTest, RefusesWhatNoEventIs) {
    const auto reason = [](auto change) {
        Fields fields = Sample();
        change(fields);
        const auto sealed = Seal(fields);
        return sealed.ok() ? std::string("sealed") : std::string(sealed.status().reason());
    };
    EXPECT_EQ(reason([](Fields& f) { f.type = ""; }), kEventFieldInvalid);
    EXPECT_EQ(reason([](Fields& f) { f.event_id = 0; }), kEventFieldInvalid);
    EXPECT_EQ(reason([](Fields& f) { f.object_id = -1; }), kEventFieldInvalid);
    EXPECT_EQ(reason([](Fields& f) { f.version = 0; }), kEventFieldInvalid);
    const std::string huge(kEventBytesMax, 'x');
    EXPECT_EQ(reason([&](Fields& f) { f.payload = huge; }), kEventTooLarge);
    const std::string nearly(kEventBytesMax - 40, 'x');
    EXPECT_EQ(reason([&](Fields& f) { f.payload = nearly; }), kEventTooLarge);
    const std::string fits(kEventBytesMax - 200, 'x');
    EXPECT_EQ(reason([&](Fields& f) { f.payload = fits; }), "sealed");
}

// Goal: no damage goes unnoticed.
// Method: flip every bit of a sealed event, one at a time; each is refused, or (where the flip only
// renames a field, so that it becomes an unknown one) reads differently and fails the hash.
TEST(EnvelopeTest, EveryFlippedBitIsRefused) {
    const google::protobuf::LogSilencer no_complaints_about_utf8;
    const std::string good = *Seal(Sample());
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        const auto opened = Open(bad);
        EXPECT_FALSE(opened.ok()) << "bit " << bit;
    }
}

TEST(EnvelopeTest, RefusesForeignBytes) {
    EXPECT_EQ(Open("").status().reason(), kEventMalformed);
    EXPECT_EQ(Open("{\"json\":1}").status().reason(), kEventMalformed);
    EXPECT_EQ(Open(std::string(kEventBytesMax + 1, 'x')).status().reason(), kEventTooLarge);
    v1::Envelope message;
    ASSERT_TRUE(message.ParseFromString(*Seal(Sample())));
    message.set_business_date(20261131);
    EXPECT_EQ(Open(message.SerializeAsString()).status().reason(), kEventMalformed);
}

// Goal: a publisher may add a field before its readers know it.
TEST(EnvelopeTest, IgnoresFieldsOfNewerPublishers) {
    std::string bytes = *Seal(Sample());
    bytes += "\x7a\x03new";
    EXPECT_TRUE(Open(bytes).ok());
}

TEST(MarkTest, RoundTrip) {
    const BusinessDayClosed mark{
        .business_date = kDay, .partition_count = 12, .service = "payment"};
    const auto bytes = SealMark(mark, 77, FromMicros(5));
    ASSERT_TRUE(bytes.ok());
    const auto opened = Open(*bytes);
    ASSERT_TRUE(opened.ok());
    ASSERT_TRUE(IsMark(*opened));
    EXPECT_EQ(opened->business_date, kDay);
    const auto read = OpenMark(*opened);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->business_date, kDay);
    EXPECT_EQ(read->partition_count, 12);
    EXPECT_EQ(read->service, "payment");
    EXPECT_FALSE(IsMark(*Open(*Seal(Sample()))));
    EXPECT_EQ(SealMark({kDay, 0, "payment"}, 1, {}).status().reason(), kEventFieldInvalid);
    EXPECT_EQ(SealMark({kDay, 12, ""}, 1, {}).status().reason(), kEventFieldInvalid);
}

// Goal: objects are spread evenly, whatever pattern their ids have, and buckets never move.
// Method: ids as the generator makes them (few workers, low sequence numbers); each of 12
// partitions is within 2 % of its share; fixed values pin the function.
TEST(BucketTest, SpreadsGeneratedIdsEvenly) {
    constexpr int kPartitions = 12;
    constexpr int kIds = 600'000;
    std::array<int, kPartitions> counts{};
    for (int i = 0; i < kIds; ++i) {
        const std::int64_t id =
            (std::int64_t{91'000'000'000} + i / 20) << 22 | std::int64_t{i % 2} << 12 | (i % 20);
        ++counts[static_cast<std::size_t>(PartitionOf(id, kPartitions))];
    }
    for (const int count : counts) EXPECT_NEAR(count, kIds / kPartitions, kIds / kPartitions / 50);

    EXPECT_EQ(BucketOf(0), 0);
    EXPECT_EQ(BucketOf(1), 485);
    EXPECT_EQ(BucketOf(4711), 572);
    EXPECT_EQ(PartitionOf(1, 12), BucketOf(1) % 12);
}

}  // namespace
}  // namespace kessai::event
