#include "app/adjust_balance.h"

#include <array>

#include "app/request_key.h"
#include "domain/reason.h"
#include "domain/transfer_reason.h"

namespace kessai::payout::app {

Result<domain::Adjustment> AdjustBalance::Request(const domain::Adjustment& wish) {
    KESSAI_RETURN_IF_ERROR(domain::CheckAdjustment(wish));
    KESSAI_RETURN_IF_ERROR(CheckRequestKey(wish.request_key));
    domain::Adjustment stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, transaction.merchants().FindAdjustment(
                                                      wish.merchant, wish.request_key));
        if (found) {
            stored = *found;
            if (stored.SameAs(wish)) return OkStatus();
            return Status(Code::kAlreadyExists, domain::reason::kKeyReused,
                          "the key stands for adjustment " + stored.id.ToString());
        }
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{wish.merchant}));
        if (!transaction.AccountOf(wish.merchant).known) {
            return Status(Code::kNotFound, domain::reason::kMerchantUnknown,
                          "nothing was released to merchant " + wish.merchant.ToString());
        }
        stored = wish;
        stored.id = domain::AdjustmentId(transaction.NextObject());
        stored.state = domain::AdjustmentState::kRequested;
        stored.decided_by = std::nullopt;
        return transaction.merchants().Insert(stored);
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

}  // namespace kessai::payout::app
