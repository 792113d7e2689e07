#include "transport/grpc_merchant_directory.h"

#include <string>

#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/call.h"

namespace kessai::reconciliation::transport {

namespace {

constexpr Duration kTimeout = std::chrono::seconds(5);

const auto& GetMerchant() {
    static const rpc::Method<payment::v1::GetMerchantRequest, payment::v1::Merchant> method(
        "kessai.payment.v1.PaymentService.GetMerchant");
    return method;
}

}  // namespace

Status GrpcMerchantDirectory::Check(domain::MerchantId merchant) {
    payment::v1::GetMerchantRequest request;
    request.set_merchant_id(merchant.value());
    KESSAI_ASSIGN_OR_RETURN(
        const std::string token,
        signer_.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, "payment"));
    const auto found =
        rpc::Call(payment_, GetMerchant(), request, {.timeout = kTimeout, .token = token});
    if (found.status().reason() == "MERCHANT_UNKNOWN") {
        return Status(Code::kNotFound, "MERCHANT_UNKNOWN", "no merchant " + merchant.ToString());
    }
    return found.status().WithContext("payment");
}

}  // namespace kessai::reconciliation::transport
