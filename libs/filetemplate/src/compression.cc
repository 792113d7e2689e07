#include "compression.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "kessai/result/check.h"

namespace kessai::filetemplate::internal {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr int kWindowBits = 15;
constexpr int kGzipWrapper = 16;
constexpr int kMemoryLevel = 8;
constexpr int kOsUnknown = 255;

constexpr std::uint64_t kZipSizeMax = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::size_t kZipEntriesMax = std::numeric_limits<std::uint16_t>::max() - 1;
constexpr std::uint16_t kZipVersion = 20;
constexpr std::uint16_t kZipMadeBy = 3 << 8 | kZipVersion;  // Unix
constexpr std::uint16_t kZipFlags = 1 << 3 | 1 << 11;       // sizes behind, UTF-8
constexpr std::uint16_t kZipDeflated = 8;
constexpr std::uint16_t kZipFirstDay = 1 << 5 | 1;  // 1980-01-01
constexpr std::uint32_t kZipFileMode = 0100644u << 16;

/// Little endian.
class ZipRecord {
 public:
    explicit ZipRecord(std::uint32_t signature) { Add32(signature); }
    ZipRecord& Add16(std::uint16_t value) {
        bytes_ += static_cast<char>(value & 0xFF);
        bytes_ += static_cast<char>(value >> 8);
        return *this;
    }
    ZipRecord& Add32(std::uint64_t value) {
        Add16(static_cast<std::uint16_t>(value & 0xFFFF));
        return Add16(static_cast<std::uint16_t>(value >> 16 & 0xFFFF));
    }
    ZipRecord& Add(std::string_view text) {
        bytes_ += text;
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

 private:
    std::string bytes_;
};

Status TooLarge(std::string message) {
    return Status(Code::kOutOfRange, reason::kArchiveTooLarge, std::move(message));
}

}  // namespace

struct Packer::Deflater {
    z_stream stream = {};
    gz_header header = {};
    std::array<unsigned char, kChunkBytes> out;

    explicit Deflater(Compression compression) {
        const int window =
            compression == Compression::kGzip ? kWindowBits + kGzipWrapper : -kWindowBits;
        KESSAI_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, kMemoryLevel,
                                  Z_DEFAULT_STRATEGY) == Z_OK,
                     "deflateInit2");
        header.os = kOsUnknown;
    }
    ~Deflater() { deflateEnd(&stream); }
    Deflater(const Deflater&) = delete;

    void Begin(Compression compression) {
        KESSAI_CHECK(deflateReset(&stream) == Z_OK, "deflateReset");
        if (compression != Compression::kGzip) return;
        KESSAI_CHECK(deflateSetHeader(&stream, &header) == Z_OK, "deflateSetHeader");
    }
};

struct Packer::Sha256 {
    EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    Sha256() { KESSAI_CHECK(digest != nullptr && context != nullptr, "SHA-256"); }
    ~Sha256() {
        EVP_MD_CTX_free(context);
        EVP_MD_free(digest);
    }
    Sha256(const Sha256&) = delete;

    void Begin() { KESSAI_CHECK(EVP_DigestInit_ex2(context, digest, nullptr) == 1, "SHA-256"); }
    void Add(std::string_view bytes) {
        KESSAI_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1, "SHA-256");
    }
    std::array<std::uint8_t, 32> End() {
        std::array<std::uint8_t, 32> hash;
        KESSAI_CHECK(EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1, "SHA-256");
        return hash;
    }
};

Packer::Packer(Compression compression, FileSink& sink)
    : compression_(compression),
      sink_(sink),
      deflater_(compression == Compression::kNone ? nullptr
                                                  : std::make_unique<Deflater>(compression)),
      sha256_(std::make_unique<Sha256>()) {}

Packer::~Packer() = default;

Status Packer::BeginFile(const std::string& name) {
    bytes_ = 0;
    entries_.clear();
    sha256_->Begin();
    return sink_.Begin(name);
}

Status Packer::Store(std::string_view bytes) {
    bytes_ += bytes.size();
    sha256_->Add(bytes);
    return sink_.Write(bytes);
}

Status Packer::BeginEntry(const std::string& name) {
    if (deflater_ != nullptr) deflater_->Begin(compression_);
    if (compression_ != Compression::kZip) return OkStatus();
    if (entries_.size() == kZipEntriesMax) {
        return TooLarge("a zip archive holds " + std::to_string(kZipEntriesMax) + " files");
    }
    entries_.push_back({name, bytes_});
    return Store(ZipRecord(0x04034b50)
                     .Add16(kZipVersion)
                     .Add16(kZipFlags)
                     .Add16(kZipDeflated)
                     .Add16(0)
                     .Add16(kZipFirstDay)
                     .Add32(0)
                     .Add32(0)
                     .Add32(0)
                     .Add16(static_cast<std::uint16_t>(name.size()))
                     .Add16(0)
                     .Add(name)
                     .bytes());
}

Status Packer::Write(std::string_view text) {
    if (deflater_ == nullptr) return Store(text);
    if (compression_ == Compression::kZip) {
        Entry& entry = entries_.back();
        entry.text_bytes += text.size();
        entry.crc = static_cast<std::uint32_t>(
            crc32_z(entry.crc, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
    }
    return Deflate(text, false);
}

Status Packer::Deflate(std::string_view text, bool finish) {
    z_stream& stream = deflater_->stream;
    KESSAI_CHECK(text.size() <= std::numeric_limits<uInt>::max(), "zlib takes 4 GiB at once");
    // zlib writes nothing there.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    int outcome = Z_OK;
    do {
        stream.next_out = deflater_->out.data();
        stream.avail_out = static_cast<uInt>(deflater_->out.size());
        outcome = deflate(&stream, finish ? Z_FINISH : Z_NO_FLUSH);
        KESSAI_CHECK(outcome != Z_STREAM_ERROR, "deflate");
        const std::size_t size = deflater_->out.size() - stream.avail_out;
        if (compression_ == Compression::kZip) entries_.back().stored_bytes += size;
        if (size == 0) continue;
        KESSAI_RETURN_IF_ERROR(Store({reinterpret_cast<const char*>(deflater_->out.data()), size}));
    } while (finish ? outcome != Z_STREAM_END : stream.avail_out == 0);
    return OkStatus();
}

Status Packer::EndEntry() {
    if (deflater_ == nullptr) return OkStatus();
    KESSAI_RETURN_IF_ERROR(Deflate({}, true));
    if (compression_ != Compression::kZip) return OkStatus();
    const Entry& entry = entries_.back();
    if (std::max({entry.text_bytes, entry.stored_bytes, entry.offset}) > kZipSizeMax) {
        return TooLarge("\"" + entry.name + "\" has " + std::to_string(entry.text_bytes) +
                        " bytes; a zip archive holds files below 4 GiB");
    }
    return Store(ZipRecord(0x08074b50)
                     .Add32(entry.crc)
                     .Add32(entry.stored_bytes)
                     .Add32(entry.text_bytes)
                     .bytes());
}

Status Packer::WriteDirectory() {
    const std::uint64_t begin = bytes_;
    for (const Entry& entry : entries_) {
        KESSAI_RETURN_IF_ERROR(Store(ZipRecord(0x02014b50)
                                         .Add16(kZipMadeBy)
                                         .Add16(kZipVersion)
                                         .Add16(kZipFlags)
                                         .Add16(kZipDeflated)
                                         .Add16(0)
                                         .Add16(kZipFirstDay)
                                         .Add32(entry.crc)
                                         .Add32(entry.stored_bytes)
                                         .Add32(entry.text_bytes)
                                         .Add16(static_cast<std::uint16_t>(entry.name.size()))
                                         .Add16(0)
                                         .Add16(0)
                                         .Add16(0)
                                         .Add16(0)
                                         .Add32(kZipFileMode)
                                         .Add32(entry.offset)
                                         .Add(entry.name)
                                         .bytes()));
    }
    if (bytes_ > kZipSizeMax) return TooLarge("a zip archive has less than 4 GiB");
    const auto count = static_cast<std::uint16_t>(entries_.size());
    return Store(ZipRecord(0x06054b50)
                     .Add16(0)
                     .Add16(0)
                     .Add16(count)
                     .Add16(count)
                     .Add32(bytes_ - begin)
                     .Add32(begin)
                     .Add16(0)
                     .bytes());
}

Status Packer::EndFile(WrittenFile& file) {
    if (compression_ == Compression::kZip) KESSAI_RETURN_IF_ERROR(WriteDirectory());
    file.bytes = bytes_;
    file.sha256 = sha256_->End();
    return sink_.End(file);
}

}  // namespace kessai::filetemplate::internal
