#include "kessai/testing/temp_dir.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "kessai/result/check.h"

namespace kessai::testing {

std::string Environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

TempDir::TempDir(std::string_view purpose) {
    std::string base = Environment("TMPDIR");
    if (base.empty()) base = "/tmp";
    path_ = base + "/kessai-" + std::string(purpose) + "-XXXXXX";
    KESSAI_CHECK(mkdtemp(path_.data()) != nullptr, "cannot make a directory under " + base);
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Write(std::string_view name, std::string_view content) const {
    const std::string path = Path(name);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content;
    file.close();
    KESSAI_CHECK(file.good(), "cannot write " + path);
    return path;
}

std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string UniqueName(std::string_view purpose) {
    static std::atomic<int> number{0};
    static const unsigned random = std::random_device{}();
    std::string name;
    for (const char c : purpose) {
        const auto byte = static_cast<unsigned char>(c);
        name.push_back(std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '_');
    }
    char suffix[64];
    std::snprintf(suffix, sizeof suffix, "_%ld_%d_%08x", static_cast<long>(getpid()), ++number,
                  random);
    return name + suffix;
}

int FreePort() {
    // The kernel gives each call another port of its ephemeral range.
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    KESSAI_CHECK(fd >= 0, "a socket can be made");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    KESSAI_CHECK(bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0,
                 "a port of 127.0.0.1 can be bound");
    close(fd);
    return ntohs(address.sin_port);
}

}  // namespace kessai::testing
