#include "rules/merchant_ledger.h"

#include <string>
#include <utility>

namespace kessai::audit {
namespace {

using enum Invariant;

std::string Describe(const MerchantJournalRow& journal) {
    return "merchant " + std::to_string(journal.merchant_id) + ", amount " +
           std::to_string(journal.amount) + ", fee " + std::to_string(journal.fee) + ", tax " +
           std::to_string(journal.tax) + " " + journal.currency.ToString();
}

Subject Of(std::int64_t object, int kind) {
    return {{"object", object}, {"kind", std::int64_t{kind}}};
}

MerchantJournalRow Implied(int kind, std::int64_t merchant, std::int64_t object,
                           std::int64_t amount) {
    MerchantJournalRow journal;
    journal.kind = kind;
    journal.merchant_id = merchant;
    journal.object_id = object;
    journal.currency = CurrencyCode("JPY");
    journal.amount = amount;
    return journal;
}

bool IsOfTwoOperators(const AccountOperators& account) {
    return account.account_is_there && !account.confirmed_by.empty() &&
           account.confirmed_by != account.put_by;
}

Finding OfOneOperator(Subject subject, const AccountOperators& account) {
    if (!account.account_is_there) return {std::move(subject), "a bank account", "none"};
    return {std::move(subject), "an account confirmed by another than " + account.put_by,
            account.confirmed_by.empty() ? "nobody" : account.confirmed_by};
}

/// What one attempt is, whatever the others are.
template <class MakeSubject>
void CheckTransfer(const TransferRow& transfer, const MakeSubject& subject, Report& report) {
    if (transfer.state == kCancelled) {
        if (transfer.batch_id != 0) {
            report.Found(kM4, "cancelled transfer in a file", [&] {
                return Finding{subject(), "no file", "file " + std::to_string(transfer.batch_id)};
            });
        }
    } else if (transfer.state != kInTransit && transfer.batch_id == 0) {
        report.Found(kM4, "result of a transfer in no file", [&] {
            return Finding{subject(), "a file", "state " + std::to_string(transfer.state)};
        });
    }
    if (!IsOfTwoOperators(transfer.account)) {
        report.Found(kM4, "transfer to an account of one operator",
                     [&] { return OfOneOperator(subject(), transfer.account); });
    }
}

}  // namespace

std::vector<MerchantJournalRow> ImpliedBy(const TransferRow& transfer) {
    const auto journal = [&](int kind) {
        return Implied(kind, transfer.merchant_id, transfer.transfer_id, transfer.amount);
    };
    std::vector<MerchantJournalRow> implied{journal(kTransferCreated)};
    // The price is charged once, with the first attempt.
    if (transfer.attempt == 1) {
        implied.back().fee = transfer.payout_fee;
        implied.back().tax = transfer.payout_tax;
    }
    if (transfer.state == kSettled || transfer.state == kReturned) {
        implied.push_back(journal(kTransferSettled));
    }
    if (transfer.state == kFailed) implied.push_back(journal(kTransferFailed));
    if (transfer.state == kReturned) implied.push_back(journal(kTransferReturned));
    if (transfer.state == kCancelled) {
        // It undoes what made it.
        implied.push_back(implied.front());
        implied.back().kind = kTransferCancelled;
    }
    return implied;
}

std::vector<MerchantJournalRow> ImpliedBy(const AdjustmentRow& adjustment) {
    if (adjustment.state != kApproved) return {};
    return {
        Implied(kAdjusted, adjustment.merchant_id, adjustment.adjustment_id, adjustment.amount)};
}

MerchantMoved MovedBy(const MerchantJournalRow& journal) {
    const Wide amount = journal.amount;
    MerchantMoved moved;
    moved.merchant_id = journal.merchant_id;
    switch (journal.kind) {
        case kTransferCreated:
            moved.available = -(amount + journal.fee + journal.tax);
            moved.in_transit = amount;
            break;
        case kTransferCancelled:
            moved.available = amount + journal.fee + journal.tax;
            moved.in_transit = -amount;
            break;
        case kTransferSettled:
            moved.in_transit = -amount;
            break;
        case kTransferFailed:
            moved.available = amount;
            moved.in_transit = -amount;
            break;
        case kTransferReturned:
        case kAdjusted:
            moved.available = amount;
            break;
        default:
            break;
    }
    return moved;
}

MerchantStep StepOf(const MerchantJournalRow& journal) {
    MerchantStep step;
    step.merchant_id = journal.merchant_id;
    step.journal_id = journal.journal_id;
    step.kind = journal.kind;
    step.released_is_noted = journal.released.has_value();
    step.released = journal.released.value_or(0);
    step.available = MovedBy(journal).available;
    return step;
}

void AvailableFollower::Follow(const MerchantStep& step) {
    if (step.merchant_id != merchant_id_) moved_ = 0;
    merchant_id_ = step.merchant_id;
    moved_ += step.available;
    if (step.kind != kTransferCreated || !step.released_is_noted) return;
    const Wide left = moved_ + step.released;
    if (left >= 0) return;
    report_.Found(kM3, "available after a transfer", [&] {
        return Finding{{{"merchant", step.merchant_id}, {"journal", step.journal_id}},
                       "not below zero",
                       ToText(left)};
    });
}

void AddResult(const MerchantJournalRow& journal, ResultsByOutcome& results) {
    const auto add = [&](ResultSums& sums) {
        ++sums.count;
        sums.amount += journal.amount;
    };
    if (journal.kind == kTransferSettled) add(results.settled);
    if (journal.kind == kTransferFailed) add(results.failed);
    if (journal.kind == kTransferReturned) add(results.returned);
}

void CheckResults(const ResultsByOutcome& files, const ResultsByOutcome& journals, Report& report) {
    const auto check = [&](const char* outcome, const ResultSums& said, const ResultSums& booked) {
        if (said == booked) return;
        const auto text = [](const ResultSums& sums) {
            return std::to_string(sums.count) + " over " + ToText(sums.amount);
        };
        report.Found(kM1, "journals beside the bank's results", [&] {
            return Finding{{{"outcome", std::string(outcome)}}, text(said), text(booked)};
        });
    };
    check("SETTLED", files.settled, journals.settled);
    check("FAILED", files.failed, journals.failed);
    check("RETURNED", files.returned, journals.returned);
}

void CheckJournalsOf(std::int64_t object, const std::vector<MerchantJournalRow>& implied,
                     const std::vector<MerchantJournalRow>& found, Report& report) {
    auto expected = implied.begin();
    auto there = found.begin();
    while (expected != implied.end() || there != found.end()) {
        if (there == found.end() || (expected != implied.end() && expected->kind < there->kind)) {
            report.Found(kM1, "merchant journal is missing", [&] {
                return Finding{Of(object, expected->kind), Describe(*expected), "none"};
            });
            ++expected;
        } else if (expected == implied.end() || there->kind < expected->kind) {
            report.Found(kM1, "merchant journal that nothing implies", [&] {
                return Finding{Of(object, there->kind), "none", Describe(*there)};
            });
            ++there;
        } else {
            report.Expect(
                kM1, "merchant journal", [&] { return Of(object, expected->kind); },
                Describe(*expected), Describe(*there));
            ++expected;
            ++there;
        }
    }
}

void CheckAttempts(const std::vector<TransferRow>& attempts, Report& report) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const TransferRow& transfer = attempts[i];
        const auto subject = [&] {
            return Subject{{"payout", transfer.payout_id}, {"transfer", transfer.transfer_id}};
        };
        CheckTransfer(transfer, subject, report);
        if (!transfer.payout_is_there) {
            report.Found(kM4, "transfer of no payout", [&] {
                return Finding{subject(), "a payout", "none"};
            });
            continue;
        }
        report.Expect(kM4, "number of attempt", subject, static_cast<int>(i) + 1, transfer.attempt);
        report.Expect(kM4, "transfer's amount", subject, transfer.payout_amount, transfer.amount);
        report.Expect(kM4, "transfer's merchant", subject, transfer.payout_merchant_id,
                      transfer.merchant_id);
        // A payout whose first attempt was cancelled is over.
        const bool came_back = transfer.state == kFailed || transfer.state == kReturned ||
                               (transfer.state == kCancelled && i > 0);
        if (i + 1 == attempts.size() || came_back) continue;
        report.Found(kM4, "payout paid twice", [&] {
            return Finding{subject(), "money that came back before another attempt",
                           "state " + std::to_string(transfer.state)};
        });
    }
}

void CheckAdjustment(const AdjustmentRow& adjustment, Report& report) {
    if (adjustment.state != kApproved) return;
    if (!adjustment.decided_by.empty() && adjustment.decided_by != adjustment.requested_by) return;
    report.Found(kM4, "adjustment approved by one operator", [&] {
        return Finding{{{"adjustment", adjustment.adjustment_id}},
                       "another than " + adjustment.requested_by,
                       adjustment.decided_by.empty() ? "nobody" : adjustment.decided_by};
    });
}

void CheckAccountInForce(const MerchantAccountRow& merchant, Report& report) {
    if (merchant.bank_account == 0 || IsOfTwoOperators(merchant.account)) return;
    report.Found(kM4, "bank account in force of one operator", [&] {
        return OfOneOperator(Subject{{"merchant", merchant.merchant_id}}, merchant.account);
    });
}

void CheckJournalDay(const JournalDayRow& before, const JournalDayRow& journal, Report& report) {
    if (journal.business_date >= before.business_date) return;
    report.Found(kM9, "merchant journal's day", [&] {
        return Finding{{{"journal", journal.journal_id}},
                       DayText(before.business_date) + " or later",
                       DayText(journal.business_date)};
    });
}

}  // namespace kessai::audit
