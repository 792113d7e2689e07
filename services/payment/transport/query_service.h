#pragma once

#include <string>
#include <vector>

#include "app/merchant_cache.h"
#include "app/payment_reader.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/rpc/service.h"
#include "kessai/rpc/worker_pool.h"
#include "kessai/time/clock.h"

namespace kessai::payment::transport {

/// The questions of PaymentService, and the merchants. What it is made of must outlive it, and it
/// must outlive the server.
class QueryService {
 public:
    QueryService(app::PaymentReader& reader, app::MerchantCache& merchants, const Clock& clock);

    void Register(rpc::Service& service, rpc::WorkerPool& pool);

 private:
    Result<v1::Payment> GetCode(const rpc::CallContext& context, const v1::GetCodeRequest& request);
    Result<v1::Payment> GetPayment(const rpc::CallContext& context,
                                   const v1::GetPaymentRequest& request);
    Result<v1::Refund> GetRefund(const rpc::CallContext& context,
                                 const v1::GetRefundRequest& request);
    Result<v1::Wallet> GetWallet(const rpc::CallContext& context,
                                 const v1::GetWalletRequest& request);
    Result<v1::ListHistoryResponse> ListHistory(const rpc::CallContext& context,
                                                const v1::ListHistoryRequest& request);
    Result<v1::Merchant> PutMerchant(const rpc::CallContext& context, const v1::Merchant& request);
    Result<v1::Merchant> GetMerchant(const rpc::CallContext& context,
                                     const v1::GetMerchantRequest& request);

    Result<std::string> MerchantName(domain::MerchantId id);

    app::PaymentReader& reader_;
    app::MerchantCache& merchants_;
    const Clock& clock_;
};

}  // namespace kessai::payment::transport
