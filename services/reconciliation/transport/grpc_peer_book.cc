#include "transport/grpc_peer_book.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/payment/v1/repair_service.pb.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/payout/v1/repair_service.pb.h"
#include "kessai/rpc/call.h"

namespace kessai::reconciliation::transport {

namespace {

/// As the peers take them.
constexpr std::size_t kKeysPerQuestion = 1'000;

Status Senseless(std::string_view peer, std::string_view what) {
    return Status(Code::kDataLoss, "PEER_ANSWER_INVALID",
                  std::string(peer) + " answered with " + std::string(what));
}

/// The contracts of payment and payout have messages of one shape under two names.
struct PaymentContract {
    static constexpr std::string_view kName = "payment";
    using DigestsRequest = payment::v1::GetDayDigestsRequest;
    using Digests = payment::v1::DayDigests;
    using RowsRequest = payment::v1::ListDayRowsRequest;
    using RowPage = payment::v1::DayRowPage;
    using Row = payment::v1::DayRow;
    using FindRequest = payment::v1::FindRowsRequest;
    using FoundRows = payment::v1::FoundRows;
    static const auto& GetDayDigests() {
        static const rpc::Method<DigestsRequest, Digests> method(
            "kessai.payment.v1.PaymentService.GetDayDigests");
        return method;
    }
    static const auto& ListDayRows() {
        static const rpc::Method<RowsRequest, RowPage> method(
            "kessai.payment.v1.PaymentService.ListDayRows");
        return method;
    }
    static const auto& FindRows() {
        static const rpc::Method<FindRequest, FoundRows> method(
            "kessai.payment.v1.RepairService.FindRows");
        return method;
    }
    static void Name(domain::ChangeKey key, FindRequest::Change& change) {
        change.set_object_id(key.payment.value());
        change.set_version(key.version);
    }
    static domain::BookRow RowFrom(const FoundRows::Row& row) {
        return {.key = {domain::PaymentId(row.object_id()), row.version()},
                .merchant = domain::MerchantId(row.merchant_id()),
                .gross = row.amount()};
    }
};

/// Of an older payout, which lists none: not noted.
template <class Row>
domain::ToldFee FeeOfPayout(const Row& row) {
    if (row.tax_class().empty() && row.fee() == 0) return {};
    return {row.fee(), domain::TaxClassNamed(row.tax_class())};
}

struct PayoutContract {
    static constexpr std::string_view kName = "payout";
    using DigestsRequest = payout::v1::GetDayDigestsRequest;
    using Digests = payout::v1::DayDigests;
    using RowsRequest = payout::v1::ListDayRowsRequest;
    using RowPage = payout::v1::DayRowPage;
    using Row = payout::v1::DayRow;
    using FindRequest = payout::v1::FindRowsRequest;
    using FoundRows = payout::v1::FoundRows;
    static const auto& GetDayDigests() {
        static const rpc::Method<DigestsRequest, Digests> method(
            "kessai.payout.v1.PayoutService.GetDayDigests");
        return method;
    }
    static const auto& ListDayRows() {
        static const rpc::Method<RowsRequest, RowPage> method(
            "kessai.payout.v1.PayoutService.ListDayRows");
        return method;
    }
    static const auto& FindRows() {
        static const rpc::Method<FindRequest, FoundRows> method(
            "kessai.payout.v1.RepairService.FindRows");
        return method;
    }
    static void Name(domain::ChangeKey key, FindRequest::Change& change) {
        change.set_payment_id(key.payment.value());
        change.set_version(key.version);
    }
    static domain::BookRow RowFrom(const FoundRows::Row& row) {
        return {.key = {domain::PaymentId(row.payment_id()), row.version()},
                .merchant = domain::MerchantId(row.merchant_id()),
                .gross = row.amount(),
                .fee = FeeOfPayout(row)};
    }
};

Result<std::string> TokenFor(auth::TokenSigner& signer, std::string_view audience) {
    return signer.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, audience);
}

/// 16 bytes, most significant first.
std::optional<digest::Sum128> ReadSum(std::string_view bytes) {
    if (bytes.size() != 16) return std::nullopt;
    digest::Sum128 sum;
    for (std::size_t i = 0; i < 8; ++i) {
        sum.high = sum.high << 8 | static_cast<std::uint8_t>(bytes[i]);
        sum.low = sum.low << 8 | static_cast<std::uint8_t>(bytes[i + 8]);
    }
    return sum;
}

template <class Contract>
Result<digest::DayDigest> ReadDigests(const typename Contract::Digests& answer,
                                      BusinessDate business_date, digest::BucketRange range) {
    if (answer.business_date() != business_date.ToNumber()) {
        return Senseless(Contract::kName, "the digests of another day");
    }
    digest::DayDigest day(digest::kBuckets);
    std::vector<bool> seen(digest::kBuckets);
    for (const auto& bucket : answer.buckets()) {
        const auto sum = ReadSum(bucket.hash_sum());
        if (bucket.bucket() >= static_cast<std::uint32_t>(digest::kBuckets) ||
            !range.Has(static_cast<int>(bucket.bucket())) || !sum || seen[bucket.bucket()] ||
            bucket.count() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return Senseless(Contract::kName, "a digest that is none");
        }
        seen[bucket.bucket()] = true;
        day[bucket.bucket()] = {static_cast<std::int64_t>(bucket.count()), bucket.amount(), *sum};
    }
    return day;
}

template <class Contract>
Result<digest::DayDigest> GetDigests(const rpc::Channel& channel, auth::TokenSigner& signer,
                                     const PeerBookOptions& options, BusinessDate business_date,
                                     bool deep, digest::BucketRange range) {
    typename Contract::DigestsRequest request;
    request.set_business_date(business_date.ToNumber());
    request.set_deep(deep);
    request.set_bucket_first(static_cast<std::uint32_t>(range.first));
    request.set_bucket_count(static_cast<std::uint32_t>(range.count));
    KESSAI_ASSIGN_OR_RETURN(const std::string token, TokenFor(signer, Contract::kName));
    auto answer = rpc::Call(channel, Contract::GetDayDigests(), request,
                            {.timeout = options.digest_timeout, .token = token});
    if (!answer.ok()) return std::move(answer).status().WithContext(Contract::kName);
    return ReadDigests<Contract>(*answer, business_date, range);
}

/// A bucket, read to its end: so no peer's stream waits for another's, or for our database.
class BufferedRows final : public app::BookRows {
 public:
    void Add(const domain::BookRow& row) { rows_.push_back(row); }
    std::size_t size() const { return rows_.size(); }

    Result<std::optional<domain::BookRow>> Next() override {
        if (position_ == rows_.size()) return std::optional<domain::BookRow>();
        return std::optional(rows_[position_++]);
    }

 private:
    std::vector<domain::BookRow> rows_;
    std::size_t position_ = 0;
};

domain::ToldFee FeeOf(const payment::v1::DayRow&) {
    return {};
}
domain::ToldFee FeeOf(const payout::v1::DayRow& row) {
    return FeeOfPayout(row);
}

template <class Contract>
Result<std::vector<domain::DatedRow>> FindRowsOf(const rpc::Channel& channel,
                                                 auth::TokenSigner& signer,
                                                 const PeerBookOptions& options,
                                                 std::span<const domain::ChangeKey> keys) {
    std::vector<domain::DatedRow> found;
    for (std::size_t at = 0; at < keys.size(); at += kKeysPerQuestion) {
        typename Contract::FindRequest request;
        for (const domain::ChangeKey& key :
             keys.subspan(at, std::min(kKeysPerQuestion, keys.size() - at))) {
            Contract::Name(key, *request.add_changes());
        }
        KESSAI_ASSIGN_OR_RETURN(const std::string token, TokenFor(signer, Contract::kName));
        const auto answer = rpc::Call(channel, Contract::FindRows(), request,
                                      {.timeout = options.list_timeout, .token = token});
        if (!answer.ok()) return answer.status().WithContext(Contract::kName);
        for (const auto& row : answer->rows()) {
            const auto date = BusinessDate::FromNumber(row.business_date());
            if (!date.ok()) return Senseless(Contract::kName, "a date that is none");
            found.push_back({*date, Contract::RowFrom(row)});
        }
    }
    return found;
}

template <class Contract>
Result<std::unique_ptr<app::BookRows>> ListRows(const rpc::Channel& channel,
                                                auth::TokenSigner& signer,
                                                const PeerBookOptions& options,
                                                BusinessDate business_date, int bucket) {
    typename Contract::RowsRequest request;
    request.set_business_date(business_date.ToNumber());
    request.set_bucket(static_cast<std::uint32_t>(bucket));
    KESSAI_ASSIGN_OR_RETURN(const std::string token, TokenFor(signer, Contract::kName));
    auto rows = std::make_unique<BufferedRows>();
    const Status listed = rpc::CallStreaming(
        channel, Contract::ListDayRows(), request,
        {.timeout = options.list_timeout, .token = token},
        [&](const typename Contract::RowPage& page) -> Status {
            for (const typename Contract::Row& row : page.rows()) {
                if (rows->size() == options.bucket_rows_max) {
                    return Status(Code::kResourceExhausted, "BUCKET_TOO_LARGE",
                                  "bucket " + std::to_string(bucket) + " of " +
                                      business_date.ToString() + " has more than " +
                                      std::to_string(options.bucket_rows_max) + " rows");
                }
                rows->Add({.key = {domain::PaymentId(row.object_id()), row.version()},
                           .merchant = domain::MerchantId(row.merchant_id()),
                           .gross = row.amount(),
                           .fee = FeeOf(row)});
            }
            return OkStatus();
        });
    if (!listed.ok()) return listed.WithContext(Contract::kName);
    return std::unique_ptr<app::BookRows>(std::move(rows));
}

}  // namespace

std::vector<std::string_view> PeerContracts() {
    return {"kessai.payment.v1.PaymentService", "kessai.payout.v1.PayoutService",
            "kessai.payout.v1.CheckService"};
}

Result<digest::DayDigest> GrpcPaymentBook::DayDigest(BusinessDate business_date, bool deep,
                                                     digest::BucketRange range) {
    return GetDigests<PaymentContract>(channel_, signer_, options_, business_date, deep, range);
}

Result<std::unique_ptr<app::BookRows>> GrpcPaymentBook::ListDay(BusinessDate business_date,
                                                                int bucket) {
    return ListRows<PaymentContract>(channel_, signer_, options_, business_date, bucket);
}

Result<std::vector<domain::DatedRow>> GrpcPaymentBook::FindRows(
    std::span<const domain::ChangeKey> keys) {
    return FindRowsOf<PaymentContract>(channel_, signer_, options_, keys);
}

Result<digest::DayDigest> GrpcPayoutBook::DayDigest(BusinessDate business_date, bool deep,
                                                    digest::BucketRange range) {
    return GetDigests<PayoutContract>(channel_, signer_, options_, business_date, deep, range);
}

Result<std::unique_ptr<app::BookRows>> GrpcPayoutBook::ListDay(BusinessDate business_date,
                                                               int bucket) {
    return ListRows<PayoutContract>(channel_, signer_, options_, business_date, bucket);
}

Result<std::vector<domain::DatedRow>> GrpcPayoutBook::FindRows(
    std::span<const domain::ChangeKey> keys) {
    return FindRowsOf<PayoutContract>(channel_, signer_, options_, keys);
}

}  // namespace kessai::reconciliation::transport
