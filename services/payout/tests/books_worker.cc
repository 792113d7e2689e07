// Drives the service's own parts over a schema, for tests in other languages that compare with it:
// books_worker HOST PORT USER PASSWORD SCHEMA
// Reads one order a line from standard input, and says "done" when all of them are carried out:
//   change PAYMENT VERSION KIND MERCHANT AMOUNT CAPTURED REFUNDED_BEFORE DAY PAYMENT_DAY
//          STORE CAPTURED_METHODS METHODS     splits as 1:700+2:300; "-" is none
//   deliver               the changes named since, as a consumer gets them
//   close DAY             marks of all partitions, and the close
//   release DAY [deep]
//   faults DAY            "fault PAYMENT VERSION WORDS" of each accrual that a deep recount finds
// Days are yyyymmdd. The first order that is refused ends it, with what refused it.

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "kessai/event/bucket.h"
#include "storage/accrual_details.h"
#include "tests/payout_fixture.h"

namespace {

using namespace kessai;          // NOLINT
using namespace kessai::payout;  // NOLINT

/// A word of an order; "-" is none.
bool ReadWord(std::istream& words, std::string& word) {
    if (!(words >> word)) return false;
    if (word == "-") word.clear();
    return true;
}

bool ReadMethods(std::istream& words, domain::MethodSplit& split) {
    std::string text;
    if (!ReadWord(words, text)) return false;
    std::replace(text.begin(), text.end(), '+', ' ');
    split = storage::ReadSplit(text);
    return true;
}

bool ReadChange(std::istream& words, std::vector<domain::PaymentChange>& changes) {
    std::int64_t payment = 0;
    std::int64_t merchant = 0;
    int kind = 0;
    std::int32_t day = 0;
    std::int32_t payment_day = 0;
    domain::PaymentChange change;
    words >> payment >> change.key.version >> kind >> merchant >> change.amount >>
        change.captured_total >> change.refunded_before >> day >> payment_day;
    if (!ReadWord(words, change.store) || !ReadMethods(words, change.captured_methods) ||
        !ReadMethods(words, change.methods)) {
        return false;
    }
    change.key.payment = domain::PaymentId(payment);
    change.event = domain::EventId(payment * 100 + change.key.version);
    change.kind = static_cast<domain::ChangeKind>(kind);
    change.merchant = domain::MerchantId(merchant);
    change.business_date = Day(day);
    change.payment_date = Day(payment_day);
    changes.push_back(change);
    return true;
}

/// Nothing, or what refused it.
std::string Deliver(Payout& payout, std::vector<domain::PaymentChange>& changes) {
    const auto refused = payout.Deliver(std::move(changes), 500);
    changes.clear();
    if (refused.empty()) return {};
    const auto& [key, why] = *refused.begin();
    return "payment " + key.payment.ToString() + ": " + why.ToString();
}

std::string Release(Payout& payout, BusinessDate day, bool deep) {
    const auto sums = payout.release_day.Run(day, deep);
    return sums.ok() ? std::string() : sums.status().ToString();
}

/// As a deep recount looks at each accrual.
std::string SayFaults(Payout& payout, BusinessDate day) {
    const auto updates = payout.release_store.PlansAfter(0);
    if (!updates.ok()) return updates.status().ToString();
    domain::PlanBook book;
    book.Add(*updates);
    const Status scanned = payout.release_store.ScanAccruals(
        day, 0, event::kBuckets - 1, [&](const domain::Accrual& accrual) {
            const auto fault = domain::FindFault(accrual, book, domain::TaxTable::Japan());
            if (!fault) return;
            std::printf("fault %s %u %s\n", accrual.key.payment.ToString().c_str(),
                        accrual.key.version, fault->c_str());
        });
    return scanned.ok() ? std::string() : scanned.ToString();
}

std::string CarryOut(const std::string& line, Payout& payout,
                     std::vector<domain::PaymentChange>& changes) {
    std::istringstream words(line);
    std::string order;
    words >> order;
    if (order == "change") {
        return ReadChange(words, changes) ? std::string() : "not a change";
    }
    if (order == "deliver") return Deliver(payout, changes);
    std::int32_t day = 0;
    std::string deep;
    words >> day >> deep;
    if (order == "close") {
        payout.Close(Day(day));
        return {};
    }
    if (order == "release") return Release(payout, Day(day), deep == "deep");
    if (order == "faults") return SayFaults(payout, Day(day));
    return "not an order";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    mysql::ConnectOptions connect;
    connect.host = argv[1];
    connect.port = std::stoi(argv[2]);
    connect.user = argv[3];
    connect.password = argv[4];
    connect.schema = argv[5];
    const auto session = mysql::Session::Connect(connect);
    if (!session.ok() || !mysql::Migrate(**session, AllMigrations()).ok()) {
        std::puts("the schema could not be migrated");
        return 1;
    }
    Payout payout(connect);
    std::vector<domain::PaymentChange> changes;
    for (std::string line; std::getline(std::cin, line);) {
        const std::string refused = CarryOut(line, payout, changes);
        // The fixture reports through GoogleTest, also where no test runs.
        if (refused.empty() && !::testing::UnitTest::GetInstance()->Failed()) continue;
        std::printf("%s: %s\n", line.c_str(), refused.c_str());
        return 1;
    }
    std::puts("done");
    return 0;
}
