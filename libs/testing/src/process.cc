#include "kessai/testing/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "kessai/testing/eventually.h"
#include "kessai/testing/temp_dir.h"

namespace kessai::testing {
namespace {

/// Forks on one thread that lives as long as the process: the kernel sends a child its
/// parent-death signal when the *thread* that forked it ends.
class ForkingThread {
 public:
    static ForkingThread& Instance() {
        // Never destroyed: its thread must not end before the process does.
        static auto* const instance = new ForkingThread();
        return *instance;
    }

    pid_t Run(std::function<pid_t()> fork_call) {
        std::packaged_task<pid_t()> task(std::move(fork_call));
        auto pid = task.get_future();
        {
            const std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        changed_.notify_one();
        return pid.get();
    }

 private:
    ForkingThread() {
        std::thread([this] {
            for (;;) {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return !tasks_.empty(); });
                auto task = std::move(tasks_.front());
                tasks_.pop_front();
                lock.unlock();
                task();
            }
        }).detach();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::packaged_task<pid_t()>> tasks_;
};

std::string FindProgram(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    std::string path = Environment("PATH") + ":/usr/sbin:/sbin";
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        const std::string candidate = path.substr(begin, end - begin) + "/" + name;
        if (access(candidate.c_str(), X_OK) == 0) return candidate;
        begin = end + 1;
    }
    return {};
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

Result<std::unique_ptr<Process>> Process::Start(ProcessOptions options) {
    const std::string program = FindProgram(options.command.at(0));
    if (program.empty()) {
        return Status(Code::kNotFound, "PROGRAM_MISSING", options.command[0] + " is not installed");
    }
    std::vector<std::string> environment = options.environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        // The first of a name wins, so ours come before what is inherited.
        environment.emplace_back(*entry);
    }
    // Everything is prepared here: between fork and exec only system calls are allowed.
    const std::vector<char*> arguments = Pointers(options.command);
    const std::vector<char*> variables = Pointers(environment);
    const std::string output = options.output_file.empty() ? "/dev/null" : options.output_file;
    const pid_t parent = getpid();
    const pid_t pid = ForkingThread::Instance().Run([&] {
        const pid_t child = fork();
        if (child != 0) return child;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(126);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        const int in = open("/dev/null", O_RDONLY);
        const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (in < 0 || out < 0) _exit(126);
        dup2(in, 0);
        dup2(out, 1);
        dup2(out, 2);
        syscall(SYS_close_range, 3U, ~0U, 0U);
        if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) {
            _exit(126);
        }
        execve(program.c_str(), arguments.data(), variables.data());
        _exit(127);
    });
    if (pid < 0) return Status(Code::kInternal, "FORK_FAILED", std::strerror(errno));
    return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() {
    Kill9();
}

bool Process::Running() {
    const std::lock_guard lock(mutex_);
    if (status_.has_value()) return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
    status_ = status;
    return false;
}

void Process::Signal(int signal) {
    const std::lock_guard lock(mutex_);
    // Not reaped, so the pid is still its own.
    if (!status_.has_value()) kill(pid_, signal);
}

std::optional<int> Process::Wait(Duration within) {
    if (!Eventually([this] { return !Running(); }, within)) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return status_;
}

void Process::Kill9() {
    Signal(SIGKILL);
    const std::lock_guard lock(mutex_);
    if (status_.has_value()) return;
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = status;
}

void Process::Terminate(Duration within) {
    Signal(SIGTERM);
    if (!Wait(within).has_value()) Kill9();
}

}  // namespace kessai::testing
