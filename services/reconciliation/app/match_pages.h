#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "app/books.h"
#include "domain/match.h"
#include "kessai/result/result.h"

namespace kessai::reconciliation::app {

/// The matches of a day and bucket, rising, read a page at a time so that no transaction stays open
/// while another book is read.
class MatchPages {
 public:
    static constexpr int kPageRows = 1'000;

    MatchPages(Transactions& transactions, BusinessDate business_date, int bucket)
        : transactions_(transactions), business_date_(business_date), bucket_(bucket) {}

    Result<std::optional<domain::Match>> Next();

 private:
    Transactions& transactions_;
    BusinessDate business_date_;
    int bucket_;
    std::vector<domain::Match> page_;
    std::size_t position_ = 0;
    domain::ChangeKey last_{};
    bool at_end_ = false;
};

}  // namespace kessai::reconciliation::app
