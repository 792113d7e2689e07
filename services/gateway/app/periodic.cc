#include "app/periodic.h"

#include <pthread.h>

#include <stop_token>
#include <utility>

namespace kessai::gateway::app {

Periodic::Periodic(std::string name, Duration interval, std::function<void()> work)
    : name_(std::move(name)), interval_(interval), work_(std::move(work)) {}

Periodic::~Periodic() {
    Stop();
}

void Periodic::Start() {
    thread_ = std::jthread([this](std::stop_token stop) {
        pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
        while (!stop.stop_requested()) {
            work_();
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, interval_, [this] { return kicked_; });
            kicked_ = false;
        }
    });
}

void Periodic::Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void Periodic::Kick() {
    {
        const std::lock_guard lock(mutex_);
        kicked_ = true;
    }
    wake_.notify_one();
}

}  // namespace kessai::gateway::app
