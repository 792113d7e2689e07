#include "domain/seal.h"

#include <openssl/evp.h>

#include "kessai/result/check.h"

namespace kessai::payout::domain {
namespace {

class Sha256 {
 public:
    Sha256() : digest_(EVP_MD_CTX_new()) {
        KESSAI_CHECK(digest_ != nullptr && EVP_DigestInit_ex(digest_, EVP_sha256(), nullptr) == 1,
                     "SHA-256 is available");
    }
    ~Sha256() { EVP_MD_CTX_free(digest_); }
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void Add(std::span<const std::uint8_t> bytes) {
        KESSAI_CHECK(EVP_DigestUpdate(digest_, bytes.data(), bytes.size()) == 1,
                     "SHA-256 takes bytes");
    }

    template <std::size_t N>
    void AddNumbers(const std::array<std::int64_t, N>& numbers) {
        std::array<std::uint8_t, N * 8> bytes;
        for (std::size_t n = 0; n < N; ++n) {
            auto rest = static_cast<std::uint64_t>(numbers[n]);
            for (std::size_t i = 8; i-- > 0; rest >>= 8) {
                bytes[n * 8 + i] = static_cast<std::uint8_t>(rest);
            }
        }
        Add(bytes);
    }

    Seal Finish() {
        Seal seal;
        unsigned int size = 0;
        KESSAI_CHECK(EVP_DigestFinal_ex(digest_, seal.data(), &size) == 1 && size == seal.size(),
                     "SHA-256 has 32 bytes");
        return seal;
    }

 private:
    EVP_MD_CTX* digest_;
};

}  // namespace

struct TotalsSealer::Context {
    Sha256 sha;
};

TotalsSealer::TotalsSealer(BusinessDate day) : context_(std::make_unique<Context>()) {
    context_->sha.AddNumbers(std::array<std::int64_t, 1>{day.ToNumber()});
}
TotalsSealer::TotalsSealer(TotalsSealer&&) noexcept = default;
TotalsSealer& TotalsSealer::operator=(TotalsSealer&&) noexcept = default;
TotalsSealer::~TotalsSealer() = default;

void TotalsSealer::Add(const SlotTotal& total) {
    const MerchantSums& part = total.part;
    context_->sha.AddNumbers(std::array<std::int64_t, 6>{
        part.merchant.value(), total.slot, static_cast<std::int64_t>(part.tax_class),
        part.sums.gross, part.sums.fee, part.sums.item_count});
}

Seal TotalsSealer::Finish() {
    return context_->sha.Finish();
}

Seal SealOf(BusinessDate day, std::span<const SlotTotal> totals) {
    TotalsSealer sealer(day);
    for (const SlotTotal& total : totals) sealer.Add(total);
    return sealer.Finish();
}

Seal SealOfDay(BusinessDate day, std::span<const SealedChunk> chunks) {
    Sha256 sha;
    sha.AddNumbers(std::array<std::int64_t, 1>{day.ToNumber()});
    for (const SealedChunk& chunk : chunks) {
        sha.AddNumbers(std::array<std::int64_t, 3>{chunk.range.first.value(),
                                                   chunk.range.last.value(), chunk.merchant_count});
        sha.Add(chunk.seal);
    }
    return sha.Finish();
}

ChunkSealer::ChunkSealer(BusinessDate day, std::int64_t merchants_per_chunk)
    : day_(day), merchants_per_chunk_(merchants_per_chunk), sealer_(day) {
    KESSAI_CHECK(merchants_per_chunk > 0, "a chunk holds merchants");
    open_.range.first = kLowestMerchant;
}

void ChunkSealer::Add(const SlotTotal& total) {
    const MerchantId merchant = total.part.merchant;
    const bool is_next = open_.merchant_count == 0 || merchant != current_;
    KESSAI_CHECK(!is_next || (open_.merchant_count == 0 && chunks_.empty()) || merchant > current_,
                 "totals are added in order");
    if (is_next) {
        if (open_.merchant_count == merchants_per_chunk_) Cut(merchant);
        ++open_.merchant_count;
        current_ = merchant;
    }
    sealer_.Add(total);
    packer_.Add(total);
}

// The ranges meet without gap: the next chunk begins at its first merchant, this one ends before.
void ChunkSealer::Cut(MerchantId next_first) {
    open_.range.last = MerchantId(next_first.value() - 1);
    open_.seal = sealer_.Finish();
    open_.totals = packer_.Take();
    chunks_.push_back(std::move(open_));
    open_ = SealedChunk();
    open_.range.first = next_first;
    sealer_ = TotalsSealer(day_);
}

std::vector<SealedChunk> ChunkSealer::Finish() {
    open_.range.last = kHighestMerchant;
    open_.seal = sealer_.Finish();
    open_.totals = packer_.Take();
    chunks_.push_back(std::move(open_));
    return std::move(chunks_);
}

}  // namespace kessai::payout::domain
