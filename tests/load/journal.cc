#include "load/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

namespace kessai::load {

namespace journal {

namespace {

constexpr std::string_view kMagic = "kessai-load";

Status Malformed(std::string_view line) {
    return {Code::kInvalidArgument, "JOURNAL_MALFORMED",
            "no record of a journal: " + std::string(line.substr(0, 200))};
}

std::string_view OrDash(std::string_view text) {
    return text.empty() ? std::string_view("-") : text;
}

class Line {
 public:
    explicit Line(std::string_view text) : left_(text) {}

    std::string_view Next() {
        if (ended_) {
            ok_ = false;
            return {};
        }
        const std::size_t end = left_.find('\t');
        const std::string_view field = left_.substr(0, end);
        if (end == std::string_view::npos) {
            ended_ = true;
        } else {
            left_.remove_prefix(end + 1);
        }
        if (field.empty()) ok_ = false;
        return field;
    }
    std::string Text() {
        const std::string_view field = Next();
        return field == "-" ? std::string() : std::string(field);
    }
    template <class Number>
    Number Integer() {
        const std::string_view field = Next();
        Number number{};
        const auto read = std::from_chars(field.data(), field.data() + field.size(), number);
        if (read.ec != std::errc() || read.ptr != field.data() + field.size()) ok_ = false;
        return number;
    }
    Operation ReadOperation() {
        const std::string_view field = Next();
        for (const Operation operation : {Operation::kCreate, Operation::kPay, Operation::kRefund,
                                          Operation::kCancel, Operation::kTopUp}) {
            if (field == NameOf(operation)) return operation;
        }
        ok_ = false;
        return Operation::kCreate;
    }
    Verdict ReadVerdict() {
        const std::string_view field = Next();
        for (const Verdict verdict :
             {Verdict::kAcknowledged, Verdict::kRefused, Verdict::kNotDone, Verdict::kUnknown}) {
            if (field == VerdictName(verdict)) return verdict;
        }
        ok_ = false;
        return Verdict::kUnknown;
    }
    /// All fields were there and right, and no more.
    bool Whole() const { return ok_ && ended_; }

 private:
    std::string_view left_;
    bool ended_ = false;
    bool ok_ = true;
};

template <class... Fields>
std::string Joined(const Fields&... fields) {
    std::string line;
    const auto add = [&line](const auto& field) {
        if (!line.empty()) line.push_back('\t');
        if constexpr (std::is_integral_v<std::decay_t<decltype(field)>>) {
            line.append(std::to_string(field));
        } else {
            line.append(field);
        }
    };
    (add(fields), ...);
    line.push_back('\n');
    return line;
}

}  // namespace

std::string_view NameOf(Operation operation) {
    switch (operation) {
        case Operation::kCreate:
            return "create";
        case Operation::kPay:
            return "pay";
        case Operation::kRefund:
            return "refund";
        case Operation::kCancel:
            return "cancel";
        case Operation::kTopUp:
            return "top-up";
    }
    return "create";
}

std::string Format(const Run& run) {
    return Joined(kMagic, 1, run.id, run.first_merchant_id, run.merchants, run.seed);
}

std::string Format(const Sent& sent) {
    return Joined(">", sent.at_us, NameOf(sent.operation), sent.key, sent.attempt, sent.merchant_id,
                  sent.user_id, sent.amount);
}

std::string Format(const Answered& answered) {
    return Joined("<", answered.at_us, NameOf(answered.operation), answered.key, answered.attempt,
                  VerdictName(answered.verdict), OrDash(answered.reason), OrDash(answered.code_id),
                  answered.payment_id);
}

Result<Run> ParseRun(std::string_view text) {
    Line line(text);
    Run run;
    const bool ours = line.Next() == kMagic && line.Integer<int>() == 1;
    run.id = line.Text();
    run.first_merchant_id = line.Integer<std::int64_t>();
    run.merchants = line.Integer<int>();
    run.seed = line.Integer<std::uint64_t>();
    if (!ours || !line.Whole()) return Malformed(text);
    return run;
}

Result<Record> ParseRecord(std::string_view text) {
    Line line(text);
    const std::string_view kind = line.Next();
    if (kind == ">") {
        Sent sent;
        sent.at_us = line.Integer<std::int64_t>();
        sent.operation = line.ReadOperation();
        sent.key = line.Text();
        sent.attempt = line.Integer<int>();
        sent.merchant_id = line.Integer<std::int64_t>();
        sent.user_id = line.Integer<std::int64_t>();
        sent.amount = line.Integer<std::int64_t>();
        if (line.Whole()) return Record(std::move(sent));
    } else if (kind == "<") {
        Answered answered;
        answered.at_us = line.Integer<std::int64_t>();
        answered.operation = line.ReadOperation();
        answered.key = line.Text();
        answered.attempt = line.Integer<int>();
        answered.verdict = line.ReadVerdict();
        answered.reason = line.Text();
        answered.code_id = line.Text();
        answered.payment_id = line.Integer<std::int64_t>();
        if (line.Whole()) return Record(std::move(answered));
    }
    return Malformed(text);
}

}  // namespace journal

namespace {
Status JournalUnusable(const std::string& path, const std::string& why) {
    return {Code::kUnavailable, "JOURNAL_UNUSABLE", path + ": " + why};
}
}  // namespace

Result<std::unique_ptr<JournalWriter>> JournalWriter::Create(const std::string& path,
                                                             const journal::Run& run) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return JournalUnusable(path, std::strerror(errno));
    std::unique_ptr<JournalWriter> writer(new JournalWriter(descriptor));
    writer->Write(journal::Format(run));
    if (!writer->status().ok()) return writer->status();
    return writer;
}

JournalWriter::~JournalWriter() {
    ::close(descriptor_);
}

void JournalWriter::Write(const std::string& line) {
    std::string_view left = line;
    while (!left.empty()) {
        const ssize_t written = ::write(descriptor_, left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            if (status_.ok()) status_ = JournalUnusable("the journal", std::strerror(errno));
            return;
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
}

Result<Journal> ReadJournal(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line)) return JournalUnusable(path, "can't be read");
    Journal found;
    KESSAI_ASSIGN_OR_RETURN(found.run, journal::ParseRun(line));
    std::size_t number = 1;
    while (std::getline(file, line)) {
        ++number;
        const bool cut_off = file.eof();  // no line end behind it
        auto record = journal::ParseRecord(line);
        if (!record.ok() && cut_off) break;
        if (!record.ok()) return record.status().WithContext("line " + std::to_string(number));
        found.records.push_back(std::move(*record));
    }
    return found;
}

}  // namespace kessai::load
