#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kessai/result/result.h"
#include "model/values.h"
#include "model/wide.h"

namespace kessai::audit {

/// The invariants of docs/architecture.md ("What must hold") that data can show, and what is still
/// on its way.
enum class Invariant : std::uint8_t {
    kM1,
    kM2,
    kM3,
    kM4,
    kM5,
    kM6,
    kM7,
    kM8,
    kM9,
    /// What waits in outboxes, in consumers and as dead letters: it explains gaps of M6 to M8.
    kBacklog,
};
inline constexpr int kInvariants = 10;

/// "M1", …, "backlog".
std::string_view NameOf(Invariant invariant);
/// What it says, in one line.
std::string_view MeaningOf(Invariant invariant);

/// What a finding is about, from the outside in: {{"payment", 12}, {"version", 3}}.
using Subject = std::vector<std::pair<std::string_view, std::variant<std::int64_t, std::string>>>;

/// "payment 12 version 3".
std::string ToText(const Subject& subject);

/// One offender.
struct Finding {
    Subject subject;
    /// Texts, so that amounts, dates, hashes and names fit.
    std::string expected;
    std::string found;
};

// How values show in findings.
std::string ToText(std::int64_t number);
inline std::string ToText(int number) {
    return ToText(std::int64_t{number});
}
inline std::string ToText(std::uint32_t number) {
    return ToText(std::int64_t{number});
}
/// A sum of amounts, which may be beyond 64 bits when rows are damaged.
std::string ToText(Wide number);
inline std::string ToText(std::uint64_t number) {
    return std::to_string(number);
}
inline std::string ToText(std::string_view text) {
    return std::string(text);
}
inline std::string ToText(const std::string& text) {
    return text;
}
/// "65.2 s".
std::string SecondsText(std::int64_t micros);
/// Lower-case hexadecimal digits.
std::string ToHex(std::string_view bytes);

/// What an audit found: every offender is counted, the first ones of each kind are kept. One
/// thread at a time.
class Report {
 public:
    /// `examples_max`: findings kept of each kind (an invariant and what is wrong).
    explicit Report(std::size_t examples_max = 20) : examples_max_(examples_max) {}

    /// Counts an offender. `what` (a literal) says what is wrong, in few words; `make`, called only
    /// while examples are kept, gives the Finding.
    template <class Make>
    void Found(Invariant invariant, std::string_view what, Make&& make) {
        Kind& kind = KindOf(invariant, what);
        ++kind.count;
        if (kind.examples.size() < examples_max_) kind.examples.push_back(make());
    }

    /// An offender if the two differ. `subject` (called only then) gives the Subject.
    template <class T, class MakeSubject>
    bool Expect(Invariant invariant, std::string_view what, const MakeSubject& subject,
                const T& expected, const T& found) {
        if (expected == found) [[likely]]
            return true;
        Found(invariant, what, [&] { return Finding{subject(), ToText(expected), ToText(found)}; });
        return false;
    }

    /// Adds to the number of `what` (a literal, plural: "journals") that the invariant's checks
    /// looked at.
    void LookedAt(Invariant invariant, std::string_view what, std::uint64_t rows);

    /// A part of the invariant could not be checked.
    void CouldNotCheck(Invariant invariant, std::string why);
    /// Something a reader should know that is neither.
    void Note(Invariant invariant, std::string text);

    /// Findings of one kind.
    struct Kind {
        std::string_view what;
        std::uint64_t count = 0;
        std::vector<Finding> examples;
    };
    /// All that is known of one invariant.
    struct Part {
        std::vector<std::pair<std::string_view, std::uint64_t>> looked_at;
        /// In the order in which they were found.
        std::vector<Kind> kinds;
        std::vector<std::string> not_checked;
        std::vector<std::string> notes;

        std::uint64_t found() const;
    };
    const Part& part(Invariant invariant) const {
        return parts_[static_cast<std::size_t>(invariant)];
    }

    std::uint64_t found() const;
    /// Everything could be read.
    bool complete() const;

 private:
    Part& PartOf(Invariant invariant) { return parts_[static_cast<std::size_t>(invariant)]; }
    Kind& KindOf(Invariant invariant, std::string_view what);

    std::size_t examples_max_;
    std::array<Part, kInvariants> parts_;
};

}  // namespace kessai::audit
