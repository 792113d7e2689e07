#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/http/message.h"
#include "kessai/net/loop.h"
#include "kessai/net/stream.h"
#include "kessai/net/task.h"
#include "kessai/net/tls.h"
#include "kessai/result/result.h"

namespace kessai::http {

/// An absolute http or https URL. No user, no password, no fragment.
struct Url {
    bool tls = true;
    std::string host;  // lower case; an IPv6 literal without its brackets
    std::uint16_t port = 443;
    std::string target = "/";  // path and query, as given

    /// Refuses with INVALID_ARGUMENT URL_MALFORMED and says why.
    static Result<Url> Parse(std::string_view text);
    std::string ToString() const;
    /// "host:port" as the Host field has it; the scheme's own port is left out.
    std::string Authority() const;
};

struct ClientRequest {
    Method method = Method::kPost;
    Url url;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    /// For all of it, from resolving the name to the answer's last byte.
    SteadyInstant deadline{};
};

struct ClientResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> fields;
    /// At most the client's `response_bytes_max`.
    std::string body;
    bool body_cut = false;

    std::string_view Header(std::string_view name) const;
};

/// Sends requests over HTTP/1.1, with keep-alive. It follows no redirects, and connects to no
/// address that the guard refuses, whatever the name resolves to. Loop's thread only.
class Client {
 public:
    struct Options {
        /// For https; null refuses it.
        std::shared_ptr<net::TlsClientContext> tls;
        net::AddressGuard guard;
        std::size_t response_bytes_max = 64 * 1024;
        std::size_t idle_per_host_max = 4;
        std::size_t idle_max = 256;
        Duration idle_timeout = std::chrono::seconds(15);
    };

    Client(net::Loop& loop, Options options);
    ~Client();

    /// Refusals: those of net::Connect and net::Stream, INTERNAL RESPONSE_MALFORMED. When a kept
    /// connection turns out dead before the answer began, it is sent once more on a new one: only
    /// for requests that may arrive twice.
    net::Task<Result<ClientResponse>> Send(ClientRequest request);

    /// Closes idle connections.
    void Close();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kessai::http
