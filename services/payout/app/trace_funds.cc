#include "app/trace_funds.h"

#include <algorithm>
#include <array>
#include <set>

#include "domain/reason.h"
#include "domain/transfer_reason.h"
#include "kessai/digest/accumulator.h"

namespace kessai::payout::app {
namespace {

// A day of fifteen million accruals is looked through in some seconds: in as many calls.
constexpr int kBucketsAtOnce = 32;
constexpr Duration kLookAtMost = std::chrono::seconds(1);

std::map<BusinessDate, domain::ReleasedDay> ByDay(const FundsHistory& history) {
    std::map<BusinessDate, domain::ReleasedDay> days;
    for (const domain::ReleasedDay& day : history.releases) days[day.day] = day;
    return days;
}

}  // namespace

Result<TransferTrace> TraceFunds::OfTransfer(domain::TransferId transfer) {
    KESSAI_ASSIGN_OR_RETURN(const auto found, reader_.FindTransfers(std::array{transfer}));
    if (found.empty()) {
        return Status(Code::kNotFound, domain::reason::kTransferUnknown,
                      "there is no transfer " + transfer.ToString());
    }
    TransferTrace trace;
    trace.transfer = found.begin()->second;
    KESSAI_ASSIGN_OR_RETURN(const FundsHistory history, reader_.HistoryOf(trace.transfer.merchant));
    KESSAI_ASSIGN_OR_RETURN(const domain::FundsTrace funds,
                            domain::TraceFunds(history.releases, history.journals));
    trace.parts = funds.PartsOf(transfer);
    const auto days = ByDay(history);
    for (const domain::FundsPart& part : trace.parts) {
        if (part.source.kind != domain::FundsKind::kRelease) continue;
        trace.days[part.source.day] = days.at(part.source.day);
    }
    return trace;
}

Result<AccrualPage> TraceFunds::AccrualsOf(domain::MerchantId merchant, BusinessDate day,
                                           AccrualPosition from, int limit) {
    AccrualPage page;
    const SteadyInstant start = clock_.SteadyNow();
    while (from.bucket < digest::kBuckets) {
        const int missing = limit - static_cast<int>(page.accruals.size());
        if (missing == 0 || clock_.SteadyNow() - start > kLookAtMost) {
            page.next = from;
            return page;
        }
        const int last = std::min(from.bucket + kBucketsAtOnce, digest::kBuckets) - 1;
        KESSAI_ASSIGN_OR_RETURN(const AccrualPage found,
                                reader_.AccrualsOf(merchant, day, from, last, missing));
        page.accruals.insert(page.accruals.end(), found.accruals.begin(), found.accruals.end());
        from = found.next.value_or(AccrualPosition{last + 1, {}});
    }
    return page;
}

Result<PaymentTrace> TraceFunds::OfPayment(domain::PaymentId payment) {
    PaymentTrace trace;
    KESSAI_ASSIGN_OR_RETURN(trace.accruals, reader_.AccrualsOf(payment));
    if (trace.accruals.empty()) {
        return Status(Code::kNotFound, domain::reason::kAccrualUnknown,
                      "nothing was accrued of payment " + payment.ToString());
    }
    trace.merchant = trace.accruals.front().accrual.merchant;
    KESSAI_ASSIGN_OR_RETURN(const FundsHistory history, reader_.HistoryOf(trace.merchant));
    KESSAI_ASSIGN_OR_RETURN(const domain::FundsTrace funds,
                            domain::TraceFunds(history.releases, history.journals));
    const auto released = ByDay(history);
    std::set<BusinessDate> days;
    for (const RecordedAccrual& one : trace.accruals) days.insert(one.accrual.business_date);
    for (const BusinessDate day : days) {
        PaymentTrace::Day& of_day = trace.days.emplace_back();
        of_day.day = day;
        const auto found = released.find(day);
        if (found == released.end()) continue;
        of_day.net = found->second.net;
        const domain::FundsSource source{.kind = domain::FundsKind::kRelease, .day = day};
        const auto paid = funds.TransfersWith(source);
        std::vector<domain::TransferId> ids;
        for (const auto& [transfer, amount] : paid) ids.push_back(transfer);
        KESSAI_ASSIGN_OR_RETURN(const auto transfers, reader_.FindTransfers(ids));
        for (const auto& [transfer, amount] : paid) {
            const auto row = transfers.find(transfer);
            if (row == transfers.end()) {
                return Status(Code::kDataLoss, domain::reason::kTraceDiffers,
                              "transfer " + transfer.ToString() + " has a journal and no row");
            }
            of_day.paid.emplace_back(row->second, amount);
        }
        for (const domain::FundsPart& part : funds.Left()) {
            if (part.source == source) of_day.left = part.amount;
        }
    }
    return trace;
}

}  // namespace kessai::payout::app
