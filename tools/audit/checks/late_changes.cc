#include <map>
#include <vector>

#include "checks/change_join.h"
#include "rules/accrual_rules.h"
#include "rules/expected_event.h"
#include "source/payment_tables.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// Objects looked up by one statement.
constexpr std::size_t kObjectsPerLookUp = 500;

class LateCheck {
 public:
    LateCheck(mysql::Session& payment, const std::string& topic, const std::set<MessageId>& settled,
              Report& report)
        : payment_(payment), topic_(topic), settled_(settled), report_(report) {}

    Status Run(Sorted<LateRecord> late) {
        std::vector<LateRecord> batch;
        std::vector<std::int64_t> objects;
        for (; late.Peek() != nullptr; late.Pop()) {
            const LateRecord& record = *late.Peek();
            if (objects.empty() || objects.back() != record.key.object) {
                if (objects.size() == kObjectsPerLookUp) {
                    KESSAI_RETURN_IF_ERROR(CheckBatch(batch, objects));
                    batch.clear();
                    objects.clear();
                }
                objects.push_back(record.key.object);
            }
            batch.push_back(record);
        }
        KESSAI_RETURN_IF_ERROR(late.status());
        if (!batch.empty()) KESSAI_RETURN_IF_ERROR(CheckBatch(batch, objects));
        if (settled_messages_ > 0) {
            report_.Note(kM6, std::to_string(settled_messages_) + " messages of " + topic_ +
                                  " tell of no change, and were settled as dead letters");
        }
        return OkStatus();
    }

 private:
    Status CheckBatch(const std::vector<LateRecord>& batch,
                      const std::vector<std::int64_t>& objects) {
        KESSAI_ASSIGN_OR_RETURN(const auto changes, ChangesOf(payment_, objects));
        std::map<ChangeKey, Hash16> hashes;
        for (const Change& change : changes) {
            const auto event = ExpectedEventOf(change);
            hashes[change.key] = event.has_value() ? event->content_hash : Hash16{};
        }
        for (const LateRecord& record : batch) {
            const auto found = hashes.find(record.key);
            Check(record, found == hashes.end() ? nullptr : &found->second);
        }
        return OkStatus();
    }

    void Check(const LateRecord& record, const Hash16* content) {
        switch (record.source) {
            case LateRecord::Source::kEvent:
                return CheckEvent(record, content);
            case LateRecord::Source::kAccrual:
                return Compare(kM7, "accrual without change", "accrual's content", record, content);
            case LateRecord::Source::kMatch:
                return Compare(kM8, "match without change", "match's payment content", record,
                               content);
        }
    }

    void CheckEvent(const LateRecord& record, const Hash16* content) {
        const MessageId id{topic_, record.partition, record.offset};
        if (content == nullptr && settled_.contains(id)) {
            ++settled_messages_;
            return;
        }
        Compare(kM6, "event without change", "content of event", record, content);
    }

    void Compare(Invariant invariant, std::string_view none, std::string_view other,
                 const LateRecord& record, const Hash16* content) {
        const auto subject = [&] {
            auto of_change = SubjectOfChange(record.key);
            if (record.source == LateRecord::Source::kEvent) {
                const MessageId id{topic_, record.partition, record.offset};
                of_change.emplace_back("message", id.ToString());
            }
            return of_change;
        };
        if (content == nullptr) {
            report_.Found(invariant, none, [&] { return Finding{subject(), "a change", "none"}; });
            return;
        }
        report_.Expect(invariant, other, subject, *content, record.content_hash);
    }

    mysql::Session& payment_;
    const std::string& topic_;
    const std::set<MessageId>& settled_;
    Report& report_;
    std::uint64_t settled_messages_ = 0;
};

}  // namespace

Status CheckLate(mysql::Session& payment, Sorted<LateRecord> late, const std::string& topic,
                 const std::set<MessageId>& settled, Report& report) {
    return LateCheck(payment, topic, settled, report).Run(std::move(late));
}

}  // namespace kessai::audit
