#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kessai/net/address.h"
#include "kessai/net/task.h"
#include "kessai/result/result.h"
#include "kessai/time/clock.h"

namespace kessai::net {
class Loop;
}

namespace kessai::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };
std::string_view MethodName(Method method);

struct Field {
    std::string_view name;
    std::string_view value;
};

struct Route;

/// A request as a handler sees it: views into the connection's buffer, valid until the handler has
/// answered.
class Request {
 public:
    /// So many bytes after `body` may be read (not interpreted), as simdjson wants it.
    static constexpr std::size_t kBodyPaddingBytes = 64;
    static constexpr std::size_t kParametersMax = 4;

    Method method = Method::kOther;
    std::string_view method_text;
    /// As it was on the wire, never decoded: "/v2/codes/a%20b?x=1".
    std::string_view target;
    /// `target` up to '?', and what follows it.
    std::string_view path;
    std::string_view query;
    std::string_view body;
    std::span<const Field> fields;

    /// The value of the first field of that name (compared without case); empty when there is none.
    std::string_view Header(std::string_view name) const;
    /// The part of the path that stood for {name} in the route, as it was on the wire.
    std::string_view Parameter(std::string_view name) const;
    /// The first `name=value` of the query, percent-decoded; empty when there is none.
    std::string QueryValue(std::string_view name) const;
    bool HasQueryValue(std::string_view name) const;

    /// Who sent it: the connection's peer, or what a trusted proxy said.
    net::IpAddress client;
    /// Ours, new for every request; the answer carries it as X-REQUEST-ID.
    std::string_view request_id;
    SteadyInstant received_at{};
    /// When the answer must be there: the route's time-out after `received_at`.
    SteadyInstant deadline{};
    const Route* route = nullptr;
    net::Loop* loop = nullptr;
    bool is_tls = false;

 private:
    friend class Router;
    std::array<std::pair<std::string_view, std::string_view>, kParametersMax> parameters_;
    std::size_t parameter_count_ = 0;
};

/// A body that comes while it is sent, for what is too large to be held. Used on the request's
/// loop; the request is gone by then, so it must not look at it.
class BodySource {
 public:
    virtual ~BodySource() = default;
    /// Of all that Next will give: the answer's Content-Length.
    virtual std::uint64_t bytes() const = 0;
    /// The next bytes; not asked for before those of the last time were taken by the network, so
    /// what is held is one piece. Not empty. After a refusal the connection is cut, and the
    /// receiver sees by the length that it has not got all.
    virtual net::Task<Result<std::string>> Next() = 0;
};

struct Response {
    static constexpr std::string_view kJson = "application/json";
    static constexpr std::string_view kProblemJson = "application/problem+json";

    int status = 200;
    /// Must outlive the response: a literal.
    std::string_view content_type = kJson;
    std::string body;
    /// Instead of `body`.
    std::shared_ptr<BodySource> body_source = {};
    /// Beyond the ones every answer has. Values must hold no line ends.
    std::vector<std::pair<std::string_view, std::string>> fields;
    /// End the connection after it.
    bool close = false;

    // For the log and the metrics, not for the wire.
    /// A name from a bounded set, "UNAUTHORIZED"; empty when all is well. A literal.
    std::string_view reason;
    /// Who asked: an API key's or a user's id; never a secret.
    std::string subject;
    /// What `reason` does not tell: the field, the check that failed; never a secret.
    std::string cause;
};

/// "404" → "Not Found"; "Unknown" for what is none.
std::string_view ReasonPhrase(int status);
/// Refuses broken escapes by returning false. '+' stays '+'.
bool PercentDecode(std::string_view text, std::string& decoded);
/// Escapes all but the unreserved characters of RFC 3986.
std::string PercentEncode(std::string_view text);
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace kessai::http
