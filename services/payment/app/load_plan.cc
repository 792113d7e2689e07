#include "app/load_plan.h"

#include <algorithm>

namespace kessai::payment::app {
namespace {

using namespace domain;  // NOLINT

template <class Key>
void SortUnique(std::vector<Key>& keys) {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

void AddPaymentOf(const OrderKey& key, const WorkingSet& rows, std::vector<PaymentId>& ids) {
    const Order* order = rows.orders.Find(key);
    if (order != nullptr && !order->payment.is_none()) ids.push_back(order->payment);
}

void AddPayerOf(PaymentId id, const WorkingSet& rows, std::vector<UserId>& users) {
    const Payment* payment = rows.payments.Find(id);
    if (payment != nullptr && !payment->user.is_none()) users.push_back(payment->user);
}

}  // namespace

OrderKeys KeysNeeded(std::span<const Command* const> commands) {
    OrderKeys keys;
    for (const Command* command : commands) {
        std::visit(
            Overloaded{
                [&](const CreateCode& one) {
                    keys.orders.push_back({one.merchant, one.merchant_payment_id});
                },
                [&](const CancelPayment& one) { keys.orders.push_back(one.order); },
                [&](const RefundPayment& one) {
                    keys.refunds.push_back({one.merchant, one.merchant_refund_id, one.payment});
                },
                [&](const TopUpWallet& one) {
                    keys.top_ups.push_back({one.user, one.idempotency_key});
                },
                [&](const ClearRelease& one) {
                    keys.releases.push_back({one.released_date, one.round});
                },
                [](const auto&) {},
            },
            *command);
    }
    SortUnique(keys.orders);
    SortUnique(keys.refunds);
    SortUnique(keys.top_ups);
    SortUnique(keys.releases);
    return keys;
}

std::vector<PaymentId> PaymentsNeeded(std::span<const Command* const> commands,
                                      const WorkingSet& rows) {
    std::vector<PaymentId> ids;
    for (const Command* command : commands) {
        std::visit(Overloaded{
                       [&](const CreateCode& one) {
                           AddPaymentOf({one.merchant, one.merchant_payment_id}, rows, ids);
                       },
                       [&](const CancelPayment& one) { AddPaymentOf(one.order, rows, ids); },
                       [&](const DeleteCode& one) { ids.push_back(one.code.payment); },
                       [&](const PayCode& one) { ids.push_back(one.code.payment); },
                       [&](const RefundPayment& one) { ids.push_back(one.payment); },
                       [](const auto&) {},
                   },
                   *command);
    }
    SortUnique(ids);
    return ids;
}

std::vector<UserId> WalletsNeeded(std::span<const Command* const> commands,
                                  const WorkingSet& rows) {
    std::vector<UserId> users;
    for (const Command* command : commands) {
        std::visit(Overloaded{
                       [&](const CancelPayment& one) {
                           if (const Order* order = rows.orders.Find(one.order)) {
                               AddPayerOf(order->payment, rows, users);
                           }
                       },
                       [&](const PayCode& one) {
                           users.push_back(one.user);
                           // A cancel or refund in the same batch may need the payer.
                           AddPayerOf(one.code.payment, rows, users);
                       },
                       [&](const RefundPayment& one) { AddPayerOf(one.payment, rows, users); },
                       [&](const TopUpWallet& one) { users.push_back(one.user); },
                       [&](const OpenWallet& one) { users.push_back(one.user); },
                       [](const auto&) {},
                   },
                   *command);
    }
    SortUnique(users);
    return users;
}

std::vector<MerchantId> MerchantsNeeded(std::span<const Command* const> commands,
                                        const WorkingSet& rows) {
    std::vector<MerchantId> ids;
    for (const Command* command : commands) {
        std::visit(Overloaded{
                       [&](const CreateCode& one) { ids.push_back(one.merchant); },
                       [&](const RefundPayment& one) { ids.push_back(one.merchant); },
                       [&](const auto&) {},
                   },
                   *command);
    }
    for (const auto& [id, tracked] : rows.payments.all()) ids.push_back(tracked.row.merchant);
    SortUnique(ids);
    return ids;
}

}  // namespace kessai::payment::app
