#include "transport/http_account_verifier.h"

#include <simdjson.h>

#include <string_view>
#include <utility>

#include "kessai/net/run.h"

namespace kessai::payout::transport {
namespace {

// An answer is some ten bytes.
constexpr std::size_t kAnswerBytesMax = 16 * 1'024;

Status Unavailable(std::string_view reason, std::string message) {
    return Status(Code::kUnavailable, reason, std::move(message));
}

/// Of Zengin's letters two are not themselves in JSON.
std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') quoted.push_back('\\');
        quoted.push_back(letter);
    }
    return quoted + "\"";
}

std::string QuestionOf(const domain::BankAccount& account) {
    return "{\"bankCode\":" + Quoted(account.bank_code) +
           ",\"branchCode\":" + Quoted(account.branch_code) +
           ",\"accountType\":" + std::to_string(static_cast<int>(account.type)) +
           ",\"accountNumber\":" + Quoted(account.number) +
           ",\"accountHolder\":" + Quoted(account.holder_kana) + "}";
}

Result<domain::Verification> ReadAnswer(const http::ClientResponse& response) {
    const auto malformed = [](std::string why) {
        return Unavailable("VERIFIER_ANSWER_MALFORMED", std::move(why));
    };
    if (response.body_cut) return malformed("the answer is too long");
    simdjson::dom::parser parser;
    std::string_view code;
    const simdjson::padded_string body(response.body);
    if (parser.parse(body)["code"].get(code) != simdjson::SUCCESS) {
        return malformed("the answer is no object with a code");
    }
    using enum domain::VerificationState;
    if (code == "0") return domain::Verification{.state = kVerified};
    if (code == "1") return domain::Verification{.state = kRefused, .reason = "NO_SUCH_ACCOUNT"};
    if (code == "2") return domain::Verification{.state = kRefused, .reason = "HOLDER_DIFFERS"};
    if (code == "9") return domain::Verification{.state = kRefused, .reason = "OTHER"};
    return malformed("there is no code " + std::string(code.substr(0, 16)));
}

}  // namespace

Result<std::unique_ptr<HttpAccountVerifier>> HttpAccountVerifier::Create(Options options,
                                                                         const Clock& clock) {
    KESSAI_ASSIGN_OR_RETURN(auto tls, net::TlsClientContext::Create(options.ca_file));
    return std::unique_ptr<HttpAccountVerifier>(
        new HttpAccountVerifier(std::move(options), std::move(tls), clock));
}

HttpAccountVerifier::HttpAccountVerifier(Options options,
                                         std::shared_ptr<net::TlsClientContext> tls,
                                         const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      loop_("verifier"),
      client_(loop_, {.tls = std::move(tls),
                      .guard = {},
                      .response_bytes_max = kAnswerBytesMax,
                      .idle_per_host_max = 2,
                      .idle_max = 2}) {
    loop_.Start();
}

HttpAccountVerifier::~HttpAccountVerifier() {
    net::RunOn(loop_, [this]() -> net::Task<void> {
        client_.Close();
        co_return;
    });
    loop_.Stop();
}

Result<domain::Verification> HttpAccountVerifier::Ask(const domain::BankAccount& account) {
    http::ClientRequest request;
    request.method = http::Method::kPost;
    request.url = options_.url;
    request.fields = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!options_.token.empty()) {
        request.fields.emplace_back("Authorization", "Bearer " + options_.token);
    }
    request.body = QuestionOf(account);
    request.deadline = clock_.SteadyNow() + options_.timeout;
    Result<http::ClientResponse> answer = Status(Code::kUnavailable, "VERIFIER_UNREACHABLE", "");
    net::RunOn(loop_,
               [&]() -> net::Task<void> { answer = co_await client_.Send(std::move(request)); });
    if (!answer.ok()) {
        return Unavailable("VERIFIER_UNREACHABLE", std::string(answer.status().reason()) + ": " +
                                                       std::string(answer.status().message()));
    }
    if (answer->status != 200) {
        return Unavailable("VERIFIER_FAILED", "answered " + std::to_string(answer->status));
    }
    return ReadAnswer(*answer);
}

}  // namespace kessai::payout::transport
