#include "kessai/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <mutex>
#include <utility>

namespace kessai::net {

namespace {

Status Unusable(const std::string& what) {
    char text[256] = "";
    if (const auto error = ERR_get_error(); error != 0)
        ERR_error_string_n(error, text, sizeof(text));
    ERR_clear_error();
    return {Code::kFailedPrecondition, "TLS_FILES_UNUSABLE", what + ": " + text};
}

/// What tells one content of a file from another without reading it: a renewed secret volume is a
/// new file behind a symbolic link.
struct FileStamp {
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    std::int64_t size_bytes = 0;
    bool operator==(const FileStamp&) const = default;

    static FileStamp Of(const std::string& path) {
        struct stat found {};
        if (stat(path.c_str(), &found) != 0) return {};
        return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec, found.st_ino,
                found.st_size};
    }
};

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
               unsigned int in_size, void*) {
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    if (SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, kHttp11,
                              sizeof(kHttp11) - 1, in, in_size) == OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void ApplyCommon(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // One recv for what has arrived, instead of one for a record's header and one for its body.
    SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace

struct TlsServerContext::State {
    Options options;
    mutable std::mutex mutex;
    // Guarded by mutex.
    SSL_CTX* context = nullptr;
    FileStamp cert_stamp;
    FileStamp key_stamp;
    std::int64_t expires_at_s = 0;

    Status Read() {
        const FileStamp cert = FileStamp::Of(options.cert_file);
        const FileStamp key = FileStamp::Of(options.key_file);
        SSL_CTX* fresh = SSL_CTX_new(TLS_server_method());
        if (fresh == nullptr) return Unusable("TLS");
        ApplyCommon(fresh);
        Status outcome;
        if (SSL_CTX_use_certificate_chain_file(fresh, options.cert_file.c_str()) != 1) {
            outcome = Unusable("certificate " + options.cert_file);
        } else if (SSL_CTX_use_PrivateKey_file(fresh, options.key_file.c_str(), SSL_FILETYPE_PEM) !=
                   1) {
            outcome = Unusable("key " + options.key_file);
        } else if (SSL_CTX_check_private_key(fresh) != 1) {
            outcome = Unusable("key " + options.key_file + " and certificate " + options.cert_file);
        }
        if (!outcome.ok()) {
            SSL_CTX_free(fresh);
            return outcome;
        }
        SSL_CTX_set_alpn_select_cb(fresh, SelectAlpn, nullptr);
        SSL_CTX_set_num_tickets(fresh, 1);
        SSL_CTX_set_session_cache_mode(fresh, SSL_SESS_CACHE_OFF);  // tickets resume, not memory
        static constexpr unsigned char kSessionContext[] = "kessai";
        SSL_CTX_set_session_id_context(fresh, kSessionContext, sizeof(kSessionContext) - 1);

        tm end{};
        std::int64_t end_s = 0;
        if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(fresh)), &end) == 1) {
            end_s = timegm(&end);
        }
        const std::lock_guard lock(mutex);
        if (context != nullptr) {
            // Sessions that clients hold stay good over a renewal of the certificate.
            std::array<unsigned char, 80> keys;
            const long size = SSL_CTX_get_tlsext_ticket_keys(context, nullptr, 0);
            if (size > 0 && static_cast<std::size_t>(size) <= keys.size() &&
                SSL_CTX_get_tlsext_ticket_keys(context, keys.data(), size) == 1) {
                SSL_CTX_set_tlsext_ticket_keys(fresh, keys.data(), size);
            }
            SSL_CTX_free(context);
        }
        context = fresh;
        cert_stamp = cert;
        key_stamp = key;
        expires_at_s = end_s;
        return OkStatus();
    }
};

TlsServerContext::TlsServerContext(Options options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
}

TlsServerContext::~TlsServerContext() {
    if (state_->context != nullptr) SSL_CTX_free(state_->context);
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::Load(Options options) {
    std::shared_ptr<TlsServerContext> context(new TlsServerContext(std::move(options)));
    KESSAI_RETURN_IF_ERROR(context->state_->Read());
    return context;
}

Result<bool> TlsServerContext::ReloadIfChanged() {
    {
        const std::lock_guard lock(state_->mutex);
        if (FileStamp::Of(state_->options.cert_file) == state_->cert_stamp &&
            FileStamp::Of(state_->options.key_file) == state_->key_stamp) {
            return false;
        }
    }
    KESSAI_RETURN_IF_ERROR(state_->Read());
    return true;
}

std::int64_t TlsServerContext::expires_at_s() const {
    const std::lock_guard lock(state_->mutex);
    return state_->expires_at_s;
}

SSL_CTX* TlsServerContext::Acquire() const {
    const std::lock_guard lock(state_->mutex);
    SSL_CTX_up_ref(state_->context);
    return state_->context;
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::Create(const std::string& ca_file) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr) return Unusable("TLS");
    std::shared_ptr<TlsClientContext> client(new TlsClientContext(context));
    ApplyCommon(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) return Unusable("system certificates");
    } else if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
        return Unusable("certificates " + ca_file);
    }
    return client;
}

TlsClientContext::~TlsClientContext() {
    SSL_CTX_free(context_);
}

}  // namespace kessai::net
