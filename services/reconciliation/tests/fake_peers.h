#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "domain/day_comparison.h"
#include "kessai/auth/token.h"
#include "kessai/digest/accumulator.h"
#include "kessai/payment/v1/payment_service.grpc.pb.h"
#include "kessai/payment/v1/repair_service.grpc.pb.h"
#include "kessai/payout/v1/payout_service.grpc.pb.h"
#include "kessai/payout/v1/repair_service.grpc.pb.h"

namespace kessai::reconciliation::testing {

/// What a fake peer's book says of one day. Guarded by `mutex`; the digests are computed from the
/// rows unless a test sets others.
struct FakeBook {
    std::mutex mutex;
    BusinessDate business_date;
    std::map<domain::ChangeKey, domain::BookRow> rows;
    /// The kept digests where they do not fit the rows.
    std::optional<digest::DayDigest> kept{};
    /// Asked before each list; what it refuses is the answer.
    std::function<grpc::Status(int bucket)> before_list{};
    /// Added to each list, whether it belongs there or not.
    std::vector<domain::BookRow> intruders{};
    /// Rows that are dated to other days.
    std::map<domain::ChangeKey, domain::DatedRow> elsewhere{};
    /// How often rows were looked for by their keys.
    int searches = 0;
    int lists = 0;
    /// How often the caller's token was verified.
    int verified = 0;
};

/// An in-process gRPC server with payment's or payout's methods for the comparison of days.
/// `Service` and `RepairService` are the generated services.
template <class Service, class DigestsRequest, class Digests, class RowsRequest, class RowPage,
          class RepairService, class FindRequest, class FoundRows>
class FakePeer final : public Service {
 public:
    FakePeer(const auth::TokenVerifier& verifier, const digest::RowHasher& hasher)
        : verifier_(verifier), hasher_(hasher) {
        grpc::ServerBuilder builder;
        builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
        builder.RegisterService(this);
        builder.RegisterService(&rows_);
        server_ = builder.BuildAndStart();
    }
    ~FakePeer() override { server_->Shutdown(); }

    std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
    FakeBook book;

    grpc::Status GetDayDigests(grpc::ServerContext* context, const DigestsRequest* request,
                               Digests* answer) override {
        std::lock_guard lock(book.mutex);
        if (auto refused = Verify(*context); !refused.ok()) return refused;
        answer->set_business_date(request->business_date());
        const bool kept = book.kept && !request->deep();
        const digest::DayDigest day = kept ? *book.kept : OfRows(request->business_date());
        const auto range =
            digest::BucketRange::Parse(request->bucket_first(), request->bucket_count()).value();
        for (std::size_t bucket = 0; bucket < day.size(); ++bucket) {
            if (!range.Has(static_cast<int>(bucket))) continue;
            if (day[bucket] == digest::BucketDigest{}) continue;
            auto& one = *answer->add_buckets();
            one.set_bucket(static_cast<std::uint32_t>(bucket));
            one.set_count(static_cast<std::uint64_t>(day[bucket].count));
            one.set_amount(day[bucket].signed_gross);
            std::string sum(16, '\0');
            for (std::size_t i = 0; i < 8; ++i) {
                sum[i] = static_cast<char>(day[bucket].hash_sum.high >> (56 - 8 * i));
                sum[i + 8] = static_cast<char>(day[bucket].hash_sum.low >> (56 - 8 * i));
            }
            one.set_hash_sum(sum);
        }
        return grpc::Status::OK;
    }

    grpc::Status ListDayRows(grpc::ServerContext* context, const RowsRequest* request,
                             grpc::ServerWriter<RowPage>* writer) override {
        std::lock_guard lock(book.mutex);
        if (auto refused = Verify(*context); !refused.ok()) return refused;
        ++book.lists;
        const auto bucket = static_cast<int>(request->bucket());
        if (book.before_list) {
            if (auto refused = book.before_list(bucket); !refused.ok()) return refused;
        }
        if (request->business_date() == book.business_date.ToNumber()) {
            for (const auto& [key, row] : book.rows) {
                if (digest::BucketOf(key.payment.value()) == bucket) writer->Write(PageOf(row));
            }
        }
        for (const auto& row : book.intruders) writer->Write(PageOf(row));
        return grpc::Status::OK;
    }

 private:
    class Rows final : public RepairService {
     public:
        explicit Rows(FakePeer& peer) : peer_(peer) {}
        grpc::Status FindRows(grpc::ServerContext* context, const FindRequest* request,
                              FoundRows* answer) override {
            return peer_.Find(*context, *request, *answer);
        }

     private:
        FakePeer& peer_;
    };

    grpc::Status Find(const grpc::ServerContext& context, const FindRequest& request,
                      FoundRows& answer) {
        std::lock_guard lock(book.mutex);
        if (auto refused = Verify(context); !refused.ok()) return refused;
        ++book.searches;
        for (const auto& change : request.changes()) {
            const domain::ChangeKey key{IdOf(change), change.version()};
            if (const auto row = book.rows.find(key); row != book.rows.end()) {
                Put(row->second, book.business_date, *answer.add_rows());
            }
            if (const auto row = book.elsewhere.find(key); row != book.elsewhere.end()) {
                Put(row->second.row, row->second.business_date, *answer.add_rows());
            }
        }
        return grpc::Status::OK;
    }
    template <class Message>
    static domain::PaymentId IdOf(const Message& message) {
        if constexpr (requires { message.object_id(); }) {
            return domain::PaymentId(message.object_id());
        } else {
            return domain::PaymentId(message.payment_id());
        }
    }
    template <class Found>
    static void Put(const domain::BookRow& row, BusinessDate date, Found& found) {
        if constexpr (requires { found.set_object_id(1); }) {
            found.set_object_id(row.key.payment.value());
        } else {
            found.set_payment_id(row.key.payment.value());
        }
        found.set_version(row.key.version);
        found.set_merchant_id(row.merchant.value());
        found.set_amount(row.gross);
        found.set_business_date(date.ToNumber());
    }
    grpc::Status Verify(const grpc::ServerContext& context) {
        const auto token = context.client_metadata().find("kessai-token-bin");
        if (token == context.client_metadata().end()) {
            return {grpc::StatusCode::UNAUTHENTICATED, "no token"};
        }
        const auto principal = verifier_.Verify({token->second.data(), token->second.size()});
        if (!principal.ok() || (*principal)->role != auth::Role::kService) {
            return {grpc::StatusCode::UNAUTHENTICATED, "not a service's token"};
        }
        ++book.verified;
        return grpc::Status::OK;
    }
    digest::DayDigest OfRows(std::int32_t business_date) const {
        digest::Accumulator sums(hasher_);
        if (business_date == book.business_date.ToNumber()) {
            for (const auto& [key, row] : book.rows) {
                sums.Add({key.payment.value(), key.version, book.business_date,
                          row.merchant.value(), row.gross});
            }
        }
        return sums.Day(book.business_date);
    }
    /// A row a page, so that there are several.
    static RowPage PageOf(const domain::BookRow& row) {
        RowPage page;
        auto* message = page.add_rows();
        message->set_object_id(row.key.payment.value());
        message->set_version(row.key.version);
        message->set_merchant_id(row.merchant.value());
        message->set_amount(row.gross);
        if constexpr (requires { message->set_fee(0); }) {
            if (row.fee.noted()) {
                message->set_fee(row.fee.fee);
                message->set_tax_class(std::string(domain::TaxClassName(row.fee.tax_class)));
            }
        }
        return page;
    }

    const auth::TokenVerifier& verifier_;
    const digest::RowHasher& hasher_;
    Rows rows_{*this};
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
};

using FakePayment =
    FakePeer<payment::v1::PaymentService::Service, payment::v1::GetDayDigestsRequest,
             payment::v1::DayDigests, payment::v1::ListDayRowsRequest, payment::v1::DayRowPage,
             payment::v1::RepairService::Service, payment::v1::FindRowsRequest,
             payment::v1::FoundRows>;
using FakePayout = FakePeer<payout::v1::PayoutService::Service, payout::v1::GetDayDigestsRequest,
                            payout::v1::DayDigests, payout::v1::ListDayRowsRequest,
                            payout::v1::DayRowPage, payout::v1::RepairService::Service,
                            payout::v1::FindRowsRequest, payout::v1::FoundRows>;

}  // namespace kessai::reconciliation::testing
