#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace kessai::net {

template <class Signature>
class UniqueFunction;

/// A callable that is owned and need not be copyable (C++23 has std::move_only_function). Small
/// ones live inside it, without an allocation.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
    UniqueFunction() = default;

    template <class F>
    requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
        UniqueFunction(F&& function) {  // NOLINT: implicit on purpose, as std::function is
        using Stored = std::decay_t<F>;
        if constexpr (sizeof(Stored) <= kInlineBytes &&
                      alignof(Stored) <= alignof(std::max_align_t) &&
                      std::is_nothrow_move_constructible_v<Stored>) {
            new (storage_) Stored(std::forward<F>(function));
            vtable_ = &kInline<Stored>;
        } else {
            *reinterpret_cast<Stored**>(storage_) = new Stored(std::forward<F>(function));
            vtable_ = &kHeap<Stored>;
        }
    }

    UniqueFunction(UniqueFunction&& other) noexcept { MoveFrom(other); }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this != &other) {
            Reset();
            MoveFrom(other);
        }
        return *this;
    }
    ~UniqueFunction() { Reset(); }

    explicit operator bool() const { return vtable_ != nullptr; }
    R operator()(Args... args) { return vtable_->call(storage_, std::forward<Args>(args)...); }

 private:
    static constexpr std::size_t kInlineBytes = 48;
    struct VTable {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to) noexcept;
        void (*destroy)(void*) noexcept;
    };
    template <class Stored>
    static constexpr VTable kInline{
        [](void* at, Args&&... args) -> R {
            return (*static_cast<Stored*>(at))(std::forward<Args>(args)...);
        },
        [](void* from, void* to) noexcept {
            new (to) Stored(std::move(*static_cast<Stored*>(from)));
            static_cast<Stored*>(from)->~Stored();
        },
        [](void* at) noexcept { static_cast<Stored*>(at)->~Stored(); }};
    template <class Stored>
    static constexpr VTable kHeap{
        [](void* at, Args&&... args) -> R {
            return (**static_cast<Stored**>(at))(std::forward<Args>(args)...);
        },
        [](void* from, void* to) noexcept {
            *static_cast<Stored**>(to) = *static_cast<Stored**>(from);
        },
        [](void* at) noexcept { delete *static_cast<Stored**>(at); }};

    void Reset() {
        if (vtable_ != nullptr) vtable_->destroy(storage_);
        vtable_ = nullptr;
    }
    void MoveFrom(UniqueFunction& other) noexcept {
        vtable_ = std::exchange(other.vtable_, nullptr);
        if (vtable_ != nullptr) vtable_->move(other.storage_, storage_);
    }

    alignas(std::max_align_t) unsigned char storage_[kInlineBytes];
    const VTable* vtable_ = nullptr;
};

}  // namespace kessai::net
