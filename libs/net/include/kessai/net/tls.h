#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kessai/result/result.h"

typedef struct ssl_ctx_st SSL_CTX;

namespace kessai::net {

/// What a TLS endpoint shows and accepts. TLS 1.2 and 1.3 (partner contract: 1.2 or newer, with
/// SNI), ALPN "http/1.1". Thread safe; connections keep the settings they started with.
class TlsServerContext {
 public:
    struct Options {
        std::string cert_file;  // PEM, leaf first, then intermediates
        std::string key_file;   // PEM
    };

    /// Refuses with FAILED_PRECONDITION TLS_FILES_UNUSABLE and says which file.
    static Result<std::shared_ptr<TlsServerContext>> Load(Options options);

    /// Reads the files again if they changed since they were read. On a refusal the old ones stay
    /// in use. Session tickets stay valid. True when something changed.
    Result<bool> ReloadIfChanged();

    /// When the leaf certificate ends, seconds since 1970.
    std::int64_t expires_at_s() const;

    /// A reference of its own for the caller, to be freed by SSL_CTX_free.
    SSL_CTX* Acquire() const;

    ~TlsServerContext();

 private:
    explicit TlsServerContext(Options options);
    struct State;
    std::unique_ptr<State> state_;
};

/// Verifies the server's chain and name.
class TlsClientContext {
 public:
    /// `ca_file` PEM; empty means the system's. Refuses with FAILED_PRECONDITION
    /// TLS_FILES_UNUSABLE.
    static Result<std::shared_ptr<TlsClientContext>> Create(const std::string& ca_file);

    SSL_CTX* context() const { return context_; }

    ~TlsClientContext();

 private:
    explicit TlsClientContext(SSL_CTX* context) : context_(context) {}
    SSL_CTX* context_;
};

}  // namespace kessai::net
