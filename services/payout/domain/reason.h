#pragma once

#include <string_view>

/// The reasons of refusals, as in `kessai.payout.v1.Reason` without its prefix (a test compares).
namespace kessai::payout::domain::reason {

inline constexpr std::string_view kPlanInvalid = "PLAN_INVALID";
inline constexpr std::string_view kPlanInPast = "PLAN_IN_PAST";
inline constexpr std::string_view kPlanOverlaps = "PLAN_OVERLAPS";
inline constexpr std::string_view kPlanMissing = "PLAN_MISSING";
inline constexpr std::string_view kPlanUnknown = "PLAN_UNKNOWN";
inline constexpr std::string_view kMethodUnknown = "METHOD_UNKNOWN";
inline constexpr std::string_view kStoreInvalid = "STORE_INVALID";
inline constexpr std::string_view kTiersEmpty = "TIERS_EMPTY";
inline constexpr std::string_view kTiersNotRising = "TIERS_NOT_RISING";
inline constexpr std::string_view kCampaignInvalid = "CAMPAIGN_INVALID";
inline constexpr std::string_view kRulesOverlap = "RULES_OVERLAP";
inline constexpr std::string_view kPreviewTooLarge = "PREVIEW_TOO_LARGE";
inline constexpr std::string_view kMerchantUnknown = "MERCHANT_UNKNOWN";
inline constexpr std::string_view kAccrualUnknown = "ACCRUAL_UNKNOWN";
inline constexpr std::string_view kDayOpen = "DAY_OPEN";
inline constexpr std::string_view kDayUnknown = "DAY_UNKNOWN";
inline constexpr std::string_view kDayClosed = "DAY_CLOSED";
inline constexpr std::string_view kReleaseRunning = "RELEASE_RUNNING";
inline constexpr std::string_view kFieldInvalid = "FIELD_INVALID";
inline constexpr std::string_view kRefundExceedsPayment = "REFUND_EXCEEDS_PAYMENT";
inline constexpr std::string_view kAmountOverflow = "AMOUNT_OVERFLOW";

}  // namespace kessai::payout::domain::reason
