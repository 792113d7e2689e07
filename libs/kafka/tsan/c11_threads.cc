// The thread sanitizer of GCC 12 knows POSIX threads but not C11's, with which Debian's librdkafka
// makes its threads: they would run unknown to it, and crash in its allocator. These stand before
// glibc's and go through POSIX threads, as glibc's own do, so that the sanitizer sees threads and
// locks. Linked into programs of the `tsan` preset only.

#include <pthread.h>
#include <threads.h>
#include <time.h>

#include <cerrno>
#include <memory>

namespace {

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t));

int Outcome(int error) {
    switch (error) {
        case 0:
            return thrd_success;
        case ENOMEM:
            return thrd_nomem;
        case ETIMEDOUT:
            return thrd_timedout;
        case EBUSY:
            return thrd_busy;
        default:
            return thrd_error;
    }
}

pthread_mutex_t* Of(mtx_t* mutex) {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* Of(cnd_t* condition) {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

struct Start {
    thrd_start_t function;
    void* argument;
};

void* RunThread(void* raw) {
    const std::unique_ptr<Start> start(static_cast<Start*>(raw));
    return reinterpret_cast<void*>(static_cast<long>(start->function(start->argument)));
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto start = std::make_unique<Start>(Start{function, argument});
    pthread_t made{};
    const int error = pthread_create(&made, nullptr, RunThread, start.get());
    if (error == 0) {
        (void)start.release();  // The thread's now.
        *thread = made;
    }
    return Outcome(error);
}

int thrd_join(thrd_t thread, int* result) {
    void* returned = nullptr;
    const int error = pthread_join(thread, &returned);
    if (result != nullptr) *result = static_cast<int>(reinterpret_cast<long>(returned));
    return Outcome(error);
}

int mtx_init(mtx_t* mutex, int type) noexcept {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & mtx_recursive) != 0) {
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    }
    const int error = pthread_mutex_init(Of(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return Outcome(error);
}
int mtx_lock(mtx_t* mutex) {
    return Outcome(pthread_mutex_lock(Of(mutex)));
}
int mtx_unlock(mtx_t* mutex) noexcept {
    return Outcome(pthread_mutex_unlock(Of(mutex)));
}
void mtx_destroy(mtx_t* mutex) noexcept {
    pthread_mutex_destroy(Of(mutex));
}

int cnd_init(cnd_t* condition) noexcept {
    return Outcome(pthread_cond_init(Of(condition), nullptr));
}
int cnd_signal(cnd_t* condition) noexcept {
    return Outcome(pthread_cond_signal(Of(condition)));
}
int cnd_broadcast(cnd_t* condition) noexcept {
    return Outcome(pthread_cond_broadcast(Of(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return Outcome(pthread_cond_wait(Of(condition), Of(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
    return Outcome(pthread_cond_timedwait(Of(condition), Of(mutex), until));
}
void cnd_destroy(cnd_t* condition) noexcept {
    pthread_cond_destroy(Of(condition));
}

}  // extern "C"
