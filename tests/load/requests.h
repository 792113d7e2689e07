#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kessai/time/clock.h"
#include "load/opa_signer.h"
#include "load/random.h"

namespace kessai::load {

/// The bytes of the requests that a load is made of, as partners and the app send them. One thread
/// at a time.
class RequestWriter {
 public:
    /// `authority`: what the Host field says. `seed`: of the nonces.
    RequestWriter(std::string authority, std::uint64_t seed, const Clock& clock = SystemClock());

    // Partner contract
    /// POST /v2/codes.
    std::string CreateCode(const OpaSigner& signer, std::string_view merchant_payment_id,
                           std::int64_t amount);
    /// GET /v2/codes/payments/{merchantPaymentId}.
    std::string GetCodePayment(const OpaSigner& signer, std::string_view merchant_payment_id);
    /// POST /v2/refunds.
    std::string RefundPayment(const OpaSigner& signer, std::string_view merchant_refund_id,
                              std::int64_t payment_id, std::int64_t amount);
    /// DELETE /v2/payments/{merchantPaymentId}.
    std::string CancelPayment(const OpaSigner& signer, std::string_view merchant_payment_id);

    // The app's interface
    /// POST /app/v1/codes/{codeId}/payments.
    std::string PayCode(std::string_view token, std::string_view code_id,
                        std::int64_t amount) const;
    /// POST /app/v1/top-ups from the development source.
    std::string TopUp(std::string_view token, std::string_view idempotency_key,
                      std::int64_t amount) const;

    /// Any other request; empty `bearer` and `body` are left out.
    std::string Plain(std::string_view method, std::string_view target, std::string_view bearer,
                      std::string_view body, std::string_view more_fields = {}) const;

 private:
    std::string Signed(const OpaSigner& signer, std::string_view method, std::string_view path,
                       std::string_view body);

    const std::string authority_;
    Random random_;
    const Clock& clock_;
};

}  // namespace kessai::load
