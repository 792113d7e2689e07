#pragma once

#include <string>
#include <string_view>

#include "domain/statement.h"
#include "kessai/result/result.h"

namespace kessai::payout::app {

/// A form that statements are written in. The same paper gives the same bytes. Thread safe.
class StatementFormat {
 public:
    virtual ~StatementFormat() = default;
    /// What callers call it: at most eight letters.
    virtual std::string_view name() const = 0;
    /// Refuses with INVALID_ARGUMENT NOT_PRINTABLE a name that it cannot write.
    virtual Status CheckName(std::string_view name) const = 0;
    virtual Result<std::string> Write(const domain::StatementPaper& paper) const = 0;
};

}  // namespace kessai::payout::app
