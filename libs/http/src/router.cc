#include "kessai/http/router.h"

#include <algorithm>
#include <array>

#include "kessai/result/check.h"

namespace kessai::http {

namespace {
constexpr std::size_t kMethods = 8;
constexpr std::size_t kDepthMax = 16;

struct FaultText {
    int status;
    std::string_view name;
};
FaultText TextOf(Fault fault) {
    switch (fault) {
        case Fault::kMalformed:
            return {400, "MALFORMED_REQUEST"};
        case Fault::kNotFound:
            return {404, "PATH_UNKNOWN"};
        case Fault::kMethodNotAllowed:
            return {405, "METHOD_NOT_ALLOWED"};
        case Fault::kTooSlow:
            return {408, "REQUEST_TOO_SLOW"};
        case Fault::kBodyTooLarge:
            return {413, "BODY_TOO_LARGE"};
        case Fault::kHeaderTooLarge:
            return {431, "HEADER_TOO_LARGE"};
        case Fault::kInternal:
            return {500, "INTERNAL_ERROR"};
        case Fault::kNotImplemented:
            return {501, "NOT_IMPLEMENTED"};
        case Fault::kOverloaded:
            return {503, "OVERLOADED"};
        case Fault::kVersion:
            return {505, "VERSION_NOT_SUPPORTED"};
    }
    return {500, "INTERNAL_ERROR"};
}
}  // namespace

int StatusOf(Fault fault) {
    return TextOf(fault).status;
}
std::string_view NameOf(Fault fault) {
    return TextOf(fault).name;
}

/// One segment of paths; children are few, so they are looked through.
struct Router::Node {
    std::string segment;
    std::vector<std::unique_ptr<Node>> children;
    std::unique_ptr<Node> parameter;
    std::array<const Route*, kMethods> routes{};

    Node* Child(std::string_view name) const {
        for (const auto& child : children) {
            if (child->segment == name) return child.get();
        }
        return nullptr;
    }
};

Router::Router(std::vector<std::unique_ptr<Family>> families)
    : families_(std::move(families)), root_(std::make_unique<Node>()) {
    KESSAI_CHECK(!families_.empty(), "a router needs a family for its errors");
}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

Status Router::Add(Route route) {
    const auto malformed = [&](const char* why) {
        return Status(Code::kInvalidArgument, "ROUTE_MALFORMED", route.path + ": " + why);
    };
    if (route.path.empty() || route.path.front() != '/') return malformed("no slash in front");
    if (route.family == nullptr || !route.handler) return malformed("no family or no handler");
    Node* node = root_.get();
    std::string_view rest = std::string_view(route.path).substr(1);
    std::size_t parameters = 0;
    while (true) {
        const auto slash = rest.find('/');
        const std::string_view segment = rest.substr(0, slash);
        const bool is_parameter =
            segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
        if (is_parameter) {
            if (++parameters > Request::kParametersMax) return malformed("too many parameters");
            if (!node->parameter) {
                node->parameter = std::make_unique<Node>();
                node->parameter->segment = segment.substr(1, segment.size() - 2);
            } else if (node->parameter->segment != segment.substr(1, segment.size() - 2)) {
                return malformed("the same place has another name elsewhere");
            }
            node = node->parameter.get();
        } else {
            if (segment.find_first_of("{}") != std::string_view::npos) {
                return malformed("a brace inside a segment");
            }
            Node* child = node->Child(segment);
            if (child == nullptr) {
                node->children.push_back(std::make_unique<Node>());
                child = node->children.back().get();
                child->segment = segment;
            }
            node = child;
        }
        if (slash == std::string_view::npos) break;
        rest = rest.substr(slash + 1);
    }
    const Route*& place = node->routes[static_cast<std::size_t>(route.method)];
    if (place != nullptr) {
        return {Code::kAlreadyExists, "ROUTE_TWICE",
                std::string(MethodName(route.method)) + " " + route.path};
    }
    route.index = routes_.size();
    routes_.push_back(std::make_unique<Route>(std::move(route)));
    place = routes_.back().get();
    return OkStatus();
}

Router::Match Router::Find(Request& request) const {
    request.parameter_count_ = 0;
    request.route = nullptr;
    if (request.path.empty() || request.path.front() != '/') return {};
    // A fixed segment goes before a parameter; no path needs more than that, so no way back.
    const Node* node = root_.get();
    std::string_view rest = request.path.substr(1);
    for (std::size_t depth = 0;; ++depth) {
        if (depth == kDepthMax) return {};
        const auto slash = rest.find('/');
        const std::string_view segment = rest.substr(0, slash);
        if (const Node* child = node->Child(segment); child != nullptr) {
            node = child;
        } else if (node->parameter && !segment.empty()) {
            node = node->parameter.get();
            request.parameters_[request.parameter_count_++] = {node->segment, segment};
        } else {
            return {};
        }
        if (slash == std::string_view::npos) break;
        rest = rest.substr(slash + 1);
    }
    const Method wanted = request.method == Method::kHead ? Method::kGet : request.method;
    Match match;
    match.route = node->routes[static_cast<std::size_t>(wanted)];
    if (match.route == nullptr) {
        for (std::size_t method = 0; method < kMethods; ++method) {
            if (node->routes[method] == nullptr) continue;
            if (!match.allow.empty()) match.allow += ", ";
            match.allow += MethodName(static_cast<Method>(method));
        }
    }
    request.route = match.route;
    return match;
}

const Family& Router::FamilyOf(std::string_view path) const {
    for (const auto& family : families_) {
        if (!family->prefix.empty() && path.starts_with(family->prefix)) return *family;
    }
    return *families_.front();
}

const Family* Router::FindFamily(std::string_view name) const {
    for (const auto& family : families_) {
        if (family->name == name) return family.get();
    }
    return nullptr;
}

}  // namespace kessai::http
