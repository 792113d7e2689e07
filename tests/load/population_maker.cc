#include "load/population_maker.h"

#include <charconv>
#include <functional>
#include <vector>

#include "load/outcomes.h"

namespace kessai::load {

namespace {

constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr int kTriesMax = 8;

std::int64_t NumberAt(const std::string& json, std::string_view path) {
    const std::string text = TextAt(json, path);
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Status Failed(const std::string& what, const std::string& why) {
    return {Code::kUnavailable, "SETUP_FAILED", what + ": " + why};
}

/// Runs `work` for 0 … count-1, `at_once` at a time; ends with the first refusal.
net::Task<Status> ForEach(int count, int at_once, std::function<net::Task<Status>(int)> work) {
    if (count <= 0) co_return OkStatus();
    Status first;
    int next = 0;
    int running = std::min(count, at_once);
    net::Arrival<bool> done;
    const auto worker = [&]() -> net::Task<void> {
        while (next < count && first.ok()) {
            Status outcome = co_await work(next++);
            if (!outcome.ok() && first.ok()) first = std::move(outcome);
        }
        if (--running == 0) done.Set(true);
    };
    const int workers = running;
    for (int i = 0; i < workers; ++i) net::Spawn(worker());
    (void)co_await done;
    co_return first;
}

}  // namespace

PopulationMaker::PopulationMaker(net::Loop& loop, Client& client, std::string authority,
                                 std::string run_id, const Clock& clock)
    : loop_(loop),
      client_(client),
      requests_(std::move(authority), 1, clock),
      run_id_(std::move(run_id)),
      clock_(clock) {}

net::Task<Result<Population>> PopulationMaker::Run(PopulationOptions options) {
    auto token = co_await OperatorToken();
    if (!token.ok()) co_return token.status();
    const std::string operator_token = std::move(*token);
    Population population;
    population.merchants.resize(static_cast<std::size_t>(options.merchants));
    population.users.resize(static_cast<std::size_t>(options.users));
    std::function<net::Task<Status>(int)> make_merchant = [&](int i) {
        Merchant& merchant = population.merchants[static_cast<std::size_t>(i)];
        merchant.id = options.first_merchant_id + i;
        return MakeMerchant(options, operator_token, merchant);
    };
    Status merchants = co_await ForEach(options.merchants, options.at_once, make_merchant);
    if (!merchants.ok()) co_return merchants;
    std::function<net::Task<Status>(int)> sign_in = [&](int i) {
        return SignIn(options, i, population.users[static_cast<std::size_t>(i)]);
    };
    Status users = co_await ForEach(options.users, options.at_once, sign_in);
    if (!users.ok()) co_return users;
    Status money = co_await TopUp(population, options);
    if (!money.ok()) co_return money;
    co_return std::move(population);
}

net::Task<Status> PopulationMaker::TopUp(Population& population, PopulationOptions options) {
    std::vector<User*> poor;
    for (User& user : population.users) {
        if (user.balance < options.balance_min) poor.push_back(&user);
    }
    std::function<net::Task<Status>(int)> top_up = [&](int i) {
        return TopUpUser(options, *poor[static_cast<std::size_t>(i)]);
    };
    co_return co_await ForEach(static_cast<int>(poor.size()), options.at_once, top_up);
}

net::Task<Result<std::string>> PopulationMaker::OperatorToken() {
    std::string request = requests_.Plain("POST", "/dev/v1/operator-token", "",
                                          R"({"sub":"load-operator","roles":["admin"]})");
    auto answer = co_await Expect(200, "operator token", std::move(request));
    if (!answer.ok()) co_return answer.status();
    std::string token = TextAt(*answer, "token");
    if (token.empty()) co_return Failed("operator token", *answer);
    co_return token;
}

net::Task<Status> PopulationMaker::MakeMerchant(const PopulationOptions& options,
                                                std::string_view operator_token,
                                                Merchant& merchant) {
    const std::string path = "/operator/v1/merchants/" + std::to_string(merchant.id);
    std::string put =
        requests_.Plain("PUT", path, operator_token,
                        R"({"name":"Load )" + run_id_ + " " + std::to_string(merchant.id) +
                            R"(","suspended":false,"multipleRefunds":true})");
    auto made = co_await Expect(200, "merchant", std::move(put));
    if (!made.ok()) co_return made.status();
    std::string post =
        requests_.Plain("POST", path + "/credentials", operator_token,
                        R"({"scopes":["codes","payments","refunds"],"requestsPerSecond":)" +
                            std::to_string(options.merchant_requests_per_second) + "}");
    auto issued = co_await Expect(201, "credential", std::move(post));
    if (!issued.ok()) co_return issued.status();
    merchant.api_key = TextAt(*issued, "apiKey");
    merchant.secret = TextAt(*issued, "apiSecret");
    if (merchant.api_key.empty() || merchant.secret.empty()) {
        co_return Failed("credential", "the answer names none");
    }
    co_return OkStatus();
}

net::Task<Status> PopulationMaker::SignIn(const PopulationOptions& options, int number,
                                          User& user) {
    std::string ask =
        requests_.Plain("POST", "/dev/v1/token", "",
                        R"({"sub":")" + options.user_prefix + std::to_string(number) + R"("})");
    auto issued = co_await Expect(200, "token", std::move(ask));
    if (!issued.ok()) co_return issued.status();
    user.token = TextAt(*issued, "token");
    std::string sign_in = requests_.Plain("POST", "/app/v1/sign-in", user.token, "");
    auto signed_in = co_await Expect(200, "sign-in", std::move(sign_in));
    if (!signed_in.ok()) co_return signed_in.status();
    user.id = NumberAt(*signed_in, "userId");
    user.balance = NumberAt(*signed_in, "balance/amount");
    if (user.id == 0) co_return Failed("sign-in", *signed_in);
    co_return OkStatus();
}

net::Task<Status> PopulationMaker::TopUpUser(const PopulationOptions& options, User& user) {
    while (user.balance < options.balance_min) {
        const std::string key = run_id_ + "-" + std::to_string(top_ups_++);
        std::string request = requests_.TopUp(user.token, key, options.top_up);
        auto done = co_await Expect(201, "top-up", std::move(request));
        if (!done.ok()) co_return done.status();
        const std::int64_t balance = NumberAt(*done, "balance/amount");
        if (balance <= user.balance) co_return Failed("top-up", *done);
        user.balance = balance;
    }
    co_return OkStatus();
}

net::Task<Result<std::string>> PopulationMaker::Expect(int status, std::string what,
                                                       std::string request) {
    std::string last;
    for (int attempt = 0; attempt < kTriesMax; ++attempt) {
        // All requests of a set-up may be sent again: they name what they make.
        std::string copy = request;
        Client::Reply reply = co_await client_.Ask(std::move(copy), clock_.SteadyNow() + kTimeout);
        if (reply.fate == Answer::Fate::kAnswered && reply.status == status) {
            co_return std::move(reply.body);
        }
        last = reply.Describe();
        const bool later =
            reply.fate != Answer::Fate::kAnswered || reply.status == 429 || reply.status >= 500;
        if (!later) break;
        co_await loop_.Sleep(std::chrono::milliseconds(100) * (attempt + 1));
    }
    co_return Failed(what, last);
}

}  // namespace kessai::load
