// kessai-audit: the independent second opinion on the books of a platform (README.md).

#include <cstdio>
#include <string>

#include "audit.h"
#include "options.h"
#include "printing.h"

namespace {

using namespace kessai::audit;

constexpr int kCouldNotCheck = 2;

/// Steps go to standard error, so that standard output is the result.
class StepPrinter final : public AuditObserver {
 public:
    void OnStep(std::string_view text) override {
        std::fprintf(stderr, "audit: %.*s\n", static_cast<int>(text.size()), text.data());
    }
};

int Refuse(const kessai::Status& why) {
    std::fprintf(stderr, "audit: %s\n", why.ToString().c_str());
    return kCouldNotCheck;
}

}  // namespace

int main(int argc, char** argv) {
    const auto command_line = ParseCommandLine(argc, argv);
    if (!command_line.ok()) {
        std::fputs(kUsage, stderr);
        return Refuse(command_line.status());
    }
    if (command_line->help) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    const auto options = ReadStackFile(*command_line);
    if (!options.ok()) return Refuse(options.status());

    Report report(options->examples_max);
    StepPrinter steps;
    const AuditTimes times = RunAudit(*options, kessai::SystemClock(), steps, report);
    std::fputs(AsText(report, times).c_str(), stdout);
    if (command_line->json) std::printf("%s\n", AsJson(report, times).c_str());
    return ExitCode(report);
}
