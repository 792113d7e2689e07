#pragma once

#include <utility>

#include "app/file_books.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"

namespace kessai::reconciliation::transport {

/// Payment's merchants over gRPC. Thread safe.
class GrpcMerchantDirectory final : public app::MerchantDirectory {
 public:
    /// `signer` must outlive it.
    GrpcMerchantDirectory(rpc::Channel payment, auth::TokenSigner& signer)
        : payment_(std::move(payment)), signer_(signer) {}

    Status Check(domain::MerchantId merchant) override;

 private:
    rpc::Channel payment_;
    auth::TokenSigner& signer_;
};

}  // namespace kessai::reconciliation::transport
