#include "random_template.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "orders.h"

namespace kessai::filetemplate {
namespace {

constexpr std::size_t kWidth = 400;
const std::array<std::string, 3> kStatuses = {"PAID", "REFUNDED", "FAILED"};
const std::array<std::string, 3> kMethods = {"WALLET", "POINT", "CARD"};

/// A row, as the interpreter has it.
struct Row {
    std::optional<std::string> id;
    std::optional<std::string> note;
    std::optional<std::size_t> status;
    std::optional<std::uint64_t> methods;
    std::optional<std::int64_t> amount;
    std::optional<std::int64_t> items;
    std::optional<std::int64_t> accepted_at_s;
};
using Text = std::optional<std::string>;
using Number = std::optional<std::int64_t>;

template <class T>
struct Expression {
    std::string text;
    std::function<T(const Row&)> value;
};

std::vector<std::string> CharactersOf(std::string_view text) {
    std::vector<std::string> characters;
    for (const char byte : text) {
        if ((byte & 0xC0) != 0x80) characters.emplace_back();
        characters.back() += byte;
    }
    return characters;
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
    return text;
}

std::string Literal(const std::string& text) {
    return "'" + Replaced(text, "'", "''") + "'";
}

std::string YamlText(std::string text) {
    text = Replaced(std::move(text), "\\", "\\\\");
    text = Replaced(std::move(text), "\"", "\\\"");
    text = Replaced(std::move(text), "\n", "\\n");
    text = Replaced(std::move(text), "\r", "\\r");
    return "\"" + Replaced(std::move(text), "\t", "\\t") + "\"";
}

class Maker {
 public:
    explicit Maker(std::mt19937& random) : random_(random) {}

    RandomTemplate Make() {
        Choose();
        std::string columns;
        std::vector<Expression<Text>> values;
        const std::size_t count = 2 + Below(6);
        for (std::size_t i = 0; i < count; ++i) {
            made_.names.push_back("n" + std::to_string(i) + RandomText(true));
            values.push_back(TextExpression(3));
            columns += "  - {name: " + YamlText(made_.names.back()) +
                       ", value: " + YamlText(values.back().text);
            if (fixed_) {
                made_.widths.push_back(kWidth);
                columns +=
                    ", width: " + std::to_string(kWidth) + (Below(2) == 0 ? ", align: right" : "");
            }
            columns += "}\n";
        }
        const Expression<bool> filter = Condition(2);
        made_.yaml = "source: orders\nfilters: [" + YamlText(filter.text) +
                     "]\nmaps: {status: {PAID: 取引完了, REFUNDED: " + YamlText(status_texts_[1]) +
                     ", FAILED: " + YamlText(status_texts_[2]) + "}}\ncolumns:\n" + columns +
                     Rest();
        MakeRows(filter, values);
        return std::move(made_);
    }

 private:
    std::size_t Below(std::size_t bound) { return random_() % bound; }
    bool Chance(int percent) { return Below(100) < static_cast<std::size_t>(percent); }

    void Choose() {
        const std::array<std::string, 3> encodings = {"utf-8", "utf-8-bom", "shift_jis"};
        made_.encoding = encodings[Below(3)];
        fixed_ = Chance(25);
        const std::array<std::string, 4> delimiters = {",", ";", ":", "\t"};
        made_.delimiter = fixed_ ? "" : delimiters[Below(4)];
        const std::array<std::string, 3> quotings = {"needed", "always", "never"};
        quoting_ = quotings[Below(3)];
        made_.has_quotes = !fixed_ && quoting_ != "never";
        if (made_.has_quotes) status_texts_[1] = "返金,\"完了\"";
        made_.line_end = Chance(50) ? "\n" : "\r\n";
        const std::array<std::string, 3> compressions = {"none", "gzip", "zip"};
        made_.compression = compressions[Below(3)];
        made_.has_names = Chance(50);
        made_.has_trailer = Chance(50);
        replaces_ = made_.encoding == "shift_jis" && Chance(50);
    }

    std::string Rest() {
        std::string rest;
        if (made_.has_names) rest += "header: [names]\n";
        const std::string width = fixed_ ? ", width: 30" : "";
        if (made_.has_trailer) {
            rest += "trailer: [[{value: file.rows" + width + "}, {value: total(amount)" + width +
                    "}]]\n";
        }
        rest += "lines: {layout: " + std::string(fixed_ ? "fixed" : "delimited");
        if (!fixed_) {
            rest += ", delimiter: " + YamlText(made_.delimiter) + ", quoting: " + quoting_;
        }
        rest += ", end: " + std::string(made_.line_end == "\n" ? "lf" : "crlf") + "}\n";
        rest += "text: {encoding: " + made_.encoding +
                (replaces_ ? ", lacking: {replace: 〓}" : "") + "}\n";
        rest += "file: {name: \"f_{part:00000}\", compression: " + made_.compression;
        if (Chance(40)) rest += ", split: {rows: " + std::to_string(1 + Below(20)) + "}";
        if (rest.find("split") == std::string::npos && Chance(40)) {
            rest += ", split: {bytes: " + std::to_string(1 + Below(3'000)) + "}";
        }
        return rest + "}\n";
    }

    /// Of characters that come back as they are. A line of fixed length fills up with spaces.
    std::string RandomText(bool of_template = false) {
        static const std::vector<std::string> plain =
            CharactersOf("aZ09-_./'!#()[]{}<>~\\^`%&*+=?@$決済表ソ能ポｱﾊﾟ髙①～－￥Жα");
        static const std::vector<std::string> need_quotes = {",", ";", ":", "\t", "\"", " "};
        static const std::vector<std::string> line_ends = {"\n", "\r", "\r\n"};
        static const std::vector<std::string> lacking = {"🍣", "é", "한", "𠮷"};
        std::string text;
        for (std::size_t length = Below(12); length > 0; --length) {
            if (made_.has_quotes && Chance(15)) {
                text += need_quotes[Below(need_quotes.size())];
            } else if (made_.has_quotes && !of_template && Chance(5)) {
                text += line_ends[Below(line_ends.size())];
            } else if (!of_template && (replaces_ || made_.encoding != "shift_jis") && Chance(10)) {
                text += lacking[Below(lacking.size())];
            } else {
                text += plain[Below(plain.size())];
            }
        }
        return text;
    }

    // --- expressions

    Expression<Text> TextLeaf() {
        switch (Below(6)) {
            case 0:
                return {"id", [](const Row& row) { return row.id; }};
            case 1:
                return {"note", [](const Row& row) { return row.note; }};
            case 2: {
                const std::string text = RandomText(true);
                return {Literal(text), [text](const Row&) { return Text(text); }};
            }
            case 3:
                return {"map(status, status)", [texts = status_texts_](const Row& row) {
                            return row.status ? Text(texts[*row.status]) : Text();
                        }};
            case 4:
                return {"(status & '')", [](const Row& row) {
                            return Text(row.status ? kStatuses[*row.status] : "");
                        }};
            default:
                return Moment();
        }
    }

    Expression<Text> Moment() {
        const std::array<std::string, 3> formats = {"%Y-%m-%d %H.%M.%S", "%Y年%m月%d日", "%d%m%Y"};
        const std::string format = formats[Below(3)];
        return {"format(accepted_at, '" + format + "')", [format](const Row& row) {
                    if (!row.accepted_at_s) return Text();
                    const std::time_t in_japan = *row.accepted_at_s + 9 * 3'600;
                    std::tm calendar{};
                    gmtime_r(&in_japan, &calendar);
                    char text[64];
                    const std::size_t size =
                        std::strftime(text, sizeof text, format.c_str(), &calendar);
                    return Text(std::string(text, size));
                }};
    }

    Expression<Text> TextExpression(int depth) {
        if (depth == 0 || Chance(25)) return TextLeaf();
        switch (Below(8)) {
            case 0: {
                const auto a = TextExpression(depth - 1);
                const auto b = TextExpression(depth - 1);
                return {"(" + a.text + " & " + b.text + ")", [a, b](const Row& row) {
                            return Text(a.value(row).value_or("") + b.value(row).value_or(""));
                        }};
            }
            case 1: {
                const auto condition = Condition(depth - 1);
                const auto a = TextExpression(depth - 1);
                const auto b = TextExpression(depth - 1);
                return {"if(" + condition.text + ", " + a.text + ", " + b.text + ")",
                        [=](const Row& row) {
                            return condition.value(row) ? a.value(row) : b.value(row);
                        }};
            }
            case 2: {
                const auto a = TextExpression(depth - 1);
                const auto b = TextExpression(depth - 1);
                return {"default(" + a.text + ", " + b.text + ")", [a, b](const Row& row) {
                            const Text value = a.value(row);
                            return value ? value : b.value(row);
                        }};
            }
            case 3:
                return Substring(TextExpression(depth - 1));
            case 4:
                return Pad(TextExpression(depth - 1));
            case 5:
                return {"(methods & '')", [](const Row& row) {
                            std::string joined;
                            for (std::size_t i = 0; i < kMethods.size(); ++i) {
                                if ((row.methods.value_or(0) >> i & 1) == 0) continue;
                                joined += (joined.empty() ? "" : ",") + kMethods[i];
                            }
                            return Text(joined);
                        }};
            default:
                return Printed(NumberExpression(depth - 1));
        }
    }

    Expression<Text> Substring(const Expression<Text>& of) {
        const std::size_t from = 1 + Below(5);
        const std::size_t count = Below(6);
        return {"substring(" + of.text + ", " + std::to_string(from) + ", " +
                    std::to_string(count) + ")",
                [=](const Row& row) {
                    const Text value = of.value(row);
                    if (!value) return value;
                    const auto characters = CharactersOf(*value);
                    std::string part;
                    for (std::size_t i = from - 1; i < characters.size() && i < from - 1 + count;
                         ++i) {
                        part += characters[i];
                    }
                    return Text(part);
                }};
    }

    Expression<Text> Pad(const Expression<Text>& of) {
        const bool left = Chance(50);
        const std::size_t count = Below(15);
        const std::string filler = Chance(50) ? "0" : "　";
        return {(left ? "pad_left(" : "pad_right(") + of.text + ", " + std::to_string(count) +
                    ", '" + filler + "')",
                [=](const Row& row) {
                    const Text value = of.value(row);
                    if (!value) return value;
                    std::string fill;
                    for (std::size_t n = CharactersOf(*value).size(); n < count; ++n) {
                        fill += filler;
                    }
                    return Text(left ? fill + *value : *value + fill);
                }};
    }

    Expression<Number> NumberExpression(int depth) {
        if (depth > 0 && Chance(50)) {
            const auto of = NumberExpression(depth - 1);
            const bool negates = Chance(50);
            return {(negates ? "negate(" : "abs(") + of.text + ")", [=](const Row& row) {
                        const Number value = of.value(row);
                        if (!value) return value;
                        return Number(negates || *value < 0 ? -*value : *value);
                    }};
        }
        if (Chance(50)) return {"items", [](const Row& row) { return row.items; }};
        return {"amount", [](const Row& row) { return row.amount; }};
    }

    Expression<Text> Printed(const Expression<Number>& of) {
        // With commas where those may be quoted.
        const bool grouped = made_.has_quotes && Chance(50);
        return {"format(" + of.text + (grouped ? ", '#,##0')" : ", '0000')"), [=](const Row& row) {
                    const Number value = of.value(row);
                    if (!value) return Text();
                    std::string digits = std::to_string(*value < 0 ? -*value : *value);
                    for (std::size_t at = digits.size(); grouped && at > 3; at -= 3) {
                        digits.insert(at - 3, ",");
                    }
                    while (!grouped && digits.size() < 4) digits.insert(0, "0");
                    return Text((*value < 0 ? "-" : "") + digits);
                }};
    }

    Expression<bool> Condition(int depth) {
        if (depth > 0 && Chance(50)) {
            const auto a = Condition(depth - 1);
            const auto b = Condition(depth - 1);
            switch (Below(3)) {
                case 0:
                    return {"(" + a.text + " and " + b.text + ")",
                            [=](const Row& row) { return a.value(row) && b.value(row); }};
                case 1:
                    return {"(" + a.text + " or " + b.text + ")",
                            [=](const Row& row) { return a.value(row) || b.value(row); }};
                default:
                    return {"(not " + a.text + ")", [=](const Row& row) { return !a.value(row); }};
            }
        }
        switch (Below(4)) {
            case 0: {
                const auto number = NumberExpression(1);
                const auto bound = static_cast<std::int64_t>(Below(2'000)) - 1'000;
                return {number.text + " < " + std::to_string(bound), [=](const Row& row) {
                            const Number value = number.value(row);
                            return value && *value < bound;
                        }};
            }
            case 1: {
                const std::size_t status = Below(3);
                return {"status != '" + kStatuses[status] + "'",
                        [=](const Row& row) { return row.status != status; }};
            }
            case 2:
                return {"status in ('PAID', 'FAILED')",
                        [](const Row& row) { return row.status && *row.status != 1; }};
            default: {
                const auto text = TextExpression(depth > 0 ? 1 : 0);
                return {"empty(" + text.text + ")",
                        [=](const Row& row) { return text.value(row).value_or("").empty(); }};
            }
        }
    }

    // --- rows

    Value Kept(const std::optional<std::string>& text) {
        if (!text) return {};
        return Value::Text(*made_.texts.emplace_back(std::make_unique<std::string>(*text)));
    }

    Row RandomRow() {
        Row row;
        if (Chance(90)) row.id = RandomText();
        if (Chance(80)) row.note = RandomText();
        if (Chance(90)) row.status = Below(3);
        if (Chance(90)) row.methods = made_.has_quotes ? Below(8) : Below(2);
        if (Chance(90)) row.amount = static_cast<std::int64_t>(Below(4'000'000)) - 2'000'000;
        if (Chance(90)) row.items = static_cast<std::int64_t>(Below(200)) - 100;
        if (Chance(90)) row.accepted_at_s = static_cast<std::int64_t>(Below(4'000'000'000));
        return row;
    }

    std::vector<Value> ValuesOf(const Row& row) {
        std::vector<Value> values(Orders().fields.size());
        values[0] = Kept(row.id);
        values[2] = Kept(row.note);
        if (row.status) values[3] = Value::Enum(*row.status);
        if (row.methods) values[4] = Value::EnumSet(*row.methods);
        if (row.amount) values[5] = Value::Of(Yen(*row.amount));
        if (row.items) values[6] = Value::Integer(*row.items);
        if (row.accepted_at_s) values[7] = Value::Of(FromMicros(*row.accepted_at_s * 1'000'000));
        return values;
    }

    void MakeRows(const Expression<bool>& filter, const std::vector<Expression<Text>>& values) {
        for (std::size_t count = Below(60); count > 0; --count) {
            const Row row = RandomRow();
            made_.rows.push_back(ValuesOf(row));
            if (!filter.value(row)) continue;
            std::vector<std::string>& cells = made_.expected.emplace_back();
            for (const auto& value : values) cells.push_back(AsRead(value.value(row).value_or("")));
            made_.amounts.push_back(row.amount.value_or(0));
        }
    }

    std::string AsRead(std::string text) const {
        if (made_.encoding != "shift_jis") return text;
        for (const std::string_view lacking : {"🍣", "é", "한", "𠮷"}) {
            text = Replaced(std::move(text), lacking, "〓");
        }
        return text;
    }

    std::mt19937& random_;
    RandomTemplate made_;
    bool fixed_ = false;
    std::string quoting_;
    std::array<std::string, 3> status_texts_ = {"取引完了", "返金完了", "取引失敗"};
    bool replaces_ = false;
};

}  // namespace

RandomTemplate MakeRandomTemplate(std::mt19937& random) {
    return Maker(random).Make();
}

}  // namespace kessai::filetemplate
