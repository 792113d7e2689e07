#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/result/result.h"

/// KESSAI_FAULT_POINT("payment.after_commit") marks a moment at which a test may kill the process.
/// It is nothing at all unless the build defines KESSAI_FAULTS (the `faults` preset). Then
///
///     KESSAI_TEST_FAULT=payment.after_commit:3,outbox.after_publish
///
/// kills the process with SIGKILL at the third pass of the first point or the first pass of the
/// second. With KESSAI_TEST_FAULT_DIR set, a point first leaves the file `<name>.<nth>` there, and
/// one whose file exists already lets the process pass: so a restarted process goes on, and the
/// test sees that the point was reached.
namespace kessai::faults {

/// Whether this build has fault points.
constexpr bool Compiled() {
#ifdef KESSAI_FAULTS
    return true;
#else
    return false;
#endif
}

/// The names of all points linked into this process, sorted. Empty when not compiled in.
std::vector<std::string> Names();

/// Arms the points that KESSAI_TEST_FAULT names; to be called once, before threads start. Refuses
/// with INVALID_ARGUMENT FAULT_UNKNOWN what is malformed or no point of this process, and any
/// fault at all when points are not compiled in, so that no test passes by killing nothing.
Status ArmFromEnvironment();
/// The same with the two values given; for tests.
Status Arm(std::string_view faults, std::string_view directory);

/// One named point. Registers itself; lives as long as the process. Passing is thread safe.
class Point {
 public:
    explicit Point(const char* name);
    Point(const Point&) = delete;
    Point& operator=(const Point&) = delete;

    void Pass() {
        if (armed_at_.load(std::memory_order_relaxed) != 0) [[unlikely]]
            PassArmed();
    }
    std::string_view name() const { return name_; }
    /// The process dies at the `nth` pass from now; 0 disarms.
    void ArmAt(std::uint64_t nth);

 private:
    void PassArmed();

    const char* name_;
    std::atomic<std::uint64_t> armed_at_{0};
    std::atomic<std::uint64_t> passes_{0};
};

namespace internal {

/// A string as a template argument.
template <std::size_t N>
struct Name {
    char text[N];
    consteval Name(const char (&literal)[N]) { std::copy_n(literal, N, text); }  // NOLINT
};

/// One Point a name, made before main because something that can be run names it.
template <Name kName>
struct Holder {
    static inline Point point{kName.text};
};

}  // namespace internal
}  // namespace kessai::faults

#ifdef KESSAI_FAULTS
#define KESSAI_FAULT_POINT(name) ::kessai::faults::internal::Holder<name>::point.Pass()
#else
#define KESSAI_FAULT_POINT(name) \
    do {                         \
    } while (false)
#endif
