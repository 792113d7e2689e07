#include <vector>

#include "checks/payment_passes.h"

namespace kessai::audit {

Status PassOverOrders(mysql::Session& session, Sorted<PaymentOfOrder> payments, Report& report) {
    Paged<OrderTable> orders(session);
    OrderRow order;
    std::vector<PaymentOfOrder> of_order;
    while (orders.Peek() != nullptr || payments.Peek() != nullptr) {
        const bool has_order =
            orders.Peek() != nullptr &&
            (payments.Peek() == nullptr || orders.Peek()->order_key <= payments.Peek()->order_key);
        const Hash16 key = has_order ? orders.Peek()->order_key : payments.Peek()->order_key;
        if (has_order) {
            order = *orders.Peek();
            orders.Pop();
        }
        of_order.clear();
        while (payments.Peek() != nullptr && payments.Peek()->order_key == key) {
            of_order.push_back(*payments.Peek());
            payments.Pop();
        }
        CheckOrder(has_order ? &order : nullptr, of_order, report);
    }
    KESSAI_RETURN_IF_ERROR(orders.status());
    KESSAI_RETURN_IF_ERROR(payments.status());
    report.LookedAt(Invariant::kM4, "orders", orders.count());
    return OkStatus();
}

}  // namespace kessai::audit
