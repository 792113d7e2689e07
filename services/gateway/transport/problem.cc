#include "transport/problem.h"

#include <array>
#include <string>

#include "domain/partner_contract.h"
#include "transport/json_writer.h"

namespace kessai::gateway::transport {

namespace {

// What is logged must outlive the response, and a Status' reason goes with it.
constexpr std::array<std::string_view, 36> kReasons{"AMOUNT_OUT_OF_RANGE",
                                                    "CURRENCY_UNKNOWN",
                                                    "FIELD_INVALID",
                                                    "MERCHANT_UNKNOWN",
                                                    "MERCHANT_SUSPENDED",
                                                    "CODE_UNKNOWN",
                                                    "CODE_EXPIRED",
                                                    "CODE_DELETED",
                                                    "CODE_ALREADY_PAID",
                                                    "PAYMENT_CANCELED",
                                                    "PAYMENT_UNKNOWN",
                                                    "AMOUNT_CHANGED",
                                                    "INSUFFICIENT_FUNDS",
                                                    "WALLET_UNKNOWN",
                                                    "KEY_REUSED",
                                                    "SOURCE_UNKNOWN",
                                                    "BALANCE_LIMIT",
                                                    "PAGE_TOKEN_INVALID",
                                                    "QUEUE_FULL",
                                                    "OUTCOME_UNKNOWN",
                                                    "NOT_SENT",
                                                    "RATE_LIMITED",
                                                    "BODY_MALFORMED",
                                                    "FIELD_MISSING",
                                                    "FIELD_MALFORMED",
                                                    "FIELD_UNKNOWN",
                                                    "SIGN_IN_REQUIRED",
                                                    "SCOPE_MISSING",
                                                    "TOKEN_EXPIRED",
                                                    "TOKEN_MISSING",
                                                    "TOKEN_MALFORMED",
                                                    "TOKEN_KEY_UNKNOWN",
                                                    "RELEASE_RUNNING",
                                                    "TOKEN_SIGNATURE_WRONG",
                                                    "CONTENT_TYPE_UNSUPPORTED",
                                                    "DAY_NOT_OVER"};

std::string_view Lasting(std::string_view reason, Code code) {
    for (const auto name : kReasons) {
        if (name == reason) return name;
    }
    return CodeName(code);
}

http::Response Make(int status, std::string_view code, std::string_view title,
                    std::string_view detail, bool outcome_unknown, std::string_view request_id) {
    http::Response response;
    response.status = status;
    response.content_type = http::Response::kProblemJson;
    JsonWriter json(response.body);
    json.BeginObject();
    json.Key("type").Text("urn:kessai:problem:" + std::string(code));
    json.Key("title").Text(title);
    json.Key("status").Number(status);
    json.Key("code").Text(code);
    json.Key("detail").Text(detail);
    if (outcome_unknown) json.Key("outcomeUnknown").Bool(true);
    json.Key("requestId").Text(request_id);
    json.EndObject();
    return response;
}

/// With what is logged and counted of it, and what its status asks for.
http::Response WithCause(const Status& refusal, http::Response response) {
    response.reason = Lasting(refusal.reason(), refusal.code());
    response.cause = std::string(refusal.reason()).append(": ").append(refusal.message());
    if (response.status == 401) response.fields.emplace_back("WWW-Authenticate", "Bearer");
    // ABORTED: somebody else is at it just now (RELEASE_RUNNING, RUN_RUNNING), and nothing was
    // done.
    if (response.status == 429 || response.status == 503 || refusal.code() == Code::kAborted) {
        response.fields.emplace_back("Retry-After", "1");
    }
    return response;
}

http::Response Named(int status, const Status& refusal, std::string_view request_id) {
    return WithCause(refusal, Make(status, refusal.reason(), http::ReasonPhrase(status),
                                   refusal.message(), false, request_id));
}

}  // namespace

int HttpStatusOf(const Status& refusal) {
    switch (refusal.code()) {
        case Code::kOk:
            return 200;
        case Code::kInvalidArgument:
            return refusal.reason() == domain::reason::kContentTypeUnsupported ? 415 : 400;
        case Code::kOutOfRange:
            return 400;
        case Code::kUnauthenticated:
            return 401;
        case Code::kPermissionDenied:
            return 403;
        case Code::kNotFound:
            return 404;
        case Code::kAlreadyExists:
        case Code::kFailedPrecondition:
        case Code::kAborted:
            return 409;
        case Code::kResourceExhausted:
            return 429;
        case Code::kUnimplemented:
            return 501;
        case Code::kUnavailable:
            return refusal.reason() == "OUTCOME_UNKNOWN" ? 504 : 503;
        case Code::kDeadlineExceeded:
        case Code::kUnknown:
            return 504;
        case Code::kCancelled:
        case Code::kInternal:
        case Code::kDataLoss:
            break;
    }
    return 500;
}

http::Response Problem(const Status& refusal, std::string_view request_id) {
    const int status = HttpStatusOf(refusal);
    if (status < 500) return Named(status, refusal, request_id);
    const bool unknown = status == 504 && refusal.reason() != "NOT_SENT";
    // What went wrong inside is in the log, under the request's id.
    const std::string_view detail =
        unknown ? "It is not known whether it was done; the same request may be sent again."
                : "It was not done; try again later.";
    const std::string_view code = unknown         ? "OUTCOME_UNKNOWN"
                                  : status == 503 ? "UNAVAILABLE"
                                  : status == 501 ? "UNIMPLEMENTED"
                                                  : "INTERNAL_ERROR";
    return WithCause(refusal,
                     Make(status, code, http::ReasonPhrase(status), detail, unknown, request_id));
}

http::Response OperatorProblem(const Status& refusal, std::string_view request_id) {
    const bool of_files = refusal.reason().starts_with("STORE_");
    if (refusal.code() != Code::kDataLoss && !of_files) return Problem(refusal, request_id);
    return Named(HttpStatusOf(refusal), refusal, request_id);
}

std::vector<std::string_view> ProblemReasons() {
    std::vector<std::string_view> reasons(kReasons.begin(), kReasons.end());
    for (const auto code :
         {Code::kCancelled, Code::kUnknown, Code::kInvalidArgument, Code::kDeadlineExceeded,
          Code::kNotFound, Code::kAlreadyExists, Code::kPermissionDenied, Code::kResourceExhausted,
          Code::kFailedPrecondition, Code::kAborted, Code::kOutOfRange, Code::kUnimplemented,
          Code::kInternal, Code::kUnavailable, Code::kDataLoss, Code::kUnauthenticated}) {
        reasons.push_back(CodeName(code));
    }
    return reasons;
}

http::Response ProblemFault(http::Fault fault, std::string_view detail,
                            std::string_view request_id) {
    const int status = http::StatusOf(fault);
    return Make(status, http::NameOf(fault), http::ReasonPhrase(status), detail, false, request_id);
}

}  // namespace kessai::gateway::transport
