#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kessai/result/result.h"
#include "load/outcomes.h"

namespace kessai::load {

/// The client's own record of a load: what it asked for and what it was told, a line before each
/// request is sent and a line when its fate is known. It is the oracle of the kill test, so it says
/// nothing that the servers said of themselves.
///
/// Text, a line a record, fields separated by tabs; times in microseconds since 1970:
///
///     kessai-load 1 <run id> <first merchant id> <merchants> <seed>
///     > <time> <operation> <key> <attempt> <merchant id> <user id> <amount>
///     < <time> <operation> <key> <attempt> <verdict> <reason> <code id> <payment id>
///
/// The operation is create, pay, refund, cancel or top-up. `key` is the merchantPaymentId, also of
/// what becomes of the payment later (and a refund's own id is the same), or a top-up's idempotency
/// key; attempts count from 1. What is empty is "-", no payment is 0; a top-up's id is told in the
/// place of a payment's.
namespace journal {

enum class Operation : std::uint8_t { kCreate, kPay, kRefund, kCancel, kTopUp };
std::string_view NameOf(Operation operation);

struct Run {
    std::string id;
    std::int64_t first_merchant_id = 0;
    int merchants = 0;
    std::uint64_t seed = 0;
};

struct Sent {
    std::int64_t at_us = 0;
    Operation operation{};
    std::string key;
    int attempt = 1;
    std::int64_t merchant_id = 0;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;
};

struct Answered {
    std::int64_t at_us = 0;
    Operation operation{};
    std::string key;
    int attempt = 1;
    Verdict verdict{};
    std::string reason;
    std::string code_id;
    std::int64_t payment_id = 0;
};

using Record = std::variant<Sent, Answered>;

std::string Format(const Run& run);
std::string Format(const Sent& sent);
std::string Format(const Answered& answered);
Result<Run> ParseRun(std::string_view line);
/// INVALID_ARGUMENT JOURNAL_MALFORMED.
Result<Record> ParseRecord(std::string_view line);

}  // namespace journal

/// Writes a journal. A line reaches the kernel before the request that it announces is sent. One
/// thread at a time.
class JournalWriter {
 public:
    /// Makes the file anew, for its owner's eyes. UNAVAILABLE JOURNAL_UNUSABLE.
    static Result<std::unique_ptr<JournalWriter>> Create(const std::string& path,
                                                         const journal::Run& run);
    ~JournalWriter();

    void Add(const journal::Sent& sent) { Write(journal::Format(sent)); }
    void Add(const journal::Answered& answered) { Write(journal::Format(answered)); }

    /// Not ok once anything could not be written.
    const Status& status() const { return status_; }

 private:
    explicit JournalWriter(int descriptor) : descriptor_(descriptor) {}
    void Write(const std::string& line);

    const int descriptor_;
    Status status_;
};

struct Journal {
    journal::Run run;
    std::vector<journal::Record> records;
};
/// A last line that was cut off by a crash is passed over; anything else that can't be read is
/// refused with its line's number.
Result<Journal> ReadJournal(const std::string& path);

}  // namespace kessai::load
