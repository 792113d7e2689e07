#include "transport/trace_messages.h"

#include <array>
#include <charconv>
#include <string>

#include "domain/reason.h"
#include "kessai/digest/accumulator.h"
#include "transport/transfer_messages.h"

namespace kessai::payout::transport {
namespace {

void Fill(const domain::ReleasedDay& day, v1::FundsPart* message) {
    message->set_gross(day.gross);
    message->set_fee(day.fee);
    message->set_tax(day.tax);
    message->set_net(day.net);
    message->set_accrual_count(day.item_count);
}

std::string ToText(const app::AccrualPosition& position) {
    return std::to_string(position.bucket) + "." + position.after.payment.ToString() + "." +
           std::to_string(position.after.version);
}

}  // namespace

v1::Accrual ToMessage(const app::RecordedAccrual& recorded) {
    const domain::Accrual& accrual = recorded.accrual;
    v1::Accrual message;
    message.set_payment_id(accrual.key.payment.value());
    message.set_version(accrual.key.version);
    message.set_merchant_id(accrual.merchant.value());
    message.set_business_date(accrual.business_date.ToNumber());
    message.set_currency(std::string(accrual.currency.code()));
    message.set_gross(accrual.gross);
    message.set_fee(accrual.fee);
    message.set_plan_id(accrual.plan.value());
    message.set_plan_version(accrual.plan_version);
    message.set_recorded_at_us(ToMicros(recorded.recorded_at));
    return message;
}

v1::TransferTrace ToMessage(const app::TransferTrace& trace) {
    v1::TransferTrace message;
    message.set_payout_id(trace.transfer.payout.value());
    message.set_merchant_id(trace.transfer.merchant.value());
    *message.mutable_transfer() = ToMessage(trace.transfer);
    for (const domain::FundsPart& part : trace.parts) {
        v1::FundsPart* added = message.add_parts();
        added->set_kind(static_cast<v1::FundsPart::Kind>(part.source.kind));
        added->set_amount(part.amount);
        if (part.source.kind == domain::FundsKind::kRelease) {
            added->set_business_date(part.source.day.ToNumber());
            Fill(trace.days.at(part.source.day), added);
        } else {
            added->set_object_id(part.source.object);
        }
    }
    return message;
}

v1::ListDayAccrualsResponse ToMessage(const app::AccrualPage& page) {
    v1::ListDayAccrualsResponse message;
    for (const app::RecordedAccrual& one : page.accruals) {
        *message.add_accruals() = ToMessage(one);
    }
    if (page.next) message.set_next_page_token(ToText(*page.next));
    return message;
}

v1::PaymentTrace ToMessage(const app::PaymentTrace& trace) {
    v1::PaymentTrace message;
    message.set_payment_id(trace.accruals.front().accrual.key.payment.value());
    message.set_merchant_id(trace.merchant.value());
    for (const app::RecordedAccrual& one : trace.accruals) {
        *message.add_accruals() = ToMessage(one);
    }
    for (const app::PaymentTrace::Day& day : trace.days) {
        v1::PaymentTrace::Day* added = message.add_days();
        added->set_business_date(day.day.ToNumber());
        added->set_released(day.net.has_value());
        added->set_net(day.net.value_or(0));
        added->set_left(day.left);
        for (const auto& [transfer, amount] : day.paid) {
            v1::PaymentTrace::Paid* paid = added->add_paid();
            paid->set_payout_id(transfer.payout.value());
            *paid->mutable_transfer() = ToMessage(transfer);
            paid->set_amount(amount);
        }
    }
    return message;
}

Result<app::AccrualPosition> ParseAccrualPosition(std::string_view text) {
    app::AccrualPosition position;
    if (text.empty()) return position;
    std::array<std::int64_t, 3> numbers{};
    const char* at = text.data();
    const char* const end = at + text.size();
    bool fine = true;
    for (std::size_t i = 0; fine && i < numbers.size(); ++i) {
        if (i > 0) fine = at != end && *at++ == '.';
        const auto [next, error] = std::from_chars(at, end, numbers[i]);
        fine = fine && error == std::errc() && numbers[i] >= 0;
        at = next;
    }
    if (!fine || at != end || numbers[0] > digest::kBuckets || numbers[2] > UINT32_MAX) {
        return Status(Code::kInvalidArgument, domain::reason::kFieldInvalid,
                      "page_token is of no page");
    }
    position.bucket = static_cast<int>(numbers[0]);
    position.after = {domain::PaymentId(numbers[1]), static_cast<std::uint32_t>(numbers[2])};
    return position;
}

}  // namespace kessai::payout::transport
