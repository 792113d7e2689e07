#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "domain/payment.h"

namespace kessai::payment::domain {

/// Accounts of the customer ledger. Numbers are stored: they never change. Liabilities (what we
/// owe) are positive. Users' accounts have stored balances; the others are sums of their postings,
/// so that no row is hot.
enum class AccountKind : std::uint8_t {
    /// Owner: the user. Stored, never below zero.
    kUserMoney = 1,
    /// Owner: the merchant. What its payments brought in, gross.
    kMerchantPayable = 2,
    /// Owner 0. What payout took over by its releases: the other side of kPayoutClearing.
    kPayableReleased = 3,
    /// Owner 0. What payout owes the merchants in our stead.
    kPayoutClearing = 4,
    /// Owner 0. Where top-ups of the development funding source come from.
    kDevelopmentFunding = 5,
};
inline constexpr int kAccounts = 5;

/// "USER_MONEY" and so on, as reports for accounting name it.
std::string_view AccountName(AccountKind account);

struct Posting {
    AccountKind account{};
    std::int64_t owner = 0;
    /// Signed minor units.
    std::int64_t amount = 0;
    /// Of stored accounts, after this posting; 0 for the others.
    std::int64_t balance_after = 0;

    bool operator==(const Posting&) const = default;
};

enum class ChangeKind : std::uint8_t {
    kCompleted = 1,
    kCanceled = 2,
    kRefunded = 3,
    kToppedUp = 4,
    kReleaseCleared = 5,
};

/// One immutable change of a payment, a wallet or the ledger, and the header of a journal.
/// Everything that its event tells is here, so the event can be made again from it byte for byte at
/// any time.
struct Change {
    /// The payment, the top-up, or for a release's clearing the date as yyyymmdd.
    std::int64_t object = 0;
    std::uint32_t version = 0;
    EventId event;
    ChangeKind kind{};
    BusinessDate business_date;
    Instant occurred_at;

    MerchantId merchant;
    UserId user;
    /// What this change moved; not negative, except a release's gross on a day of more refunds than
    /// payments.
    Money amount;

    // Of payments:
    std::string merchant_payment_id;
    std::string store_id;
    std::string terminal_id;
    std::string order_receipt_number;
    std::int64_t order_amount = 0;
    std::int64_t captured_total = 0;
    std::int64_t refunded_before = 0;
    BusinessDate payment_date;
    Instant payment_accepted_at;
    RefundId refund;
    std::string merchant_refund_id;

    /// Of top-ups: the funding source.
    std::string source;

    bool operator==(const Change&) const = default;
};

/// A change with its postings, which sum to zero.
struct Journal {
    Change change;
    std::vector<Posting> postings;
};

/// What the merchant gained by the change, signed: what payout accrues and reconciliation compares.
std::int64_t MerchantGross(const Change& change);

/// The postings that a change makes: they sum to zero, and a user's money comes first. Balances
/// after it are not the change's to know: they are 0. A sum of changes of one kind has the postings
/// of its amount. Preconditions: the kind is one of ChangeKind's (IsChangeKind tells of a stored
/// one); the amount is not INT64_MIN.
std::array<Posting, 2> PostingsOf(const Change& change);

/// Whether a stored number is that of a kind.
bool IsChangeKind(std::int64_t number);

}  // namespace kessai::payment::domain
