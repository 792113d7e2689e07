#include "transport/grpc_payout_day_book.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "kessai/payout/v1/check_service.pb.h"
#include "kessai/rpc/call.h"

namespace kessai::reconciliation::transport {

namespace {

namespace po = payout::v1;

constexpr rpc::Name kService = "kessai.payout.v1.CheckService";
constexpr auto& GetDayCheck =
    rpc::MethodOf<kService, "GetDayCheck", po::GetDayCheckRequest, po::DayCheck>;
constexpr auto& ListToldReleasesMethod =
    rpc::MethodOf<kService, "ListToldReleases", po::ListToldReleasesRequest,
                  po::ListToldReleasesResponse>;
constexpr auto& ListMerchantDays =
    rpc::MethodOf<kService, "ListMerchantDays", po::ListMerchantDaysRequest,
                  po::ListMerchantDaysResponse>;
constexpr auto& GetFeeDigests =
    rpc::MethodOf<kService, "GetFeeDigests", po::GetFeeDigestsRequest, po::DayDigests>;
constexpr auto& ListWrongFees =
    rpc::MethodOf<kService, "ListWrongFees", po::ListWrongFeesRequest, po::WrongFee>;
constexpr auto& GetTransferSums =
    rpc::MethodOf<kService, "GetTransferSums", po::GetTransferSumsRequest, po::TransferSums>;
constexpr auto& ListTransferStepsMethod =
    rpc::MethodOf<kService, "ListTransferSteps", po::ListTransferStepsRequest,
                  po::ListTransferStepsResponse>;
constexpr auto& ListMovedFundsMethod =
    rpc::MethodOf<kService, "ListMovedFunds", po::ListMovedFundsRequest,
                  po::ListMovedFundsResponse>;

Status Senseless(std::string_view what) {
    return Status(Code::kDataLoss, "PEER_ANSWER_INVALID",
                  "payout answered with " + std::string(what));
}

Status CheckDate(std::int32_t answered, BusinessDate asked) {
    return answered == asked.ToNumber() ? OkStatus() : Senseless("what is of another day");
}

/// 16 bytes, most significant first.
std::optional<digest::Sum128> ReadSum(std::string_view bytes) {
    if (bytes.size() != 16) return std::nullopt;
    digest::Sum128 sum;
    for (std::size_t i = 0; i < 8; ++i) {
        sum.high = sum.high << 8 | static_cast<std::uint8_t>(bytes[i]);
        sum.low = sum.low << 8 | static_cast<std::uint8_t>(bytes[i + 8]);
    }
    return sum;
}

template <class Buckets>
Result<digest::DayDigest> ReadDigest(const Buckets& buckets) {
    digest::DayDigest day(digest::kBuckets);
    std::vector<bool> seen(digest::kBuckets);
    for (const auto& bucket : buckets) {
        const auto sum = ReadSum(bucket.hash_sum());
        if (bucket.bucket() >= static_cast<std::uint32_t>(digest::kBuckets) || !sum ||
            seen[bucket.bucket()] ||
            bucket.count() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            return Senseless("a digest that is none");
        }
        seen[bucket.bucket()] = true;
        day[bucket.bucket()] = {static_cast<std::int64_t>(bucket.count()), bucket.amount(), *sum};
    }
    return day;
}

domain::ReleaseTotals ReadTotals(const po::DayCheck::Sums& sums) {
    return {.merchant_count = sums.merchant_count(),
            .gross = sums.gross(),
            .fee = sums.fee(),
            .tax = sums.tax(),
            .net = sums.net()};
}

Result<domain::ToldRound> ReadRound(const po::ToldRelease& message) {
    const auto day = BusinessDate::FromNumber(message.business_date());
    if (!day.ok() || message.version() == 0) return Senseless("a round of no day");
    domain::ToldRound round{
        .day = *day, .version = message.version(), .totals = ReadTotals(message.sums())};
    if (message.told_date() == 0) return round;
    const auto told_date = BusinessDate::FromNumber(message.told_date());
    if (!told_date.ok() || *told_date <= *day) return Senseless("a round that was told too early");
    round.told_date = *told_date;
    return round;
}

Result<domain::MerchantDay> ReadMerchant(const po::ListMerchantDaysResponse::Merchant& message) {
    domain::MerchantDay merchant{.merchant = domain::MerchantId(message.merchant_id()),
                                 .held_back = message.held_back()};
    std::set<domain::TaxClass> classes;
    for (const auto& line : message.lines()) {
        const domain::TaxClass tax_class = domain::TaxClassNamed(line.tax_class());
        if (!classes.insert(tax_class).second) return Senseless("a merchant's tax class twice");
        domain::MerchantDayLine& added = merchant.lines.emplace_back();
        added.tax_class = tax_class;
        added.accrued = {line.accrued_gross(), line.accrued_fee(), line.accrued_count()};
        if (line.released()) {
            if (!line.has_cycle_fee_before()) {
                return Senseless("a release that does not say what its tax grows from");
            }
            added.released = domain::ReleasedLine{
                {line.released_gross(), line.released_fee(), line.released_count()},
                line.tax(),
                line.net(),
                line.cycle_fee_before()};
        }
    }
    return merchant;
}

Result<domain::TransferStep> ReadStep(int kind) {
    using enum domain::TransferStep;
    for (const auto step : {kCreated, kSettled, kFailed, kReturned, kCancelled}) {
        if (static_cast<int>(step) == kind) return step;
    }
    return Senseless("journals of kind " + std::to_string(kind) + ", which is none of transfers");
}

app::MovedFundsPage::Merchant ReadFunds(const po::ListMovedFundsResponse::Funds& message) {
    app::MovedFundsPage::Merchant merchant;
    merchant.funds = {.merchant = domain::MerchantId(message.merchant_id()),
                      .released = message.released(),
                      .adjusted = message.adjusted(),
                      .paid = message.paid(),
                      .prices = message.prices(),
                      .came_back = message.came_back(),
                      .open_transfers = message.open_transfers(),
                      .available = message.available(),
                      .in_transit = message.in_transit()};
    for (const auto& made : message.made()) {
        auto& transfer = merchant.made.emplace_back();
        transfer.transfer = domain::TransferId(made.transfer_id());
        transfer.amount = made.amount();
        if (made.has_parts()) transfer.parts = made.parts();
    }
    return merchant;
}

}  // namespace

template <class Method, class Request>
auto GrpcPayoutDayBook::Call(const Method& method, const Request& request) {
    using Answer = decltype(rpc::Call(channel_, method, request, rpc::CallOptions()));
    auto token =
        signer_.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, "payout");
    if (!token.ok()) return Answer(std::move(token).status());
    auto answer =
        rpc::Call(channel_, method, request, {.timeout = options_.digest_timeout, .token = *token});
    if (!answer.ok()) return Answer(std::move(answer).status().WithContext("payout"));
    return answer;
}

Result<app::PayoutDay> GrpcPayoutDayBook::Day(BusinessDate business_date) {
    po::GetDayCheckRequest request;
    request.set_business_date(business_date.ToNumber());
    KESSAI_ASSIGN_OR_RETURN(const po::DayCheck answer, Call(GetDayCheck(), request));
    KESSAI_RETURN_IF_ERROR(CheckDate(answer.business_date(), business_date));
    app::PayoutDay day;
    day.released = answer.state() == po::PayoutDay::RELEASED;
    KESSAI_ASSIGN_OR_RETURN(day.accrued, ReadDigest(answer.accrued()));
    KESSAI_ASSIGN_OR_RETURN(day.released_lines, ReadDigest(answer.released()));
    day.released_sums = ReadTotals(answer.released_sums());
    day.round_sums = ReadTotals(answer.round_sums());
    for (const auto& message : answer.rounds()) {
        KESSAI_ASSIGN_OR_RETURN(const auto round, ReadRound(message));
        if (round.day != business_date) return Senseless("a round of another day");
        day.rounds.push_back(round);
    }
    if (day.rounds.size() != answer.round_count()) {
        return Senseless("another number of rounds than it lists");
    }
    day.held_count = answer.held_count();
    return day;
}

Result<std::vector<domain::ToldRound>> GrpcPayoutDayBook::ListToldReleases(BusinessDate told_date) {
    po::ListToldReleasesRequest request;
    request.set_told_date(told_date.ToNumber());
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(ListToldReleasesMethod(), request));
    std::vector<domain::ToldRound> rounds;
    for (const auto& message : answer.rounds()) {
        KESSAI_ASSIGN_OR_RETURN(const auto round, ReadRound(message));
        if (round.told_date != told_date) return Senseless("a round that was told on another day");
        rounds.push_back(round);
    }
    return rounds;
}

Result<app::MerchantDayPage> GrpcPayoutDayBook::ListMerchants(BusinessDate business_date,
                                                              const std::vector<int>& buckets,
                                                              domain::MerchantId after) {
    po::ListMerchantDaysRequest request;
    request.set_business_date(business_date.ToNumber());
    request.set_after_merchant_id(after.value());
    if (buckets.size() < static_cast<std::size_t>(digest::kBuckets)) {
        for (const int bucket : buckets) {
            request.add_buckets(static_cast<std::uint32_t>(bucket));
        }
    }
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(ListMerchantDays(), request));
    app::MerchantDayPage page;
    for (const auto& message : answer.merchants()) {
        KESSAI_ASSIGN_OR_RETURN(auto merchant, ReadMerchant(message));
        const domain::MerchantId last =
            page.merchants.empty() ? after : page.merchants.back().merchant;
        if (merchant.merchant <= last) return Senseless("merchants that do not rise");
        page.merchants.push_back(std::move(merchant));
    }
    page.next = domain::MerchantId(answer.next_merchant_id());
    if (!page.next.is_none() && page.next <= after) return Senseless("a page that leads back");
    return page;
}

Result<digest::DayDigest> GrpcPayoutDayBook::FeeDigests(BusinessDate business_date) {
    po::GetFeeDigestsRequest request;
    request.set_business_date(business_date.ToNumber());
    KESSAI_ASSIGN_OR_RETURN(const po::DayDigests answer, Call(GetFeeDigests(), request));
    KESSAI_RETURN_IF_ERROR(CheckDate(answer.business_date(), business_date));
    return ReadDigest(answer.buckets());
}

Result<std::vector<app::WrongFee>> GrpcPayoutDayBook::WrongFees(BusinessDate business_date) {
    po::ListWrongFeesRequest request;
    request.set_business_date(business_date.ToNumber());
    KESSAI_ASSIGN_OR_RETURN(
        const std::string token,
        signer_.Mint({.role = auth::Role::kService, .subject = "reconciliation"}, "payout"));
    std::vector<app::WrongFee> wrong;
    const Status listed = rpc::CallStreaming(
        channel_, ListWrongFees(), request, {.timeout = options_.digest_timeout, .token = token},
        [&](const po::WrongFee& fee) -> Status {
            wrong.push_back(
                {.key = {domain::PaymentId(fee.payment_id()), fee.version()},
                 .terms = {.business_date = business_date,
                           .merchant = domain::MerchantId(fee.merchant_id()),
                           .gross = Money(fee.gross(), Currency::Jpy())},
                 .row = {fee.fee(), domain::TaxClassNamed(fee.tax_class())},
                 .expected = {fee.expected_fee(), domain::TaxClassNamed(fee.expected_tax_class())},
                 .note = fee.note()});
            return OkStatus();
        });
    if (!listed.ok()) return listed.WithContext("payout");
    return wrong;
}

Result<app::TransferSums> GrpcPayoutDayBook::SumTransfers(BusinessDate business_date) {
    po::GetTransferSumsRequest request;
    request.set_business_date(business_date.ToNumber());
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(GetTransferSums(), request));
    KESSAI_RETURN_IF_ERROR(CheckDate(answer.business_date(), business_date));
    app::TransferSums sums{.final = answer.final()};
    for (const auto& message : answer.steps()) {
        KESSAI_ASSIGN_OR_RETURN(const auto step, ReadStep(message.kind()));
        sums.steps[step] = {message.count(), message.amount(), message.fee(), message.tax()};
    }
    return sums;
}

Result<app::TransferStepPage> GrpcPayoutDayBook::ListTransferSteps(BusinessDate business_date,
                                                                   std::int64_t after) {
    po::ListTransferStepsRequest request;
    request.set_business_date(business_date.ToNumber());
    request.set_after_journal_id(after);
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(ListTransferStepsMethod(), request));
    app::TransferStepPage page;
    for (const auto& message : answer.steps()) {
        KESSAI_ASSIGN_OR_RETURN(const auto step, ReadStep(message.kind()));
        page.entries.push_back({step, domain::TransferId(message.transfer_id()),
                                domain::MerchantId(message.merchant_id()), message.amount(),
                                message.fee(), message.tax()});
    }
    page.next = answer.next_journal_id();
    if (page.next != 0 && page.next <= after) return Senseless("a page that leads back");
    return page;
}

Result<app::MovedFundsPage> GrpcPayoutDayBook::ListMovedFunds(BusinessDate business_date,
                                                              domain::MerchantId after) {
    po::ListMovedFundsRequest request;
    request.set_business_date(business_date.ToNumber());
    request.set_after_merchant_id(after.value());
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(ListMovedFundsMethod(), request));
    app::MovedFundsPage page;
    for (const auto& message : answer.funds()) page.merchants.push_back(ReadFunds(message));
    page.next = domain::MerchantId(answer.next_merchant_id());
    if (!page.next.is_none() && page.next <= after) return Senseless("a page that leads back");
    return page;
}

Result<std::vector<app::MovedFundsPage::Merchant>> GrpcPayoutDayBook::FindFunds(
    BusinessDate business_date, const std::vector<domain::MerchantId>& merchants) {
    po::ListMovedFundsRequest request;
    request.set_business_date(business_date.ToNumber());
    for (const domain::MerchantId merchant : merchants) {
        request.add_merchant_ids(merchant.value());
    }
    KESSAI_ASSIGN_OR_RETURN(const auto answer, Call(ListMovedFundsMethod(), request));
    std::vector<app::MovedFundsPage::Merchant> found;
    for (const auto& message : answer.funds()) {
        found.push_back(ReadFunds(message));
        if (std::ranges::count(merchants, found.back().funds.merchant) == 0) {
            return Senseless("a merchant that was not asked for");
        }
    }
    return found;
}

}  // namespace kessai::reconciliation::transport
