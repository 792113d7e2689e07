#pragma once

#include <cstdint>
#include <string>

#include "kessai/net/loop.h"
#include "kessai/net/task.h"
#include "kessai/result/result.h"
#include "load/client.h"
#include "load/population.h"
#include "load/requests.h"

namespace kessai::load {

struct PopulationOptions {
    int merchants = 1'000;
    /// Merchants get the ids from here on; fresh ones, so that what a run did can be counted.
    std::int64_t first_merchant_id = 0;
    /// Requests a second that each merchant's credential is good for: a load must not run into the
    /// gateway's limits.
    std::int64_t merchant_requests_per_second = 100'000;
    int users = 20'000;
    /// Users are the development issuer's subjects "<prefix><number>", and found again by them.
    std::string user_prefix = "load-user-";
    /// Wallets below the first amount are topped up by the second, in yen.
    std::int64_t balance_min = 500'000;
    std::int64_t top_up = 1'000'000;
    /// Requests under way at a time.
    int at_once = 64;
};

/// Makes merchants with credentials and users with tokens and money, through the public interfaces
/// only: the development issuer, the operator's and the app's. Loop's thread only.
class PopulationMaker {
 public:
    PopulationMaker(net::Loop& loop, Client& client, std::string authority, std::string run_id,
                    const Clock& clock = SystemClock());

    /// UNAVAILABLE SETUP_FAILED says which request failed first, and how.
    net::Task<Result<Population>> Run(PopulationOptions options);

    /// Wallets that hold less than `options.balance_min` are topped up.
    net::Task<Status> TopUp(Population& population, PopulationOptions options);

    /// Of the development issuer, for an operator who may do everything.
    net::Task<Result<std::string>> OperatorToken();

 private:
    net::Task<Status> MakeMerchant(const PopulationOptions& options,
                                   std::string_view operator_token, Merchant& merchant);
    net::Task<Status> SignIn(const PopulationOptions& options, int number, User& user);
    net::Task<Status> TopUpUser(const PopulationOptions& options, User& user);
    /// Sends until it is answered with `status`; what says "try later" is tried again for a while.
    net::Task<Result<std::string>> Expect(int status, std::string what, std::string request);

    net::Loop& loop_;
    Client& client_;
    const RequestWriter requests_;
    const std::string run_id_;
    const Clock& clock_;
    std::uint64_t top_ups_ = 0;
};

}  // namespace kessai::load
