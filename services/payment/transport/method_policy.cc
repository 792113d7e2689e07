#include "transport/method_policy.h"

namespace kessai::payment::transport {

auth::MethodPolicy Policy() {
    using auth::MethodRule;
    return auth::MethodPolicy({
        {"CreateCode", {auth::Merchant()}},
        {"DeleteCode", {auth::Merchant()}},
        {"PayCode", {auth::User()}},
        {"CancelPayment", {auth::Merchant()}},
        {"RefundPayment", {auth::Merchant()}},
        {"TopUp", {auth::User()}},
        {"OpenWallet", {auth::User()}},
        {"Execute", {}, MethodRule::Token::kInMessages, {"gateway"}},
        {"GetCode", {auth::User()}},
        {"GetPayment", {auth::Merchant(), auth::User()}},
        {"GetRefund", {auth::Merchant()}},
        {"GetWallet", {auth::User()}},
        {"ListHistory", {auth::User()}},
        {"PutMerchant", {auth::Operator("merchant:write")}},
        {"GetMerchant", {auth::Operator("merchant:read"), auth::AnyService()}},
        {"CloseDay", {auth::Operator("day:close")}},
        {"GetBusinessDay", {auth::Operator("day:read"), auth::AnyService()}},
        {"GetDayDigests", {auth::AnyService()}},
        {"ListDayRows", {auth::AnyService()}},
        {"RepublishEvents", {auth::Operator("event:republish"), auth::AnyService()}},
    });
}

}  // namespace kessai::payment::transport
