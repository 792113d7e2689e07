#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/http/message.h"
#include "kessai/net/task.h"
#include "kessai/result/result.h"

namespace kessai::http {

/// What the server itself refuses, before or instead of a handler.
enum class Fault : std::uint8_t {
    kMalformed,         // 400
    kNotFound,          // 404
    kMethodNotAllowed,  // 405
    kTooSlow,           // 408
    kBodyTooLarge,      // 413
    kHeaderTooLarge,    // 431
    kInternal,          // 500: the handler failed without an answer
    kNotImplemented,    // 501: a transfer coding that nobody asked for
    kOverloaded,        // 503
    kVersion,           // 505
};
int StatusOf(Fault fault);
std::string_view NameOf(Fault fault);  // "NOT_FOUND" and so on

/// A part of the interface with a form of errors of its own.
struct Family {
    std::string name;
    /// Paths that begin with it are the family's, for errors where no route fits.
    std::string prefix;
    /// Fills status, type and body; `detail` is for people.
    std::function<Response(Fault fault, std::string_view detail, std::string_view request_id)>
        refuse;
};

/// Called on the request's loop. The request stays valid until the task ends.
using Handler = std::function<net::Task<Response>(const Request&)>;

struct Route {
    /// Names the operation in logs and metrics: "v2_createDynamicQRCode".
    std::string name;
    Method method = Method::kGet;
    /// "/v2/codes/{codeId}"; a trailing slash makes it another path.
    std::string path;
    const Family* family = nullptr;
    std::size_t body_bytes_max = 64 * 1024;
    Duration timeout = std::chrono::seconds(15);
    Handler handler;
    /// Position in the router, for per-route metrics.
    std::size_t index = 0;
};

/// Finds the route of a request by its raw path. Fixed once made; thread safe.
class Router {
 public:
    /// Families are tried for errors in the order given; the first is also the last resort.
    explicit Router(std::vector<std::unique_ptr<Family>> families);
    ~Router();
    Router(Router&&) noexcept;

    /// Refuses with INVALID_ARGUMENT ROUTE_MALFORMED, ALREADY_EXISTS ROUTE_TWICE.
    Status Add(Route route);

    struct Match {
        const Route* route = nullptr;
        /// Where no route fits: "GET, POST" when another method would, else empty.
        std::string allow;
    };
    /// Sets the request's route and parameters. HEAD finds GET's.
    Match Find(Request& request) const;

    const Family& FamilyOf(std::string_view path) const;
    const Family* FindFamily(std::string_view name) const;
    const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
    struct Node;
    std::vector<std::unique_ptr<Family>> families_;
    std::vector<std::unique_ptr<Route>> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace kessai::http
