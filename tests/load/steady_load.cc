#include "load/steady_load.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kessai/result/check.h"

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
    /// Of a partner: sent again byte for byte.
    std::string signed_request;
    SteadyInstant signed_at{};
    std::string code_id;
    std::int64_t payment_id = 0;
    /// What is asked for once it is paid: kRefund, kCancel, or kPay for nothing more.
    journal::Operation afterwards = journal::Operation::kPay;
    std::int64_t refund_amount = 0;
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

SteadyLoad::Journey& SteadyLoad::AddJourney() {
    auto& entry = journeys_.emplace_back();
    const auto place = std::prev(journeys_.end());
    // The list keeps its place, so the timer can find its journey by it.
    entry = std::make_unique<Journey>(loop_, [this, place] { Attempt(**place); });
    Journey& journey = *entry;
    journey.place = place;
    journey.user = static_cast<std::size_t>(random_.Below(population_.users.size()));
    journey.amount = 1 + static_cast<std::int64_t>(
                             random_.Below(static_cast<std::uint64_t>(options_.amount_max)));
    ++report_.begun;
    return journey;
}

void SteadyLoad::Begin() {
    if (journeys_.size() >= options_.open_max) {
        ++report_.held_back;
        return;
    }
    Journey& journey = AddJourney();
    journey.key = id_prefix_ + std::to_string(ids_used_++);
    journey.merchant = merchants_.Draw(random_);
    const double fate = random_.Unit();
    if (fate < options_.refund_share) {
        journey.afterwards = journal::Operation::kRefund;
        journey.refund_amount = 1 + static_cast<std::int64_t>(
                                        random_.Below(static_cast<std::uint64_t>(journey.amount)));
    } else if (fate < options_.refund_share + options_.cancel_share) {
        journey.afterwards = journal::Operation::kCancel;
    }
    Attempt(journey);
    if (random_.Unit() < options_.top_up_share) BeginTopUp();
}

void SteadyLoad::BeginTopUp() {
    Journey& journey = AddJourney();
    journey.key = id_prefix_ + "t" + std::to_string(ids_used_++);
    journey.operation = journal::Operation::kTopUp;
    Attempt(journey);
}

std::string SteadyLoad::RequestOf(Journey& journey) {
    const User& user = population_.users[journey.user];
    if (journey.operation == journal::Operation::kPay) {
        return requests_.PayCode(user.token, journey.code_id, journey.amount);
    }
    if (journey.operation == journal::Operation::kTopUp) {
        return requests_.TopUp(user.token, journey.key, journey.amount);
    }
    const SteadyInstant now = clock_.SteadyNow();
    if (journey.signed_request.empty() || now - journey.signed_at > kSignedAnewAfter) {
        const OpaSigner& signer = signers_[journey.merchant];
        journey.signed_at = now;
        if (journey.operation == journal::Operation::kCreate) {
            journey.signed_request = requests_.CreateCode(signer, journey.key, journey.amount);
        } else if (journey.operation == journal::Operation::kRefund) {
            journey.signed_request = requests_.RefundPayment(
                signer, journey.key, journey.payment_id, journey.refund_amount);
        } else {
            journey.signed_request = requests_.CancelPayment(signer, journey.key);
        }
    }
    return journey.signed_request;
}

void SteadyLoad::Attempt(Journey& journey) {
    ++journey.attempt;
    if (journey.attempt > 1) ++report_.retries;
    const bool top_up = journey.operation == journal::Operation::kTopUp;
    const bool refund = journey.operation == journal::Operation::kRefund;
    std::string request = RequestOf(journey);
    journal_.Add(journal::Sent{NowUs(), journey.operation, journey.key, journey.attempt,
                               top_up ? 0 : population_.merchants[journey.merchant].id,
                               population_.users[journey.user].id,
                               refund ? journey.refund_amount : journey.amount});
    journey.in_flight = true;
    client_.Send(std::move(request), clock_.SteadyNow() + options_.timeout,
                 [this, &journey](const Answer& answer) { OnAnswer(journey, answer); });
}

/// What the answer means. An acknowledgement of anything but what was asked for is none.
Outcome SteadyLoad::Read(Journey& journey, const Answer& answer, std::int64_t& told_id) {
    Outcome outcome;
    bool as_asked = true;
    switch (journey.operation) {
        case journal::Operation::kCreate:
            return ReadCreatedCode(answer, journey.code_id);
        case journal::Operation::kCancel:
            return ReadCancel(answer);
        case journal::Operation::kPay: {
            PaidCode paid;
            outcome = ReadPaidCode(answer, paid);
            told_id = paid.payment_id;
            as_asked = paid.amount == journey.amount;
            break;
        }
        case journal::Operation::kRefund: {
            RefundedPayment refunded;
            outcome = ReadRefund(answer, refunded);
            told_id = refunded.payment_id;
            as_asked = refunded.amount == journey.refund_amount;
            break;
        }
        case journal::Operation::kTopUp: {
            ToppedUp topped_up;
            outcome = ReadTopUp(answer, topped_up);
            told_id = topped_up.top_up_id;
            as_asked = topped_up.amount == journey.amount;
            break;
        }
    }
    if (outcome.verdict == Verdict::kAcknowledged && !as_asked) {
        outcome = {Verdict::kUnknown, "AMOUNT_DIFFERS"};
    }
    return outcome;
}

void SteadyLoad::OnAnswer(Journey& journey, const Answer& answer) {
    journey.in_flight = false;
    std::int64_t told_id = 0;
    const Outcome outcome = Read(journey, answer, told_id);
    journal_.Add(journal::Answered{NowUs(), journey.operation, journey.key, journey.attempt,
                                   outcome.verdict, outcome.reason, journey.code_id, told_id});
    if (!outcome.reason.empty()) ++report_.reasons[outcome.reason];
    switch (outcome.verdict) {
        case Verdict::kAcknowledged:
            if (journey.operation == journal::Operation::kPay) journey.payment_id = told_id;
            return OnAcknowledged(journey);
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

void SteadyLoad::OnAcknowledged(Journey& journey) {
    journey.open = false;
    journey.attempt = 0;
    journey.signed_request.clear();
    if (journey.operation == journal::Operation::kCreate) {
        journey.operation = journal::Operation::kPay;
        return GoOn(journey, options_.think_time);
    }
    if (journey.operation != journal::Operation::kPay) {
        ++report_.others_acknowledged;
        return Finish(journey);
    }
    ++report_.acknowledged;
    if (journey.afterwards == journal::Operation::kPay) return Finish(journey);
    journey.operation = journey.afterwards;
    GoOn(journey, options_.think_time);
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
