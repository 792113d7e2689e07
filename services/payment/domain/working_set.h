#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain/commands.h"
#include "domain/ledger.h"
#include "domain/payment.h"

namespace kessai::payment::domain {

struct RefundKey {
    MerchantId merchant;
    std::string merchant_refund_id;
    PaymentId payment;

    bool operator==(const RefundKey&) const = default;
    auto operator<=>(const RefundKey&) const = default;
};

struct TopUpKey {
    UserId user;
    std::string idempotency_key;

    bool operator==(const TopUpKey&) const = default;
    auto operator<=>(const TopUpKey&) const = default;
};

struct ReleaseKey {
    BusinessDate date;
    std::uint32_t round = 0;

    bool operator==(const ReleaseKey&) const = default;
    auto operator<=>(const ReleaseKey&) const = default;
};

/// Hashes of the keys above.
struct KeyHash {
    std::size_t operator()(const OrderKey& key) const;
    std::size_t operator()(const RefundKey& key) const;
    std::size_t operator()(const TopUpKey& key) const;
    std::size_t operator()(const ReleaseKey& key) const;
};

/// Rows of one kind, by key: what the store loaded and what commands made or changed since. Rows
/// that were looked up and do not exist are simply absent.
template <class Key, class Row, class Hash = std::hash<Key>>
class RowSet {
 public:
    struct Tracked {
        Row row;
        /// Made by a command of this batch.
        bool is_new = false;
        /// Changed (or made) by a command of this batch.
        bool dirty = false;
        /// Not read in this transaction but recalled from an earlier one: its last event then. To
        /// be stored only where the database has it like that.
        std::optional<EventId> recalled;
    };

    const Row* Find(const Key& key) const {
        const auto found = rows_.find(key);
        return found == rows_.end() ? nullptr : &found->second.row;
    }
    /// For a change: marks the row as dirty. Precondition: it exists.
    Row& Change(const Key& key) {
        Tracked& tracked = rows_.at(key);
        tracked.dirty = true;
        return tracked.row;
    }
    /// As read from the database.
    void Load(const Key& key, Row row) {
        rows_.try_emplace(key, Tracked{std::move(row), false, false, std::nullopt});
    }
    /// As an earlier batch left it, at event `last`; what the database has by now is not known.
    void Recall(const Key& key, Row row, EventId last) {
        rows_.try_emplace(key, Tracked{std::move(row), false, false, last});
    }
    /// Made by a command. Precondition: it does not exist.
    Row& Insert(const Key& key, Row row) {
        return rows_.try_emplace(key, Tracked{std::move(row), true, true, std::nullopt})
            .first->second.row;
    }
    bool Recalled(const Key& key) const {
        const auto found = rows_.find(key);
        return found != rows_.end() && found->second.recalled.has_value();
    }
    const std::unordered_map<Key, Tracked, Hash>& all() const { return rows_; }
    /// Gives every row away: `take(key, Row&&)`.
    template <class Taker>
    void Drain(Taker take) {
        for (auto& [key, tracked] : rows_) take(key, std::move(tracked.row));
        rows_.clear();
    }

 private:
    std::unordered_map<Key, Tracked, Hash> rows_;
};

/// All that a batch of commands reads and writes, in memory. One thread at a time.
struct WorkingSet {
    RowSet<OrderKey, Order, KeyHash> orders;
    RowSet<RefundKey, Refund, KeyHash> refunds;
    RowSet<TopUpKey, TopUp, KeyHash> top_ups;
    /// Releases cleared before: only whether they exist counts.
    RowSet<ReleaseKey, ReleaseKey, KeyHash> releases;
    RowSet<PaymentId, Payment> payments;
    RowSet<UserId, Wallet> wallets;
    RowSet<MerchantId, Merchant> merchants;
    /// In the order of their making.
    std::vector<Journal> journals;
};

}  // namespace kessai::payment::domain
