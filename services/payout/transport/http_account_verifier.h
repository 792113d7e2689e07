#pragma once

#include <memory>
#include <string>

#include "app/account_verifier.h"
#include "kessai/http/client.h"
#include "kessai/net/loop.h"
#include "kessai/time/clock.h"

namespace kessai::payout::transport {

/// Asks over HTTP: POST of an account as JSON, answered with a code of the banks' account inquiry
/// for transfers (振込口座照会; what the codes mean: services/payout/README.md). Whoever has an
/// inquiry service of another form puts a small bridge before it.
class HttpAccountVerifier final : public app::AccountVerifier {
 public:
    struct Options {
        http::Url url;
        /// Sent as a bearer token, if there is one.
        std::string token;
        /// For all of a question.
        Duration timeout = std::chrono::seconds(5);
        /// PEM of who signed the server's certificate; empty: the system's.
        std::string ca_file;
    };
    /// FAILED_PRECONDITION TLS_FILES_UNUSABLE.
    static Result<std::unique_ptr<HttpAccountVerifier>> Create(Options options, const Clock& clock);
    ~HttpAccountVerifier() override;

    /// UNAVAILABLE VERIFIER_UNREACHABLE (no connection, or no answer in time), VERIFIER_FAILED
    /// (another status than 200), VERIFIER_ANSWER_MALFORMED.
    Result<domain::Verification> Ask(const domain::BankAccount& account) override;

 private:
    HttpAccountVerifier(Options options, std::shared_ptr<net::TlsClientContext> tls,
                        const Clock& clock);

    const Options options_;
    const Clock& clock_;
    net::Loop loop_;
    http::Client client_;
};

}  // namespace kessai::payout::transport
