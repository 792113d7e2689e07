#include "rules/history_chain.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "kessai/result/check.h"

namespace kessai::audit {
namespace {

constexpr std::size_t kAnchoredBytes = 8 + 4 + 32;

/// A number is 8 bytes, most significant first; a text its length and its bytes; what may be absent
/// a byte 0, or a byte 1 and the number.
class Message {
 public:
    explicit Message(std::string_view what) { Add(what); }

    void Add(std::int64_t number) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xFF));
        }
    }
    void Add(std::string_view text) {
        Add(static_cast<std::int64_t>(text.size()));
        bytes_.append(text);
    }
    void Add(const std::optional<std::int64_t>& number) {
        bytes_.push_back(number.has_value() ? '\1' : '\0');
        if (number.has_value()) Add(*number);
    }
    void Add(const Hash32& hash) {
        bytes_.append(reinterpret_cast<const char*>(hash.data()), hash.size());
    }
    template <class... Parts>
    void AddAll(const Parts&... parts) {
        (AddOne(parts), ...);
    }
    const std::string& bytes() const { return bytes_; }

 private:
    template <class Part>
    void AddOne(const Part& part) {
        if constexpr (std::is_integral_v<Part>) {
            Add(static_cast<std::int64_t>(part));
        } else if constexpr (std::is_same_v<Part, std::string>) {
            Add(std::string_view(part));
        } else {
            Add(part);
        }
    }
    std::string bytes_;
};

int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Result<HistoryChain> HistoryChain::FromHex(std::string_view text) {
    Key key{};
    bool good = text.size() == key.size() * 2;
    for (std::size_t i = 0; good && i < key.size(); ++i) {
        const int high = HexDigit(text[2 * i]);
        const int low = HexDigit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good) {
        return Status(Code::kInvalidArgument, "AUDIT_KEY_INVALID",
                      "the key of the audit trail is 64 hexadecimal digits");
    }
    return HistoryChain(key);
}

Hash32 HistoryChain::Sign(std::string_view bytes) const {
    Hash32 hash{};
    unsigned size = 0;
    const unsigned char* const done = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                                           reinterpret_cast<const unsigned char*>(bytes.data()),
                                           bytes.size(), hash.data(), &size);
    KESSAI_CHECK(done != nullptr && size == hash.size(), "OpenSSL has HMAC-SHA256");
    return hash;
}

Hash32 HistoryChain::OfRepair(const RepairRow& row) const {
    Message message("repair");
    message.AddAll(row.discrepancy_id, row.number, row.kind, row.state, row.requested_by,
                   row.decided_by, row.reason, row.outcome, row.merchant_id, row.amount,
                   row.other_merchant_id, row.other_amount, row.requested_at_us, row.decided_at_us,
                   row.carried_out_at_us, row.ended_at_us);
    return Sign(message.bytes());
}

Hash32 HistoryChain::OfStep(const Hash32& before, const DiscrepancyRow& discrepancy,
                            const HistoryStepRow& step) const {
    Message message("step");
    message.AddAll(before, step.discrepancy_id, step.number, discrepancy.business_date,
                   discrepancy.kind, discrepancy.payment_id, discrepancy.version, discrepancy.book,
                   discrepancy.bucket, discrepancy.held_merchant, discrepancy.found_at_us,
                   step.state, step.actor, step.note, step.at_us, step.event_id, step.merchant_id,
                   step.currency, step.payment_gross, step.payout_gross, step.owner,
                   step.repair_number, step.repair_hash, step.evidence_hash);
    return Sign(message.bytes());
}

Hash32 HistoryChain::OfAnchor(const Hash32& before, const AnchorRow& anchor) const {
    Message message("anchor");
    message.AddAll(before, anchor.slot, anchor.number, anchor.at_us, anchor.steps);
    return Sign(message.bytes());
}

std::optional<std::vector<AnchoredStep>> StepsOf(const AnchorRow& anchor) {
    if (anchor.steps.size() % kAnchoredBytes != 0) return std::nullopt;
    std::vector<AnchoredStep> steps;
    for (std::size_t at = 0; at < anchor.steps.size(); at += kAnchoredBytes) {
        const auto number = [&](std::size_t from, std::size_t size) {
            std::uint64_t value = 0;
            for (std::size_t i = 0; i < size; ++i) {
                value = value << 8 | static_cast<std::uint8_t>(anchor.steps[at + from + i]);
            }
            return value;
        };
        steps.push_back({static_cast<std::int64_t>(number(0, 8)),
                         static_cast<std::uint32_t>(number(8, 4)),
                         Hash32Of(std::string_view(anchor.steps).substr(at + 12, 32))});
    }
    return steps;
}

}  // namespace kessai::audit
