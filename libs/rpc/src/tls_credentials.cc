#include "tls_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace kessai::rpc {
namespace {

namespace tls = grpc::experimental;

std::shared_ptr<tls::CertificateProviderInterface> Watch(const TlsFiles& files) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(files.check_interval).count();
    return std::make_shared<tls::FileWatcherCertificateProvider>(
        files.private_key_path, files.certificate_chain_path, files.ca_path,
        static_cast<unsigned>(std::max<long>(1, seconds)));
}

/// Lets those clients in whose certificate (already verified against the CA) has an allowed name.
class PeerVerifier final : public tls::ExternalCertificateVerifier {
 public:
    explicit PeerVerifier(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

    bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
                grpc::Status* outcome) override {
        const auto allowed = [this](grpc::string_ref name) {
            return std::find(allowed_.begin(), allowed_.end(),
                             std::string_view(name.data(), name.size())) != allowed_.end();
        };
        const auto dns = request->dns_names();
        const auto uri = request->uri_names();
        const bool found = std::any_of(dns.begin(), dns.end(), allowed) ||
                           std::any_of(uri.begin(), uri.end(), allowed);
        *outcome = found ? grpc::Status()
                         : grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                                        "the certificate's names may not connect");
        return true;  // decided at once
    }
    void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
    const std::vector<std::string> allowed_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServerTls(const TlsFiles& files,
                                                   std::vector<std::string> allowed_peers) {
    tls::TlsServerCredentialsOptions options(Watch(files));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    if (!allowed_peers.empty()) {
        options.set_certificate_verifier(
            tls::ExternalCertificateVerifier::Create<PeerVerifier>(std::move(allowed_peers)));
    }
    return tls::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ClientTls(const TlsFiles& files) {
    tls::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(Watch(files));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    options.set_verify_server_certs(true);
    // The server's certificate must also have the name that was asked for.
    options.set_certificate_verifier(std::make_shared<tls::HostNameCertificateVerifier>());
    return tls::TlsCredentials(options);
}

}  // namespace kessai::rpc
