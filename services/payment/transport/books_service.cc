#include "transport/books_service.h"

#include <string>

#include "domain/refusal.h"

namespace kessai::payment::transport {

void BooksService::Register(rpc::Service& service, rpc::WorkerPool& pool) {
    service.Blocking("GetTrialBalance", pool, *this, &BooksService::GetTrialBalance);
}

Result<v1::TrialBalance> BooksService::GetTrialBalance(const rpc::CallContext& context,
                                                       const v1::GetTrialBalanceRequest& request) {
    const auto date = BusinessDate::FromNumber(request.business_date());
    if (!date.ok()) {
        return domain::Refuse(domain::Refusal::kFieldInvalid,
                              "business_date is no date (yyyymmdd)");
    }
    // It may take long: nobody's answer is not worked on, and keeps no thread from others.
    const auto go_on = [&]() -> Status {
        if (stop_.stop_requested()) {
            return Status(Code::kUnavailable, "STOPPING", "the service is being stopped");
        }
        return context.cancelled() ? Status(Code::kCancelled, "CALLER_GONE", "nobody waits for it")
                                   : OkStatus();
    };
    KESSAI_ASSIGN_OR_RETURN(const app::DayBalance balance, balance_books_.Run(*date, go_on));
    v1::TrialBalance message;
    message.set_business_date(date->ToNumber());
    message.set_final(balance.is_final);
    for (int number = 1; number <= domain::kAccountKinds; ++number) {
        const auto account = static_cast<domain::AccountKind>(number);
        v1::TrialBalance::Line* line = message.add_lines();
        line->set_account(std::string(domain::AccountKindName(account)));
        line->set_opening(balance.opening.Of(account));
        line->set_amount(balance.moved.Of(account));
        line->set_closing(balance.closing.Of(account));
    }
    return message;
}

}  // namespace kessai::payment::transport
