#include "load/steady_load.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kessai/result/check.h"
#include "load/outcomes.h"

namespace kessai::load {

namespace {
/// A signature holds for two minutes; a request that is sent again later is signed anew.
constexpr Duration kSignedAnewAfter = std::chrono::seconds(90);
}  // namespace

struct SteadyLoad::Journey {
    Journey(net::Loop& loop, net::Work on_timer) : timer(loop, std::move(on_timer)) {}

    std::list<std::unique_ptr<Journey>>::iterator place;
    net::Timer timer;
    std::string key;
    std::size_t merchant = 0;
    std::size_t user = 0;
    std::int64_t amount = 0;
    journal::Operation operation = journal::Operation::kCreate;
    int attempt = 0;
    bool in_flight = false;
    /// The last attempt may have been done.
    bool open = false;
    std::string create_request;
    SteadyInstant signed_at{};
    std::string code_id;
};

SteadyLoad::SteadyLoad(net::Loop& loop, Client& client, const Population& population,
                       const WeightedChoice& merchants, JournalWriter& journal,
                       std::string id_prefix, std::string authority, std::uint64_t seed,
                       const Clock& clock)
    : loop_(loop),
      client_(client),
      population_(population),
      merchants_(merchants),
      journal_(journal),
      id_prefix_(std::move(id_prefix)),
      clock_(clock),
      requests_(std::move(authority), seed, clock),
      random_(seed + 1) {
    for (const Merchant& merchant : population.merchants) {
        signers_.emplace_back(merchant.api_key, merchant.secret);
    }
    KESSAI_CHECK(merchants.size() <= signers_.size() && !population.users.empty(),
                 "somebody to buy and to sell");
}

SteadyLoad::~SteadyLoad() = default;

std::int64_t SteadyLoad::NowUs() const {
    return ToMicros(clock_.Now());
}

net::Task<SteadyReport> SteadyLoad::Run(SteadyOptions options) {
    KESSAI_CHECK(!offering_ && journeys_.empty(), "one run at a time");
    options_ = options;
    report_ = SteadyReport();
    offering_ = true;
    giving_up_ = false;
    net::Arrival<bool> ended;
    ended_ = &ended;
    net::Timer give_up(loop_, [this] {
        giving_up_ = true;
        std::vector<Journey*> waiting;
        for (auto& journey : journeys_) {
            if (!journey->in_flight) waiting.push_back(journey.get());
        }
        for (Journey* journey : waiting) Finish(*journey);
        EndIfDone();
    });
    give_up_ = &give_up;
    Pacer pacer(loop_, clock_);
    pacer_ = &pacer;
    const double seconds = std::chrono::duration<double>(options.time).count();
    const auto count =
        static_cast<std::uint64_t>(std::llround(options.payments_per_second * seconds));
    pacer.Add(Schedule(clock_.SteadyNow(), options.payments_per_second), count,
              [this](std::uint64_t, SteadyInstant) { Begin(); });
    pacer.Start([this] { Stop(); });
    (void)co_await ended;
    pacer_ = nullptr;
    give_up_ = nullptr;
    co_return Report();
}

void SteadyLoad::Stop() {
    if (!offering_) return;
    offering_ = false;
    pacer_->Stop();
    give_up_->ExpiresAfter(options_.settle);
    EndIfDone();
}

SteadyReport SteadyLoad::Report() const {
    SteadyReport report = report_;
    for (const auto& journey : journeys_) report.in_flight += journey->in_flight ? 1 : 0;
    return report;
}

void SteadyLoad::Begin() {
    auto& entry = journeys_.emplace_back();
    const auto place = std::prev(journeys_.end());
    // The list keeps its place, so the timer can find its journey by it.
    entry = std::make_unique<Journey>(loop_, [this, place] { Attempt(**place); });
    Journey& journey = *entry;
    journey.place = place;
    journey.key = id_prefix_ + std::to_string(ids_used_++);
    journey.merchant = merchants_.Draw(random_);
    journey.user = static_cast<std::size_t>(random_.Below(population_.users.size()));
    journey.amount = 1 + static_cast<std::int64_t>(
                             random_.Below(static_cast<std::uint64_t>(options_.amount_max)));
    ++report_.begun;
    Attempt(journey);
}

void SteadyLoad::Attempt(Journey& journey) {
    ++journey.attempt;
    if (journey.attempt > 1) ++report_.retries;
    const Merchant& merchant = population_.merchants[journey.merchant];
    const User& user = population_.users[journey.user];
    std::string request;
    if (journey.operation == journal::Operation::kCreate) {
        const SteadyInstant now = clock_.SteadyNow();
        if (journey.create_request.empty() || now - journey.signed_at > kSignedAnewAfter) {
            journey.create_request =
                requests_.CreateCode(signers_[journey.merchant], journey.key, journey.amount);
            journey.signed_at = now;
        }
        request = journey.create_request;
    } else {
        request = requests_.PayCode(user.token, journey.code_id, journey.amount);
    }
    journal_.Add(journal::Sent{NowUs(), journey.operation, journey.key, journey.attempt,
                               merchant.id, user.id, journey.amount});
    journey.in_flight = true;
    client_.Send(std::move(request), clock_.SteadyNow() + options_.timeout,
                 [this, &journey](const Answer& answer) { OnAnswer(journey, answer); });
}

void SteadyLoad::OnAnswer(Journey& journey, const Answer& answer) {
    journey.in_flight = false;
    PaidCode paid;
    const bool creating = journey.operation == journal::Operation::kCreate;
    Outcome outcome =
        creating ? ReadCreatedCode(answer, journey.code_id) : ReadPaidCode(answer, paid);
    if (outcome.verdict == Verdict::kAcknowledged && !creating && paid.amount != journey.amount) {
        outcome = {Verdict::kUnknown, "AMOUNT_DIFFERS"};
    }
    journal_.Add(journal::Answered{NowUs(), journey.operation, journey.key, journey.attempt,
                                   outcome.verdict, outcome.reason, journey.code_id,
                                   paid.payment_id});
    if (!outcome.reason.empty()) ++report_.reasons[outcome.reason];
    switch (outcome.verdict) {
        case Verdict::kAcknowledged:
            if (!creating) {
                ++report_.acknowledged;
                journey.open = false;
                return Finish(journey);
            }
            journey.operation = journal::Operation::kPay;
            journey.attempt = 0;
            journey.open = false;
            return GoOn(journey, options_.think_time);
        case Verdict::kRefused:
            ++report_.refused;
            journey.open = false;
            return Finish(journey);
        case Verdict::kUnknown:
            ++report_.unknown_outcomes;
            journey.open = true;
            return AgainLater(journey);
        case Verdict::kNotDone:
            return AgainLater(journey);
    }
}

void SteadyLoad::AgainLater(Journey& journey) {
    Duration wait = options_.retry_first;
    for (int i = 1; i < journey.attempt && wait < options_.retry_max; ++i) wait *= 2;
    wait = std::min(wait, options_.retry_max);
    const double share = 0.5 + 0.5 * random_.Unit();
    GoOn(journey, Duration(static_cast<std::int64_t>(static_cast<double>(wait.count()) * share)));
}

void SteadyLoad::GoOn(Journey& journey, Duration after) {
    if (giving_up_) return Finish(journey);
    journey.timer.ExpiresAfter(after);
}

void SteadyLoad::Finish(Journey& journey) {
    if (journey.open) ++report_.not_settled;
    journeys_.erase(journey.place);
    EndIfDone();
}

void SteadyLoad::EndIfDone() {
    if (offering_ || !journeys_.empty() || ended_ == nullptr) return;
    // Not from within the pacer's or a timer's callback, which Run's end destroys.
    loop_.Defer([ended = std::exchange(ended_, nullptr)] { ended->Set(true); });
}

}  // namespace kessai::load
