#include "kessai/http/client.h"

#include <algorithm>
#include <map>
#include <optional>

#include "header_parser.h"

namespace kessai::http {

namespace {
constexpr std::size_t kHeaderBytesMax = 32 * 1024;
constexpr std::size_t kFieldsMax = 200;

Status Malformed(const std::string& why) {
    return {Code::kInternal, "RESPONSE_MALFORMED", why};
}
}  // namespace

std::string_view ClientResponse::Header(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (EqualsIgnoringCase(key, name)) return value;
    }
    return {};
}

struct Client::State {
    State(net::Loop& on, Options given)
        : loop(on), options(std::move(given)), sweep(on, [this] { Sweep(); }) {}

    struct Idle {
        net::Stream stream;
        SteadyInstant until;
    };

    net::Loop& loop;
    const Options options;
    std::multimap<std::string, Idle> idle;  // by scheme and authority
    net::Timer sweep;

    static std::string KeyOf(const Url& url) {
        return (url.tls ? "s" : "p") + url.host + ":" + std::to_string(url.port);
    }

    void Sweep() {
        const SteadyInstant now = SystemClock().SteadyNow();
        std::erase_if(idle, [now](const auto& entry) { return entry.second.until <= now; });
        if (!idle.empty()) sweep.ExpiresAfter(std::chrono::seconds(1));
    }

    std::optional<net::Stream> TakeIdle(const std::string& key) {
        while (true) {
            const auto found = idle.find(key);
            if (found == idle.end()) return std::nullopt;
            net::Stream stream = std::move(found->second.stream);
            idle.erase(found);
            if (!stream.HasInput()) return stream;
        }
    }

    void Keep(const std::string& key, net::Stream stream) {
        if (idle.size() >= options.idle_max || idle.count(key) >= options.idle_per_host_max) return;
        stream.SetDeadline(SteadyInstant::max());
        idle.emplace(key,
                     Idle{std::move(stream), SystemClock().SteadyNow() + options.idle_timeout});
        if (sweep.due() == SteadyInstant::max()) sweep.ExpiresAfter(std::chrono::seconds(1));
    }

    struct Answer {
        ClientResponse response;
        bool reusable = false;
    };

    net::Task<Result<net::Stream>> Open(const ClientRequest& request) {
        if (request.url.tls && !options.tls) {
            co_return Status(Code::kFailedPrecondition, "TLS_FAILED", "https is not set up");
        }
        std::string host = request.url.host;
        auto stream = co_await net::Connect(loop, std::move(host), request.url.port,
                                            request.deadline, options.guard);
        if (!stream.ok()) co_return stream.status();
        if (request.url.tls) {
            Status shaken = co_await stream->HandshakeAsClient(*options.tls, request.url.host);
            if (!shaken.ok()) co_return shaken;
        }
        co_return std::move(*stream);
    }

    static std::string Serialize(const ClientRequest& request) {
        std::string text(MethodName(request.method));
        text.append(" ").append(request.url.target).append(" HTTP/1.1\r\nHost: ");
        text.append(request.url.Authority()).append("\r\n");
        for (const auto& [name, value] : request.fields) {
            text.append(name).append(": ").append(value).append("\r\n");
        }
        if (!request.body.empty() || request.method == Method::kPost ||
            request.method == Method::kPut) {
            text.append("Content-Length: ").append(std::to_string(request.body.size()));
            text.append("\r\n");
        }
        text.append("\r\n").append(request.body);
        return text;
    }

    /// `began` tells whether a byte of an answer came.
    net::Task<Result<Answer>> Exchange(net::Stream& stream, const ClientRequest& request,
                                       bool& began) {
        stream.SetDeadline(request.deadline);
        const std::string wire = Serialize(request);
        Status written = co_await stream.Write(wire);
        if (!written.ok()) co_return written;

        std::string buffer;
        std::size_t header_bytes = 0;
        std::vector<Field> fields;
        std::optional<HeaderParser<false>> parser;
        boost::beast::error_code error;
        do {
            // The header; informational answers (1xx) before the real one are passed over.
            buffer.erase(0, header_bytes);
            std::size_t found;
            while ((found = buffer.find("\r\n\r\n")) == std::string::npos) {
                if (buffer.size() > kHeaderBytesMax) co_return Malformed("its header is too large");
                auto got = co_await ReadMore(stream, buffer);
                if (!got.ok()) co_return got.status();
                if (*got == 0) {
                    co_return Status(Code::kUnavailable, "CONNECTION_LOST",
                                     "closed before the answer");
                }
                began = true;
            }
            header_bytes = found + 4;
            parser.emplace(fields, kFieldsMax, std::string_view(buffer).substr(0, header_bytes),
                           options.response_bytes_max);
            parser->Parse(error);
            if (error) co_return Malformed(error.message());
        } while (parser->status >= 100 && parser->status < 200 && parser->status != 101);

        Answer answer;
        answer.response.status = parser->status;
        for (const auto& field : fields)
            answer.response.fields.emplace_back(field.name, field.value);
        answer.reusable = parser->keep_alive();
        const auto length = parser->content_length();
        std::string& body = answer.response.body;
        const bool no_body =
            request.method == Method::kHead || parser->status == 204 || parser->status == 304;
        if (no_body) {
            answer.reusable = answer.reusable && buffer.size() == header_bytes;
            co_return answer;
        }
        if (parser->chunked()) {
            std::string raw = buffer.substr(header_bytes);
            while (true) {
                while (!raw.empty() && !parser->is_done()) {
                    const std::size_t used =
                        parser->put(boost::asio::const_buffer(raw.data(), raw.size()), error);
                    raw.erase(0, used);
                    if (error == boost::beast::http::error::need_more) {
                        error = {};
                        if (used == 0) break;
                    }
                    if (error) break;
                }
                if (parser->body_too_large) {
                    answer.response.body_cut = true;
                    break;
                }
                if (error || raw.size() > kHeaderBytesMax) co_return Malformed("its chunks");
                if (parser->is_done()) break;
                auto got = co_await ReadMore(stream, raw);
                if (!got.ok()) co_return got.status();
                if (*got == 0) {
                    co_return Status(Code::kUnavailable, "CONNECTION_LOST", "closed in the answer");
                }
            }
            body = std::move(parser->chunked_body);
            answer.reusable = answer.reusable && !answer.response.body_cut && raw.empty();
            co_return answer;
        }
        // By its length, or until the peer ends.
        body = buffer.substr(header_bytes);
        while (!length || body.size() < *length) {
            if (body.size() > options.response_bytes_max) break;
            auto got = co_await ReadMore(stream, body);
            if (!got.ok()) co_return got.status();
            if (*got == 0) {
                if (!length) break;
                co_return Status(Code::kUnavailable, "CONNECTION_LOST", "closed in the answer");
            }
        }
        answer.reusable = answer.reusable && length && body.size() == *length;
        if (body.size() > options.response_bytes_max) {
            body.resize(options.response_bytes_max);
            answer.response.body_cut = true;
        }
        co_return answer;
    }

    static net::Task<Result<std::size_t>> ReadMore(net::Stream& stream, std::string& into) {
        constexpr std::size_t kPiece = 8 * 1024;
        const std::size_t old = into.size();
        into.resize(old + kPiece);
        auto got = co_await stream.Read(into.data() + old, kPiece);
        into.resize(old + got.value_or(0));
        co_return got;
    }
};

Client::Client(net::Loop& loop, Options options)
    : state_(std::make_unique<State>(loop, std::move(options))) {}
Client::~Client() = default;

void Client::Close() {
    state_->idle.clear();
    state_->sweep.Cancel();
}

net::Task<Result<ClientResponse>> Client::Send(ClientRequest request) {
    State& state = *state_;
    const std::string key = State::KeyOf(request.url);
    auto kept = state.TakeIdle(key);
    for (bool again = kept.has_value();; again = false) {
        if (!kept) {
            auto opened = co_await state.Open(request);
            if (!opened.ok()) co_return opened.status();
            kept.emplace(std::move(*opened));
        }
        bool began = false;
        auto answer = co_await state.Exchange(*kept, request, began);
        if (answer.ok()) {
            if (answer->reusable) state.Keep(key, std::move(*kept));
            co_return std::move(answer->response);
        }
        kept.reset();
        if (!again || began || answer.status().code() == Code::kDeadlineExceeded) {
            co_return answer.status();
        }
    }
}

}  // namespace kessai::http
