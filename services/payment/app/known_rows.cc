#include "app/known_rows.h"

namespace kessai::payment::app {

void KnownRows::Take(std::span<const domain::PaymentId> payments,
                     std::span<const domain::UserId> users, Taken& taken) {
    const std::lock_guard lock(mutex_);
    for (const domain::PaymentId id : payments) {
        if (auto code = codes_.Take(id)) taken.codes.try_emplace(id, *std::move(code));
    }
    for (const domain::UserId user : users) {
        if (auto wallet = wallets_.Take(user)) taken.wallets.try_emplace(user, *std::move(wallet));
    }
}

void KnownRows::Forget(std::span<const domain::PaymentId> payments,
                       std::span<const domain::UserId> users) {
    const std::lock_guard lock(mutex_);
    for (const domain::PaymentId id : payments) (void)codes_.Take(id);
    for (const domain::UserId user : users) (void)wallets_.Take(user);
}

void KnownRows::Keep(domain::WorkingSet&& rows) {
    const std::lock_guard lock(mutex_);
    rows.payments.Drain([this](domain::PaymentId id, domain::Payment&& payment) {
        if (payment.status == domain::PaymentStatus::kCreated) codes_.Put(id, std::move(payment));
    });
    rows.wallets.Drain([this](domain::UserId user, domain::Wallet&& wallet) {
        wallets_.Put(user, std::move(wallet));
    });
}

}  // namespace kessai::payment::app
