#include "rules/natural_keys.h"

#include <initializer_list>

#include "rules/sha256.h"

namespace kessai::audit {
namespace {

Hash16 KeyOf(std::initializer_list<std::int64_t> numbers, std::string_view text) {
    thread_local Sha256 sha256;
    sha256.Begin();
    for (const std::int64_t number : numbers) sha256.AddLittleEndian(number);
    sha256.Add(text);
    return FirstHalf(sha256.End());
}

}  // namespace

Hash16 OrderKeyOf(std::int64_t merchant_id, std::string_view merchant_payment_id) {
    return KeyOf({merchant_id}, merchant_payment_id);
}

Hash16 RefundKeyOf(std::int64_t merchant_id, std::int64_t payment_id,
                   std::string_view merchant_refund_id) {
    return KeyOf({merchant_id, payment_id}, merchant_refund_id);
}

Hash16 TopUpKeyOf(std::int64_t user_id, std::string_view idempotency_key) {
    return KeyOf({user_id}, idempotency_key);
}

}  // namespace kessai::audit
