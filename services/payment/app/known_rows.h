#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "domain/ids.h"
#include "domain/payment.h"
#include "domain/working_set.h"

namespace kessai::payment::app {

/// Codes that wait for their payer and wallets, as this process stored or read them last. A batch
/// that finds its rows here does not read them. What is known is a guess, since other replicas
/// write too: a row that was recalled is stored only where the database still has it like that, and
/// a command that is to be refused is looked at again with rows that were read.
///
/// A row is with one batch at a time: whoever else of this process wants it meanwhile has to read
/// it, and so waits for the first one's commit instead of guessing wrong. Bounded, the oldest go
/// first. Thread safe.
class KnownRows {
 public:
    struct Bounds {
        int codes_max = 0;
        int wallets_max = 0;
    };
    /// What one batch took.
    struct Taken {
        std::unordered_map<domain::PaymentId, domain::Payment> codes;
        std::unordered_map<domain::UserId, domain::Wallet> wallets;
    };

    explicit KnownRows(Bounds bounds) : codes_(bounds.codes_max), wallets_(bounds.wallets_max) {}

    /// Moves what is known of the rows into `taken`.
    void Take(std::span<const domain::PaymentId> payments, std::span<const domain::UserId> users,
              Taken& taken);
    void Forget(std::span<const domain::PaymentId> payments, std::span<const domain::UserId> users);
    /// The rows of a batch that has committed.
    void Keep(domain::WorkingSet&& rows);

 private:
    /// A map whose oldest entries go when it is full.
    template <class Key, class Row>
    class Bounded {
     public:
        explicit Bounded(int entries_max) : entries_max_(static_cast<std::size_t>(entries_max)) {}
        std::optional<Row> Take(const Key& key) {
            const auto found = entries_.find(key);
            if (found == entries_.end()) return std::nullopt;
            std::optional<Row> row(std::move(found->second.row));
            entries_.erase(found);
            return row;
        }
        void Put(const Key& key, Row&& row) {
            if (entries_max_ == 0) return;
            ++puts_;
            entries_.insert_or_assign(key, Entry{std::move(row), puts_});
            order_.emplace_back(key, puts_);
            while (entries_.size() > entries_max_ || order_.size() > 2 * entries_max_) {
                const auto [oldest, put] = order_.front();
                order_.pop_front();
                // Unless it was put again since, or taken.
                const auto found = entries_.find(oldest);
                if (found != entries_.end() && found->second.put == put) entries_.erase(found);
            }
        }

     private:
        struct Entry {
            Row row;
            std::uint64_t put = 0;
        };
        const std::size_t entries_max_;
        std::uint64_t puts_ = 0;
        std::unordered_map<Key, Entry> entries_;
        std::deque<std::pair<Key, std::uint64_t>> order_;
    };

    std::mutex mutex_;
    Bounded<domain::PaymentId, domain::Payment> codes_;
    Bounded<domain::UserId, domain::Wallet> wallets_;
};

}  // namespace kessai::payment::app
