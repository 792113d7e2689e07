#include "report.h"

#include <algorithm>

namespace kessai::audit {

std::string_view NameOf(Invariant invariant) {
    switch (invariant) {
        case Invariant::kM1:
            return "M1";
        case Invariant::kM2:
            return "M2";
        case Invariant::kM3:
            return "M3";
        case Invariant::kM4:
            return "M4";
        case Invariant::kM5:
            return "M5";
        case Invariant::kM6:
            return "M6";
        case Invariant::kM7:
            return "M7";
        case Invariant::kM8:
            return "M8";
        case Invariant::kM9:
            return "M9";
        case Invariant::kBacklog:
            break;
    }
    return "backlog";
}

std::string_view MeaningOf(Invariant invariant) {
    switch (invariant) {
        case Invariant::kM1:
            return "every journal has the postings its change implies, and they sum to zero";
        case Invariant::kM2:
            return "every stored balance is the sum of its postings";
        case Invariant::kM3:
            return "no customer balance is or was below zero";
        case Invariant::kM4:
            return "one payment, refund and top-up per key, each agreeing with its journal";
        case Invariant::kM5:
            return "captured <= ordered, refunded <= captured, payments are what journals say";
        case Invariant::kM6:
            return "every change is in Kafka as its row says, in order per object";
        case Invariant::kM7:
            return "every change is accrued once, with the fee of the plan in force";
        case Invariant::kM8:
            return "payment, payout and reconciliation agree by change, merchant and day";
        case Invariant::kM9:
            return "closed days have not changed";
        case Invariant::kBacklog:
            break;
    }
    return "nothing waits in outboxes, consumers or dead letters";
}

std::string ToText(const Subject& subject) {
    std::string text;
    for (const auto& [name, value] : subject) {
        if (!text.empty()) text += ' ';
        text += name;
        text += ' ';
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            text += std::to_string(*number);
        } else {
            text += std::get<std::string>(value);
        }
    }
    return text;
}

std::string ToText(std::int64_t number) {
    return std::to_string(number);
}

std::string ToText(Wide number) {
    // The lowest number has no positive counterpart: digits are taken from the negative side.
    const bool negative = number < 0;
    std::string digits;
    do {
        const int digit = static_cast<int>(number % 10);
        digits.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
        number /= 10;
    } while (number != 0);
    if (negative) digits.push_back('-');
    std::reverse(digits.begin(), digits.end());
    return digits;
}

std::string SecondsText(std::int64_t micros) {
    const std::int64_t tenths = micros / 100'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string ToHex(std::string_view bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
        text.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
    }
    return text;
}

void Report::LookedAt(Invariant invariant, std::string_view what, std::uint64_t rows) {
    Part& part = PartOf(invariant);
    for (auto& [name, count] : part.looked_at) {
        if (name == what) {
            count += rows;
            return;
        }
    }
    part.looked_at.emplace_back(what, rows);
}

void Report::CouldNotCheck(Invariant invariant, std::string why) {
    PartOf(invariant).not_checked.push_back(std::move(why));
}

void Report::Note(Invariant invariant, std::string text) {
    PartOf(invariant).notes.push_back(std::move(text));
}

std::uint64_t Report::Part::found() const {
    std::uint64_t sum = 0;
    for (const Kind& kind : kinds) sum += kind.count;
    return sum;
}

std::uint64_t Report::found() const {
    std::uint64_t sum = 0;
    for (const Part& part : parts_) sum += part.found();
    return sum;
}

bool Report::complete() const {
    return std::all_of(parts_.begin(), parts_.end(),
                       [](const Part& part) { return part.not_checked.empty(); });
}

Report::Kind& Report::KindOf(Invariant invariant, std::string_view what) {
    Part& part = PartOf(invariant);
    for (Kind& kind : part.kinds) {
        if (kind.what == what) return kind;
    }
    return part.kinds.emplace_back(Kind{what, 0, {}});
}

}  // namespace kessai::audit
