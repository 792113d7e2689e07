#include "printing.h"

#include <nlohmann/json.hpp>

#include "kessai/time/business_date.h"

namespace kessai::audit {
namespace {

using nlohmann::json;

/// "1,234,567".
std::string Grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

std::string LookedAtText(const Report::Part& part) {
    std::string text;
    for (const auto& [what, rows] : part.looked_at) {
        if (!text.empty()) text += ", ";
        text += Grouped(rows) + " " + std::string(what);
    }
    return text.empty() ? "nothing was looked at" : text;
}

std::string StateText(const Report::Part& part) {
    if (part.found() > 0) return Grouped(part.found()) + " FOUND";
    return part.not_checked.empty() ? "ok" : "NOT CHECKED";
}

void AppendPart(std::string& text, Invariant invariant, const Report::Part& part) {
    std::string name(NameOf(invariant));
    name.resize(8, ' ');
    text += name + StateText(part) + ": " + std::string(MeaningOf(invariant)) + "\n";
    text += "        " + LookedAtText(part) + "\n";
    for (const std::string& why : part.not_checked)
        text += "        could not check: " + why + "\n";
    for (const std::string& note : part.notes) text += "        note: " + note + "\n";
    for (const Report::Kind& kind : part.kinds) {
        for (const Finding& finding : kind.examples) {
            text += "        " + std::string(kind.what) + ": " + ToText(finding.subject) +
                    ": expected " + finding.expected + ", found " + finding.found + "\n";
        }
        if (kind.count > kind.examples.size()) {
            text += "        " + std::string(kind.what) + ": " +
                    Grouped(kind.count - kind.examples.size()) + " more\n";
        }
    }
}

std::string Verdict(const Report& report) {
    if (report.found() > 0) {
        return "found: " + Grouped(report.found()) +
               (report.complete() ? "" : ", and not everything could be checked");
    }
    return report.complete() ? "clean: everything was read, and nothing is wrong"
                             : "incomplete: nothing is wrong in what could be checked";
}

json PartAsJson(const Report::Part& part) {
    json looked_at = json::object();
    for (const auto& [what, rows] : part.looked_at) looked_at[std::string(what)] = rows;
    json findings = json::array();
    for (const Report::Kind& kind : part.kinds) {
        json examples = json::array();
        for (const Finding& finding : kind.examples) {
            json subject = json::object();
            for (const auto& [name, value] : finding.subject) {
                std::visit([&](const auto& shown) { subject[std::string(name)] = shown; }, value);
            }
            examples.push_back(
                {{"subject", subject}, {"expected", finding.expected}, {"found", finding.found}});
        }
        findings.push_back({{"what", kind.what}, {"count", kind.count}, {"examples", examples}});
    }
    return {{"found", part.found()},
            {"looked_at", looked_at},
            {"findings", findings},
            {"not_checked", part.not_checked},
            {"notes", part.notes}};
}

std::int64_t Milliseconds(Duration duration) {
    return duration.count() / 1000;
}

}  // namespace

int ExitCode(const Report& report) {
    if (report.found() > 0) return 1;
    return report.complete() ? 0 : 2;
}

std::string AsText(const Report& report, const AuditTimes& times) {
    std::string text;
    for (int i = 0; i < kInvariants; ++i) {
        const auto invariant = static_cast<Invariant>(i);
        AppendPart(text, invariant, report.part(invariant));
    }
    const std::string since = times.snapshot_at == Instant{}
                                  ? std::string("the payment database was not reached")
                                  : "changes committed before " + FormatUtc(times.snapshot_at);
    text += "audit " + Verdict(report) + " (" + since + "; waited " +
            SecondsText(times.waited.count()) + " for them to arrive, took " +
            SecondsText(times.took.count()) + ")\n";
    return text;
}

std::string AsJson(const Report& report, const AuditTimes& times) {
    json invariants = json::object();
    for (int i = 0; i < kInvariants; ++i) {
        const auto invariant = static_cast<Invariant>(i);
        invariants[std::string(NameOf(invariant))] = PartAsJson(report.part(invariant));
    }
    const int code = ExitCode(report);
    const json whole = {
        {"verdict", code == 0   ? "clean"
                    : code == 1 ? "found"
                                : "incomplete"},
        {"exit_code", code},
        {"found", report.found()},
        {"snapshot_at_us", ToMicros(times.snapshot_at)},
        {"waited_ms", Milliseconds(times.waited)},
        {"took_ms", Milliseconds(times.took)},
        {"invariants", invariants},
    };
    // What a damaged row holds may be no UTF-8.
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace kessai::audit
