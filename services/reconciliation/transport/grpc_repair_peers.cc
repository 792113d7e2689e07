#include "transport/grpc_repair_peers.h"

#include <algorithm>
#include <utility>

#include "kessai/event/envelope.h"
#include "kessai/payment/v1/payment_service.pb.h"
#include "kessai/payment/v1/repair_service.pb.h"
#include "kessai/payout/v1/payout_service.pb.h"
#include "kessai/payout/v1/repair_service.pb.h"
#include "kessai/rpc/call.h"

namespace kessai::reconciliation::transport {

namespace {

namespace pa = payment::v1;
namespace po = payout::v1;

constexpr rpc::Name kPayment = "kessai.payment.v1.PaymentService";
constexpr rpc::Name kPaymentRepairs = "kessai.payment.v1.RepairService";
constexpr rpc::Name kPayout = "kessai.payout.v1.PayoutService";
constexpr rpc::Name kPayoutRepairs = "kessai.payout.v1.RepairService";

constexpr auto& RepublishEvents =
    rpc::MethodOf<kPayment, "RepublishEvents", pa::RepublishEventsRequest,
                  pa::RepublishEventsResponse>;
constexpr auto& GetEvent =
    rpc::MethodOf<kPaymentRepairs, "GetEvent", pa::GetEventRequest, pa::SealedEvent>;
constexpr auto& RecomputePayment = rpc::MethodOf<kPaymentRepairs, "RecomputeDigest",
                                                 pa::RecomputeDigestRequest, pa::RecomputedDigest>;
constexpr auto& GetAccrual =
    rpc::MethodOf<kPayout, "GetAccrual", po::GetAccrualRequest, po::Accrual>;
constexpr auto& RepublishAccruals =
    rpc::MethodOf<kPayoutRepairs, "RepublishAccruals", po::RepublishAccrualsRequest,
                  po::RepublishAccrualsResponse>;
constexpr auto& RepublishReleases =
    rpc::MethodOf<kPayoutRepairs, "RepublishReleases", po::RepublishReleasesRequest,
                  po::RepublishReleasesResponse>;
constexpr auto& RestoreAccrual =
    rpc::MethodOf<kPayoutRepairs, "RestoreAccrual", po::RestoreAccrualRequest, po::RestoredAccrual>;
constexpr auto& RecomputePayout = rpc::MethodOf<kPayoutRepairs, "RecomputeDigest",
                                                po::RecomputeDigestRequest, po::RecomputedDigest>;
constexpr auto& PostCorrectionMethod =
    rpc::MethodOf<kPayoutRepairs, "PostCorrection", po::PostCorrectionRequest, po::Correction>;
constexpr auto& WithdrawCorrectionMethod =
    rpc::MethodOf<kPayoutRepairs, "WithdrawCorrection", po::PostCorrectionRequest, po::Correction>;
constexpr auto& GetCorrection =
    rpc::MethodOf<kPayoutRepairs, "GetCorrection", po::GetCorrectionRequest, po::Correction>;

/// As payout takes a reason.
constexpr std::size_t kReasonMax = 255;

template <class Request, class Response>
Result<Response> Ask(const rpc::Channel& channel, auth::TokenSigner& signer,
                     std::string_view audience, const rpc::Method<Request, Response>& method,
                     const Request& request, Duration timeout) {
    KESSAI_ASSIGN_OR_RETURN(
        const std::string token,
        signer.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, audience));
    auto answer = rpc::Call(channel, method, request, {.timeout = timeout, .token = token});
    if (!answer.ok()) return std::move(answer).status().WithContext(std::string(audience));
    return answer;
}

Status Senseless(std::string_view what) {
    return Status(Code::kDataLoss, "PEER_ANSWER_INVALID", "the answer has " + std::string(what));
}

template <class Digest>
Result<digest::BucketDigest> DigestFrom(const Digest& message) {
    const std::string& bytes = message.hash_sum();
    if (bytes.size() != 16) return Senseless("a digest that is none");
    digest::BucketDigest digest;
    digest.count = message.count();
    digest.signed_gross = message.amount();
    for (std::size_t i = 0; i < 8; ++i) {
        digest.hash_sum.high = digest.hash_sum.high << 8 | static_cast<std::uint8_t>(bytes[i]);
        digest.hash_sum.low = digest.hash_sum.low << 8 | static_cast<std::uint8_t>(bytes[i + 8]);
    }
    return digest;
}

template <class Request, class Response>
Result<digest::RecomputedBucket> Recompute(const rpc::Channel& channel, auth::TokenSigner& signer,
                                           std::string_view audience,
                                           const rpc::Method<Request, Response>& method,
                                           BusinessDate day, std::uint32_t bucket,
                                           const std::string& key, Duration timeout) {
    Request request;
    request.set_business_date(day.ToNumber());
    request.set_bucket(bucket);
    request.set_repair_key(key);
    KESSAI_ASSIGN_OR_RETURN(const Response answer,
                            Ask(channel, signer, audience, method, request, timeout));
    digest::RecomputedBucket digests;
    KESSAI_ASSIGN_OR_RETURN(digests.before, DigestFrom(answer.before()));
    KESSAI_ASSIGN_OR_RETURN(digests.after, DigestFrom(answer.after()));
    return digests;
}

/// At most `length` bytes, whole characters.
std::string Cut(std::string text, std::size_t length) {
    if (text.size() <= length) return text;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
    text.resize(length);
    return text;
}

po::PostCorrectionRequest RequestOf(const app::Correction& correction) {
    po::PostCorrectionRequest request;
    request.set_merchant_id(correction.leg.merchant.value());
    request.set_request_key(correction.key);
    request.set_amount(correction.leg.amount);
    request.set_reason(Cut(correction.reason, kReasonMax));
    request.set_requested_by(correction.requested_by);
    request.set_approved_by(correction.approved_by);
    if (!correction.other_leg.none()) {
        request.set_other_merchant_id(correction.other_leg.merchant.value());
        request.set_other_request_key(correction.other_key);
        request.set_other_amount(correction.other_leg.amount);
    }
    return request;
}

}  // namespace

std::vector<std::string_view> RepairContracts() {
    return {kPaymentRepairs.view(), kPayoutRepairs.view()};
}

Result<std::string> GrpcRepairPeers::DoubtOfPayment(domain::ChangeKey change) {
    pa::GetEventRequest ask;
    ask.set_object_id(change.payment.value());
    ask.set_version(change.version);
    KESSAI_ASSIGN_OR_RETURN(const pa::SealedEvent event,
                            Ask(payment_, signer_, "payment", GetEvent(), ask, timeout_));
    return event.doubt();
}

Status GrpcRepairPeers::PublishPaymentEvent(domain::ChangeKey change) {
    pa::RepublishEventsRequest request;
    auto& named = *request.add_changes();
    named.set_object_id(change.payment.value());
    named.set_version(change.version);
    return Ask(payment_, signer_, "payment", RepublishEvents(), request, timeout_).status();
}

Status GrpcRepairPeers::PublishPayoutEvent(domain::ChangeKey change) {
    po::RepublishAccrualsRequest request;
    auto& named = *request.add_changes();
    named.set_payment_id(change.payment.value());
    named.set_version(change.version);
    return Ask(payout_, signer_, "payout", RepublishAccruals(), request, timeout_).status();
}

Status GrpcRepairPeers::PublishRelease(BusinessDate day) {
    po::RepublishReleasesRequest request;
    request.set_business_date(day.ToNumber());
    return Ask(payout_, signer_, "payout", RepublishReleases(), request, timeout_).status();
}

Result<app::AccrualTerms> GrpcRepairPeers::AccrueAgain(domain::ChangeKey change, bool dry_run) {
    pa::GetEventRequest ask;
    ask.set_object_id(change.payment.value());
    ask.set_version(change.version);
    KESSAI_ASSIGN_OR_RETURN(const pa::SealedEvent event,
                            Ask(payment_, signer_, "payment", GetEvent(), ask, timeout_));
    KESSAI_ASSIGN_OR_RETURN(const event::Envelope envelope, event::Open(event.envelope()));
    std::vector<domain::Match> heard;
    KESSAI_RETURN_IF_ERROR(transactions_.Run([&](app::Books& books) -> Status {
        KESSAI_ASSIGN_OR_RETURN(heard, books.matches.Find({&change, 1}));
        return OkStatus();
    }));
    const bool was_heard = !heard.empty() && heard.front().PaymentEffect();
    if (!was_heard && !event.doubt().empty()) {
        return Status(Code::kFailedPrecondition, "EVENT_IN_DOUBT",
                      "payment's event of " + change.payment.ToString() + "/" +
                          std::to_string(change.version) +
                          " was never heard, and what payment has around its row does not show "
                          "that it happened: " +
                          event.doubt());
    }
    po::RestoreAccrualRequest request;
    if (!heard.empty()) {
        const auto content = heard.front().PaymentEffect();
        if (content && *content != envelope.content_hash) {
            return Status(Code::kFailedPrecondition, "EVENT_DIFFERS",
                          "payment's event of " + change.payment.ToString() + "/" +
                              std::to_string(change.version) +
                              " is not the one that was heard: its row was changed");
        }
        if (const auto told = heard.front().PayoutEffect()) {
            request.set_told_content_hash(told->data(), told->size());
            request.set_heard_at_us(ToMicros(heard.front().matched_at));
        }
    }
    request.set_event(event.envelope());
    request.set_dry_run(dry_run);
    KESSAI_ASSIGN_OR_RETURN(const po::RestoredAccrual restored,
                            Ask(payout_, signer_, "payout", RestoreAccrual(), request, timeout_));
    app::AccrualTerms terms;
    terms.merchant = domain::MerchantId(restored.merchant_id());
    KESSAI_ASSIGN_OR_RETURN(terms.business_date,
                            BusinessDate::FromNumber(restored.business_date()));
    terms.gross = restored.gross();
    terms.fee = restored.fee();
    terms.restored = restored.restored();
    return terms;
}

Result<std::optional<app::AccrualTerms>> GrpcRepairPeers::FindAccrual(domain::ChangeKey change) {
    po::GetAccrualRequest request;
    request.set_payment_id(change.payment.value());
    request.set_version(change.version);
    const auto accrual = Ask(payout_, signer_, "payout", GetAccrual(), request, timeout_);
    if (accrual.status().reason() == "ACCRUAL_UNKNOWN") return std::optional<app::AccrualTerms>();
    KESSAI_RETURN_IF_ERROR(accrual.status());
    app::AccrualTerms terms;
    terms.merchant = domain::MerchantId(accrual->merchant_id());
    KESSAI_ASSIGN_OR_RETURN(terms.business_date,
                            BusinessDate::FromNumber(accrual->business_date()));
    terms.gross = accrual->gross();
    terms.fee = accrual->fee();
    return std::optional(terms);
}

Result<digest::RecomputedBucket> GrpcRepairPeers::RecomputeDigest(domain::Book book,
                                                                  BusinessDate day,
                                                                  std::uint32_t bucket,
                                                                  const std::string& key) {
    if (book == domain::Book::kPayment) {
        return Recompute(payment_, signer_, "payment", RecomputePayment(), day, bucket, key,
                         timeout_);
    }
    return Recompute(payout_, signer_, "payout", RecomputePayout(), day, bucket, key, timeout_);
}

Status GrpcRepairPeers::PostCorrection(const app::Correction& correction) {
    KESSAI_ASSIGN_OR_RETURN(
        const po::Correction posted,
        Ask(payout_, signer_, "payout", PostCorrectionMethod(), RequestOf(correction), timeout_));
    if (!posted.posted() || (!correction.other_leg.none() && posted.other_adjustment_id() == 0)) {
        return Senseless("a correction that was not posted");
    }
    return OkStatus();
}

Result<bool> GrpcRepairPeers::WithdrawCorrection(const app::Correction& correction) {
    KESSAI_ASSIGN_OR_RETURN(const po::Correction withdrawn,
                            Ask(payout_, signer_, "payout", WithdrawCorrectionMethod(),
                                RequestOf(correction), timeout_));
    return !withdrawn.posted();
}

Result<std::optional<domain::CorrectionLeg>> GrpcRepairPeers::FindCorrection(
    domain::MerchantId merchant, const std::string& key) {
    po::GetCorrectionRequest request;
    request.set_merchant_id(merchant.value());
    request.set_request_key(key);
    const auto found = Ask(payout_, signer_, "payout", GetCorrection(), request, timeout_);
    if (found.status().reason() == "ADJUSTMENT_UNKNOWN") {
        return std::optional<domain::CorrectionLeg>();
    }
    KESSAI_RETURN_IF_ERROR(found.status());
    if (!found->posted()) return std::optional<domain::CorrectionLeg>();
    return std::optional(
        domain::CorrectionLeg{domain::MerchantId(found->merchant_id()), found->amount()});
}

}  // namespace kessai::reconciliation::transport
