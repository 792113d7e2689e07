#pragma once

/// gRPC hands our objects from thread to thread under locks of its own that the thread sanitizer
/// can't see, because the library is not instrumented. These two say what gRPC guarantees: all that
/// was done before the object was given to it is seen by the callbacks, and each callback sees
/// those before.
#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace kessai::rpc {

/// Before an object is given to gRPC, and when one of its callbacks ends.
inline void GiveToGrpc([[maybe_unused]] void* object) {
#ifdef __SANITIZE_THREAD__
    __tsan_release(object);
#endif
}

/// When a callback of it begins.
inline void TakeFromGrpc([[maybe_unused]] void* object) {
#ifdef __SANITIZE_THREAD__
    __tsan_acquire(object);
#endif
}

/// One callback of an object that is still there when it ends.
class InGrpcCallback {
 public:
    explicit InGrpcCallback(void* object) : object_(object) { TakeFromGrpc(object_); }
    ~InGrpcCallback() { GiveToGrpc(object_); }
    InGrpcCallback(const InGrpcCallback&) = delete;
    InGrpcCallback& operator=(const InGrpcCallback&) = delete;

 private:
    void* const object_;
};

}  // namespace kessai::rpc
