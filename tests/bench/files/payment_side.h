#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kessai/mysql/session.h"
#include "kessai/result/result.h"
#include "kessai/time/business_date.h"

namespace kessai::bench {

/// Of both sides' tokens: the bench is of no network.
inline constexpr char kBenchKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

/// A closed day in payment's tables: its rows fall to merchants 1 to `merchants` in turn. One in
/// fifty is a refund of an older payment.
struct FilesDay {
    BusinessDate date;
    std::int64_t rows = 0;
    std::int64_t merchants = 0;
};

/// The schema as the service migrates it.
Status MigratePayment(const mysql::ConnectOptions& connect);
/// Fills the day, by some threads, and closes it.
Status LoadFilesDay(const mysql::ConnectOptions& connect, const FilesDay& day, int threads);
/// Of a day that is there already.
Status LoadFilesMerchants(const mysql::ConnectOptions& connect, const FilesDay& day);
/// Payment's list of transactions, wired as the service wires it, on a port of its own.
class ServedPayment {
 public:
    explicit ServedPayment(const mysql::ConnectOptions& connect);
    ~ServedPayment();
    ServedPayment(const ServedPayment&) = delete;
    ServedPayment& operator=(const ServedPayment&) = delete;

    /// Of 127.0.0.1; 0 if it could not be served.
    int port() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The same in a process of its own: prints the port as a line, and ends when standard input does.
int ServePayment(const mysql::ConnectOptions& connect);

}  // namespace kessai::bench
