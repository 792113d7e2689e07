#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_rows.h"
#include "domain/ids.h"
#include "kessai/result/result.h"
#include "kessai/rowsort/row_sort.h"

namespace kessai::reconciliation::app {

/// How packed rows go through a RowSort: by merchant, then by what comes before the place of a row
/// (the split field's value), then by the place itself.

/// Different merchants have different groups, evenly over all of them.
std::uint64_t GroupOf(domain::MerchantId merchant);
/// The merchant that has a group.
domain::MerchantId MerchantOf(std::uint64_t group);

/// (accepted_us, id, step) as bytes that compare as they do.
void AppendPlace(const PackedRow& row, std::string& key);

/// Some rows of a part, in order.
class RowBlock {
 public:
    /// Rows of one merchant, which stand one behind the other.
    struct Stretch {
        domain::MerchantId merchant;
        /// Behind its last row.
        std::size_t end = 0;
    };

    /// `key` ends with the row's place.
    void Add(domain::MerchantId merchant, std::string_view key, std::string_view bytes);
    void Reserve(std::size_t bytes, std::size_t rows);

    std::size_t bytes() const { return bytes_.size(); }
    std::size_t rows() const { return ends_.size(); }
    const std::vector<Stretch>& stretches() const { return stretches_; }
    /// Of the merchant whose stretch it is in. Good as long as the block.
    PackedRow Row(domain::MerchantId merchant, std::size_t index) const;

 private:
    std::string bytes_;
    /// Where each row ends in `bytes_`.
    std::vector<std::size_t> ends_;
    std::vector<Stretch> stretches_;
};

/// Told of a part's rows, merchant by merchant.
class MerchantVisitor {
 public:
    virtual ~MerchantVisitor() = default;
    virtual Status Begin(domain::MerchantId merchant) = 0;
    virtual Status Take(const PackedRow& row) = 0;
    /// A block that has rows of this merchant only.
    virtual Status TakeBlock(RowBlock block) = 0;
    virtual Status End() = 0;
};

/// Walks a part's rows in order, while another thread sorts ahead; until `ended`, which is asked
/// now and then.
Status WalkPart(const rowsort::RowSort& sort, int part, const std::function<bool()>& ended,
                MerchantVisitor& visitor);

}  // namespace kessai::reconciliation::app
