#include "kessai/kafka/topic_reader.h"

#include <map>
#include <string>
#include <vector>

#include "kessai/kafka/producer.h"
#include "kessai/testing/temp_dir.h"
#include "test_members.h"

namespace kessai::kafka {
namespace {

using testing::IsOk;
using testing::KafkaBroker;
using testing::Refuses;
using namespace std::chrono_literals;

class TopicReaderTest : public ::testing::Test {
 protected:
    void Produce(int partition, int first, int count) {
        KeepDeliveries deliveries;
        ProducerOptions options;
        options.connection = Connection(broker_);
        const auto producer = Producer::Create(options, deliveries);
        ASSERT_OK(producer);
        for (int i = first; i < first + count; ++i) {
            ASSERT_OK((*producer)->Produce({.topic = topic_,
                                            .partition = partition,
                                            .key = "key" + std::to_string(i),
                                            .value = std::to_string(i)}));
        }
        ASSERT_OK((*producer)->Flush(30s));
    }

    using Values = std::map<int, std::vector<std::string>>;
    Status Read(TopicReader& reader, const std::vector<OffsetRange>& ranges, Values& values) {
        return reader.Read(ranges, 20s, [&](const TopicRecord& record) {
            values[record.partition].emplace_back(record.value);
            EXPECT_EQ(record.key, "key" + std::string(record.value));
            EXPECT_GT(ToMicros(record.timestamp), 0);
            offsets_[record.partition].push_back(record.offset);
        });
    }

    KafkaBroker& broker_ = KafkaBroker::Shared();
    const std::string topic_ = MakeTopic(broker_, 3);
    std::map<int, std::vector<std::int64_t>> offsets_;
};

std::vector<std::string> Numbers(int first, int count) {
    std::vector<std::string> numbers;
    for (int i = first; i < first + count; ++i) numbers.push_back(std::to_string(i));
    return numbers;
}

// Goal: everything between the offsets that the brokers have at one moment is given once, in order
// per partition, and nothing that came later; again and again.
TEST_F(TopicReaderTest, GivesEveryMessageOfTheRangesOnce) {
    Produce(0, 0, 5'000);
    Produce(2, 9'000, 3);
    ASSERT_OK_AND_ASSIGN(const auto reader, TopicReader::Open(Connection(broker_), topic_, 10s));
    EXPECT_EQ(reader->partitions(), 3);
    ASSERT_OK_AND_ASSIGN(const auto ranges, reader->QueryRanges(10s));
    ASSERT_EQ(ranges.size(), 3u);
    EXPECT_EQ(ranges[0].end, 5'000);
    EXPECT_EQ(ranges[1].end, 0);
    Produce(0, 5'000, 10);
    Produce(1, 5'000, 10);
    for (int round = 0; round < 2; ++round) {
        Values values;
        ASSERT_OK(Read(*reader, ranges, values));
        EXPECT_EQ(values, (Values{{0, Numbers(0, 5'000)}, {2, Numbers(9'000, 3)}}));
    }
    Values middle;
    offsets_.clear();
    ASSERT_OK(Read(*reader, {{10, 13}, {0, 0}, {1, 2}}, middle));
    EXPECT_EQ(middle, (Values{{0, Numbers(10, 3)}, {2, Numbers(9'001, 1)}}));
    EXPECT_EQ(offsets_[0], (std::vector<std::int64_t>{10, 11, 12}));
}

// Goal: what retention removed is never passed over in silence.
TEST_F(TopicReaderTest, RefusesWhatIsNotThereAnyMore) {
    Produce(0, 0, 100);
    ASSERT_OK(DeleteRecordsBefore(Connection(broker_), topic_, 0, 40, 10s));
    ASSERT_OK_AND_ASSIGN(const auto reader, TopicReader::Open(Connection(broker_), topic_, 10s));
    ASSERT_OK_AND_ASSIGN(auto ranges, reader->QueryRanges(10s));
    EXPECT_EQ(ranges[0].first, 40);
    Values values;
    ASSERT_OK(Read(*reader, ranges, values));
    EXPECT_EQ(values, (Values{{0, Numbers(40, 60)}}));
    ranges[0].first = 39;
    EXPECT_THAT(Read(*reader, ranges, values),
                Refuses(Code::kOutOfRange, reason::kOffsetOutOfRange));
}

TEST_F(TopicReaderTest, NamesWhatIsMissing) {
    EXPECT_THAT(TopicReader::Open(Connection(broker_), testing::UniqueName("nowhere"), 10s),
                Refuses(Code::kNotFound, reason::kTopicUnknown));
    ConnectionOptions nobody;
    nobody.brokers = "127.0.0.1:" + std::to_string(testing::FreePort());
    EXPECT_THAT(TopicReader::Open(nobody, topic_, 1s),
                Refuses(Code::kUnavailable, reason::kUnavailable));
    // More than there is: silence is told, it does not hang.
    Produce(0, 0, 3);
    ASSERT_OK_AND_ASSIGN(const auto reader, TopicReader::Open(Connection(broker_), topic_, 10s));
    const std::vector<OffsetRange> beyond{{0, 4}, {0, 0}, {0, 0}};
    EXPECT_THAT(reader->Read(beyond, 500ms, [](const TopicRecord&) {}),
                Refuses(Code::kUnavailable, reason::kUnavailable));
}

}  // namespace
}  // namespace kessai::kafka
