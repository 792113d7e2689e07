#include "app/manage_payout_terms.h"

#include <array>
#include <span>

#include "domain/transfer_reason.h"

namespace kessai::payout::app {

Result<domain::PayoutTerms> TermsInForce(LedgerTransaction& transaction,
                                         domain::MerchantId merchant) {
    const int version = transaction.AccountOf(merchant).terms;
    if (version > 0) {
        KESSAI_ASSIGN_OR_RETURN(const auto own,
                                transaction.merchants().FindTerms(merchant, version));
        if (own) return *own;
    }
    return transaction.merchants().CommonTerms();
}

Result<domain::PayoutTerms> ManagePayoutTerms::Put(const domain::PayoutTerms& terms,
                                                   std::string_view put_by) {
    KESSAI_RETURN_IF_ERROR(domain::CheckTerms(terms));
    domain::PayoutTerms stored;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        const bool common = terms.merchant.is_none();
        int latest = 0;
        if (common) {
            KESSAI_ASSIGN_OR_RETURN(stored, transaction.merchants().CommonTerms());
            latest = stored.version;
        } else {
            KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{terms.merchant}));
            latest = transaction.AccountOf(terms.merchant).terms;
            KESSAI_ASSIGN_OR_RETURN(const auto found,
                                    transaction.merchants().FindTerms(terms.merchant, latest));
            stored = found.value_or(domain::PayoutTerms{});
        }
        if (latest > 0 && stored.SameAs(terms)) return OkStatus();
        stored = terms;
        stored.version = latest + 1;
        if (!common) transaction.AccountOf(terms.merchant).terms = stored.version;
        return transaction.merchants().Insert(stored, put_by);
    }));
    return stored;
}

Result<PayoutHold> ManagePayoutTerms::Hold(domain::MerchantId merchant, std::string_view note,
                                           std::string_view put_by) {
    PayoutHold hold;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{merchant}));
        KESSAI_ASSIGN_OR_RETURN(const auto open, transaction.merchants().OpenHolds(merchant));
        for (const PayoutHold& other : open) {
            // The same again.
            if (other.cause == HoldCause::kOperator && other.put_by == put_by &&
                other.note == note) {
                hold = other;
                return OkStatus();
            }
        }
        hold = {.id = domain::PayoutHoldId(transaction.NextObject()),
                .merchant = merchant,
                .cause = HoldCause::kOperator,
                .payout = {},
                .note = std::string(note),
                .put_by = std::string(put_by),
                .lifted_by = std::nullopt};
        ++transaction.AccountOf(merchant).open_holds;
        return transaction.merchants().Insert(std::span<const PayoutHold>(&hold, 1));
    }));
    return hold;
}

Result<PayoutHold> ManagePayoutTerms::Lift(domain::PayoutHoldId id, std::string_view lifted_by) {
    PayoutHold hold;
    KESSAI_RETURN_IF_ERROR(store_.InTransaction([&](LedgerTransaction& transaction) -> Status {
        KESSAI_ASSIGN_OR_RETURN(const auto found, transaction.merchants().FindHold(id));
        if (!found) {
            return Status(Code::kNotFound, domain::reason::kHoldUnknown,
                          "there is no hold " + id.ToString());
        }
        hold = *found;
        if (hold.lifted_by) return OkStatus();
        KESSAI_RETURN_IF_ERROR(transaction.Lock(std::array{hold.merchant}));
        --transaction.AccountOf(hold.merchant).open_holds;
        hold.lifted_by = std::string(lifted_by);
        return transaction.merchants().SetLifted(id, lifted_by);
    }));
    return hold;
}

}  // namespace kessai::payout::app
