#pragma once

#include <cstdint>
#include <span>
#include <tuple>

#include "model/payment_rows.h"
#include "report.h"

namespace kessai::audit {

/// A payment as its order sees it. Ordered by order key, then payment.
struct PaymentOfOrder {
    Hash16 order_key{};
    std::int64_t payment_id = 0;
    std::int64_t canceled_at_us = 0;
    std::int32_t status = 0;
    /// Number of its changes of money: above zero, it was paid.
    std::uint32_t version = 0;

    bool operator<(const PaymentOfOrder& other) const {
        return std::tie(order_key, payment_id) < std::tie(other.order_key, other.payment_id);
    }
};

/// M4 of one (merchant, merchantPaymentId): its row (null if there is none) and all payments that
/// have it.
/// - The row's key is the hash of what it stands for, and a payment's order has a row.
/// - At most one of the payments was paid, and the row names it. A payment that the row does not
///   name is a code that nobody paid and that was deleted or has expired: it is CREATED or
///   CODE_DELETED.
/// - The row is cancelled when the payment that it names is, at the same time; a row that names
///   none (it bars an id that was cancelled before it was created) is cancelled.
void CheckOrder(const OrderRow* order, std::span<const PaymentOfOrder> payments, Report& report);

}  // namespace kessai::audit
