#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/peer_book.h"
#include "kessai/auth/token.h"
#include "kessai/rpc/channel.h"
#include "kessai/time/clock.h"

namespace kessai::reconciliation::transport {

/// The contracts that the peers are called by, for rpc::CallTelemetry.
std::vector<std::string_view> PeerContracts();

struct PeerBookOptions {
    /// For the digests of some buckets; deep ones read their rows.
    Duration digest_timeout = std::chrono::seconds(25);
    /// For the rows of one bucket.
    Duration list_timeout = std::chrono::seconds(25);
    /// More rows in one bucket than this are refused: a bucket is held in memory while it is
    /// joined, and is a 1,024th of a day.
    std::size_t bucket_rows_max = 2'000'000;
};

/// Payment's book over gRPC. Thread safe.
class GrpcPaymentBook final : public app::PeerBook {
 public:
    /// `signer` must outlive it.
    GrpcPaymentBook(rpc::Channel channel, auth::TokenSigner& signer, PeerBookOptions options)
        : channel_(std::move(channel)), signer_(signer), options_(options) {}

    Result<digest::DayDigest> DayDigest(BusinessDate business_date, bool deep,
                                        digest::BucketRange range) override;
    Result<std::unique_ptr<app::BookRows>> ListDay(BusinessDate business_date, int bucket) override;
    Result<std::vector<domain::DatedRow>> FindRows(
        std::span<const domain::ChangeKey> keys) override;

 private:
    rpc::Channel channel_;
    auth::TokenSigner& signer_;
    const PeerBookOptions options_;
};

/// Payout's. Thread safe.
class GrpcPayoutBook final : public app::PeerBook {
 public:
    GrpcPayoutBook(rpc::Channel channel, auth::TokenSigner& signer, PeerBookOptions options)
        : channel_(std::move(channel)), signer_(signer), options_(options) {}

    Result<digest::DayDigest> DayDigest(BusinessDate business_date, bool deep,
                                        digest::BucketRange range) override;
    Result<std::unique_ptr<app::BookRows>> ListDay(BusinessDate business_date, int bucket) override;
    Result<std::vector<domain::DatedRow>> FindRows(
        std::span<const domain::ChangeKey> keys) override;

 private:
    rpc::Channel channel_;
    auth::TokenSigner& signer_;
    const PeerBookOptions options_;
};

}  // namespace kessai::reconciliation::transport
