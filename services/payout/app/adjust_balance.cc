#include "app/adjust_balance.h"

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "app/request_key.h"
#include "domain/reason.h"
#include "domain/transfer_reason.h"
#include "kessai/faults/fault_point.h"

namespace kessai::payout::app {

namespace {

/// The adjustment of the wish's key; nothing if there is none. ALREADY_EXISTS KEY_REUSED with
/// another request.
Result<std::optional<domain::Adjustment>> FindWished(LedgerTransaction& transaction,
                                                     const domain::Adjustment& wish) {
    KESSAI_ASSIGN_OR_RETURN(
        auto found, transaction.merchants().FindAdjustment(wish.merchant, wish.request_key));
    if (found && !found->SameAs(wish)) {
        return Status(Code::kAlreadyExists, domain::reason::kKeyReused,
                      "the key stands for adjustment " + found->id.ToString());
    }
    return found;
}

/// Stores it as requested. Precondition: there is none of its key.
Result<domain::Adjustment> Insert(LedgerTransaction& transaction, const domain::Adjustment& wish) {
    domain::Adjustment stored = wish;
    stored.id = domain::AdjustmentId(transaction.NextObject());
    stored.state = domain::AdjustmentState::kRequested;
    stored.decided_by = std::nullopt;
    KESSAI_RETURN_IF_ERROR(transaction.merchants().Insert(stored));
    return stored;
}

Status Check(const domain::Adjustment& wish) {
    KESSAI_RETURN_IF_ERROR(domain::CheckAdjustment(wish));
    return CheckRequestKey(wish.request_key);
}

/// Those that are there already are theirs; their merchants are locked.
Result<domain::Adjustment> PostOne(LedgerTransaction& transaction, const domain::Adjustment& wish,
                                   std::string_view approved_by) {
    KESSAI_ASSIGN_OR_RETURN(const auto found, FindWished(transaction, wish));
    if (!found && !transaction.AccountOf(wish.merchant).known) {
        return Status(Code::kNotFound, domain::reason::kMerchantUnknown,
                      "nothing was released to merchant " + wish.merchant.ToString());
    }
    domain::Adjustment stored;
    if (found) {
        stored = *found;
    } else {
        KESSAI_ASSIGN_OR_RETURN(stored, Insert(transaction, wish));
    }
    KESSAI_ASSIGN_OR_RETURN(const auto journal,
                            domain::Decide(stored, /*approve=*/true, approved_by));
    if (!journal) return stored;
    KESSAI_RETURN_IF_ERROR(transaction.merchants().SetDecided(stored));
    KESSAI_RETURN_IF_ERROR(transaction.Post(*journal));
    return stored;
}

}  // namespace

Result<domain::Adjustment> AdjustBalance::Request(const domain::Adjustment& wish) {
    KESSAI_RETURN_IF_ERROR(Check(wish));
    domain::Adjustment stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, FindWished(transaction, wish));
        if (found) {
            stored = *found;
            return OkStatus();
        }
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{wish.merchant}));
        if (!transaction.AccountOf(wish.merchant).known) {
            return Status(Code::kNotFound, domain::reason::kMerchantUnknown,
                          "nothing was released to merchant " + wish.merchant.ToString());
        }
        KESSAI_ASSIGN_OR_RETURN(stored, Insert(transaction, wish));
        return OkStatus();
    }));
    return stored;
}

Result<domain::Adjustment> AdjustBalance::Decide(domain::AdjustmentId id, bool approve,
                                                 std::string_view decided_by) {
    domain::Adjustment stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, transaction.merchants().FindAdjustment(id));
        if (!found) {
            return Status(Code::kNotFound, domain::reason::kAdjustmentUnknown,
                          "there is no adjustment " + id.ToString());
        }
        stored = *found;
        const domain::AdjustmentState before = stored.state;
        KESSAI_ASSIGN_OR_RETURN(const auto journal, domain::Decide(stored, approve, decided_by));
        if (stored.state == before) return OkStatus();
        KESSAI_RETURN_IF_ERROR(transaction.merchants().SetDecided(stored));
        if (!journal) return OkStatus();
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{stored.merchant}));
        return transaction.Post(*journal);
    }));
    return stored;
}

Result<std::vector<domain::Adjustment>> AdjustBalance::Post(
    std::span<const domain::Adjustment> wishes, std::string_view approved_by) {
    std::set<domain::MerchantId> merchants;
    for (const domain::Adjustment& wish : wishes) {
        KESSAI_RETURN_IF_ERROR(Check(wish));
        merchants.insert(wish.merchant);
    }
    const std::vector<domain::MerchantId> to_lock(merchants.begin(), merchants.end());
    std::vector<domain::Adjustment> posted;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        posted.clear();
        KESSAI_RETURN_IF_ERROR(transaction.Lock(to_lock));
        for (const domain::Adjustment& wish : wishes) {
            KESSAI_ASSIGN_OR_RETURN(auto one, PostOne(transaction, wish, approved_by));
            posted.push_back(std::move(one));
            if (posted.size() < wishes.size()) {
                KESSAI_FAULT_POINT("payout.correction.between_parts");
            }
        }
        return OkStatus();
    }));
    return posted;
}

Result<bool> AdjustBalance::Withdraw(std::span<const domain::Adjustment> wishes,
                                     std::string_view by) {
    for (const domain::Adjustment& wish : wishes) KESSAI_RETURN_IF_ERROR(Check(wish));
    bool withdrawn = false;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        withdrawn = false;
        std::vector<std::optional<domain::Adjustment>> known;
        for (const domain::Adjustment& wish : wishes) {
            KESSAI_ASSIGN_OR_RETURN(auto found, FindWished(transaction, wish));
            if (found && found->state == domain::AdjustmentState::kApproved) return OkStatus();
            known.push_back(std::move(found));
        }
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            if (known[i] && known[i]->state == domain::AdjustmentState::kDeclined) continue;
            domain::Adjustment one;
            if (known[i]) {
                one = *known[i];
            } else {
                KESSAI_ASSIGN_OR_RETURN(one, Insert(transaction, wishes[i]));
            }
            KESSAI_RETURN_IF_ERROR(domain::Decide(one, /*approve=*/false, by).status());
            KESSAI_RETURN_IF_ERROR(transaction.merchants().SetDecided(one));
        }
        withdrawn = true;
        return OkStatus();
    }));
    return withdrawn;
}

}  // namespace kessai::payout::app
