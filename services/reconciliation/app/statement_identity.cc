#include "app/statement_identity.h"

#include <algorithm>

namespace kessai::reconciliation::app {
namespace {

/// Between fields: no text of a statement has it.
constexpr char kField = '\x1F';

/// What the bank itself calls an entry of an account by; empty if the format has nothing of the
/// kind.
std::string_view EntryIdOf(StatementFormat format, const statementfile::StatementItem& item) {
    std::string_view kind;
    if (format == StatementFormat::kCamt053) kind = "AcctSvcrRef";
    if (format == StatementFormat::kZengin) kind = "照会番号";
    const auto found = std::ranges::find(item.references, kind, &statementfile::Reference::kind);
    return kind.empty() || found == item.references.end() ? std::string_view() : found->value;
}

}  // namespace

std::string StatementIdentities::Next(std::string_view account,
                                      const statementfile::StatementItem& item) {
    std::string said(account);
    const auto add = [&said](std::string_view text) {
        said += kField;
        said += text;
    };
    add(item.booked.ToString());
    add(item.amount.ToString());
    add(item.is_reversal ? "reversal" : "");
    if (const std::string_view id = EntryIdOf(format_, item); !id.empty()) {
        add("id");
        add(id);
    } else {
        add("text");
        add(item.value_date.ToString());
        add(item.counterparty);
        add(item.text);
        for (const statementfile::Reference& reference : item.references) {
            // It numbers the entries of one message.
            if (reference.kind == "NtryRef") continue;
            add(reference.kind);
            add(reference.value);
        }
    }
    const std::uint32_t nth = ++seen_[said];
    add(std::to_string(nth));
    return said;
}

}  // namespace kessai::reconciliation::app
