#include "kessai/rpc/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

#include "kessai/rpc/reason.h"

namespace kessai::rpc {
namespace {

Status Bad(const std::string& path, const char* what) {
    // The queue is this thread's; what it says belongs to this attempt.
    char detail[160] = "";
    if (const unsigned long error = ERR_peek_error(); error != 0) {
        ERR_error_string_n(error, detail, sizeof detail);
    }
    ERR_clear_error();
    return Status(Code::kInvalidArgument, reason::kTlsFilesInvalid,
                  path + " " + what + (detail[0] != '\0' ? std::string(": ") + detail : ""));
}

}  // namespace

Status TlsFiles::Check() const {
    ERR_clear_error();
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                                    SSL_CTX_free);
    KESSAI_CHECK(context != nullptr, "no TLS context");
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_chain_path.c_str()) != 1) {
        return Bad(certificate_chain_path, "is no certificate chain that can be read");
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), private_key_path.c_str(), SSL_FILETYPE_PEM) !=
        1) {
        return Bad(private_key_path, "is no key of that certificate that can be read");
    }
    if (SSL_CTX_check_private_key(context.get()) != 1) {
        return Bad(private_key_path, "is not the key of that certificate");
    }
    if (SSL_CTX_load_verify_locations(context.get(), ca_path.c_str(), nullptr) != 1) {
        return Bad(ca_path, "is no CA certificate that can be read");
    }
    return {};
}

}  // namespace kessai::rpc
