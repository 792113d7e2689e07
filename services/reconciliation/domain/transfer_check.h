#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/claim.h"
#include "domain/discrepancy.h"
#include "domain/ids.h"
#include "kessai/time/business_date.h"

namespace kessai::reconciliation::domain {

/// What becomes of a transfer, as payout's events tell it. The numbers are stored; those of
/// journals are payout's (JournalEntry.Kind), which kSent is none of.
enum class TransferStep : std::uint8_t {
    kCreated = 1,
    kSettled = 2,
    kFailed = 3,
    kReturned = 4,
    kCancelled = 8,
    kSent = 100,
};

std::string_view TransferStepName(TransferStep step);

/// The objects of transfers' events are in a space of their own (kessai.payout.v1.TransferCreated).
constexpr bool IsTransfer(std::int64_t object) {
    return object > std::int64_t{1} << 40 && object < std::int64_t{1} << 41;
}
inline TransferId TransferOf(std::int64_t object) {
    return TransferId(object - (std::int64_t{1} << 40));
}
inline std::int64_t ObjectOf(TransferId transfer) {
    return transfer.value() + (std::int64_t{1} << 40);
}

/// One event of a transfer.
struct TransferNotice {
    TransferId transfer{};
    /// 1 created, 2 sent or cancelled, 3 settled or failed, 4 returned.
    std::uint32_t version = 0;
    TransferStep step = TransferStep::kCreated;
    ContentHash content{};
    BusinessDate business_date{};
    MerchantId merchant{};
    std::int64_t payout = 0;
    std::uint32_t attempt = 0;
    std::int64_t amount = 0;
    /// The price, of one that is created or cancelled.
    std::int64_t fee = 0;
    std::int64_t tax = 0;
    /// Of one that is sent: what the bank is told.
    std::optional<BusinessDate> transfer_date{};

    bool operator==(const TransferNotice&) const = default;
};

/// A transfer as its events made it.
struct NotedTransfer {
    /// What told of it first: its merchant, payout and amount are held against the later ones'.
    TransferNotice first{};
    TransferStep latest = TransferStep::kCreated;
    /// Of one that is in a file and has no result.
    std::optional<BusinessDate> awaited_since{};

    TransferId id() const { return first.transfer; }
};

/// What an event of a transfer leads to.
struct NotedStep {
    NotedTransfer transfer{};
    std::vector<Finding> findings{};
    /// Its result came: it is overdue no longer.
    bool result_came = false;
};

/// Takes an event. Pure.
///
///     TRANSFER_UNKNOWN  nobody told that it was made (`known` is none, and it is no creation), and
///                       it is none of before this service listened (`listening_since`, a transfer
///                       whose creation was heard; numbers rise)
///     TRANSFER_DIFFERS  it is of another merchant, payout, attempt or amount than was told first,
///                       or cancelled for another price than it was made for
///     RESULT_DIFFERS    settled or failed though it is in no file, returned though nothing was
///                       settled, anything of one that was cancelled
NotedStep TakeNotice(const TransferNotice& notice, const NotedTransfer* known,
                     TransferId listening_since);

/// RESULT_OVERDUE of a transfer of `transfer_date` whose result should have come by `due`.
Finding OverdueFinding(const NotedTransfer& transfer, BusinessDate due);

/// A second, different event of a transfer's version: it was not applied.
Finding ConflictFinding(const TransferNotice& notice, std::string_view why);

/// A step of a transfer as payout's journal has it, or as its event told.
struct TransferEntry {
    TransferStep step = TransferStep::kCreated;
    TransferId transfer{};
    MerchantId merchant{};
    std::int64_t amount = 0;
    std::int64_t fee = 0;
    std::int64_t tax = 0;

    auto operator<=>(const TransferEntry&) const = default;
};

/// TRANSFER_DIFFERS for each transfer of which journal and events of `day` do not say the same.
/// Both rise by transfer and step.
std::vector<Finding> CompareEntries(BusinessDate day, const std::vector<TransferEntry>& journal,
                                    const std::vector<TransferEntry>& told);

/// TRANSFER_DIFFERS unless the parts of a transfer that was made on `day` sum to its amount.
std::vector<Finding> CheckParts(BusinessDate day, MerchantId merchant, TransferId transfer,
                                std::int64_t amount, std::int64_t parts);

}  // namespace kessai::reconciliation::domain
