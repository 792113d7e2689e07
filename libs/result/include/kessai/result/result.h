#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "kessai/result/check.h"

namespace kessai {

/// The `google.rpc.Code` set, with its numbers, so that it crosses gRPC unchanged.
enum class Code : std::uint8_t {
    kOk = 0,
    kCancelled = 1,
    /// The outcome is not known: the work may or may not have been done (a commit whose reply was
    /// lost). To be run again behind its idempotency key only.
    kUnknown = 2,
    kInvalidArgument = 3,
    kDeadlineExceeded = 4,
    kNotFound = 5,
    kAlreadyExists = 6,
    kPermissionDenied = 7,
    kResourceExhausted = 8,
    kFailedPrecondition = 9,
    /// Nothing was done, and the same work may succeed at once (deadlock, write conflict).
    kAborted = 10,
    kOutOfRange = 11,
    kUnimplemented = 12,
    kInternal = 13,
    /// Nothing was done, and the same work may succeed later (a dependency is down).
    kUnavailable = 14,
    kDataLoss = 15,
    kUnauthenticated = 16,
};

/// "NOT_FOUND" and so on; never fails.
std::string_view CodeName(Code code);

/// The outcome of an operation that returns nothing else: fine, or a refusal that callers can
/// expect, with a code, a named reason (UPPER_SNAKE, from the documented list of its service or
/// library) and a message for people. Cheap while it is fine: one pointer.
class [[nodiscard]] Status {
 public:
    Status() = default;
    Status(Code code, std::string_view reason, std::string message);

    Status(const Status& other);
    Status& operator=(const Status& other);
    Status(Status&&) noexcept = default;
    Status& operator=(Status&&) noexcept = default;
    ~Status() = default;

    bool ok() const { return detail_ == nullptr; }
    Code code() const { return ok() ? Code::kOk : detail_->code; }
    /// Empty when ok.
    std::string_view reason() const { return ok() ? std::string_view{} : detail_->reason; }
    std::string_view message() const { return ok() ? std::string_view{} : detail_->message; }

    /// The same refusal with "prefix: " before its message; ok stays ok.
    Status WithContext(std::string_view prefix) const;

    /// "NOT_FOUND PAYMENT_UNKNOWN: no payment 12" for logs and tests.
    std::string ToString() const;

    friend bool operator==(const Status& a, const Status& b) {
        return a.code() == b.code() && a.reason() == b.reason();
    }

 private:
    struct Detail {
        Code code;
        std::string reason;
        std::string message;
    };
    std::unique_ptr<Detail> detail_;
};

inline Status OkStatus() {
    return {};
}

/// A value, or the refusal that stands in its place.
template <class T>
class [[nodiscard]] Result {
 public:
    // Implicit on purpose: `return value;` and `return Status(...)` both read well.
    template <class U = T>
    requires std::is_convertible_v<U&&, T> &&(!std::is_same_v<std::remove_cvref_t<U>, Status>)&&(
        !std::is_same_v<std::remove_cvref_t<U>, Result>)Result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}              // NOLINT
    Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT
        KESSAI_CHECK(!std::get<1>(state_).ok(), "a Result without a value needs a refusal");
    }

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    /// Ok when there is a value.
    const Status& status() const& {
        static const Status fine;
        return ok() ? fine : std::get<1>(state_);
    }
    Status status() && { return ok() ? Status() : std::move(std::get<1>(state_)); }

    /// Precondition: ok().
    T& value() & {
        KESSAI_CHECK(ok(), std::get<1>(state_).ToString());
        return std::get<0>(state_);
    }
    const T& value() const& {
        KESSAI_CHECK(ok(), std::get<1>(state_).ToString());
        return std::get<0>(state_);
    }
    T&& value() && {
        KESSAI_CHECK(ok(), std::get<1>(state_).ToString());
        return std::get<0>(std::move(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    T value_or(T other) const& { return ok() ? std::get<0>(state_) : std::move(other); }

 private:
    std::variant<T, Status> state_;
};

}  // namespace kessai

#define KESSAI_CONCAT_INNER(a, b) a##b
#define KESSAI_CONCAT(a, b) KESSAI_CONCAT_INNER(a, b)

/// Returns the refusal of `expression` (a Status or a Result) from the enclosing function.
#define KESSAI_RETURN_IF_ERROR(expression) \
    KESSAI_RETURN_IF_ERROR_INNER(KESSAI_CONCAT(kessai_outcome_, __LINE__), expression)
#define KESSAI_RETURN_IF_ERROR_INNER(name, expression)              \
    do {                                                            \
        if (auto&& name = (expression); !name.ok())                 \
            return ::kessai::internal::TakeStatus(std::move(name)); \
    } while (false)

/// KESSAI_ASSIGN_OR_RETURN(auto row, Load(id)): declares or assigns, or returns the refusal.
#define KESSAI_ASSIGN_OR_RETURN(target, expression) \
    KESSAI_ASSIGN_OR_RETURN_INNER(KESSAI_CONCAT(kessai_result_, __LINE__), target, expression)
#define KESSAI_ASSIGN_OR_RETURN_INNER(name, target, expression) \
    auto name = (expression);                                   \
    if (!name.ok()) return std::move(name).status();            \
    target = std::move(name).value()

namespace kessai::internal {
inline Status TakeStatus(Status status) {
    return status;
}
template <class T>
Status TakeStatus(Result<T> result) {
    return std::move(result).status();
}
}  // namespace kessai::internal
