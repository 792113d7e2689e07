#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "checks/payout_books.h"
#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "model/change_record.h"
#include "model/day_digests.h"
#include "model/event_record.h"
#include "report.h"
#include "source/inbox_tables.h"
#include "source/topic_contents.h"
#include "spill/aggregator.h"

namespace kessai::audit {

/// Something of a change that is not among those that the audit began with: an event, an accrual or
/// a match. Its change was committed since, or there is none. Ordered by key.
struct LateRecord {
    enum class Source : std::uint8_t { kEvent, kAccrual, kMatch };

    ChangeKey key;
    Hash16 content_hash{};
    std::int64_t offset = 0;
    std::int16_t partition = 0;
    Source source{};

    bool operator<(const LateRecord& other) const { return key < other.key; }
};

/// How far changes had come. A consumer's offsets are of the very snapshot in which its effects are
/// read: what they have passed must be there, what they have not is under way.
struct ChangeProgress {
    UnsentRows payment_unsent;
    UnsentRows payout_unsent;
    ConsumerOffsets payout_of_payment;
    ConsumerOffsets reconciliation_of_payment;
    ConsumerOffsets reconciliation_of_payout;
    std::int64_t began_at_us = 0;
};

/// What is joined, change by change. What could not be read is null, and not checked.
struct ChangeSources {
    Sorted<ChangeRecord>& changes;
    const ChangeProgress& progress;
    TopicContents* payment_topic = nullptr;
    PayoutBooks* payout = nullptr;
    TopicContents* payout_topic = nullptr;
    mysql::Session* reconciliation = nullptr;
};

/// What helps to say more in findings.
struct ChangeHints {
    /// How an event differs from its change.
    std::function<std::string(const EventRecord&)> explain_event;
    /// How an event of payout differs from its accrual.
    std::function<std::string(const EventRecord&, const AccrualRow&)> explain_payout_event;
    /// Objects with messages that wait in a service, and which.
    std::map<std::int64_t, std::string> waiting_in_payout;
    std::map<std::int64_t, std::string> waiting_in_reconciliation;
};

struct ChangeJoinOutput {
    Sorter<LateRecord>& late;
    /// What reconciliation matched, by day and merchant.
    Aggregator<MerchantDaySum>& matched;
    DayDigests& matched_digests;
};

/// Joins changes, both topics, accruals and matches by (object, version), and checks M6, M7 and M8
/// of each change, as far as it has come.
Status JoinChanges(const ChangeSources& sources, const ChangeHints& hints,
                   const ChangeJoinOutput& output, Report& report);

/// Looks the late records' changes up among those that are committed now: M6, M7, M8. Messages in
/// `settled` are only counted.
Status CheckLate(mysql::Session& payment, Sorted<LateRecord> late, const std::string& topic,
                 const std::set<MessageId>& settled, Report& report);

}  // namespace kessai::audit
