#include "expression.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "kessai/filetemplate/template.h"

namespace kessai::filetemplate::internal {
namespace {

constexpr std::size_t kShownMax = 60;
constexpr std::int64_t kCharactersMax = 100'000;
constexpr std::int64_t kPadMax = 1'000;
constexpr std::string_view kFunctions =
    "abs, currency, default, empty, format, if, map, negate, pad_left, pad_right, substring; total "
    "in a header or trailer";

enum class TokenKind : std::uint8_t { kEnd, kName, kText, kInteger, kSymbol };

struct Token {
    TokenKind kind = TokenKind::kEnd;
    std::size_t at = 0;
    /// Of a text, without its quotes.
    std::string text = {};
    std::int64_t number = 0;
};

bool IsNameStart(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}
bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

/// A part of an expression, compiled.
struct Part {
    Type type = Type::kText;
    std::size_t at = 0;
    Ops code = {};
    /// Of enums, their names.
    const std::vector<std::string>* values = nullptr;
    /// Of texts and enums, encoded bytes of the longest; of numbers, characters of the plain form.
    std::optional<std::size_t> longest = {};
    std::optional<Value> literal = {};
    /// What is wrong with it if it is printed.
    std::optional<Refusal> unprintable = {};
};

bool IsNumber(Type type) {
    return type == Type::kInteger || type == Type::kMoney;
}

std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    quoted += text.substr(0, BytesOfCharacters(text, kShownMax));
    return quoted + (CharactersIn(text) > kShownMax ? "…\"" : "\"");
}

/// "a, b, c", shortened.
template <class Names, class NameOf>
std::string ListOf(const Names& names, NameOf name_of) {
    constexpr std::size_t kListedMax = 60;
    std::string list;
    std::size_t count = 0;
    for (const auto& name : names) {
        if (++count > kListedMax) return list + ", …";
        list += (list.empty() ? "" : ", ") + std::string(name_of(name));
    }
    return list;
}

std::optional<std::size_t> Larger(std::optional<std::size_t> a, std::optional<std::size_t> b) {
    if (!a || !b) return std::nullopt;
    return std::max(*a, *b);
}

/// How deep the stack gets, or more: both cases of a condition are counted.
std::size_t StackOf(const Ops& code) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    for (const Op& op : code) {
        switch (op.kind) {
            case OpKind::kLiteral:
            case OpKind::kField:
            case OpKind::kFile:
            case OpKind::kSum:
                deepest = std::max(deepest, ++depth);
                break;
            case OpKind::kConcat:
                depth -= op.a - 1;
                break;
            case OpKind::kCompare:
            case OpKind::kAnd:
            case OpKind::kOr:
            case OpKind::kJumpUnless:
            case OpKind::kJumpIfPresent:
                --depth;
                break;
            default:
                break;
        }
    }
    return deepest;
}

class Parser {
 public:
    Parser(std::string_view text, Place place, Compilation& compilation)
        : text_(text), place_(place), compilation_(compilation) {}

    std::optional<Part> Parse() {
        if (text_.size() > kExpressionBytesMax) {
            return Refuse(
                reason::kExpressionTooLarge, 0,
                "an expression has at most " + std::to_string(kExpressionBytesMax) + " bytes");
        }
        if (!Advance()) return std::nullopt;
        auto part = ParseOr();
        if (!part) return std::nullopt;
        if (token_.kind != TokenKind::kEnd) {
            return Malformed("the expression should end before " + Quoted(token_.text));
        }
        if (StackOf(part->code) > Machine::kStackMax) {
            return Refuse(reason::kExpressionTooLarge, 0, "too many parts joined by &");
        }
        return part;
    }
    Refusal& refusal() { return refusal_; }

    /// How values of the part's type are printed. `at` is where the format is.
    std::optional<Printer> PrinterOf(const Part& part, const std::optional<std::string>& format,
                                     std::size_t at) {
        Printer printer{part.type};
        printer.offset_minutes = compilation_.offset_minutes;
        if (part.values != nullptr) printer.names = *part.values;
        if (part.type == Type::kBoolean) {
            Refuse(reason::kTypeWrong, part.at,
                   "a condition is not printed by itself: if(…, 'yes', 'no')");
            return std::nullopt;
        }
        if (IsNumber(part.type)) {
            const auto number = NumberFormat::Parse(format.value_or("0"));
            if (!number) return BadFormat(at, *format, NumberFormat::kAllowed);
            printer.number = *number;
        } else if (part.type == Type::kInstant || part.type == Type::kDate) {
            const bool of_days = part.type == Type::kDate;
            auto date =
                DateFormat::Parse(format.value_or(std::string(of_days ? DateFormat::kIsoDate
                                                                      : DateFormat::kIsoInstant)),
                                  of_days);
            if (!date) return BadFormat(at, *format, DateFormat::kAllowed);
            if (!compilation_.encoder.SizeOf(date->literals())) {
                Refuse(reason::kTextNotEncodable, at, "the encoding lacks a character of it");
                return std::nullopt;
            }
            printer.date = *std::move(date);
        } else if (format) {
            Refuse(reason::kFormatInvalid, at,
                   "only numbers, instants and dates have a format, this is of type " +
                       std::string(TypeName(part.type)));
            return std::nullopt;
        }
        return printer;
    }

    std::optional<std::size_t> LongestPrinted(const Part& part, const Printer& printer) const {
        if (IsNumber(part.type)) {
            if (!part.longest) return std::nullopt;
            return printer.number.Longest(*part.longest);
        }
        if (part.type == Type::kInstant || part.type == Type::kDate) {
            const std::string& literals = printer.date.literals();
            return printer.date.Size() - literals.size() + *compilation_.encoder.SizeOf(literals);
        }
        return part.longest;
    }

 private:
    std::nullopt_t Refuse(std::string_view reason, std::size_t at, std::string message) {
        refusal_ = {reason, at, std::move(message)};
        return std::nullopt;
    }
    std::nullopt_t Malformed(std::string message) {
        return Refuse(reason::kExpressionMalformed, token_.at, std::move(message));
    }
    std::nullopt_t WrongType(const Part& part, std::string_view expected) {
        return Refuse(reason::kTypeWrong, part.at,
                      "expected " + std::string(expected) + ", this is of type " +
                          std::string(TypeName(part.type)));
    }
    std::nullopt_t BadFormat(std::size_t at, const std::string& format, std::string_view allowed) {
        return Refuse(reason::kFormatInvalid, at,
                      Quoted(format) + " is no format here; allowed are " + std::string(allowed));
    }

    // --- tokens

    bool Advance() {
        while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\n')) ++next_;
        token_ = Token{TokenKind::kEnd, next_};
        if (next_ == text_.size()) return true;
        const char c = text_[next_];
        if (IsNameStart(c)) return TakeName();
        if (IsDigit(c) || (c == '-' && next_ + 1 < text_.size() && IsDigit(text_[next_ + 1]))) {
            return TakeInteger();
        }
        if (c == '\'' || c == '"') return TakeText(c);
        constexpr std::string_view kSymbols[] = {"==", "!=", "<=", ">=", "<",
                                                 ">",  "&",  "(",  ")",  ","};
        for (const std::string_view symbol : kSymbols) {
            if (!text_.substr(next_).starts_with(symbol)) continue;
            token_.kind = TokenKind::kSymbol;
            token_.text = symbol;
            next_ += symbol.size();
            return true;
        }
        Malformed(ShowCharacter(text_.substr(next_)) + " has no meaning in an expression");
        return false;
    }
    bool TakeName() {
        const std::size_t begin = next_;
        while (next_ < text_.size() &&
               (IsNameStart(text_[next_]) || IsDigit(text_[next_]) || text_[next_] == '.')) {
            ++next_;
        }
        token_.kind = TokenKind::kName;
        token_.text = text_.substr(begin, next_ - begin);
        return true;
    }
    bool TakeInteger() {
        const char* const begin = text_.data() + next_;
        const auto [end, error] =
            std::from_chars(begin, text_.data() + text_.size(), token_.number);
        if (error != std::errc{}) {
            Malformed("a number has at most 64 bits");
            return false;
        }
        token_.kind = TokenKind::kInteger;
        token_.text = std::string(begin, end);
        next_ += static_cast<std::size_t>(end - begin);
        return true;
    }
    bool TakeText(char quote) {
        token_.kind = TokenKind::kText;
        for (++next_; next_ < text_.size(); ++next_) {
            if (text_[next_] != quote) {
                token_.text += text_[next_];
            } else if (++next_; next_ < text_.size() && text_[next_] == quote) {
                token_.text += quote;
            } else {
                return true;
            }
        }
        Malformed("a text without its closing quote");
        return false;
    }

    bool Is(std::string_view symbol_or_word) const {
        return (token_.kind == TokenKind::kSymbol || token_.kind == TokenKind::kName) &&
               token_.text == symbol_or_word;
    }
    bool Expect(std::string_view symbol) {
        if (Is(symbol)) return Advance();
        Malformed("expected " + Quoted(symbol) +
                  (token_.kind == TokenKind::kEnd ? std::string(", not the end")
                                                  : ", not " + Quoted(token_.text)));
        return false;
    }

    // --- operators

    std::optional<Part> ParseOr() { return ParseLogic("or", OpKind::kOr, &Parser::ParseAnd); }
    std::optional<Part> ParseAnd() { return ParseLogic("and", OpKind::kAnd, &Parser::ParseNot); }

    std::optional<Part> ParseLogic(std::string_view word, OpKind op,
                                   std::optional<Part> (Parser::*parse)()) {
        auto left = (this->*parse)();
        while (left && Is(word)) {
            if (!Advance()) return std::nullopt;
            auto right = (this->*parse)();
            if (!right) return std::nullopt;
            for (const Part* part : {&*left, &*right}) {
                if (part->type != Type::kBoolean) return WrongType(*part, "a condition");
            }
            Append(left->code, right->code);
            left->code.push_back({op});
        }
        return left;
    }

    std::optional<Part> ParseNot() {
        if (!Is("not")) return ParseComparison();
        const Nesting nesting(depth_);
        if (depth_ > kExpressionDepthMax) return TooDeep();
        if (!Advance()) return std::nullopt;
        auto part = ParseNot();
        if (!part) return std::nullopt;
        if (part->type != Type::kBoolean) return WrongType(*part, "a condition");
        part->code.push_back({OpKind::kNot});
        return part;
    }

    std::optional<Part> ParseComparison() {
        auto left = ParseConcat();
        if (!left) return std::nullopt;
        if (Is("in")) return ParseIn(*std::move(left));
        constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
            {"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
            {"<", Comparison::kLess},    {"<=", Comparison::kLessOrEqual},
            {">", Comparison::kGreater}, {">=", Comparison::kGreaterOrEqual},
        };
        for (const auto& [symbol, comparison] : kComparisons) {
            if (token_.kind != TokenKind::kSymbol || token_.text != symbol) continue;
            if (!Advance()) return std::nullopt;
            auto right = ParseConcat();
            if (!right) return std::nullopt;
            return Compare(*std::move(left), *std::move(right), comparison);
        }
        return left;
    }

    std::optional<Part> Compare(Part left, Part right, Comparison comparison) {
        if (left.literal && !right.literal) {
            if (!MakeComparable(left, right)) return std::nullopt;
        } else if (!MakeComparable(right, left)) {
            return std::nullopt;
        }
        const bool ordered =
            comparison != Comparison::kEqual && comparison != Comparison::kNotEqual;
        const bool has_order = left.type != Type::kEnum && left.type != Type::kBoolean;
        if (left.type == Type::kEnumSet || left.type == Type::kJson || (ordered && !has_order)) {
            return WrongType(left, ordered ? "something that has an order (text, number, time)"
                                           : "something that can be compared");
        }
        Append(left.code, right.code);
        left.code.push_back({OpKind::kCompare, comparison});
        return Condition(std::move(left));
    }

    /// Whether `part` can be held against `other`; a literal becomes the enum's value.
    bool MakeComparable(Part& part, const Part& other) {
        if (part.literal && part.type == Type::kText && other.type == Type::kEnum) {
            const auto value = EnumValue(part, other);
            if (!value) return false;
            part.code = {Push(*value)};
            part.type = Type::kEnum;
            return true;
        }
        const bool numbers = IsNumber(part.type) && IsNumber(other.type);
        const bool same_enum = part.type != Type::kEnum || part.values == other.values;
        if (numbers || (part.type == other.type && same_enum)) return true;
        WrongType(part, "something to compare with type " + std::string(TypeName(other.type)));
        return false;
    }

    std::optional<Value> EnumValue(const Part& literal, const Part& of) {
        const std::string_view name = literal.literal->text();
        const auto found = std::find(of.values->begin(), of.values->end(), name);
        if (found != of.values->end()) {
            return Value::Enum(static_cast<std::size_t>(found - of.values->begin()));
        }
        return Refuse(reason::kEnumValueUnknown, literal.at,
                      Quoted(name) + " is none of its values: " +
                          ListOf(*of.values, [](const std::string& value) { return value; }));
    }

    std::optional<Part> ParseIn(Part left) {
        if (!Advance() || !Expect("(")) return std::nullopt;
        std::vector<Value> literals;
        do {
            auto part = ParsePrimary();
            if (!part) return std::nullopt;
            if (!part->literal) return WrongType(*part, "a literal in the list");
            if (!MakeComparable(*part, left)) return std::nullopt;
            literals.push_back(constants().literals[part->code.front().a]);
            if (!Is(",")) break;
        } while (Advance());
        if (!Expect(")")) return std::nullopt;
        const Op op{OpKind::kIn, Comparison::kEqual,
                    static_cast<std::uint32_t>(constants().literals.size()),
                    static_cast<std::uint32_t>(literals.size())};
        constants().literals.insert(constants().literals.end(), literals.begin(), literals.end());
        left.code.push_back(op);
        return Condition(std::move(left));
    }

    static Part Condition(Part part) { return {Type::kBoolean, part.at, std::move(part.code)}; }

    std::optional<Part> ParseConcat() {
        auto whole = ParsePrimary();
        if (!whole || !Is("&")) return whole;
        if (!MakeText(*whole)) return std::nullopt;
        std::uint32_t count = 1;
        while (Is("&")) {
            if (!Advance()) return std::nullopt;
            auto part = ParsePrimary();
            if (!part || !MakeText(*part)) return std::nullopt;
            Append(whole->code, part->code);
            whole->longest = whole->longest && part->longest
                                 ? std::optional(*whole->longest + *part->longest)
                                 : std::nullopt;
            if (!whole->unprintable) whole->unprintable = part->unprintable;
            ++count;
        }
        whole->literal.reset();
        whole->code.push_back({OpKind::kConcat, Comparison::kEqual, count});
        return whole;
    }

    /// Turns it into the text that it is printed as.
    bool MakeText(Part& part) {
        if (part.type == Type::kText) return true;
        const auto printer = PrinterOf(part, std::nullopt, part.at);
        if (!printer) return false;
        Print(part, *printer);
        return true;
    }
    void Print(Part& part, const Printer& printer) {
        part.longest = LongestPrinted(part, printer);
        part.type = Type::kText;
        part.values = nullptr;
        part.literal.reset();
        part.code.push_back({OpKind::kToText, Comparison::kEqual,
                             static_cast<std::uint32_t>(constants().printers.size())});
        constants().printers.push_back(printer);
    }

    // --- primaries

    struct Nesting {
        explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
        ~Nesting() { --depth_; }
        Nesting(const Nesting&) = delete;
        int& depth_;
    };
    std::nullopt_t TooDeep() {
        return Refuse(
            reason::kExpressionTooLarge, token_.at,
            "more than " + std::to_string(kExpressionDepthMax) + " expressions within each other");
    }

    std::optional<Part> ParsePrimary() {
        const Nesting nesting(depth_);
        if (depth_ > kExpressionDepthMax) return TooDeep();
        const Token token = token_;
        if (Is("(")) {
            if (!Advance()) return std::nullopt;
            auto part = ParseOr();
            if (!part || !Expect(")")) return std::nullopt;
            return part;
        }
        const bool word = Is("and") || Is("or") || Is("not") || Is("in");
        if (token.kind == TokenKind::kSymbol || token.kind == TokenKind::kEnd || word) {
            return Malformed("expected a field, a literal or a function" +
                             (token.kind == TokenKind::kEnd ? std::string(", not the end")
                                                            : ", not " + Quoted(token.text)));
        }
        if (!Advance()) return std::nullopt;
        if (token.kind == TokenKind::kText) return TextLiteral(token);
        if (token.kind == TokenKind::kInteger) return IntegerLiteral(token);
        if (Is("(")) return ParseCall(token);
        if (token.text.starts_with("file.")) return FileValueOf(token);
        return FieldOf(token);
    }

    Op Push(const Value& literal) {
        constants().literals.push_back(literal);
        return {OpKind::kLiteral, Comparison::kEqual,
                static_cast<std::uint32_t>(constants().literals.size() - 1)};
    }
    Part TextLiteral(const Token& token) {
        Part part{Type::kText, token.at};
        part.literal = constants().Text(token.text);
        part.code = {Push(*part.literal)};
        part.longest = compilation_.encoder.SizeOf(token.text);
        if (!part.longest) {
            part.unprintable = {reason::kTextNotEncodable, token.at,
                                "the encoding lacks a character of " + Quoted(token.text)};
        }
        return part;
    }
    Part IntegerLiteral(const Token& token) {
        Part part{Type::kInteger, token.at};
        part.literal = Value::Integer(token.number);
        part.code = {Push(*part.literal)};
        part.longest = std::to_string(token.number).size();
        return part;
    }

    std::optional<Part> FieldOf(const Token& token) {
        const std::vector<Field>& fields = compilation_.schema.fields;
        const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
            return field.name == token.text;
        });
        if (found == fields.end()) {
            return Refuse(reason::kFieldUnknown, token.at,
                          "source " + compilation_.schema.source + " has no field " +
                              Quoted(token.text) + "; it has " +
                              ListOf(fields, [](const Field& field) { return field.name; }));
        }
        if (place_ != Place::kRow && !within_total_) {
            return Refuse(reason::kNotAvailableHere, token.at,
                          "a header or trailer has no row; it has file.… and total(…)");
        }
        const auto index = static_cast<std::size_t>(found - fields.begin());
        compilation_.fields_used[index] = true;
        Part part{found->type, token.at};
        part.code = {{OpKind::kField, Comparison::kEqual, static_cast<std::uint32_t>(index),
                      static_cast<std::uint32_t>(found->type)}};
        if (found->longest > 0) part.longest = found->longest;
        if (found->type == Type::kEnum || found->type == Type::kEnumSet) {
            part.values = &found->values;
            part.longest = LongestOf(*found);
        }
        return part;
    }
    std::optional<std::size_t> LongestOf(const Field& field) const {
        std::size_t longest = 0;
        std::size_t all = 0;
        for (const std::string& value : field.values) {
            const auto size = compilation_.encoder.SizeOf(value);
            if (!size) return std::nullopt;
            longest = std::max(longest, *size);
            all += *size + 1;
        }
        return field.type == Type::kEnum ? longest : std::max<std::size_t>(all, 1) - 1;
    }

    std::optional<Part> FileValueOf(const Token& token) {
        struct Known {
            std::string_view name;
            FileValue value;
            Type type;
        };
        constexpr Known kKnown[] = {
            {"file.merchant_id", FileValue::kMerchantId, Type::kText},
            {"file.date", FileValue::kDate, Type::kDate},
            {"file.from", FileValue::kFrom, Type::kInstant},
            {"file.to", FileValue::kTo, Type::kInstant},
            {"file.part", FileValue::kPart, Type::kInteger},
            {"file.split", FileValue::kSplit, Type::kText},
            {"file.version", FileValue::kVersion, Type::kInteger},
            {"file.rows", FileValue::kRows, Type::kInteger},
        };
        for (const Known& known : kKnown) {
            if (known.name != token.text) continue;
            if (known.value == FileValue::kRows) {
                if (place_ == Place::kRow) {
                    return Refuse(reason::kNotAvailableHere, token.at,
                                  "the count of rows is for headers and trailers");
                }
                compilation_.counts_in_header |= place_ == Place::kHeader;
            }
            if (within_total_) return NotInTotal(token);
            Part part{known.type, token.at};
            part.code = {
                {OpKind::kFile, Comparison::kEqual, static_cast<std::uint32_t>(known.value)}};
            return part;
        }
        return Refuse(reason::kFieldUnknown, token.at,
                      Quoted(token.text) + " is not known of a file; known are " +
                          ListOf(kKnown, [](const Known& known) { return known.name; }));
    }
    std::nullopt_t NotInTotal(const Token& token) {
        return Refuse(reason::kNotAvailableHere, token.at, "a total is over fields of rows");
    }

    // --- functions

    std::optional<Part> ParseCall(const Token& name) {
        if (!Advance()) return std::nullopt;
        if (name.text == "map") return ParseMap(name);
        if (name.text == "total") return ParseTotal(name);
        std::vector<Part> arguments;
        while (!Is(")")) {
            if (!arguments.empty() && !Expect(",")) return std::nullopt;
            auto argument = ParseOr();
            if (!argument) return std::nullopt;
            arguments.push_back(*std::move(argument));
        }
        if (!Advance()) return std::nullopt;
        return Call(name, std::move(arguments));
    }

    std::optional<Part> Call(const Token& name, std::vector<Part> arguments) {
        struct Function {
            std::string_view name;
            std::size_t arguments;
            std::string_view usage;
            std::optional<Part> (Parser::*call)(const Token&, std::vector<Part>&);
        };
        static constexpr Function kKnown[] = {
            {"if", 3, "if(condition, then, otherwise)", &Parser::If},
            {"default", 2, "default(value, if it is empty)", &Parser::Default},
            {"empty", 1, "empty(value)", &Parser::Empty},
            {"negate", 1, "negate(number)", &Parser::NegateOrAbs},
            {"abs", 1, "abs(number)", &Parser::NegateOrAbs},
            {"currency", 1, "currency(money)", &Parser::CurrencyOf},
            {"format", 2, "format(value, 'format')", &Parser::Format},
            {"substring", 3, "substring(text, first character from 1, characters)",
             &Parser::Substring},
            {"pad_left", 3, "pad_left(text, characters, 'filler')", &Parser::PadText},
            {"pad_right", 3, "pad_right(text, characters, 'filler')", &Parser::PadText},
        };
        for (const Function& function : kKnown) {
            if (function.name != name.text) continue;
            if (arguments.size() != function.arguments) {
                return Refuse(reason::kArgumentsWrong, name.at,
                              "it is " + std::string(function.usage) + ", not with " +
                                  std::to_string(arguments.size()) + " arguments");
            }
            auto part = (this->*function.call)(name, arguments);
            if (part) {
                part->at = name.at;
                part->literal.reset();
            }
            return part;
        }
        return Refuse(
            reason::kFunctionUnknown, name.at,
            "there is no function " + Quoted(name.text) + "; there are " + std::string(kFunctions));
    }

    /// Makes two branches the same type: as they are, or both texts.
    bool Unify(Part& a, Part& b) {
        if (a.type == b.type && a.values == b.values) return true;
        const bool enums = a.type == Type::kEnum && b.type == Type::kEnum;
        if (a.type != Type::kText && b.type != Type::kText && !enums) {
            WrongType(b, "type " + std::string(TypeName(a.type)) +
                             " as in the other case, or a text in one of them");
            return false;
        }
        return MakeText(a) && MakeText(b);
    }

    std::optional<Part> If(const Token&, std::vector<Part>& arguments) {
        Part& condition = arguments[0];
        Part& then = arguments[1];
        Part& otherwise = arguments[2];
        if (condition.type != Type::kBoolean) return WrongType(condition, "a condition");
        if (!Unify(then, otherwise)) return std::nullopt;
        Part part{then.type, 0, std::move(condition.code), then.values};
        const auto place = [&] { return static_cast<std::uint32_t>(part.code.size()); };
        const std::size_t unless = part.code.size();
        part.code.push_back({OpKind::kJumpUnless});
        Append(part.code, then.code);
        const std::size_t jump = part.code.size();
        part.code.push_back({OpKind::kJump});
        part.code[unless].a = place();
        Append(part.code, otherwise.code);
        part.code[jump].a = place();
        part.longest = Larger(then.longest, otherwise.longest);
        part.unprintable = then.unprintable ? then.unprintable : otherwise.unprintable;
        return part;
    }

    std::optional<Part> Default(const Token&, std::vector<Part>& arguments) {
        Part& value = arguments[0];
        Part& otherwise = arguments[1];
        if (value.type == Type::kBoolean) return WrongType(value, "something that may be empty");
        if (value.unprintable && value.unprintable->reason == reason::kMapIncomplete) {
            value.unprintable.reset();
        }
        if (!Unify(value, otherwise)) return std::nullopt;
        Part part{value.type, 0, std::move(value.code), value.values};
        const std::size_t jump = part.code.size();
        part.code.push_back({OpKind::kJumpIfPresent});
        Append(part.code, otherwise.code);
        part.code[jump].a = static_cast<std::uint32_t>(part.code.size());
        part.longest = Larger(value.longest, otherwise.longest);
        part.unprintable = value.unprintable ? value.unprintable : otherwise.unprintable;
        return part;
    }

    std::optional<Part> Empty(const Token&, std::vector<Part>& arguments) {
        arguments[0].code.push_back({OpKind::kIsEmpty});
        return Condition(std::move(arguments[0]));
    }

    std::optional<Part> NegateOrAbs(const Token& name, std::vector<Part>& arguments) {
        Part& number = arguments[0];
        if (!IsNumber(number.type)) return WrongType(number, "a number");
        const bool negates = name.text == "negate";
        number.code.push_back({negates ? OpKind::kNegate : OpKind::kAbs});
        if (negates && number.longest) ++*number.longest;
        return std::move(number);
    }

    std::optional<Part> CurrencyOf(const Token&, std::vector<Part>& arguments) {
        Part& money = arguments[0];
        if (money.type != Type::kMoney) return WrongType(money, "money");
        money.code.push_back({OpKind::kCurrency});
        money.type = Type::kText;
        money.longest = 3;
        return std::move(money);
    }

    std::optional<Part> Format(const Token&, std::vector<Part>& arguments) {
        Part& value = arguments[0];
        const Part& format = arguments[1];
        if (!format.literal || format.type != Type::kText) {
            return WrongType(format, "the format as a text literal");
        }
        const auto printer = PrinterOf(value, std::string(format.literal->text()), format.at);
        if (!printer) return std::nullopt;
        Print(value, *printer);
        return std::move(value);
    }

    /// A literal integer of that range.
    std::optional<std::uint32_t> Count(const Part& part, std::int64_t least, std::int64_t most) {
        if (!part.literal || part.type != Type::kInteger) {
            return WrongType(part, "a literal number");
        }
        const std::int64_t number = part.literal->number();
        if (number >= least && number <= most) return static_cast<std::uint32_t>(number);
        return Refuse(reason::kArgumentsWrong, part.at,
                      "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }

    std::optional<Part> Substring(const Token&, std::vector<Part>& arguments) {
        Part& text = arguments[0];
        if (text.type == Type::kJson) return WrongType(text, "a text");
        if (!MakeText(text)) return std::nullopt;
        const auto first = Count(arguments[1], 1, kCharactersMax);
        const auto count = first ? Count(arguments[2], 0, kCharactersMax) : std::nullopt;
        if (!count) return std::nullopt;
        text.code.push_back({OpKind::kSubstring, Comparison::kEqual, *first - 1, *count});
        // Of two characters the one that is left out may be the longer.
        text.longest.reset();
        return std::move(text);
    }

    std::optional<Part> PadText(const Token& name, std::vector<Part>& arguments) {
        Part& text = arguments[0];
        const Part& filler = arguments[2];
        if (text.type == Type::kJson) return WrongType(text, "a text");
        if (!MakeText(text)) return std::nullopt;
        const auto count = Count(arguments[1], 0, kPadMax);
        if (!count) return std::nullopt;
        if (!filler.literal || filler.type != Type::kText ||
            CharactersIn(filler.literal->text()) != 1) {
            return Refuse(reason::kArgumentsWrong, filler.at, "one character as a text literal");
        }
        const OpKind kind = name.text == "pad_left" ? OpKind::kPadLeft : OpKind::kPadRight;
        text.code.push_back({kind, Comparison::kEqual, *count, filler.code.front().a});
        if (text.longest) text.longest = std::max<std::size_t>(*text.longest, *count);
        if (!text.unprintable) text.unprintable = filler.unprintable;
        return std::move(text);
    }

    std::optional<Part> ParseMap(const Token& name) {
        auto value = ParseOr();
        if (!value || !Expect(",")) return std::nullopt;
        const Token map_name = token_;
        if (map_name.kind != TokenKind::kName) return Malformed("expected the name of a map");
        if (!Advance() || !Expect(")")) return std::nullopt;
        const auto found = compilation_.maps.find(map_name.text);
        if (found == compilation_.maps.end()) {
            return Refuse(reason::kMapUnknown, map_name.at,
                          "there is no map " + Quoted(map_name.text) + " under maps; there are: " +
                              ListOf(compilation_.maps, [](const auto& map) { return map.first; }));
        }
        const bool by_place = value->type == Type::kEnum || value->type == Type::kEnumSet;
        if (!by_place && value->type != Type::kText) return WrongType(*value, "an enum or a text");
        auto part = by_place ? MapEnum(*value, found->second, map_name)
                             : MapText(*value, found->second, map_name);
        if (part) part->at = name.at;
        return part;
    }

    std::optional<Part> MapEnum(Part& value, const ValueMap& texts, const Token& map_name) {
        for (const auto& [key, text] : texts) {
            if (std::find(value.values->begin(), value.values->end(), key) == value.values->end()) {
                return Refuse(reason::kEnumValueUnknown, map_name.at,
                              "the map has " + Quoted(key) + ", which is none of the values: " +
                                  ListOf(*value.values, [](const auto& name) { return name; }));
            }
        }
        std::string missing;
        for (const std::string& key : *value.values) {
            if (texts.find(key) == texts.end()) missing += (missing.empty() ? "" : ", ") + key;
        }
        const bool set = value.type == Type::kEnumSet;
        Part part{Type::kText, 0, std::move(value.code)};
        const MapUse& use = UseOf(texts, value.values);
        part.longest = set ? use.all : use.longest;
        part.code.push_back({set ? OpKind::kMapSet : OpKind::kMap, Comparison::kEqual, use.index});
        if (!missing.empty()) {
            part.unprintable = {
                reason::kMapIncomplete, map_name.at,
                "the map has no text for " + missing +
                    (set ? std::string() : "; default(map(…), '…') gives them one")};
        }
        return part;
    }

    std::optional<Part> MapText(Part& value, const ValueMap& texts, const Token& map_name) {
        Part part{Type::kText, 0, std::move(value.code)};
        const MapUse& use = UseOf(texts, nullptr);
        part.longest = use.longest;
        part.code.push_back({OpKind::kMapText, Comparison::kEqual, use.index});
        part.unprintable = {reason::kMapIncomplete, map_name.at,
                            "a text may be none of the map's; default(map(…), '…') gives it one"};
        return part;
    }

    /// Compiles the map at its first use; `values` of an enum, or null.
    const MapUse& UseOf(const ValueMap& texts, const std::vector<std::string>* values) {
        const auto [at, added] = compilation_.map_uses.try_emplace({&texts, values});
        MapUse& use = at->second;
        if (!added) return use;
        CompiledMap map;
        for (const auto& [key, text] : texts) {
            const std::size_t size = compilation_.encoder.SizeOf(text).value_or(0);
            use.longest = std::max(use.longest, size);
            use.all += size + (use.all > 0 ? 1 : 0);
            const Value mapped = constants().Text(text);
            map.by_text.emplace(constants().Text(key).text(), mapped);
        }
        for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
            const auto found = map.by_text.find((*values)[i]);
            map.by_place.push_back(found == map.by_text.end() ? Value() : found->second);
        }
        use.index = static_cast<std::uint32_t>(constants().maps.size());
        constants().maps.push_back(std::move(map));
        return use;
    }

    std::optional<Part> ParseTotal(const Token& name) {
        if (place_ == Place::kRow) {
            return Refuse(reason::kNotAvailableHere, name.at,
                          "a total is for headers and trailers");
        }
        compilation_.counts_in_header |= place_ == Place::kHeader;
        if (within_total_) return NotInTotal(name);
        within_total_ = true;
        auto value = ParseOr();
        within_total_ = false;
        if (!value || !Expect(")")) return std::nullopt;
        if (!IsNumber(value->type)) return WrongType(*value, "a number");
        const std::uint32_t sum =
            AddSum(Expression{value->type, std::move(value->code)}, compilation_);
        Part part{value->type, name.at};
        part.code = {{OpKind::kSum, Comparison::kEqual, sum}};
        return part;
    }

    Constants& constants() { return compilation_.constants; }

    const std::string_view text_;
    const Place place_;
    Compilation& compilation_;
    std::size_t next_ = 0;
    Token token_;
    int depth_ = 0;
    bool within_total_ = false;
    Refusal refusal_;
};

}  // namespace

std::variant<Expression, Refusal> Compile(std::string_view text, Place place,
                                          const std::optional<std::string>& format,
                                          Compilation& compilation) {
    Parser parser(text, place, compilation);
    auto part = parser.Parse();
    if (!part) return std::move(parser.refusal());
    compilation.operations += part->code.size();
    if (compilation.operations > kOperationsMax) {
        return Refusal{reason::kExpressionTooLarge, 0,
                       "all expressions together have more than " + std::to_string(kOperationsMax) +
                           " operations"};
    }
    Expression expression{part->type, part->code};
    if (part->type == Type::kBoolean) return expression;
    if (part->unprintable) return *std::move(part->unprintable);
    auto printer = parser.PrinterOf(*part, format, 0);
    if (!printer) {
        parser.refusal().in_format = format.has_value();
        return std::move(parser.refusal());
    }
    expression.longest = parser.LongestPrinted(*part, *printer);
    expression.printer = *std::move(printer);
    return expression;
}

std::uint32_t AddSum(const Expression& expression, Compilation& compilation) {
    const auto sum = static_cast<std::uint32_t>(compilation.sum_types.size());
    Append(compilation.sums, expression.code);
    compilation.sums.push_back({OpKind::kAdd, Comparison::kEqual, sum});
    compilation.sum_types.push_back(expression.type);
    return sum;
}

}  // namespace kessai::filetemplate::internal
