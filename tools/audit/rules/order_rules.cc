#include "rules/order_rules.h"

#include <algorithm>
#include <string>

#include "rules/natural_keys.h"

namespace kessai::audit {
namespace {

using enum Invariant;

Subject OfOrder(const OrderRow& order) {
    return {{"merchant", order.merchant_id}, {"merchantPaymentId", order.merchant_payment_id}};
}

Subject OfPayment(const PaymentOfOrder& payment) {
    return {{"payment", payment.payment_id}};
}

void CheckNamed(const OrderRow& order, const PaymentOfOrder& payment, Report& report) {
    const bool canceled = payment.status == kStatusFailed;
    report.Expect(
        kM4, "order cancelled at", [&] { return OfOrder(order); },
        canceled ? payment.canceled_at_us : 0, order.canceled_at_us);
}

void CheckUnnamed(const PaymentOfOrder& payment, Report& report) {
    const bool dead = payment.version == 0 &&
                      (payment.status == kStatusCreated || payment.status == kStatusCodeDeleted);
    if (dead) return;
    report.Found(kM4, "payment that its order does not name", [&] {
        return Finding{OfPayment(payment), "a code that nobody paid",
                       "status " + std::to_string(payment.status) + " with " +
                           std::to_string(payment.version) + " changes"};
    });
}

void CheckPaidOnce(std::span<const PaymentOfOrder> payments, Report& report) {
    const auto paid = [](const PaymentOfOrder& payment) { return payment.version > 0; };
    if (std::count_if(payments.begin(), payments.end(), paid) <= 1) return;
    report.Found(kM4, "paid twice", [&] {
        std::string ids;
        for (const PaymentOfOrder& payment : payments) {
            if (paid(payment))
                ids += (ids.empty() ? "" : ", ") + std::to_string(payment.payment_id);
        }
        return Finding{{{"order key", ToText(payments.front().order_key)}},
                       "one paid payment",
                       "payments " + ids};
    });
}

}  // namespace

void CheckOrder(const OrderRow* order, std::span<const PaymentOfOrder> payments, Report& report) {
    CheckPaidOnce(payments, report);
    if (order == nullptr) {
        for (const PaymentOfOrder& payment : payments) {
            report.Found(kM4, "order row is missing", [&] {
                return Finding{OfPayment(payment), "a row of key " + ToText(payment.order_key),
                               "none"};
            });
        }
        return;
    }
    report.Expect(
        kM4, "order key", [&] { return OfOrder(*order); },
        OrderKeyOf(order->merchant_id, order->merchant_payment_id), order->order_key);
    bool named = order->payment_id == 0;
    for (const PaymentOfOrder& payment : payments) {
        if (payment.payment_id == order->payment_id) {
            named = true;
            CheckNamed(*order, payment, report);
        } else {
            CheckUnnamed(payment, report);
        }
    }
    if (!named) {
        report.Found(kM4, "order names no payment of its own", [&] {
            return Finding{OfOrder(*order), "a payment with this merchantPaymentId",
                           "payment " + std::to_string(order->payment_id)};
        });
    }
    if (order->payment_id == 0 && order->canceled_at_us == 0) {
        report.Found(kM4, "order without payment", [&] {
            return Finding{OfOrder(*order), "cancelled before it was created", "not cancelled"};
        });
    }
}

}  // namespace kessai::audit
