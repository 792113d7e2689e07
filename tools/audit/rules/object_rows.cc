#include "rules/object_rows.h"

#include <algorithm>
#include <string>

#include "kessai/event/bucket.h"
#include "rules/natural_keys.h"

namespace kessai::audit {
namespace {

using enum Invariant;

/// What kind of object a change is of.
enum class Family { kPayment, kTopUp, kRelease, kUnknown };

Family FamilyOf(int kind) {
    return IsOfPayment(kind)         ? Family::kPayment
           : kind == kToppedUp       ? Family::kTopUp
           : kind == kReleaseCleared ? Family::kRelease
                                     : Family::kUnknown;
}

std::string StatusText(int status) {
    switch (status) {
        case kStatusCreated:
            return "CREATED";
        case kStatusCompleted:
            return "COMPLETED";
        case kStatusRefunded:
            return "REFUNDED";
        case kStatusFailed:
            return "FAILED";
        case kStatusCodeDeleted:
            return "CODE_DELETED";
        default:
            return "status " + std::to_string(status);
    }
}

/// Follows a payment through its changes.
class PaymentHistory {
 public:
    PaymentHistory(std::int64_t payment, Report& report) : payment_(payment), report_(report) {}

    void Follow(const Change& change) {
        change_ = &change;
        Expect("version", state_.version + 1, change.key.version);
        if (change.event_id <= state_.last_event_id) {
            Wrong("event id does not rise", "above " + std::to_string(state_.last_event_id),
                  std::to_string(change.event_id));
        }
        if (change.kind == kCompleted) {
            Complete();
        } else {
            ExpectAsPaid();
            if (change.kind == kCanceled) Cancel();
            if (change.kind == kRefunded) Refund();
        }
        state_.version = change.key.version;
        state_.last_event_id = change.event_id;
        last_date_ = change.business_date;
    }

    const PaymentState& state() const { return state_; }

 private:
    Subject OfChange() const {
        return {{"payment", payment_}, {"version", std::int64_t{change_->key.version}}};
    }
    template <class T>
    void Expect(std::string_view what, const T& expected, const T& found) {
        report_.Expect(
            kM5, what, [this] { return OfChange(); }, expected, found);
    }
    void Wrong(std::string_view what, std::string expected, std::string found) {
        report_.Found(kM5, what, [&] {
            return Finding{OfChange(), std::move(expected), std::move(found)};
        });
    }
    void ExpectStatus(bool allowed, std::string_view expected) {
        if (!allowed) {
            Wrong("order of changes", std::string(expected),
                  "a change of kind " + std::to_string(change_->kind) + " after " +
                      StatusText(state_.status));
        }
    }

    void Complete() {
        const Change& change = *change_;
        ExpectStatus(state_.status == kStatusCreated, "paid once");
        if (change.amount <= 0) Wrong("amount", "positive", std::to_string(change.amount));
        Expect("captured beside ordered amount", change.order_amount, change.amount);
        Expect("captured total", change.amount, change.captured_total);
        Expect("refunded before", std::int64_t{0}, change.refunded_before);
        Expect("payment date", DayText(change.business_date), DayText(change.payment_date));
        Expect("payment accepted at", change.occurred_at_us, change.payment_accepted_at_us);
        Expect("refund id", std::int64_t{0}, change.refund_id);
        paid_ = change;
        state_.status = kStatusCompleted;
        state_.user_id = change.user_id;
        state_.accepted_at_us = change.occurred_at_us;
        state_.business_date = change.business_date;
        state_.captured = change.amount;
    }

    /// What every later change repeats of the payment.
    void ExpectAsPaid() {
        const Change& change = *change_;
        if (!paid_.has_value()) {
            Wrong("order of changes", "paid before anything else",
                  "a change of kind " + std::to_string(change.kind));
            paid_ = change;
            state_.captured = change.captured_total;
        }
        Expect("merchant", paid_->merchant_id, change.merchant_id);
        Expect("user", paid_->user_id, change.user_id);
        Expect("currency", paid_->currency, change.currency);
        Expect("merchantPaymentId", paid_->merchant_payment_id, change.merchant_payment_id);
        Expect("store", paid_->store_id, change.store_id);
        Expect("terminal", paid_->terminal_id, change.terminal_id);
        Expect("receipt number", paid_->order_receipt_number, change.order_receipt_number);
        Expect("ordered amount", paid_->order_amount, change.order_amount);
        Expect("payment date", DayText(paid_->payment_date), DayText(change.payment_date));
        Expect("payment accepted at", paid_->payment_accepted_at_us, change.payment_accepted_at_us);
        Expect("captured total", state_.captured, change.captured_total);
        Expect("refunded before", state_.refunded, change.refunded_before);
        if (change.business_date < last_date_) {
            Wrong("business date falls", "not before " + DayText(last_date_),
                  DayText(change.business_date));
        }
    }

    void Cancel() {
        ExpectStatus(state_.status == kStatusCompleted, "cancelled once, before any refund");
        Expect("cancelled amount", state_.captured, change_->amount);
        Expect("refund id", std::int64_t{0}, change_->refund_id);
        state_.status = kStatusFailed;
        state_.canceled_at_us = change_->occurred_at_us;
    }

    void Refund() {
        const Change& change = *change_;
        ExpectStatus(state_.status == kStatusCompleted || state_.status == kStatusRefunded,
                     "refunded while completed");
        if (change.amount <= 0) Wrong("amount", "positive", std::to_string(change.amount));
        const auto refunded = static_cast<Wide>(state_.refunded) + change.amount;
        if (refunded > state_.captured) {
            Wrong("refunded beyond captured", "at most " + std::to_string(state_.captured),
                  ToText(refunded));
        }
        state_.status = kStatusRefunded;
        // What does not fit was found above.
        (void)__builtin_add_overflow(state_.refunded, change.amount, &state_.refunded);
        ++state_.refund_count;
    }

    const std::int64_t payment_;
    Report& report_;
    const Change* change_ = nullptr;
    std::optional<Change> paid_;
    DayNumber last_date_ = 0;
    PaymentState state_;
};

class ObjectCheck {
 public:
    ObjectCheck(const ObjectRows& rows, Report& report) : rows_(rows), report_(report) {}

    void Run() {
        CheckChanges();
        if (rows_.payment.has_value() || Has(Family::kPayment) || !rows_.refunds.empty()) {
            CheckPayment();
        }
        if (!rows_.top_ups.empty() || Has(Family::kTopUp)) CheckTopUp();
        if (!rows_.clearings.empty() || Has(Family::kRelease)) CheckRelease();
    }

 private:
    bool Has(Family family) const {
        return std::any_of(rows_.changes.begin(), rows_.changes.end(),
                           [&](const Change& change) { return FamilyOf(change.kind) == family; });
    }
    Subject OfObject(std::string_view name) const { return {{name, rows_.object}}; }
    Subject OfChange(const Change& change) const {
        return {{"object", change.key.object}, {"version", std::int64_t{change.key.version}}};
    }
    Subject OfRefund(const RefundRow& refund) const {
        return {{"payment", refund.payment_id}, {"refund", refund.refund_id}};
    }
    template <class MakeSubject>
    void Wrong(Invariant invariant, std::string_view what, const MakeSubject& subject,
               std::string_view expected, std::string_view found) {
        report_.Found(invariant, what, [&] {
            return Finding{subject(), std::string(expected), std::string(found)};
        });
    }

    void CheckChanges() {
        const Family family =
            rows_.changes.empty() ? Family::kUnknown : FamilyOf(rows_.changes.front().kind);
        for (const Change& change : rows_.changes) {
            const auto subject = [&] { return OfChange(change); };
            if (FamilyOf(change.kind) == Family::kUnknown) {
                Wrong(kM1, "kind of change", subject, "a known kind", std::to_string(change.kind));
            } else if (FamilyOf(change.kind) != family) {
                Wrong(kM5, "kind of change", subject, "changes of one kind of object",
                      std::to_string(change.kind));
            }
            report_.Expect(kM8, "bucket", subject, event::BucketOf(change.key.object),
                           change.bucket);
            CheckUnusedColumns(change);
        }
    }

    /// Columns that a kind of change does not have are empty.
    void CheckUnusedColumns(const Change& change) {
        const bool is_payment = IsOfPayment(change.kind);
        bool empty = change.kind == kToppedUp || change.source.empty();
        if (!is_payment) {
            empty = empty && change.merchant_id == 0 && change.merchant_payment_id.empty() &&
                    change.store_id.empty() && change.terminal_id.empty() &&
                    change.order_receipt_number.empty() && change.order_amount == 0 &&
                    change.captured_total == 0 && change.refunded_before == 0 &&
                    change.payment_date == kNoDay && change.payment_accepted_at_us == 0;
        }
        if (change.kind != kRefunded) {
            empty = empty && change.refund_id == 0 && change.merchant_refund_id.empty();
        }
        if (change.kind == kReleaseCleared) empty = empty && change.user_id == 0;
        if (!empty) {
            Wrong(
                kM4, "columns of another kind of change", [&] { return OfChange(change); }, "empty",
                "not empty");
        }
    }

    void CheckPayment() {
        PaymentHistory history(rows_.object, report_);
        for (const Change& change : rows_.changes) {
            if (IsOfPayment(change.kind)) history.Follow(change);
        }
        const auto subject = [&] { return OfObject("payment"); };
        if (rows_.payment.has_value()) {
            CheckPaymentRow(*rows_.payment, history.state());
        } else {
            Wrong(kM4, "payment row is missing", subject, "a row of its journals", "none");
        }
        CheckRefunds();
    }

    template <class T>
    void ExpectOfPayment(std::string_view what, const T& expected, const T& found) {
        report_.Expect(
            kM5, what, [this] { return OfObject("payment"); }, expected, found);
    }

    void CheckPaymentRow(const PaymentRow& row, const PaymentState& state) {
        const bool paid = state.version > 0;
        if (paid) {
            ExpectOfPayment("status", StatusText(state.status), StatusText(row.status));
            ExpectOfPayment("cancelled at", state.canceled_at_us, row.canceled_at_us);
            ExpectAsJournal(row);
        } else {
            const bool known = row.status == kStatusCreated || row.status == kStatusCodeDeleted ||
                               row.status == kStatusFailed;
            if (!known) {
                Wrong(
                    kM5, "status", [&] { return OfObject("payment"); },
                    "CREATED, CODE_DELETED or FAILED, as it has no journal",
                    StatusText(row.status));
            }
            if ((row.status == kStatusFailed) != (row.canceled_at_us != 0)) {
                Wrong(
                    kM5, "cancelled at", [&] { return OfObject("payment"); },
                    row.status == kStatusFailed ? "a time" : "0",
                    std::to_string(row.canceled_at_us));
            }
        }
        if (row.amount <= 0) {
            Wrong(
                kM5, "ordered amount", [&] { return OfObject("payment"); }, "positive",
                std::to_string(row.amount));
        }
        ExpectOfPayment("user", state.user_id, row.user_id);
        ExpectOfPayment("accepted at", state.accepted_at_us, row.accepted_at_us);
        ExpectOfPayment("business date", DayText(state.business_date), DayText(row.business_date));
        ExpectOfPayment("captured", state.captured, row.captured);
        ExpectOfPayment("refunded", state.refunded, row.refunded);
        ExpectOfPayment("refund count", state.refund_count, row.refund_count);
        ExpectOfPayment("version", state.version, row.version);
        ExpectOfPayment("last event", state.last_event_id, row.last_event_id);
    }

    void ExpectAsJournal(const PaymentRow& row) {
        const auto first = std::find_if(rows_.changes.begin(), rows_.changes.end(),
                                        [](const Change& c) { return IsOfPayment(c.kind); });
        ExpectOfPayment("merchant", first->merchant_id, row.merchant_id);
        ExpectOfPayment("currency", first->currency, row.currency);
        ExpectOfPayment("ordered amount", first->order_amount, row.amount);
        ExpectOfPayment("merchantPaymentId", first->merchant_payment_id, row.merchant_payment_id);
        ExpectOfPayment("store", first->store_id, row.store_id);
        ExpectOfPayment("terminal", first->terminal_id, row.terminal_id);
        ExpectOfPayment("receipt number", first->order_receipt_number, row.order_receipt_number);
    }

    void CheckRefunds() {
        std::vector<const RefundRow*> unclaimed;
        for (const RefundRow& refund : rows_.refunds) {
            unclaimed.push_back(&refund);
            report_.Expect(
                kM4, "refund key", [&] { return OfRefund(refund); },
                RefundKeyOf(refund.merchant_id, refund.payment_id, refund.merchant_refund_id),
                refund.refund_key);
        }
        for (const Change& change : rows_.changes) {
            if (change.kind != kRefunded) continue;
            const auto row = std::find_if(
                unclaimed.begin(), unclaimed.end(),
                [&](const RefundRow* refund) { return refund->refund_id == change.refund_id; });
            if (row == unclaimed.end()) {
                Wrong(
                    kM4, "refund row is missing", [&] { return OfChange(change); },
                    "refund " + std::to_string(change.refund_id), "none");
                continue;
            }
            CheckRefund(**row, change);
            unclaimed.erase(row);
        }
        for (const RefundRow* refund : unclaimed) {
            Wrong(
                kM4, "refund without journal", [&] { return OfRefund(*refund); },
                "a REFUNDED change that names it", "none");
        }
    }

    void CheckRefund(const RefundRow& refund, const Change& change) {
        const auto subject = [&] { return OfRefund(refund); };
        report_.Expect(kM4, "refund's amount", subject, change.amount, refund.amount);
        report_.Expect(kM4, "refund's currency", subject, change.currency, refund.currency);
        report_.Expect(kM4, "refund's merchant", subject, change.merchant_id, refund.merchant_id);
        report_.Expect(kM4, "merchantRefundId", subject, change.merchant_refund_id,
                       refund.merchant_refund_id);
        report_.Expect(kM4, "refund accepted at", subject, change.occurred_at_us,
                       refund.accepted_at_us);
    }

    void CheckTopUp() {
        const auto subject = [&] { return OfObject("top-up"); };
        std::vector<const Change*> changes;
        for (const Change& change : rows_.changes) {
            if (change.kind == kToppedUp) changes.push_back(&change);
        }
        report_.Expect(kM4, "top-up's journals", subject, std::size_t{1}, changes.size());
        report_.Expect(kM4, "top-up's rows", subject, std::size_t{1}, rows_.top_ups.size());
        if (changes.empty() || rows_.top_ups.empty()) return;
        const Change& change = *changes.front();
        const TopUpRow& row = rows_.top_ups.front();
        report_.Expect(kM4, "top-up's version", subject, std::uint32_t{1}, change.key.version);
        report_.Expect(kM4, "top-up's user", subject, change.user_id, row.user_id);
        report_.Expect(kM4, "top-up's amount", subject, change.amount, row.amount);
        report_.Expect(kM4, "top-up's currency", subject, change.currency, row.currency);
        report_.Expect(kM4, "top-up's source", subject, change.source, row.source);
        report_.Expect(kM4, "top-up accepted at", subject, change.occurred_at_us,
                       row.accepted_at_us);
        if (change.amount <= 0) {
            Wrong(kM4, "top-up's amount", subject, "positive", std::to_string(change.amount));
        }
    }

    void CheckRelease() {
        const auto has = [](const auto& list, ChangeKey key) {
            return std::any_of(list.begin(), list.end(),
                               [&](const auto& row) { return row.key == key; });
        };
        for (const Change& change : rows_.changes) {
            if (change.kind == kReleaseCleared && !has(rows_.clearings, change.key)) {
                Wrong(
                    kM4, "release's effect key is missing", [&] { return OfChange(change); },
                    "a row of release_clearing", "none");
            }
        }
        for (const ClearingRow& row : rows_.clearings) {
            if (!has(rows_.changes, row.key)) {
                Wrong(
                    kM4, "cleared release without journal",
                    [&] {
                        return Subject{{"day", DayText(static_cast<DayNumber>(row.key.object))},
                                       {"version", std::int64_t{row.key.version}}};
                    },
                    "a journal", "none");
            }
        }
    }

    const ObjectRows& rows_;
    Report& report_;
};

}  // namespace

void CheckObject(const ObjectRows& rows, Report& report) {
    ObjectCheck(rows, report).Run();
}

void CheckTopUpKey(const TopUpRow& row, Report& report) {
    report.Expect(
        kM4, "top-up key",
        [&] {
            return Subject{{"top-up", row.top_up_id}};
        },
        TopUpKeyOf(row.user_id, row.idempotency_key), row.top_up_key);
}

}  // namespace kessai::audit
