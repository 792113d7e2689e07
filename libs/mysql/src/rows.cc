#include "kessai/mysql/rows.h"

#include <cppconn/datatype.h>
#include <cppconn/resultset_metadata.h>

#include <limits>
#include <utility>

#include "kessai/mysql/error.h"
#include "kessai/result/check.h"
#include "rows_impl.h"

namespace kessai::mysql {
namespace {

bool IsNumber(int type) {
    switch (type) {
        case sql::DataType::BIT:
        case sql::DataType::TINYINT:
        case sql::DataType::SMALLINT:
        case sql::DataType::MEDIUMINT:
        case sql::DataType::INTEGER:
        case sql::DataType::BIGINT:
        case sql::DataType::NUMERIC:
        case sql::DataType::DECIMAL:
        case sql::DataType::YEAR:
            return true;
        default:
            return false;
    }
}

/// A DECIMAL beyond 64 bits is read as the nearest number that fits.
bool IsAtTheEdge(std::int64_t number) {
    return number == std::numeric_limits<std::int64_t>::max() ||
           number == std::numeric_limits<std::int64_t>::min();
}

}  // namespace

Rows::Rows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&& other) noexcept {
    if (this != &other) {
        if (impl_) impl_->EndStream();
        impl_ = std::move(other.impl_);
    }
    return *this;
}
Rows::~Rows() {
    if (impl_) impl_->EndStream();
}

void Rows::Impl::Broken(int column, std::string_view what) const {
    std::string message("query ");
    message += query_name;
    message += ", column ";
    message += std::to_string(column);
    message += ": ";
    message += what;
    CheckFailed("a result is read as its query gives it", message, __FILE__, __LINE__);
}

void Rows::Impl::CheckRead(int column) const {
    if (!on_row) [[unlikely]]
        Broken(column, "read without a row");
    if (column < 0 || column >= column_count) [[unlikely]]
        Broken(column, "does not exist");
}

Rows::Impl::Column Rows::Impl::NumberColumn(int column) const {
    CheckRead(column);
    Column& known = columns[static_cast<std::size_t>(column)];
    if (known == Column::kUnread) [[unlikely]] {
        auto* metadata = result->getMetaData();
        const auto index = static_cast<unsigned>(column + 1);
        known = !IsNumber(metadata->getColumnType(index)) ? Column::kOther
                : metadata->isSigned(index)               ? Column::kSigned
                                                          : Column::kUnsigned;
    }
    if (known == Column::kOther) [[unlikely]]
        Broken(column, "is not a number");
    return known;
}

void Rows::Impl::FindColumns() {
    auto* metadata = result->getMetaData();
    column_count = static_cast<int>(metadata->getColumnCount());
    columns.resize(static_cast<std::size_t>(column_count));
    for (int i = 0; i < column_count; ++i) {
        const int type = metadata->getColumnType(static_cast<unsigned>(i + 1));
        if (type == sql::DataType::DECIMAL || type == sql::DataType::NUMERIC) sums.push_back(i);
    }
}

Status Rows::Impl::CheckSums() const {
    for (const int column : sums) {
        const auto index = static_cast<unsigned>(column + 1);
        const std::int64_t number = result->getInt64(index);
        if (!IsAtTheEdge(number)) [[likely]]
            continue;
        if (result->getString(index) == std::to_string(number)) continue;
        return Status(Code::kDataLoss, reason::kSumOutOfRange,
                      "query " + std::string(query_name) + ": the sum in column " +
                          std::to_string(column) + " does not fit 64 bits");
    }
    return OkStatus();
}

Status Rows::Impl::CheckAllSums() {
    if (sums.empty()) return OkStatus();
    while (result->next()) KESSAI_RETURN_IF_ERROR(CheckSums());
    result->beforeFirst();
    return OkStatus();
}

void Rows::Impl::EndStream() {
    if (session == nullptr) return;
    on_row = false;
    // Frees the result, which reads what is left of it.
    result.reset();
    session->streaming = false;
    session = nullptr;
}

bool Rows::Next() {
    Impl& impl = *impl_;
    if (!impl.result) return false;
    if (impl.session == nullptr) return impl.on_row = impl.result->next();
    Status sums;
    Status status = impl.session->Guard(impl.query_name, Phase::kNothingStored, [&] {
        impl.on_row = impl.result->next();
        if (impl.on_row) sums = impl.CheckSums();
    });
    if (status.ok()) status = std::move(sums);
    if (!status.ok()) {
        impl.status = std::move(status);
        impl.on_row = false;
    }
    if (!impl.on_row) impl.EndStream();
    return impl.on_row;
}

const Status& Rows::status() const {
    return impl_->status;
}

bool Rows::IsNull(int column) const {
    impl_->CheckRead(column);
    return impl_->result->isNull(static_cast<unsigned>(column + 1));
}

std::int64_t Rows::Impl::ReadInt(int column, Column kind) const {
    const auto index = static_cast<unsigned>(column + 1);
    const std::int64_t number = result->getInt64(index);
    if (number == 0) {
        if (result->isNull(index)) [[unlikely]]
            Broken(column, "is NULL");
    } else if (kind == Column::kUnsigned) {
        if (number < 0) [[unlikely]]
            Broken(column, "does not fit 64 signed bits");
    } else if (IsAtTheEdge(number)) [[unlikely]] {
        const std::string text = result->getString(index);
        if (text != std::to_string(number)) Broken(column, "does not fit 64 signed bits");
    }
    return number;
}

std::int64_t Rows::Int(int column) const {
    return impl_->ReadInt(column, impl_->NumberColumn(column));
}

std::uint64_t Rows::Uint(int column) const {
    const Impl& impl = *impl_;
    const Impl::Column kind = impl.NumberColumn(column);
    const auto index = static_cast<unsigned>(column + 1);
    const std::uint64_t number = impl.result->getUInt64(index);
    if (number == 0) {
        if (impl.result->isNull(index)) [[unlikely]]
            impl.Broken(column, "is NULL");
    } else if (kind == Impl::Column::kSigned && static_cast<std::int64_t>(number) < 0)
        [[unlikely]] {
        impl.Broken(column, "is negative");
    } else if (number == std::numeric_limits<std::uint64_t>::max()) [[unlikely]] {
        const std::string text = impl.result->getString(index);
        if (text != std::to_string(number)) impl.Broken(column, "does not fit 64 bits");
    }
    return number;
}

std::string Rows::Text(int column) const {
    const Impl& impl = *impl_;
    impl.CheckRead(column);
    const auto index = static_cast<unsigned>(column + 1);
    sql::SQLString text = impl.result->getString(index);
    if (text.length() == 0 && impl.result->isNull(index)) [[unlikely]] {
        impl.Broken(column, "is NULL");
    }
    return std::move(*text.operator->());
}

BusinessDate Rows::Date(int column) const {
    const Impl& impl = *impl_;
    const auto date = BusinessDate::Parse(Text(column));
    if (!date.ok()) [[unlikely]]
        impl.Broken(column, "is not a date");
    return *date;
}

std::optional<std::int64_t> Rows::OptionalInt(int column) const {
    if (IsNull(column)) return std::nullopt;
    return Int(column);
}

std::optional<std::string> Rows::OptionalText(int column) const {
    if (IsNull(column)) return std::nullopt;
    return Text(column);
}

std::size_t Rows::size() const {
    return impl_->row_count;
}

}  // namespace kessai::mysql
