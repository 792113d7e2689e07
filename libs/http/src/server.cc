#include "kessai/http/server.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "header_parser.h"
#include "kessai/net/stream.h"
#include "kessai/net/task.h"
#include "kessai/result/check.h"

namespace kessai::http {

namespace {

constexpr Duration kLookForIdleEvery = std::chrono::milliseconds(20);

SteadyInstant SteadyNow() {
    return SystemClock().SteadyNow();
}

/// "OPA" and 32 hex digits, as the partner contract shows it. Random bytes are drawn in bulk.
class RequestIds {
 public:
    static constexpr std::size_t kSize = 35;
    void Next(char* into) {
        static constexpr char kHex[] = "0123456789abcdef";
        if (used_ == random_.size()) {
            KESSAI_CHECK(RAND_bytes(random_.data(), static_cast<int>(random_.size())) == 1,
                         "the system has no random bytes");
            used_ = 0;
        }
        std::memcpy(into, "OPA", 3);
        for (std::size_t i = 0; i < 16; ++i) {
            const unsigned char byte = random_[used_ + i];
            into[3 + 2 * i] = kHex[byte >> 4];
            into[4 + 2 * i] = kHex[byte & 15];
        }
        used_ += 16;
    }

 private:
    std::array<unsigned char, 4096> random_;
    std::size_t used_ = 4096;
};

/// "Date: …\r\n", made once a second.
class DateField {
 public:
    std::string_view Now(SteadyInstant now) {
        if (now >= fresh_until_) {
            const auto wall = std::chrono::floor<std::chrono::seconds>(SystemClock().Now());
            const auto day = std::chrono::floor<std::chrono::days>(wall);
            const std::chrono::year_month_day date(day);
            const std::chrono::hh_mm_ss time(wall - day);
            static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
            static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
            size_ = static_cast<std::size_t>(std::snprintf(
                text_, sizeof(text_), "Date: %s, %02u %s %04d %02d:%02d:%02d GMT\r\n",
                kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count())));
            fresh_until_ = now + std::chrono::milliseconds(500);
        }
        return {text_, size_};
    }

 private:
    char text_[64];
    std::size_t size_ = 0;
    SteadyInstant fresh_until_{};
};

void AppendNumber(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
    out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

class Connection;

struct Shard {
    Shard(Server::Core& owner, net::Loop& on) : core(owner), loop(on) {}
    Server::Core& core;
    net::Loop& loop;
    std::atomic<std::size_t> connections = 0;
    std::size_t handshakes = 0;
    Connection* first = nullptr;  // of a doubly linked list
    RequestIds ids;
    DateField date;
};

struct Server::Core {
    Core(Options given, const Router& routes, ServerObserver& told)
        : options(std::move(given)), router(routes), observer(told) {}

    const Options options;
    const Router& router;
    ServerObserver& observer;
    std::vector<std::unique_ptr<Shard>> shards;
    std::unique_ptr<net::Listener> listener;
    std::unordered_map<net::IpAddress, std::size_t> per_address;  // the accepting loop's
    std::atomic<std::size_t> in_flight = 0;
    std::atomic<std::size_t> buffered_bytes = 0;
    std::atomic<bool> draining = false;

    std::mutex mutex;
    std::condition_variable changed;
    std::size_t connections = 0;  // guarded by mutex

    void OnAccept(const std::shared_ptr<Core>& self, int descriptor, const net::IpAddress& peer);
    void OnClosed(const std::shared_ptr<Core>& self, const net::IpAddress& peer);
    void CloseIdle(const std::shared_ptr<Core>& self);
    void CloseAll(const std::shared_ptr<Core>& self);
};

class Connection {
 public:
    Connection(Shard& shard, int descriptor, const net::IpAddress& peer)
        : shard_(shard),
          core_(shard.core),
          limits_(core_.options.limits),
          stream_(shard.loop, descriptor),
          peer_(peer),
          peer_is_proxy_(std::any_of(core_.options.trusted_proxies.begin(),
                                     core_.options.trusted_proxies.end(),
                                     [&](const auto& network) { return network.Contains(peer); })) {
        next_ = shard.first;
        if (next_ != nullptr) next_->previous_ = this;
        shard.first = this;
    }
    ~Connection() {
        GiveBackBuffered();  // of a request that was never answered
        (previous_ != nullptr ? previous_->next_ : shard_.first) = next_;
        if (next_ != nullptr) next_->previous_ = previous_;
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    net::Task<void> Run() {
        if (core_.options.tls) {
            ++shard_.handshakes;
            stream_.SetDeadline(SteadyNow() + limits_.handshake_timeout);
            Status shaken = co_await stream_.HandshakeAsServer(*core_.options.tls);
            --shard_.handshakes;
            core_.observer.OnHandshake(shaken.ok(), shaken.ok() && stream_.session_resumed());
            if (!shaken.ok()) {
                stream_.Close();
                co_return;
            }
        }
        std::uint64_t served = 0;
        while (true) {
            const bool go_on = co_await ServeOne(served + 1 >= limits_.requests_per_connection_max);
            if (!go_on) break;
            // Pipelined requests must not keep the loop from its other connections.
            if (++served % 16 == 0) co_await shard_.loop.Yield();
        }
        stream_.Close();
    }

    void Close() { stream_.Close(); }
    /// Between requests for so long, and none has come that was only not read yet.
    bool IdleFor(Duration time) const {
        return idle_ && idle_since_ + time <= SteadyNow() && !stream_.HasInput();
    }
    Connection* next() const { return next_; }

 private:
    /// One request and its answer; false when the connection has to end (and is ended gently where
    /// that matters).
    net::Task<bool> ServeOne(bool last) {
        const std::size_t header_bytes = co_await ReadHeader();
        if (header_bytes == 0) co_return false;

        boost::beast::error_code error;
        const std::string_view header(buffer_.get() + begin_, header_bytes);
        HeaderParser<true> parser(fields_, limits_.header_fields_max, header, kUnroutedBytesMax);
        parser.Parse(error);
        Prepare(parser);
        if (error) {
            Fault fault = Fault::kMalformed;
            if (error == boost::beast::http::error::header_limit) fault = Fault::kHeaderTooLarge;
            if (NamesOtherVersion(header)) fault = Fault::kVersion;
            const std::string detail = error.message();
            co_return co_await Refuse(fault, detail);
        }
        if (parser.version != 10 && parser.version != 11) {
            co_return co_await Refuse(Fault::kVersion, "HTTP/1.1 is spoken here");
        }
        if (const char* wrong = Ambiguity(parser); wrong != nullptr) {
            co_return co_await Refuse(Fault::kMalformed, wrong);
        }
        if (request_.Header("Transfer-Encoding").size() != 0 &&
            !EqualsIgnoringCase(request_.Header("Transfer-Encoding"), "chunked")) {
            co_return co_await Refuse(Fault::kNotImplemented, "no transfer coding but chunked");
        }

        auto match = core_.router.Find(request_);
        const Route* route = match.route;
        request_.deadline =
            request_.received_at +
            (route != nullptr ? route->timeout : Duration(std::chrono::seconds(15)));
        const std::size_t body_bytes_max =
            route != nullptr ? route->body_bytes_max : kUnroutedBytesMax;

        const bool whole = co_await ReadBody(parser, header_bytes, body_bytes_max);
        if (!whole) co_return false;

        Response response;
        if (route == nullptr) {
            const bool other_method = !match.allow.empty();
            response = FaultResponse(other_method ? Fault::kMethodNotAllowed : Fault::kNotFound,
                                     other_method ? "another method is meant" : "no such path");
            if (other_method) response.fields.emplace_back("Allow", std::move(match.allow));
        } else if (core_.in_flight.load(std::memory_order_relaxed) >=
                   limits_.requests_in_flight_max) {
            response = FaultResponse(Fault::kOverloaded, "too many requests at once");
            response.fields.emplace_back("Retry-After", "1");
        } else {
            core_.in_flight.fetch_add(1, std::memory_order_relaxed);
            bool failed = false;
            try {
                response = co_await route->handler(request_);
            } catch (const std::exception&) {
                failed = true;
            }
            core_.in_flight.fetch_sub(1, std::memory_order_relaxed);
            if (failed)
                response = FaultResponse(Fault::kInternal, "the request could not be handled");
        }
        response.close = response.close || last || !parser.keep_alive() ||
                         core_.draining.load(std::memory_order_relaxed);
        if (response.body_source != nullptr) {
            const bool all = co_await SendSource(response);
            Finish(header_bytes + body_wire_bytes_);
            co_return all && !response.close;
        }
        const bool sent = co_await Send(response);
        Finish(header_bytes + body_wire_bytes_);
        co_return sent && !response.close;
    }

    static bool NamesOtherVersion(std::string_view header) {
        const std::string_view line = header.substr(0, header.find("\r\n"));
        if (line.size() < 10 || line[line.size() - 9] != ' ') return false;
        const std::string_view version = line.substr(line.size() - 8);
        return version.starts_with("HTTP/") && version[6] == '.' && version != "HTTP/1.0" &&
               version != "HTTP/1.1";
    }

    // Reading -------------------------------------------------------------------------------------

    static constexpr std::size_t kInitialBytes = 4'096;
    static constexpr std::size_t kUnroutedBytesMax = 64 * 1024;

    std::size_t size() const { return end_ - begin_; }

    /// Room for `wanted` more bytes behind what is there, and the padding.
    void Reserve(std::size_t wanted) {
        if (end_ + wanted + Request::kBodyPaddingBytes <= capacity_) return;
        const std::size_t kept = size();
        if (kept + wanted + Request::kBodyPaddingBytes <= capacity_) {
            std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
        } else {
            std::size_t capacity = std::max(capacity_, kInitialBytes);
            while (capacity < kept + wanted + Request::kBodyPaddingBytes) capacity *= 2;
            auto grown = std::make_unique_for_overwrite<char[]>(capacity);
            if (kept != 0) std::memcpy(grown.get(), buffer_.get() + begin_, kept);
            buffer_ = std::move(grown);
            capacity_ = capacity;
        }
        begin_ = 0;
        end_ = kept;
    }

    /// Bytes of the next request's header, all in the buffer; 0 when the connection has to end.
    net::Task<std::size_t> ReadHeader() {
        std::size_t searched = 0;
        bool started = false;
        if (size() == 0) begin_ = end_ = 0;
        while (true) {
            // Empty lines before a request are to be ignored (RFC 9112 section 2.2).
            while (searched == 0 && size() >= 2 && buffer_[begin_] == '\r' &&
                   buffer_[begin_ + 1] == '\n') {
                begin_ += 2;
            }
            if (size() > 0) {
                if (!started) {
                    started = true;
                    request_.received_at = SteadyNow();
                    stream_.SetDeadline(request_.received_at + limits_.header_timeout);
                }
                const std::size_t from = searched > 3 ? searched - 3 : 0;
                const char* at = buffer_.get() + begin_;
                const void* found = ::memmem(at + from, size() - from, "\r\n\r\n", 4);
                if (found != nullptr) {
                    const auto header_bytes =
                        static_cast<std::size_t>(static_cast<const char*>(found) - at) + 4;
                    if (header_bytes <= limits_.header_bytes_max) co_return header_bytes;
                }
                if (found != nullptr || size() > limits_.header_bytes_max) {
                    Prepare();
                    (void)co_await Refuse(Fault::kHeaderTooLarge, "the header is too large");
                    co_return 0;
                }
                searched = size();
            } else {
                idle_since_ = SteadyNow();
                stream_.SetDeadline(idle_since_ + limits_.idle_timeout);
            }
            Reserve(searched == 0 ? kInitialBytes - Request::kBodyPaddingBytes : 2'048);
            idle_ = !started;
            auto got = co_await stream_.Read(buffer_.get() + end_,
                                             capacity_ - Request::kBodyPaddingBytes - end_);
            idle_ = false;
            if (!got.ok()) {
                if (started && got.status().code() == Code::kDeadlineExceeded) {
                    Prepare();
                    (void)co_await Refuse(Fault::kTooSlow, "the header took too long");
                }
                co_return 0;
            }
            if (*got == 0) co_return 0;
            end_ += *got;
        }
    }

    /// Gives request_.body; false when the connection has ended or been refused.
    net::Task<bool> ReadBody(HeaderParser<true>& parser, std::size_t header_bytes,
                             std::size_t body_bytes_max) {
        body_wire_bytes_ = 0;
        request_.body = {};
        const auto length = parser.content_length();
        if (!parser.chunked() && (!length || *length == 0)) co_return true;
        if (length && *length > body_bytes_max) {
            co_return co_await Refuse(Fault::kBodyTooLarge, "the body is too large");
        }
        const std::size_t there = size() - header_bytes;
        if ((parser.chunked() || there < *length) &&
            EqualsIgnoringCase(request_.Header("Expect"), "100-continue")) {
            Status written = co_await stream_.Write("HTTP/1.1 100 Continue\r\n\r\n");
            if (!written.ok()) co_return false;
        }
        if (parser.chunked()) {
            co_return co_await ReadChunks(parser, header_bytes, body_bytes_max);
        }

        const auto wanted = static_cast<std::size_t>(*length);
        body_wire_bytes_ = wanted;
        char* body = buffer_.get() + begin_ + header_bytes;
        std::size_t have = std::min(there, wanted);
        const bool fits = begin_ + header_bytes + wanted + Request::kBodyPaddingBytes <= capacity_;
        if (!fits) {
            // A buffer of its own: the header's views stay where they are.
            if (!TakeBuffered(wanted)) {
                co_return co_await Refuse(Fault::kOverloaded, "too much is being received");
            }
            large_body_ =
                std::make_unique_for_overwrite<char[]>(wanted + Request::kBodyPaddingBytes);
            std::memcpy(large_body_.get(), body, have);
            body = large_body_.get();
            body_wire_bytes_ = have;  // what of it the buffer holds
        }
        const SteadyInstant start = SteadyNow();
        while (have < wanted) {
            stream_.SetDeadline(TransferDeadline(start, have));
            auto got = co_await stream_.Read(body + have, wanted - have);
            if (!got.ok() || *got == 0) {
                if (!got.ok() && got.status().code() == Code::kDeadlineExceeded) {
                    (void)co_await Refuse(Fault::kTooSlow, "the body took too long");
                }
                co_return false;
            }
            have += *got;
            if (fits) end_ += *got;
        }
        request_.body = {body, wanted};
        co_return true;
    }

    net::Task<bool> ReadChunks(HeaderParser<true>& header, std::size_t header_bytes,
                               std::size_t body_bytes_max) {
        // A parser of its own, with the route's limit and bytes that may move.
        HeaderParser<true> parser(chunk_fields_, limits_.header_fields_max,
                                  {buffer_.get() + begin_, header_bytes}, body_bytes_max);
        boost::beast::error_code error;
        parser.Parse(error);
        KESSAI_CHECK(!error && header.chunked(), "a header parses the same twice");
        if (!TakeBuffered(body_bytes_max + kChunkBytes)) {
            co_return co_await Refuse(Fault::kOverloaded, "too much is being received");
        }
        std::string raw(buffer_.get() + begin_ + header_bytes, size() - header_bytes);
        end_ = begin_ + header_bytes;
        const SteadyInstant start = SteadyNow();
        std::size_t received = raw.size();
        while (true) {
            while (!raw.empty() && !parser.is_done()) {
                const std::size_t used =
                    parser.put(boost::asio::const_buffer(raw.data(), raw.size()), error);
                raw.erase(0, used);
                if (error == boost::beast::http::error::need_more) {
                    error = {};
                    if (used == 0) break;
                }
                if (error) break;
            }
            if (parser.body_too_large) {
                co_return co_await Refuse(Fault::kBodyTooLarge, "the body is too large");
            }
            if (error || raw.size() >= kChunkBytes) {
                co_return co_await Refuse(Fault::kMalformed, "the chunks are malformed");
            }
            if (parser.is_done()) break;
            stream_.SetDeadline(TransferDeadline(start, received));
            const std::size_t old = raw.size();
            raw.resize(kChunkBytes);
            auto got = co_await stream_.Read(raw.data() + old, raw.size() - old);
            if (!got.ok() || *got == 0) {
                if (!got.ok() && got.status().code() == Code::kDeadlineExceeded) {
                    (void)co_await Refuse(Fault::kTooSlow, "the body took too long");
                }
                co_return false;
            }
            raw.resize(old + *got);
            received += *got;
        }
        chunked_body_ = std::move(parser.chunked_body);
        const std::size_t body_bytes = chunked_body_.size();
        chunked_body_.resize(body_bytes + Request::kBodyPaddingBytes);
        request_.body = {chunked_body_.data(), body_bytes};
        after_chunks_ = std::move(raw);  // a next request's beginning
        co_return true;
    }

    bool TakeBuffered(std::size_t bytes) {
        const auto before = core_.buffered_bytes.fetch_add(bytes, std::memory_order_relaxed);
        buffered_bytes_ += bytes;
        return before + bytes <= limits_.buffered_bytes_max;
    }

    void GiveBackBuffered() {
        if (buffered_bytes_ == 0) return;
        core_.buffered_bytes.fetch_sub(std::exchange(buffered_bytes_, 0),
                                       std::memory_order_relaxed);
    }

    SteadyInstant TransferDeadline(SteadyInstant start, std::size_t moved_bytes) const {
        return start + limits_.transfer_grace +
               std::chrono::milliseconds(moved_bytes * 1'000 /
                                         limits_.transfer_bytes_per_second_min);
    }

    /// Drops the request that was answered from the buffer.
    void Finish(std::size_t wire_bytes) {
        begin_ += wire_bytes;
        if (!after_chunks_.empty()) {
            Reserve(after_chunks_.size());
            std::memcpy(buffer_.get() + end_, after_chunks_.data(), after_chunks_.size());
            end_ += after_chunks_.size();
            after_chunks_ = {};
        }
        if (size() == 0) {
            begin_ = end_ = 0;
            if (capacity_ > 2 * kInitialBytes) {
                buffer_.reset();
                capacity_ = 0;
            }
        }
        large_body_.reset();
        if (chunked_body_.capacity() > 0) chunked_body_ = {};
        if (out_.capacity() > 4 * kInitialBytes) out_ = {};
        GiveBackBuffered();
    }

    // The request
    // -----------------------------------------------------------------------------------

    void Prepare() {
        request_.method = Method::kOther;
        request_.method_text = request_.target = request_.path = request_.query = {};
        request_.body = {};
        request_.fields = {};
        request_.route = nullptr;
        request_.client = peer_;
        request_.loop = &shard_.loop;
        request_.is_tls = stream_.is_tls();
        shard_.ids.Next(request_id_);
        request_.request_id = {request_id_, RequestIds::kSize};
    }

    void Prepare(const HeaderParser<true>& parser) {
        Prepare();
        request_.method = parser.method;
        request_.method_text = parser.method_text;
        request_.target = parser.target;
        const auto mark = request_.target.find('?');
        request_.path = request_.target.substr(0, mark);
        if (mark != std::string_view::npos) request_.query = request_.target.substr(mark + 1);
        request_.fields = fields_;
        if (peer_is_proxy_) TakeForwardedAddress();
    }

    /// The last address that no trusted proxy of ours has.
    void TakeForwardedAddress() {
        for (auto field = fields_.rbegin(); field != fields_.rend(); ++field) {
            if (!EqualsIgnoringCase(field->name, "X-Forwarded-For")) continue;
            std::string_view list = field->value;
            while (!list.empty()) {
                const auto comma = list.rfind(',');
                std::string_view entry =
                    comma == std::string_view::npos ? list : list.substr(comma + 1);
                list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
                while (entry.starts_with(' ')) entry.remove_prefix(1);
                while (entry.ends_with(' ')) entry.remove_suffix(1);
                auto address = net::IpAddress::Parse(entry);
                if (!address.ok()) return;
                request_.client = *address;
                const auto& proxies = core_.options.trusted_proxies;
                if (std::none_of(proxies.begin(), proxies.end(),
                                 [&](const auto& network) { return network.Contains(*address); })) {
                    return;
                }
            }
        }
    }

    /// What two readers could understand in two ways, or null.
    const char* Ambiguity(const HeaderParser<true>& parser) const {
        if (request_.target.empty() || request_.target.front() != '/') {
            return "the target must be a path";
        }
        int hosts = 0;
        int authorizations = 0;
        int types = 0;
        for (const auto& field : fields_) {
            hosts += EqualsIgnoringCase(field.name, "Host");
            authorizations += EqualsIgnoringCase(field.name, "Authorization");
            types += EqualsIgnoringCase(field.name, "Content-Type");
        }
        if (hosts > 1 || (hosts == 0 && parser.version == 11)) return "exactly one Host is needed";
        if (authorizations > 1) return "more than one Authorization";
        if (types > 1) return "more than one Content-Type";
        return nullptr;
    }

    // Answering
    // ---------------------------------------------------------------------------------------

    Response FaultResponse(Fault fault, std::string_view detail) const {
        const Family& family = request_.route != nullptr ? *request_.route->family
                                                         : core_.router.FamilyOf(FaultPath());
        Response response = family.refuse(fault, detail, request_.request_id);
        if (response.reason.empty()) response.reason = NameOf(fault);
        return response;
    }

    /// The path, as far as it can be told from a header that is not whole.
    std::string_view FaultPath() const {
        if (!request_.path.empty()) return request_.path;
        const std::string_view bytes(buffer_.get() + begin_, std::min<std::size_t>(size(), 256));
        const auto space = bytes.find(' ');
        return space == std::string_view::npos ? std::string_view{} : bytes.substr(space + 1);
    }

    /// Answers and ends the connection: where the next request would begin is not known. Always
    /// false.
    net::Task<bool> Refuse(Fault fault, std::string_view detail) {
        Response response = FaultResponse(fault, detail);
        response.close = true;
        const bool sent = co_await Send(response);
        if (sent) co_await stream_.CloseGently(std::chrono::seconds(1), 256 * 1024);
        Finish(0);
        co_return false;
    }

    /// The answer's header into `out_`.
    void BeginAnswer(const Response& response, std::uint64_t body_bytes) {
        out_.clear();
        out_.append("HTTP/1.1 ");
        AppendNumber(out_, static_cast<std::uint64_t>(response.status));
        out_.push_back(' ');
        out_.append(ReasonPhrase(response.status));
        out_.append("\r\nContent-Type: ").append(response.content_type);
        out_.append("\r\nContent-Length: ");
        AppendNumber(out_, body_bytes);
        out_.append("\r\nX-REQUEST-ID: ").append(request_.request_id).append("\r\n");
        out_.append(shard_.date.Now(SteadyNow()));
        if (response.close) out_.append("Connection: close\r\n");
        for (const auto& [name, value] : response.fields) {
            out_.append(name).append(": ").append(value).append("\r\n");
        }
        out_.append("\r\n");
    }

    void TellOf(const Response& response, std::size_t bytes) {
        core_.observer.OnExchange(
            {request_, response,
             std::chrono::duration_cast<Duration>(SteadyNow() - request_.received_at), bytes});
    }

    /// An answer whose body comes piece by piece. Only while one is being written does the time of
    /// a transfer run: where a piece comes from has limits of its own. False when not all was sent.
    net::Task<bool> SendSource(Response& response) {
        BodySource& source = *response.body_source;
        const std::uint64_t body_bytes = source.bytes();
        BeginAnswer(response, body_bytes);
        std::size_t sent = out_.size();
        stream_.SetDeadline(TransferDeadline(SteadyNow(), sent));
        Status written = co_await stream_.Write(out_);
        std::uint64_t left = request_.method == Method::kHead ? 0 : body_bytes;
        while (written.ok() && left > 0) {
            stream_.SetDeadline(SteadyInstant::max());
            Result<std::string> piece = Status(Code::kInternal, "BODY_SOURCE_FAILED", "it threw");
            try {
                piece = co_await source.Next();
            } catch (const std::exception&) {
                // What it is stays with the source; the answer is cut off.
            }
            if (!piece.ok() || piece->empty() || piece->size() > left) {
                response.cause = piece.ok() ? "the body is not as long as was said"
                                            : "cut off: " + piece.status().ToString();
                break;
            }
            stream_.SetDeadline(TransferDeadline(SteadyNow(), piece->size()));
            written = co_await stream_.Write(*piece);
            if (!written.ok()) break;
            left -= piece->size();
            sent += piece->size();
        }
        if (!written.ok()) response.cause = "cut off: " + written.ToString();
        TellOf(response, sent);
        co_return written.ok() && left == 0;
    }

    net::Task<bool> Send(const Response& response) {
        const bool without_body = request_.method == Method::kHead;
        BeginAnswer(response, response.body.size());
        constexpr std::size_t kCopiedBytesMax = 32 * 1024;
        const bool copied = response.body.size() <= kCopiedBytesMax;
        if (copied && !without_body) out_.append(response.body);

        const std::size_t bytes = out_.size() + (copied || without_body ? 0 : response.body.size());
        stream_.SetDeadline(TransferDeadline(SteadyNow(), bytes));
        Status written = co_await stream_.Write(out_);
        if (written.ok() && !copied && !without_body) {
            written = co_await stream_.Write(response.body);
        }
        TellOf(response, bytes);
        co_return written.ok();
    }

    Shard& shard_;
    Server::Core& core_;
    const ServerLimits& limits_;
    net::Stream stream_;
    const net::IpAddress peer_;
    const bool peer_is_proxy_;
    Connection* next_ = nullptr;
    Connection* previous_ = nullptr;
    bool idle_ = false;
    SteadyInstant idle_since_{};

    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t body_wire_bytes_ = 0;
    std::unique_ptr<char[]> large_body_;
    std::string chunked_body_;
    std::string after_chunks_;
    static constexpr std::size_t kChunkBytes = 8 * 1024;
    std::vector<Field> chunk_fields_;
    std::size_t buffered_bytes_ = 0;

    std::vector<Field> fields_;
    Request request_;
    char request_id_[RequestIds::kSize];
    std::string out_;
};

namespace {

net::Task<void> Serve(std::shared_ptr<Server::Core> core, Shard& shard, int descriptor,
                      net::IpAddress peer) {
    {
        Connection connection(shard, descriptor, peer);
        core->observer.OnConnectionOpened();
        co_await connection.Run();
    }
    core->observer.OnConnectionClosed();
    shard.connections.fetch_sub(1, std::memory_order_relaxed);
    core->OnClosed(core, peer);
}

}  // namespace

void Server::Core::OnAccept(const std::shared_ptr<Core>& self, int descriptor,
                            const net::IpAddress& peer) {
    const auto refuse = [&](Refused why) {
        observer.OnConnectionRefused(why);
        ::close(descriptor);
    };
    if (draining) return refuse(Refused::kDraining);
    auto& of_address = per_address[peer];
    if (of_address >= options.limits.connections_per_address_max) return refuse(Refused::kAddress);
    {
        const std::lock_guard lock(mutex);
        if (connections >= options.limits.connections_max) {
            if (of_address == 0) per_address.erase(peer);
            return refuse(Refused::kConnections);
        }
        ++connections;
    }
    ++of_address;
    Shard* shard = shards.front().get();
    for (const auto& other : shards) {
        if (other->connections.load(std::memory_order_relaxed) <
            shard->connections.load(std::memory_order_relaxed)) {
            shard = other.get();
        }
    }
    shard->connections.fetch_add(1, std::memory_order_relaxed);
    shard->loop.Post([this, self, shard, descriptor, peer] {
        if (options.tls && shard->handshakes >= options.limits.handshakes_max) {
            observer.OnConnectionRefused(Refused::kHandshakes);
            ::close(descriptor);
            shard->connections.fetch_sub(1, std::memory_order_relaxed);
            OnClosed(self, peer);
            return;
        }
        net::Spawn(Serve(self, *shard, descriptor, peer));
    });
}

void Server::Core::OnClosed(const std::shared_ptr<Core>& self, const net::IpAddress& peer) {
    shards.front()->loop.Post([self, peer] {
        const auto found = self->per_address.find(peer);
        if (found != self->per_address.end() && --found->second == 0) {
            self->per_address.erase(found);
        }
        const std::lock_guard lock(self->mutex);
        --self->connections;
        self->changed.notify_all();
    });
}

void Server::Core::CloseIdle(const std::shared_ptr<Core>& self) {
    for (const auto& shard : shards) {
        // A loop may come to it after the server has gone.
        shard->loop.Post([self, shard = shard.get(), time = options.limits.drain_idle] {
            for (Connection* connection = shard->first; connection != nullptr;
                 connection = connection->next()) {
                if (connection->IdleFor(time)) connection->Close();
            }
        });
    }
}

void Server::Core::CloseAll(const std::shared_ptr<Core>& self) {
    for (const auto& shard : shards) {
        shard->loop.Post([self, shard = shard.get()] {
            for (Connection* connection = shard->first; connection != nullptr;
                 connection = connection->next()) {
                connection->Close();
            }
        });
    }
}

Server::Server(Options options, const Router& router, std::vector<net::Loop*> loops,
               ServerObserver& observer)
    : core_(std::make_shared<Core>(std::move(options), router, observer)) {
    KESSAI_CHECK(!loops.empty(), "a server needs a loop");
    for (net::Loop* loop : loops) {
        core_->shards.push_back(std::make_unique<Shard>(*core_, *loop));
    }
}

Server::~Server() = default;

Status Server::Listen(const std::string& host, std::uint16_t port) {
    KESSAI_CHECK(!core_->listener, "a server listens once");
    // The callback must not keep the core alive: the core owns the listener.
    auto listener = net::Listener::Listen(
        core_->shards.front()->loop, host, port,
        [weak = std::weak_ptr<Core>(core_)](int descriptor, const net::IpAddress& peer) {
            if (auto core = weak.lock()) {
                core->OnAccept(core, descriptor, peer);
            } else {
                ::close(descriptor);
            }
        });
    if (!listener.ok()) return listener.status();
    core_->listener = std::move(*listener);
    core_->listener->Start();
    return OkStatus();
}

std::uint16_t Server::port() const {
    return core_->listener ? core_->listener->port() : 0;
}

bool Server::Drain(Duration patience) {
    core_->draining = true;
    if (core_->listener) {
        core_->shards.front()->loop.Post([core = core_] { core->listener->Close(); });
    }
    const auto all_gone = [this] { return core_->connections == 0; };
    const SteadyInstant deadline = SteadyNow() + patience;
    std::unique_lock lock(core_->mutex);
    while (!all_gone()) {
        const auto left = std::chrono::duration_cast<Duration>(deadline - SteadyNow());
        if (left <= Duration{}) break;
        lock.unlock();
        core_->CloseIdle(core_);
        lock.lock();
        core_->changed.wait_for(lock, std::min(left, kLookForIdleEvery), all_gone);
    }
    if (all_gone()) return true;
    lock.unlock();
    core_->CloseAll(core_);
    lock.lock();
    // Handlers that still run end at their deadlines; their connections are closed already.
    core_->changed.wait_for(lock, std::chrono::seconds(1), all_gone);
    return false;
}

std::size_t Server::connections() const {
    const std::lock_guard lock(core_->mutex);
    return core_->connections;
}
std::size_t Server::requests_in_flight() const {
    return core_->in_flight;
}
std::size_t Server::buffered_bytes() const {
    return core_->buffered_bytes;
}

}  // namespace kessai::http
