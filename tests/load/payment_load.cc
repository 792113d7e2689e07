#include "load/payment_load.h"

#include <cmath>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::load {

namespace {

Duration Since(SteadyInstant begin, SteadyInstant end) {
    return std::chrono::duration_cast<Duration>(end - begin);
}

double Seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

void LoadResult::Merge(const LoadResult& other) {
    offered += other.offered;
    pay_latency.Merge(other.pay_latency);
    create_latency.Merge(other.create_latency);
    lateness.Merge(other.lateness);
    completed_in_time += other.completed_in_time;
    for (const auto& [reason, count] : other.pay_failures) pay_failures[reason] += count;
    for (const auto& [reason, count] : other.create_failures) create_failures[reason] += count;
    open_at_end += other.open_at_end;
    acknowledged += other.acknowledged;
    acknowledged_yen += other.acknowledged_yen;
    unknown += other.unknown;
}

std::uint64_t LoadResult::failures() const {
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : pay_failures) sum += count;
    return sum;
}

PaymentLoad::PaymentLoad(net::Loop& loop, Client& client, Population& population, Share share,
                         std::string id_prefix, std::string authority, std::uint64_t seed,
                         const Clock& clock)
    : loop_(loop),
      client_(client),
      population_(population),
      share_(share),
      id_prefix_(std::move(id_prefix)),
      clock_(clock),
      requests_(std::move(authority), seed, clock),
      random_(seed + 1) {
    KESSAI_CHECK(population.users.size() >= static_cast<std::size_t>(share.count),
                 "a user for every share");
    signers_.reserve(population.merchants.size());
    for (const Merchant& merchant : population.merchants) {
        signers_.emplace_back(merchant.api_key, merchant.secret);
    }
}

net::Task<LoadResult> PaymentLoad::Run(Offer offer, const WeightedChoice& merchants,
                                       SteadyInstant first) {
    KESSAI_CHECK(!offering_ && merchants.size() <= signers_.size(), "one run at a time");
    const double rate = offer.payments_per_second / share_.count;
    // The shares' moments lie between each other.
    const SteadyInstant begin =
        first +
        std::chrono::nanoseconds(std::llround(1e9 * share_.index / offer.payments_per_second));
    const Duration whole = offer.warm_up + offer.measured + offer.think_time;
    const auto count = static_cast<std::uint64_t>(std::llround(rate * Seconds(whole)));

    offer_ = offer;
    merchants_ = &merchants;
    measure_from_ = first + offer.think_time + offer.warm_up;
    measure_to_ = measure_from_ + offer.measured;
    result_ = LoadResult();
    journeys_.clear();
    first_journey_ = 0;
    open_ = 0;
    due_ = 0;
    offering_ = true;

    net::Arrival<bool> ended;
    ended_ = &ended;
    if (offer_.clients > 0) {
        RunClosed(first);
        (void)co_await ended;
        co_return std::move(result_);
    }
    Pacer pacer(loop_, clock_);
    pacer_ = &pacer;
    pacer.Add(Schedule(begin, rate), count,
              [this](std::uint64_t n, SteadyInstant intended) { BeginCreate(n, intended); });
    pacer.Add(Schedule(begin + offer.think_time, rate), count,
              [this](std::uint64_t n, SteadyInstant) { BeginPay(n); });
    net::Timer snapshot(loop_, [this] { result_.open_at_end = due_; });
    snapshot.ExpiresAt(measure_to_);
    pacer.Start([this] {
        offering_ = false;
        EndIfDone();
    });
    (void)co_await ended;
    pacer_ = nullptr;
    result_.lateness = pacer.lateness();
    co_return std::move(result_);
}

/// The moments of a closed loop are whenever the one before was done, until the measured time ends.
void PaymentLoad::RunClosed(SteadyInstant first) {
    measure_from_ = first + offer_.warm_up;
    measure_to_ = measure_from_ + offer_.measured;
    const int own = (offer_.clients - share_.index + share_.count - 1) / share_.count;
    for (int i = 0; i < own; ++i) {
        BeginCreate(first_journey_ + journeys_.size(), clock_.SteadyNow());
    }
    if (own == 0) offering_ = false;
    EndIfDone();
}

void PaymentLoad::Stop() {
    if (!offering_) return;
    if (pacer_ != nullptr) pacer_->Stop();
    offering_ = false;
    // Those that wait for their payment's moment will not be paid.
    const std::uint64_t end = first_journey_ + journeys_.size();
    for (std::uint64_t n = first_journey_; n < end; ++n) {
        if (n >= first_journey_ && At(n).stage == Stage::kOpen) Finish(At(n));
    }
    EndIfDone();
}

void PaymentLoad::BeginCreate(std::uint64_t n, SteadyInstant intended) {
    KESSAI_CHECK(n == first_journey_ + journeys_.size(), "journeys begin in their order");
    Journey& journey = journeys_.emplace_back();
    ++open_;
    journey.pay_intended = intended + offer_.think_time;
    journey.measured = journey.pay_intended >= measure_from_ && journey.pay_intended < measure_to_;
    journey.amount =
        1 + static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(offer_.amount_max)));
    const auto count = static_cast<std::uint64_t>(share_.count);
    const auto index = static_cast<std::uint64_t>(share_.index);
    const std::uint64_t own = (population_.users.size() - index + count - 1) / count;
    journey.user = static_cast<std::uint32_t>(random_.Below(own) * count + index);

    const std::size_t merchant = merchants_->Draw(random_);
    const std::string id = id_prefix_ + std::to_string(ids_used_++);
    client_.Send(requests_.CreateCode(signers_[merchant], id, journey.amount),
                 clock_.SteadyNow() + offer_.timeout,
                 [this, n, intended](const Answer& answer) { EndCreate(n, intended, answer); });
}

void PaymentLoad::EndCreate(std::uint64_t n, SteadyInstant intended, const Answer& answer) {
    Journey& journey = At(n);
    Outcome outcome = ReadCreatedCode(answer, journey.code_id);
    if (journey.measured) {
        result_.create_latency.Record(Since(intended, clock_.SteadyNow()));
    }
    if (outcome.verdict != Verdict::kAcknowledged) {
        if (journey.measured) {
            ++result_.offered;
            ++result_.create_failures[outcome.reason];
            ++result_.pay_failures["NO_CODE"];
        }
        return Finish(journey);
    }
    journey.stage = Stage::kOpen;
    if (offer_.clients > 0) {
        const SteadyInstant now = clock_.SteadyNow();
        journey.pay_intended = now;
        journey.measured = now >= measure_from_ && now < measure_to_;
        journey.due = true;
        ++due_;
    }
    if (journey.due) {
        SendPay(n, journey);
    } else if (!offering_) {
        Finish(journey);  // it was stopped
    }
}

void PaymentLoad::BeginPay(std::uint64_t n) {
    if (n < first_journey_) return;  // its code could not be made
    Journey& journey = At(n);
    if (journey.stage == Stage::kDone) return;
    journey.due = true;
    ++due_;
    if (journey.stage == Stage::kOpen) SendPay(n, journey);
}

void PaymentLoad::SendPay(std::uint64_t n, Journey& journey) {
    journey.stage = Stage::kPaying;
    if (journey.measured) ++result_.offered;
    const User& user = population_.users[journey.user];
    client_.Send(requests_.PayCode(user.token, journey.code_id, journey.amount),
                 clock_.SteadyNow() + offer_.timeout,
                 [this, n](const Answer& answer) { EndPay(n, answer); });
}

void PaymentLoad::EndPay(std::uint64_t n, const Answer& answer) {
    Journey& journey = At(n);
    const SteadyInstant now = clock_.SteadyNow();
    PaidCode paid;
    Outcome outcome = ReadPaidCode(answer, paid);
    if (outcome.verdict == Verdict::kAcknowledged && paid.amount != journey.amount) {
        outcome = {Verdict::kUnknown, "AMOUNT_DIFFERS"};
    }
    if (journey.measured) result_.pay_latency.Record(Since(journey.pay_intended, now));
    switch (outcome.verdict) {
        case Verdict::kAcknowledged:
            if (now >= measure_from_ && now < measure_to_) ++result_.completed_in_time;
            ++result_.acknowledged;
            result_.acknowledged_yen += journey.amount;
            population_.users[journey.user].balance -= journey.amount;
            break;
        case Verdict::kUnknown:
            ++result_.unknown;
            population_.users[journey.user].balance -= journey.amount;
            [[fallthrough]];
        case Verdict::kRefused:
        case Verdict::kNotDone:
            if (journey.measured) ++result_.pay_failures[outcome.reason];
            break;
    }
    Finish(journey);
}

void PaymentLoad::Finish(Journey& journey) {
    journey.stage = Stage::kDone;
    --open_;
    if (journey.due) --due_;
    while (!journeys_.empty() && journeys_.front().stage == Stage::kDone) {
        journeys_.pop_front();
        ++first_journey_;
    }
    if (offer_.clients > 0 && offering_) {
        if (clock_.SteadyNow() < measure_to_) {
            BeginCreate(first_journey_ + journeys_.size(), clock_.SteadyNow());
        } else {
            offering_ = false;
        }
    }
    EndIfDone();
}

void PaymentLoad::EndIfDone() {
    if (offering_ || open_ != 0 || ended_ == nullptr) return;
    // Not from within a callback of the pacer, which Run's end destroys.
    loop_.Defer([ended = std::exchange(ended_, nullptr)] { ended->Set(true); });
}

}  // namespace kessai::load
