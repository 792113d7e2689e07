#include "bench/generator.h"

#include <future>
#include <utility>

#include "load/on_loop.h"

namespace kessai::bench {

struct Generator::Part {
    explicit Part(int number) : loop("load-" + std::to_string(number)), index(number) {}

    net::Loop loop;
    const int index;
    std::unique_ptr<load::Client> client;
    std::unique_ptr<load::PaymentLoad> load;
    std::function<net::Task<load::LoadResult>()> work;
    std::future<load::LoadResult> result;
};

Result<std::unique_ptr<Generator>> Generator::Make(const load::Stack& stack, Options options) {
    KESSAI_ASSIGN_OR_RETURN(auto tls, net::TlsClientContext::Create(stack.ca_file));
    std::unique_ptr<Generator> generator(new Generator(stack, options));
    for (int i = 0; i < options.loops; ++i) {
        Part& part = *generator->parts_.emplace_back(std::make_unique<Part>(i));
        load::Client::Options client;
        client.host = stack.gateway.host;
        client.port = stack.gateway.port;
        client.tls = tls;
        client.connections =
            static_cast<std::size_t>(std::max(1, options.connections / options.loops));
        part.loop.Start();
        load::AwaitOn(part.loop, [&]() -> net::Task<void> {
            part.client = std::make_unique<load::Client>(part.loop, client);
            co_return;
        });
    }
    return generator;
}

Generator::Generator(const load::Stack& stack, Options options)
    : authority_(stack.Authority()), options_(std::move(options)) {}

Generator::~Generator() {
    maker_.reset();
    for (auto& part : parts_) {
        load::AwaitOn(part->loop, [&part]() -> net::Task<void> {
            part->load.reset();
            co_await part->client->Close();
            part->client.reset();
        });
        part->loop.Stop();
    }
}

Status Generator::SetUp(const load::PopulationOptions& options) {
    population_options_ = options;
    Part& first = *parts_.front();
    maker_ = std::make_unique<load::PopulationMaker>(first.loop, *first.client, authority_,
                                                     options_.run_id);
    auto made = load::AwaitOn(
        first.loop, [&]() -> net::Task<Result<load::Population>> { return maker_->Run(options); });
    KESSAI_RETURN_IF_ERROR(made.status());
    population_ = std::move(*made);
    for (auto& part : parts_) {
        const Status opened = load::AwaitOn(part->loop, [&]() -> net::Task<Status> {
            part->load = std::make_unique<load::PaymentLoad>(
                part->loop, *part->client, population_,
                load::PaymentLoad::Share{part->index, options_.loops},
                options_.run_id + "-" + std::to_string(part->index) + "-", authority_,
                options_.seed * 1'000 + static_cast<std::uint64_t>(part->index));
            return part->client->Open();
        });
        KESSAI_RETURN_IF_ERROR(opened.WithContext("opening connections"));
    }
    return OkStatus();
}

Status Generator::TopUp(std::int64_t balance_min) {
    load::PopulationOptions options = population_options_;
    options.balance_min = balance_min;
    return load::AwaitOn(parts_.front()->loop, [&]() -> net::Task<Status> {
        return maker_->TopUp(population_, options);
    });
}

load::LoadResult Generator::Run(const load::Offer& offer, const load::WeightedChoice& merchants,
                                SteadyInstant first, const Watch& watch) {
    for (auto& part : parts_) {
        part->work = [&part = *part, &offer, &merchants, first] {
            return part.load->Run(offer, merchants, first);
        };
        part->result = load::StartOn(part->loop, part->work);
    }
    bool stopping = false;
    load::LoadResult sum;
    for (auto& part : parts_) {
        while (part->result.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
            std::uint64_t due = 0;
            for (auto& each : parts_) {
                due += load::AwaitOn(each->loop, [&each]() -> net::Task<std::uint64_t> {
                    co_return each->load->due();
                });
            }
            if (!watch(SystemClock().SteadyNow(), due) || stopping) continue;
            stopping = true;
            for (auto& each : parts_) {
                each->loop.Post([&each] { each->load->Stop(); });
            }
        }
        sum.Merge(part->result.get());
    }
    acknowledged_ += sum.acknowledged;
    acknowledged_yen_ += sum.acknowledged_yen;
    unknown_ += sum.unknown;
    return sum;
}

}  // namespace kessai::bench
