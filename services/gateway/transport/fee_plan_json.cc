#include "transport/fee_plan_json.h"

#include "domain/payment.h"
#include "domain/text_rules.h"
#include "kessai/time/business_date.h"

namespace kessai::gateway::transport {

namespace {

namespace po = payout::v1;
using kessai::payment::v1::MethodAmount;

constexpr std::size_t kRulesMax = 200;
constexpr std::size_t kTiersMax = 20;
constexpr std::size_t kMerchantsMax = 500;
constexpr std::int64_t kFirstDaysMax = 3'660;

/// Of a plan, a rule or a tier: anything with the fields of FeeTerms.
template <class Message>
void ReadTerms(JsonFields& fields, Message& terms) {
    terms.set_rate_basis_points(
        static_cast<std::uint32_t>(fields.Integer("rateBasisPoints", 0, 10'000)));
    terms.set_fixed(fields.OptionalInteger("fixed", 0, domain::kAmountMax).value_or(0));
    terms.set_minimum(fields.OptionalInteger("minimum", 0, domain::kAmountMax).value_or(0));
    terms.set_maximum(fields.OptionalInteger("maximum", 0, domain::kAmountMax).value_or(0));
}

/// Runs `read` with each object of a list.
template <class Read>
void ReadList(JsonFields& fields, std::string_view name, std::size_t items_max, const Read& read) {
    const auto list = fields.OptionalArray(name);
    if (!list) return;
    if (list->size() > items_max) {
        return fields.Malformed(name, "has more than " + std::to_string(items_max) + " entries");
    }
    for (const auto entry : *list) {
        simdjson::dom::object object;
        if (entry.get(object) != simdjson::SUCCESS) {
            return fields.Malformed(name, "holds what is no object");
        }
        JsonFields inner(object, name);
        read(inner);
        if (!inner.ok()) return fields.Refuse(inner.status());
    }
}

void ReadTiers(JsonFields& fields, po::FeeTiers& tiers) {
    ReadList(fields, "tiers", kTiersMax, [&](JsonFields& inner) {
        inner.OnlyThese({"volumeFrom", "rateBasisPoints", "fixed", "minimum", "maximum"});
        po::FeeTiers::Tier* tier = tiers.add_tiers();
        tier->set_volume_from(inner.Integer("volumeFrom", 1, INT64_MAX));
        ReadTerms(inner, *tier->mutable_terms());
    });
}

void ReadRule(JsonFields& fields, po::FeeRule& rule) {
    fields.OnlyThese({"storeId", "method", "fromDate", "toDate", "firstDays", "rateBasisPoints",
                      "fixed", "minimum", "maximum", "tiers"});
    rule.set_store_id(fields.OptionalText("storeId"));
    if (const std::string name = fields.OptionalText("method", 32); !name.empty()) {
        MethodAmount::Method method = MethodAmount::METHOD_UNSPECIFIED;
        if (!MethodAmount::Method_Parse(name, &method) ||
            method == MethodAmount::METHOD_UNSPECIFIED) {
            fields.Malformed("method", "is unknown");
        }
        rule.set_method(method);
    }
    rule.set_from_date(ReadDate(fields, "fromDate"));
    rule.set_to_date(ReadDate(fields, "toDate"));
    rule.set_first_days(static_cast<std::uint32_t>(
        fields.OptionalInteger("firstDays", 0, kFirstDaysMax).value_or(0)));
    ReadTerms(fields, *rule.mutable_terms());
    // An empty list is told apart from none, so that it can be refused.
    if (fields.Has("tiers")) ReadTiers(fields, *rule.mutable_tiers());
}

}  // namespace

std::int32_t ReadDate(JsonFields& fields, std::string_view name) {
    const std::string text = fields.OptionalText(name, 10);
    if (text.empty()) return 0;
    const auto date = BusinessDate::Parse(text);
    if (!date.ok()) {
        fields.Malformed(name, "is not like 2026-11-22");
        return 0;
    }
    return date->ToNumber();
}

po::FeePlan ReadFeePlan(JsonFields& fields, std::initializer_list<std::string_view> beside) {
    fields.OnlyThese({"planId", "merchantId", "shared", "currency", "rateBasisPoints", "fixed",
                      "minimum", "maximum", "effectiveFrom", "effectiveTo", "tiers", "rules"},
                     beside);
    po::FeePlan plan;
    if (fields.Has("planId")) plan.set_plan_id(fields.Id("planId"));
    // Without a merchant it is the plan of all who have none of their own, or shared.
    if (fields.Has("merchantId")) plan.set_merchant_id(fields.Id("merchantId"));
    plan.set_shared(fields.OptionalBool("shared", false));
    plan.set_currency(fields.Text("currency", 3));
    ReadTerms(fields, plan);
    plan.set_effective_from(ReadDate(fields, "effectiveFrom"));
    plan.set_effective_to(ReadDate(fields, "effectiveTo"));
    if (fields.Has("tiers")) ReadTiers(fields, *plan.mutable_tiers());
    ReadList(fields, "rules", kRulesMax,
             [&](JsonFields& inner) { ReadRule(inner, *plan.add_rules()); });
    return plan;
}

std::vector<std::int64_t> ReadMerchantIds(JsonFields& fields, std::string_view name) {
    std::vector<std::int64_t> ids;
    const auto list = fields.OptionalArray(name);
    if (!list) return ids;
    for (const auto entry : *list) {
        std::string_view text;
        const bool is_text = entry.get(text) == simdjson::SUCCESS;
        const auto id = is_text ? domain::ParseId(text) : std::nullopt;
        if (!id || ids.size() == kMerchantsMax) {
            fields.Malformed(name, "is not a list of at most 500 ids");
            return ids;
        }
        ids.push_back(*id);
    }
    return ids;
}

}  // namespace kessai::gateway::transport
