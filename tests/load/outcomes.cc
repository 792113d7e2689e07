#include "load/outcomes.h"

#include <simdjson.h>

#include <charconv>

namespace kessai::load {

namespace {

static_assert(Answer::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

using simdjson::SUCCESS;
using simdjson::dom::element;

/// `body` is followed by the padding, as an Answer's is. Valid until this thread parses again.
bool Parse(std::string_view body, element& root) {
    thread_local simdjson::dom::parser parser;
    return parser.parse(body.data(), body.size(), false).get(root) == SUCCESS;
}

std::int64_t Number(std::string_view text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

/// What anything but the awaited success means. Partners read resultInfo.code, the app reads code.
Outcome Refusal(const Answer& answer) {
    if (answer.fate != Answer::Fate::kAnswered) {
        return {answer.fate == Answer::Fate::kNotSent ? Verdict::kNotDone : Verdict::kUnknown,
                std::string(answer.reason)};
    }
    std::string reason;
    bool outcome_unknown = false;
    element problem;
    if (Parse(answer.body, problem)) {
        std::string_view code;
        if (problem["resultInfo"]["code"].get(code) == SUCCESS ||
            problem["code"].get(code) == SUCCESS) {
            reason = code;
        }
        if (problem["outcomeUnknown"].get(outcome_unknown) != SUCCESS) outcome_unknown = false;
    }
    if (reason.empty()) reason = "HTTP_" + std::to_string(answer.status);
    if (answer.status >= 200 && answer.status < 300) {
        // A success that does not say what it should.
        return {Verdict::kUnknown, "ANSWER_UNEXPECTED"};
    }
    if (outcome_unknown) return {Verdict::kUnknown, std::move(reason)};
    if (answer.status == 429 || answer.status == 503) return {Verdict::kNotDone, std::move(reason)};
    if (answer.status >= 500) return {Verdict::kUnknown, std::move(reason)};
    return {Verdict::kRefused, std::move(reason)};
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
    switch (verdict) {
        case Verdict::kAcknowledged:
            return "acknowledged";
        case Verdict::kRefused:
            return "refused";
        case Verdict::kNotDone:
            return "not_done";
        case Verdict::kUnknown:
            return "unknown";
    }
    return "unknown";
}

Outcome ReadCreatedCode(const Answer& answer, std::string& code_id) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status == 201) {
        element body;
        std::string_view code;
        if (Parse(answer.body, body) && body["data"]["codeId"].get(code) == SUCCESS &&
            !code.empty()) {
            code_id = code;
            return {Verdict::kAcknowledged, {}};
        }
    }
    return Refusal(answer);
}

Outcome ReadPaidCode(const Answer& answer, PaidCode& paid) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status >= 200 && answer.status < 300) {
        element body;
        std::string_view payment_id;
        std::string_view status;
        if (Parse(answer.body, body) && body["paymentId"].get(payment_id) == SUCCESS &&
            body["status"].get(status) == SUCCESS && status == "COMPLETED" &&
            body["amount"]["amount"].get(paid.amount) == SUCCESS) {
            paid.payment_id = Number(payment_id);
            if (paid.payment_id != 0) return {Verdict::kAcknowledged, {}};
        }
    }
    return Refusal(answer);
}

Outcome ReadRefund(const Answer& answer, RefundedPayment& refunded) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status == 200) {
        element body;
        element data;
        std::string_view payment_id;
        std::string_view status;
        if (Parse(answer.body, body) && body["data"].get(data) == SUCCESS &&
            data["status"].get(status) == SUCCESS &&
            (status == "CREATED" || status == "REFUNDED") &&
            data["paymentId"].get(payment_id) == SUCCESS &&
            data["amount"]["amount"].get(refunded.amount) == SUCCESS) {
            refunded.payment_id = Number(payment_id);
            if (refunded.payment_id != 0) return {Verdict::kAcknowledged, {}};
        }
    }
    return Refusal(answer);
}

Outcome ReadCancel(const Answer& answer) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status == 202) {
        element body;
        std::string_view code;
        if (Parse(answer.body, body) && body["resultInfo"]["code"].get(code) == SUCCESS &&
            code == "REQUEST_ACCEPTED") {
            return {Verdict::kAcknowledged, {}};
        }
    }
    return Refusal(answer);
}

Outcome ReadTopUp(const Answer& answer, ToppedUp& topped_up) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status == 201) {
        element body;
        std::string_view top_up_id;
        if (Parse(answer.body, body) && body["topUpId"].get(top_up_id) == SUCCESS &&
            body["amount"]["amount"].get(topped_up.amount) == SUCCESS) {
            topped_up.top_up_id = Number(top_up_id);
            if (topped_up.top_up_id != 0) return {Verdict::kAcknowledged, {}};
        }
    }
    return Refusal(answer);
}

Outcome ReadCodePayment(const Answer& answer, CodePayment& payment) {
    if (answer.fate == Answer::Fate::kAnswered && answer.status == 200) {
        element body;
        element data;
        std::string_view status;
        if (Parse(answer.body, body) && body["data"].get(data) == SUCCESS &&
            data["status"].get(status) == SUCCESS) {
            payment.status = status;
            std::string_view payment_id;
            payment.payment_id =
                data["paymentId"].get(payment_id) == SUCCESS ? Number(payment_id) : 0;
            if (data["amount"]["amount"].get(payment.amount) == SUCCESS) {
                return {Verdict::kAcknowledged, {}};
            }
        }
    }
    return Refusal(answer);
}

std::string TextAt(std::string_view json, std::string_view path) {
    simdjson::dom::parser parser;
    element root;
    element found;
    std::string pointer("/");
    pointer.append(path);
    if (parser.parse(json.data(), json.size()).get(root) != SUCCESS ||
        root.at_pointer(pointer).get(found) != SUCCESS) {
        return {};
    }
    std::string_view text;
    if (found.get(text) == SUCCESS) return std::string(text);
    if (found.is_number() || found.is_bool()) return simdjson::minify(found);
    return {};
}

}  // namespace kessai::load
