#include "domain/transfer_check.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace kessai::reconciliation::domain {

namespace {

using enum TransferStep;

/// By the day on which it was told first, so that all that is found of it is of one subject.
Finding FindingOf(const TransferNotice& first, DiscrepancyKind kind, std::string evidence) {
    return {
        .subject = {.business_date = first.business_date, .kind = kind, .transfer = first.transfer},
        .merchant = first.merchant,
        .currency = Currency::Jpy(),
        .payout_gross = first.amount,
        .evidence = std::move(evidence)};
}

std::string Describe(const TransferNotice& notice) {
    return std::string(TransferStepName(notice.step)) + " of " + std::to_string(notice.amount) +
           " for merchant " + notice.merchant.ToString() + ", payout " +
           std::to_string(notice.payout) + " attempt " + std::to_string(notice.attempt);
}

std::string Describe(const TransferEntry& entry) {
    return std::string(TransferStepName(entry.step)) + " " + std::to_string(entry.amount) +
           " for merchant " + entry.merchant.ToString() + " at a price of " +
           std::to_string(entry.fee) + " and tax of " + std::to_string(entry.tax);
}

/// Why the step cannot follow the latest one, in words; empty when it can.
std::string Objection(TransferStep step, TransferStep latest) {
    if (latest == kCancelled) return "the transfer was cancelled";
    switch (step) {
        case kCreated:
            return {};
        case kSent:
        case kCancelled:
            return latest == kCreated ? std::string() : "the bank has told a result";
        case kSettled:
        case kFailed:
            if (latest == kSent) return {};
            return latest == kCreated ? "the transfer is in no file"
                                      : "the bank has told a result before";
        case kReturned:
            return latest == kSettled ? std::string() : "nothing was settled";
    }
    return {};
}

bool SameTransfer(const TransferNotice& a, const TransferNotice& b) {
    return a.merchant == b.merchant && a.payout == b.payout && a.attempt == b.attempt &&
           a.amount == b.amount;
}

}  // namespace

std::string_view TransferStepName(TransferStep step) {
    switch (step) {
        case kCreated:
            return "created";
        case kSettled:
            return "settled";
        case kFailed:
            return "failed";
        case kReturned:
            return "returned";
        case kCancelled:
            return "cancelled";
        case kSent:
            return "sent";
    }
    return "unknown";
}

NotedStep TakeNotice(const TransferNotice& notice, const NotedTransfer* known,
                     TransferId listening_since) {
    NotedStep taken;
    if (known == nullptr) {
        taken.transfer.first = notice;
        const bool before_us = listening_since.is_none() || notice.transfer < listening_since;
        if (notice.step != kCreated && !before_us) {
            taken.findings.push_back(
                FindingOf(notice, DiscrepancyKind::kTransferUnknown,
                          "payout told " + Describe(notice) + ", and never that it was made"));
        }
    } else {
        taken.transfer = *known;
        const TransferNotice& first = known->first;
        const bool other_price = notice.step == kCancelled && first.step == kCreated &&
                                 (notice.fee != first.fee || notice.tax != first.tax);
        if (!SameTransfer(first, notice) || other_price) {
            Finding finding =
                FindingOf(first, DiscrepancyKind::kTransferDiffers,
                          "payout told " + Describe(first) + " and later " + Describe(notice) +
                              (other_price ? ", with another price" : ""));
            finding.payment_gross = first.amount;
            finding.payout_gross = notice.amount;
            taken.findings.push_back(std::move(finding));
        }
        const std::string objection = Objection(notice.step, known->latest);
        // What was told before this service listened may lack steps.
        if (!objection.empty() && first.step == kCreated) {
            taken.findings.push_back(
                FindingOf(first, DiscrepancyKind::kResultDiffers,
                          "payout told " + Describe(notice) + ": " + objection));
        }
    }
    taken.transfer.latest = notice.step;
    taken.result_came = notice.step == kSettled || notice.step == kFailed;
    if (notice.step == kSent) {
        taken.transfer.awaited_since = notice.transfer_date;
    } else {
        taken.transfer.awaited_since.reset();
    }
    return taken;
}

Finding OverdueFinding(const NotedTransfer& transfer, BusinessDate due) {
    const std::string sent =
        transfer.awaited_since ? transfer.awaited_since->ToString() : std::string("unknown");
    return FindingOf(transfer.first, DiscrepancyKind::kResultOverdue,
                     "transfer date " + sent + "; the bank's result was due by " + due.ToString());
}

Finding ConflictFinding(const TransferNotice& notice, std::string_view why) {
    return FindingOf(
        notice, DiscrepancyKind::kResultDiffers,
        "payout told again, and otherwise, " + Describe(notice) + ": " + std::string(why));
}

std::vector<Finding> CompareEntries(BusinessDate day, const std::vector<TransferEntry>& journal,
                                    const std::vector<TransferEntry>& told) {
    std::map<TransferId, std::pair<std::vector<TransferEntry>, std::vector<TransferEntry>>> sides;
    for (const TransferEntry& entry : journal) sides[entry.transfer].first.push_back(entry);
    for (const TransferEntry& entry : told) sides[entry.transfer].second.push_back(entry);
    std::vector<Finding> findings;
    for (auto& [transfer, both] : sides) {
        auto& [rows, events] = both;
        std::ranges::sort(rows);
        std::ranges::sort(events);
        if (rows == events) continue;
        const auto describe = [](const std::vector<TransferEntry>& entries) {
            std::string text;
            for (const TransferEntry& entry : entries) {
                text += (text.empty() ? "" : ", ") + Describe(entry);
            }
            return text.empty() ? std::string("nothing") : text;
        };
        const TransferEntry& any = rows.empty() ? events.front() : rows.front();
        Finding finding{.subject = {.business_date = day,
                                    .kind = DiscrepancyKind::kTransferDiffers,
                                    .book = Book::kPayout,
                                    .transfer = transfer},
                        .merchant = any.merchant,
                        .currency = Currency::Jpy(),
                        .evidence = "on that day payout's journal has " + describe(rows) +
                                    "; its events told " + describe(events)};
        if (!events.empty()) finding.payment_gross = events.front().amount;
        if (!rows.empty()) finding.payout_gross = rows.front().amount;
        findings.push_back(std::move(finding));
    }
    return findings;
}

std::vector<Finding> CheckParts(BusinessDate day, MerchantId merchant, TransferId transfer,
                                std::int64_t amount, std::int64_t parts) {
    if (amount == parts) return {};
    return {{.subject = {.business_date = day,
                         .kind = DiscrepancyKind::kTransferDiffers,
                         .book = Book::kPayout,
                         .transfer = transfer},
             .merchant = merchant,
             .currency = Currency::Jpy(),
             .payment_gross = parts,
             .payout_gross = amount,
             .evidence = "the transfer is of " + std::to_string(amount) +
                         ", the days, adjustments and prices that it is made of sum to " +
                         std::to_string(parts)}};
}

}  // namespace kessai::reconciliation::domain
