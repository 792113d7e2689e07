#include "transport/jwks_source.h"

#include <utility>

namespace kessai::gateway::transport {

JwksSource::JwksSource(Options options, net::Loop& loop, http::Client& client,
                       std::function<void(const Status&)> on_outcome)
    : options_(std::move(options)),
      loop_(loop),
      client_(client),
      on_outcome_(std::move(on_outcome)) {}
JwksSource::~JwksSource() = default;

void JwksSource::Start() {
    loop_.Post([this] {
        running_ = true;
        net::Spawn(Run());
    });
}

net::Task<void> JwksSource::Stop() {
    stopping_ = true;
    while (running_) co_await loop_.Sleep(std::chrono::milliseconds(20));
}

jwt::KeySet JwksSource::Current() const {
    const std::lock_guard lock(mutex_);
    return keys_;
}

void JwksSource::AskAgain() {
    asked_.store(true, std::memory_order_relaxed);
}

net::Task<void> JwksSource::Run() {
    while (!stopping_) {
        asked_ = false;
        http::ClientRequest request;
        request.method = http::Method::kGet;
        request.url = options_.url;
        request.deadline = SystemClock().SteadyNow() + options_.timeout;
        request.fields.emplace_back("Accept", "application/json");
        auto answer = co_await client_.Send(std::move(request));
        Status outcome = answer.status();
        if (outcome.ok() && answer->status != 200) {
            outcome = Status(Code::kUnavailable, "KEY_SET_UNREACHABLE",
                             "answered " + std::to_string(answer->status));
        }
        if (outcome.ok() && answer->body != document_) {
            auto parsed = jwt::KeySet::Parse(answer->body);
            outcome = parsed.status();
            if (parsed.ok()) {
                document_ = std::move(answer->body);
                {
                    const std::lock_guard lock(mutex_);
                    keys_ = std::move(*parsed);
                }
                generation_.fetch_add(1);
            }
        }
        on_outcome_(outcome);
        // Sleeps in short steps, so that a question, or the end, does not wait for the whole.
        const Duration most = has_keys() ? options_.refresh : options_.retry;
        for (Duration slept{}; slept < most && !stopping_; slept += std::chrono::milliseconds(50)) {
            if (asked_.load(std::memory_order_relaxed) && slept >= options_.pause) break;
            co_await loop_.Sleep(std::chrono::milliseconds(50));
        }
    }
    running_ = false;
}

}  // namespace kessai::gateway::transport
