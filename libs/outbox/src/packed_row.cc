#include "packed_row.h"

namespace kessai::outbox {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kHasPartition = 1;
constexpr std::uint8_t kRepublished = 2;

void AppendNumber(std::string& out, std::uint64_t number, int width) {
    for (int i = 0; i < width; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

// Reads from the front; once something was missing, everything is.
class Reader {
 public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t Number(int width) {
        std::uint64_t number = 0;
        const std::string_view bytes = Bytes(static_cast<std::size_t>(width));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            number |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
        }
        return number;
    }
    std::string_view Bytes(std::size_t size) {
        if (size > rest_.size()) {
            good_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return bytes;
    }
    bool at_end() const { return rest_.empty(); }
    bool good() const { return good_; }

 private:
    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

void AppendEntry(std::string& packed, const Entry& entry) {
    if (packed.empty()) AppendNumber(packed, kFormat, 1);
    AppendNumber(packed, static_cast<std::uint64_t>(entry.topic), 1);
    AppendNumber(packed,
                 (entry.partition ? kHasPartition : 0u) | (entry.republished ? kRepublished : 0u),
                 1);
    AppendNumber(packed, static_cast<std::uint64_t>(entry.object_id), 8);
    if (entry.partition) AppendNumber(packed, static_cast<std::uint64_t>(*entry.partition), 4);
    AppendNumber(packed, entry.traceparent.size(), 1);
    packed.append(entry.traceparent);
    AppendNumber(packed, entry.envelope.size(), 4);
    packed.append(entry.envelope);
}

Result<std::vector<Entry>> ReadEntries(std::string_view packed) {
    Reader reader(packed);
    const std::uint64_t format = reader.Number(1);
    std::vector<Entry> entries;
    while (reader.good() && format == kFormat && !reader.at_end()) {
        Entry entry;
        entry.topic = static_cast<int>(reader.Number(1));
        const auto flags = reader.Number(1);
        entry.object_id = static_cast<std::int64_t>(reader.Number(8));
        if (flags & kHasPartition) entry.partition = static_cast<int>(reader.Number(4));
        entry.republished = (flags & kRepublished) != 0;
        entry.traceparent = reader.Bytes(reader.Number(1));
        entry.envelope = reader.Bytes(reader.Number(4));
        entries.push_back(entry);
    }
    if (!reader.good() || format != kFormat) {
        return Status(
            Code::kDataLoss, "OUTBOX_ROW_MALFORMED",
            "format " + std::to_string(format) + ", " + std::to_string(packed.size()) + " bytes");
    }
    return entries;
}

}  // namespace kessai::outbox
