#include <algorithm>
#include <array>
#include <cstring>

#include "checks/payment_passes.h"
#include "rules/day_rules.h"
#include "rules/expected_event.h"
#include "rules/natural_keys.h"
#include "rules/object_rows.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// A top-up's row, to be met by its object: the table is in the order of another key. The natural
/// key is checked before, so it is not kept.
struct TopUpByObject {
    std::int64_t object = 0;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;
    std::int64_t balance_after = 0;
    std::int64_t accepted_at_us = 0;
    CurrencyCode currency;
    std::uint8_t source_size = 0;
    std::array<char, 64> source{};

    static TopUpByObject Of(const TopUpRow& row) {
        TopUpByObject kept{row.top_up_id,     row.user_id,        row.amount,
                           row.balance_after, row.accepted_at_us, row.currency};
        kept.source_size =
            static_cast<std::uint8_t>(std::min(row.source.size(), kept.source.size()));
        std::memcpy(kept.source.data(), row.source.data(), kept.source_size);
        return kept;
    }
    TopUpRow Row() const {
        TopUpRow row;
        row.top_up_id = object;
        row.user_id = user_id;
        row.amount = amount;
        row.balance_after = balance_after;
        row.accepted_at_us = accepted_at_us;
        row.currency = currency;
        row.source.assign(source.data(), source_size);
        return row;
    }
    bool operator<(const TopUpByObject& other) const { return object < other.object; }
};

Result<Sorted<TopUpByObject>> ReadTopUps(mysql::Session& session, const SpillSpace& space,
                                         Report& report) {
    Sorter<TopUpByObject> by_object(space);
    Paged<TopUpTable> rows(session);
    for (; const TopUpRow* row = rows.Peek(); rows.Pop()) {
        CheckTopUpKey(*row, report);
        by_object.Add(TopUpByObject::Of(*row));
    }
    KESSAI_RETURN_IF_ERROR(rows.status());
    report.LookedAt(kM4, "top-ups", rows.count());
    return by_object.Finish();
}

/// The five sources, joined by object.
class ObjectJoin {
 public:
    ObjectJoin(mysql::Session& session, Sorted<TopUpByObject> top_ups)
        : changes_(session),
          payments_(session),
          refunds_(session),
          clearings_(session),
          top_ups_(std::move(top_ups)) {}

    /// The next object's rows; false at the end, and after a failure: see status().
    bool Next(ObjectRows& rows) {
        std::optional<std::int64_t> object;
        const auto see = [&](auto* row, auto id) {
            if (row != nullptr && (!object.has_value() || id(*row) < *object)) object = id(*row);
        };
        see(changes_.Peek(), ObjectOfChange);
        see(payments_.Peek(), [](const PaymentRow& row) { return row.payment_id; });
        see(refunds_.Peek(), [](const RefundRow& row) { return row.payment_id; });
        see(clearings_.Peek(), [](const ClearingRow& row) { return row.key.object; });
        see(top_ups_.Peek(), [](const TopUpByObject& row) { return row.object; });
        if (!object.has_value() || !status().ok()) return false;
        Gather(*object, rows);
        return true;
    }

    Status status() const {
        KESSAI_RETURN_IF_ERROR(changes_.status());
        KESSAI_RETURN_IF_ERROR(payments_.status());
        KESSAI_RETURN_IF_ERROR(refunds_.status());
        KESSAI_RETURN_IF_ERROR(clearings_.status());
        return top_ups_.status();
    }

    void Count(Report& report) const {
        report.LookedAt(kM1, "journals", changes_.count());
        report.LookedAt(kM4, "refunds", refunds_.count());
        report.LookedAt(kM4, "cleared releases", clearings_.count());
        report.LookedAt(kM5, "payments", payments_.count());
        report.LookedAt(kM5, "changes", changes_.count());
        report.LookedAt(kM9, "changes", changes_.count());
    }

 private:
    static std::int64_t ObjectOfChange(const Change& change) { return change.key.object; }

    void Gather(std::int64_t object, ObjectRows& rows) {
        rows.object = object;
        rows.changes.clear();
        rows.payment.reset();
        rows.refunds.clear();
        rows.clearings.clear();
        rows.top_ups.clear();
        for (const Change* row; (row = changes_.Peek()) && row->key.object == object;) {
            rows.changes.push_back(*row);
            changes_.Pop();
        }
        if (const PaymentRow* row = payments_.Peek(); row && row->payment_id == object) {
            rows.payment.emplace(*row);
            payments_.Pop();
        }
        for (const RefundRow* row; (row = refunds_.Peek()) && row->payment_id == object;) {
            rows.refunds.push_back(*row);
            refunds_.Pop();
        }
        for (const ClearingRow* row; (row = clearings_.Peek()) && row->key.object == object;) {
            rows.clearings.push_back(*row);
            clearings_.Pop();
        }
        for (const TopUpByObject* row; (row = top_ups_.Peek()) && row->object == object;) {
            rows.top_ups.push_back(row->Row());
            top_ups_.Pop();
        }
    }

    Paged<JournalTable> changes_;
    Paged<PaymentTable> payments_;
    Paged<RefundTable> refunds_;
    Paged<ClearingTable> clearings_;
    Sorted<TopUpByObject> top_ups_;
};

ChangeRecord RecordOf(const Change& change) {
    ChangeRecord record;
    record.key = change.key;
    record.event_id = change.event_id;
    record.occurred_at_us = change.occurred_at_us;
    record.merchant_id = change.merchant_id;
    record.amount = change.amount;
    record.captured_total = change.captured_total;
    record.refunded_before = change.refunded_before;
    record.store_hash = HashOfText(change.store_id);
    record.business_date = change.business_date;
    record.payment_date = change.payment_date;
    record.currency = change.currency;
    record.kind = static_cast<std::int8_t>(change.kind);
    if (const auto event = ExpectedEventOf(change)) record.event_hash = event->content_hash;
    return record;
}

void PassOnChange(const Change& change, const ObjectRows& rows, const ObjectPassOutput& output) {
    const ChangeRecord record = RecordOf(change);
    output.changes.Add(record);
    if (record.is_of_payment()) {
        output.digests.Add(
            {change.key, change.business_date, change.merchant_id, record.merchant_gross()});
    }
    const auto postings = ImpliedPostings(change);
    if (!postings.has_value()) return;
    for (ImpliedPosting posting : *postings) {
        if (change.kind == kToppedUp && posting.kind == kUserMoney && !rows.top_ups.empty()) {
            posting.balance_after = rows.top_ups.front().balance_after;
        }
        output.postings.Add(posting);
    }
}

void PassOnPayment(const PaymentRow& payment, const ObjectPassOutput& output) {
    PaymentOfOrder of_order;
    of_order.order_key = OrderKeyOf(payment.merchant_id, payment.merchant_payment_id);
    of_order.payment_id = payment.payment_id;
    of_order.canceled_at_us = payment.canceled_at_us;
    of_order.status = payment.status;
    of_order.version = payment.version;
    output.orders.Add(of_order);
}

}  // namespace

Status PassOverObjects(mysql::Session& session, const SpillSpace& space, const PaymentDays& days,
                       const ObjectPassOutput& output, Report& report) {
    KESSAI_ASSIGN_OR_RETURN(auto top_ups, ReadTopUps(session, space, report));
    ObjectJoin join(session, std::move(top_ups));
    ObjectRows rows;
    while (join.Next(rows)) {
        CheckObject(rows, report);
        for (const Change& change : rows.changes) {
            CheckDayOfChange(change, days, report);
            PassOnChange(change, rows, output);
        }
        if (rows.payment.has_value()) PassOnPayment(*rows.payment, output);
    }
    KESSAI_RETURN_IF_ERROR(join.status());
    join.Count(report);
    return OkStatus();
}

}  // namespace kessai::audit
