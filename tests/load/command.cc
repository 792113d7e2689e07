#include "load/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace kessai::load {

namespace {

constexpr std::size_t kTextBytesMax = 1 << 20;

Status Failed(const std::string& program, const std::string& what) {
    return {Code::kUnavailable, "COMMAND_FAILED", program + ": " + what};
}

}  // namespace

Result<CommandOutput> RunCommand(const std::vector<std::string>& command, Duration timeout,
                                 bool show) {
    std::array<int, 2> pipe_ends;
    if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return Failed(command[0], std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int output_to = show ? STDERR_FILENO : pipe_ends[1];
    posix_spawn_file_actions_adddup2(&actions, output_to, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output_to, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    if (error != 0) {
        ::close(pipe_ends[0]);
        return Failed(command[0], std::strerror(error));
    }

    CommandOutput output;
    const SteadyInstant deadline = SystemClock().SteadyNow() + timeout;
    const auto read_some = [&] {
        std::array<char, 8192> bytes;
        const ssize_t got = ::read(pipe_ends[0], bytes.data(), bytes.size());
        if (got <= 0) return false;
        const auto room = kTextBytesMax - output.text.size();
        output.text.append(bytes.data(), std::min(room, static_cast<std::size_t>(got)));
        return true;
    };
    bool open = true;
    int status = 0;
    bool expired = false;
    // Its end counts, not the pipe's: what it has started may hold the pipe for ever.
    while (::waitpid(pid, &status, WNOHANG) != pid) {
        if (SystemClock().SteadyNow() >= deadline) {
            expired = true;
            ::kill(pid, SIGKILL);
            while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            }
            break;
        }
        pollfd readable{pipe_ends[0], POLLIN, 0};
        if (::poll(&readable, open ? 1 : 0, 20) > 0) open = read_some();
    }
    pollfd readable{pipe_ends[0], POLLIN, 0};
    while (open && ::poll(&readable, 1, 0) > 0) open = read_some();
    ::close(pipe_ends[0]);
    if (expired) {
        return Status(Code::kDeadlineExceeded, "COMMAND_DEADLINE", command[0] + " took too long");
    }
    if (!WIFEXITED(status)) return Failed(command[0], "ended by a signal");
    output.exit_code = WEXITSTATUS(status);
    return output;
}

}  // namespace kessai::load
