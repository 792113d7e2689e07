#include "signal_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "kessai/result/check.h"
#include "kessai/runtime/main.h"

namespace kessai::runtime {
namespace {

constexpr std::chrono::seconds kSameWish{1};

sigset_t EndingSignals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGINT);
    return set;
}

}  // namespace

void TakeSignals() {
    const sigset_t set = EndingSignals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(std::function<void(int)> on_first, const Clock& clock)
    : on_first_(std::move(on_first)), clock_(clock) {
    const sigset_t set = EndingSignals();
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    closing_ = ::eventfd(0, EFD_CLOEXEC);
    KESSAI_CHECK(signals_ >= 0 && closing_ >= 0, "no descriptor to wait for signals with");
    thread_ = std::thread([this] { Run(); });
}

SignalWatch::~SignalWatch() {
    const std::uint64_t one = 1;
    KESSAI_CHECK(::write(closing_, &one, sizeof one) == sizeof one, "eventfd takes no write");
    thread_.join();
    ::close(signals_);
    ::close(closing_);
}

void SignalWatch::Run() {
    ::pthread_setname_np(::pthread_self(), "signals");
    std::optional<SteadyInstant> asked_at;
    while (true) {
        pollfd waiting[] = {{signals_, POLLIN, 0}, {closing_, POLLIN, 0}};
        if (::poll(waiting, 2, -1) < 0) continue;
        if (waiting[1].revents != 0) return;
        signalfd_siginfo info{};
        if (::read(signals_, &info, sizeof info) != sizeof info) continue;
        const SteadyInstant now = clock_.SteadyNow();
        if (asked_at && now - *asked_at < kSameWish) continue;
        if (asked_at) {
            constexpr char kMessage[] = "second signal: ending at once\n";
            (void)!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
            ::_exit(kExitForced);
        }
        asked_at = now;
        on_first_(static_cast<int>(info.ssi_signo));
    }
}

}  // namespace kessai::runtime
