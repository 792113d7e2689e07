#include "load/requests.h"

#include <array>
#include <charconv>

namespace kessai::load {

namespace {

constexpr std::string_view kJson = "application/json";

void AppendNumber(std::string& out, std::int64_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void AppendAmount(std::string& out, std::int64_t amount) {
    out.append(R"("amount":{"amount":)");
    AppendNumber(out, amount);
    out.append(R"(,"currency":"JPY"})");
}

/// Ends the header and adds the body.
void AppendBody(std::string& out, std::string_view body) {
    if (!body.empty()) out.append("Content-Type: ").append(kJson).append("\r\n");
    out.append("Content-Length: ");
    AppendNumber(out, static_cast<std::int64_t>(body.size()));
    out.append("\r\n\r\n").append(body);
}

}  // namespace

RequestWriter::RequestWriter(std::string authority, std::uint64_t seed, const Clock& clock)
    : authority_(std::move(authority)), random_(seed), clock_(clock) {}

std::string RequestWriter::CreateCode(const OpaSigner& signer, std::string_view merchant_payment_id,
                                      std::int64_t amount) {
    std::string body;
    body.reserve(256);
    body.append(R"({"merchantPaymentId":")").append(merchant_payment_id).append(R"(",)");
    AppendAmount(body, amount);
    body.append(R"(,"codeType":"ORDER_QR","orderDescription":"Coffee and a bun",)"
                R"("storeId":"shibuya-1","terminalId":"till-3","isAuthorization":false,)"
                R"("requestedAt":)");
    AppendNumber(body, ToMicros(clock_.Now()) / 1'000'000);
    body.push_back('}');
    return Signed(signer, "POST", "/v2/codes", body);
}

std::string RequestWriter::GetCodePayment(const OpaSigner& signer,
                                          std::string_view merchant_payment_id) {
    return Signed(signer, "GET", "/v2/codes/payments/" + std::string(merchant_payment_id), "");
}

std::string RequestWriter::RefundPayment(const OpaSigner& signer,
                                         std::string_view merchant_refund_id,
                                         std::int64_t payment_id, std::int64_t amount) {
    std::string body;
    body.reserve(256);
    body.append(R"({"merchantRefundId":")").append(merchant_refund_id);
    body.append(R"(","paymentId":")");
    AppendNumber(body, payment_id);
    body.append(R"(",)");
    AppendAmount(body, amount);
    body.append(R"(,"reason":"cold coffee","requestedAt":)");
    AppendNumber(body, ToMicros(clock_.Now()) / 1'000'000);
    body.push_back('}');
    return Signed(signer, "POST", "/v2/refunds", body);
}

std::string RequestWriter::CancelPayment(const OpaSigner& signer,
                                         std::string_view merchant_payment_id) {
    return Signed(signer, "DELETE", "/v2/payments/" + std::string(merchant_payment_id), "");
}

std::string RequestWriter::PayCode(std::string_view token, std::string_view code_id,
                                   std::int64_t amount) const {
    std::string body;
    body.push_back('{');
    AppendAmount(body, amount);
    body.push_back('}');
    std::string target;
    target.append("/app/v1/codes/").append(code_id).append("/payments");
    return Plain("POST", target, token, body);
}

std::string RequestWriter::TopUp(std::string_view token, std::string_view idempotency_key,
                                 std::int64_t amount) const {
    std::string body;
    body.push_back('{');
    AppendAmount(body, amount);
    body.append(R"(,"source":"development"})");
    std::string field;
    field.append("Idempotency-Key: ").append(idempotency_key).append("\r\n");
    return Plain("POST", "/app/v1/top-ups", token, body, field);
}

std::string RequestWriter::Plain(std::string_view method, std::string_view target,
                                 std::string_view bearer, std::string_view body,
                                 std::string_view more_fields) const {
    std::string out;
    out.reserve(200 + target.size() + bearer.size() + body.size() + more_fields.size());
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
    out.append(authority_).append("\r\n");
    if (!bearer.empty()) out.append("Authorization: Bearer ").append(bearer).append("\r\n");
    out.append(more_fields);
    AppendBody(out, body);
    return out;
}

std::string RequestWriter::Signed(const OpaSigner& signer, std::string_view method,
                                  std::string_view path, std::string_view body) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::array<char, 16> nonce;
    std::uint64_t bits = random_.Next();
    for (char& digit : nonce) {
        digit = kDigits[bits & 15];
        bits >>= 4;
    }
    std::string out;
    out.reserve(400 + path.size() + body.size());
    out.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ");
    out.append(authority_).append("\r\nAuthorization: ");
    signer.AppendAuthorization(out, path, method, body.empty() ? std::string_view{} : kJson, body,
                               {nonce.data(), nonce.size()}, ToMicros(clock_.Now()) / 1'000'000);
    out.append("\r\n");
    AppendBody(out, body);
    return out;
}

}  // namespace kessai::load
