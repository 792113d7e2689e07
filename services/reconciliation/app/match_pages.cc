#include "app/match_pages.h"

#include <utility>

namespace kessai::reconciliation::app {

Result<std::optional<domain::Match>> MatchPages::Next() {
    if (position_ == page_.size() && !at_end_) {
        KESSAI_RETURN_IF_ERROR(transactions_.Run([this](Books& books) -> Status {
            KESSAI_ASSIGN_OR_RETURN(
                page_, books.matches.ListDay(business_date_, bucket_, last_, kPageRows));
            return OkStatus();
        }));
        position_ = 0;
        at_end_ = page_.size() < static_cast<std::size_t>(kPageRows);
        if (!page_.empty()) last_ = page_.back().key;
    }
    if (position_ == page_.size()) return std::optional<domain::Match>();
    return std::optional(page_[position_++]);
}

}  // namespace kessai::reconciliation::app
