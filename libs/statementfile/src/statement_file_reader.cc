#include "kessai/statementfile/statement_file_reader.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "kessai/result/check.h"

namespace kessai::statementfile {

struct StatementFileReader::Hash {
    Hash() : context(EVP_MD_CTX_new()) {
        KESSAI_CHECK(context != nullptr, "no memory for a hash");
        KESSAI_CHECK(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "no SHA-256");
    }
    ~Hash() { EVP_MD_CTX_free(context); }
    Hash(const Hash&) = delete;
    Hash& operator=(const Hash&) = delete;

    void Add(std::string_view bytes) {
        KESSAI_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
    }
    std::string Hexadecimal() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned size = 0;
        KESSAI_CHECK(EVP_DigestFinal_ex(context, digest.data(), &size) == 1, "SHA-256 failed");
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += "0123456789abcdef"[digest[i] >> 4];
            text += "0123456789abcdef"[digest[i] & 0xF];
        }
        return text;
    }

    EVP_MD_CTX* context;
};

StatementFileReader::StatementFileReader(StatementSink sink)
    : sink_(std::move(sink)), hash_(std::make_unique<Hash>()) {}
StatementFileReader::~StatementFileReader() = default;

namespace {

Status Closed() {
    return Status(Code::kFailedPrecondition, reason::kReaderClosed,
                  "the file has ended or was refused");
}

}  // namespace

Status StatementFileReader::Take(std::string_view bytes) {
    if (closed_) return Closed();
    hash_->Add(bytes);
    Status status = TakeBytes(bytes);
    closed_ = !status.ok();
    return status;
}

Result<FileSummary> StatementFileReader::Finish() {
    if (std::exchange(closed_, true)) return Closed();
    KESSAI_ASSIGN_OR_RETURN(summary_.statements, End());
    summary_.sha256 = hash_->Hexadecimal();
    return std::move(summary_);
}

Status StatementFileReader::TellItem(StatementItem&& item) {
    ++summary_.items;
    item.number = static_cast<std::size_t>(summary_.items + summary_.broken_lines);
    return sink_.item(std::move(item));
}

Status StatementFileReader::TellBroken(BrokenLine&& broken) {
    ++summary_.broken_lines;
    broken.number = static_cast<std::size_t>(summary_.items + summary_.broken_lines);
    return sink_.broken(std::move(broken));
}

}  // namespace kessai::statementfile
