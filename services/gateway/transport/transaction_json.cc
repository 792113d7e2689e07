#include "transport/transaction_json.h"

#include "kessai/time/business_date.h"
#include "transport/json_writer.h"

namespace kessai::gateway::transport {

std::string TransactionJson(const domain::TransactionNotice& notice, bool amount_as_text) {
    std::string out;
    JsonWriter json(out);
    const auto time = [&](const char* name, const std::optional<Instant>& when) {
        json.Key(name);
        if (when) {
            json.Text(FormatUtc(*when));
        } else {
            json.Null();
        }
    };
    json.BeginObject();
    json.Key("notification_type").Text("Transaction");
    json.Key("merchant_id").Id(notice.merchant_id);
    json.Key("store_id").TextOrNull(notice.store_id);
    json.Key("pos_id").TextOrNull(notice.terminal_id);
    json.Key("order_id").Id(notice.payment_id);
    json.Key("merchant_order_id").Text(notice.merchant_payment_id);
    if (notice.state != "FAILED") {
        time("authorized_at", notice.authorized_at);
        time("expires_at", notice.expires_at);
        time("paid_at", notice.paid_at);
    }
    json.Key("order_amount");
    if (amount_as_text) {
        json.Text(std::to_string(notice.order_amount));
    } else {
        json.Number(notice.order_amount);
    }
    json.Key("state").Text(notice.state);
    json.EndObject();
    return out;
}

}  // namespace kessai::gateway::transport
