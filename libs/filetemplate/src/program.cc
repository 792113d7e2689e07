#include "program.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <limits>

#include "encoding.h"
#include "kessai/result/check.h"

namespace kessai::filetemplate::internal {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::int64_t kMicrosPerMinute = 60'000'000;

char* Append(std::string_view text, char* out) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

bool IsText(const Value& value) {
    return value.type() == Type::kText || value.type() == Type::kJson;
}

/// An empty value differs from each, and is neither less nor greater than any; so do amounts in
/// different currencies.
bool Compare(const Value& a, const Value& b, Comparison comparison) {
    // An integer is compared with minor units of any currency.
    const bool other_currency =
        a.type() == Type::kMoney && b.type() == Type::kMoney && a.currency() != b.currency();
    if (a.is_empty() || b.is_empty() || other_currency) {
        return comparison == Comparison::kNotEqual;
    }
    const std::strong_ordering order =
        IsText(a) ? a.text() <=> b.text() : a.number() <=> b.number();
    switch (comparison) {
        case Comparison::kEqual:
            return order == 0;
        case Comparison::kNotEqual:
            return order != 0;
        case Comparison::kLess:
            return order < 0;
        case Comparison::kLessOrEqual:
            return order <= 0;
        case Comparison::kGreater:
            return order > 0;
        case Comparison::kGreaterOrEqual:
            return order >= 0;
    }
    return false;
}

bool Has(std::uint64_t bits, std::size_t place) {
    return (bits >> place & 1) != 0;
}

/// Texts of the set's members with commas between them. `text_of(place)`.
template <class TextOf>
std::string_view PrintSet(std::uint64_t bits, std::size_t count, TextOf text_of, Arena& arena) {
    std::size_t bytes = 0;
    for (std::size_t place = 0; place < count; ++place) {
        if (Has(bits, place)) bytes += text_of(place).size() + 1;
    }
    char* const begin = arena.Reserve(bytes);
    char* out = begin;
    for (std::size_t place = 0; place < count; ++place) {
        if (!Has(bits, place)) continue;
        if (out != begin) *out++ = ',';
        out = Append(text_of(place), out);
    }
    return arena.Take(out);
}

void CheckPlace(std::int64_t place, std::size_t count) {
    KESSAI_CHECK(place >= 0 && static_cast<std::size_t>(place) < count,
                 "a row has a value that its enum has not");
}
void CheckBits(std::int64_t bits, std::size_t count) {
    KESSAI_CHECK(count == kEnumValuesMax || static_cast<std::uint64_t>(bits) >> count == 0,
                 "a row has a value that its enum set has not");
}

}  // namespace

void Append(Ops& code, const Ops& more) {
    const auto offset = static_cast<std::uint32_t>(code.size());
    for (Op op : more) {
        const bool jumps = op.kind == OpKind::kJump || op.kind == OpKind::kJumpUnless ||
                           op.kind == OpKind::kJumpIfPresent;
        if (jumps) op.a += offset;
        code.push_back(op);
    }
}

void Arena::Grow(std::size_t bytes) {
    const std::size_t size = std::max(bytes, kChunkBytes);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
}

void Arena::Reset() {
    used_ = 0;
    if (chunks_.size() < 2) return;
    std::size_t size = 0;
    for (const Chunk& chunk : chunks_) size += chunk.size;
    chunks_.clear();
    Grow(size);
}

std::optional<std::string_view> Printer::Print(const Value& value, Arena& arena) const {
    if (value.is_empty()) return std::string_view{};
    switch (type) {
        case Type::kText:
        case Type::kJson:
            return value.text();
        case Type::kInteger:
        case Type::kMoney: {
            const int decimals = type == Type::kMoney ? value.currency().exponent() : 0;
            char* out = arena.Reserve(NumberFormat::kBytesMax);
            return arena.Take(number.Append(value.number(), decimals, out));
        }
        case Type::kInstant: {
            const std::int64_t local = value.number() / kMicrosPerMinute + offset_minutes;
            const std::int64_t day = local * kMicrosPerMinute / kMicrosPerDay;
            // A day less at both ends, so that rounding does not matter.
            if (!DateFormat::IsDayPrintable(day - 1) || !DateFormat::IsDayPrintable(day + 1)) {
                return std::nullopt;
            }
            char* out = arena.Reserve(DateFormat::kBytesMax);
            return arena.Take(date.AppendInstant(value.number(), offset_minutes, out));
        }
        case Type::kDate: {
            if (!DateFormat::IsDayPrintable(value.number())) return std::nullopt;
            char* out = arena.Reserve(DateFormat::kBytesMax);
            return arena.Take(date.AppendDay(value.number(), out));
        }
        case Type::kEnum:
            CheckPlace(value.number(), names.size());
            return names[static_cast<std::size_t>(value.number())];
        case Type::kEnumSet: {
            CheckBits(value.number(), names.size());
            const auto name = [this](std::size_t place) -> std::string_view {
                return names[place];
            };
            return PrintSet(static_cast<std::uint64_t>(value.number()), names.size(), name, arena);
        }
        case Type::kBoolean:
            return value.number() != 0 ? "true" : "false";
    }
    return std::nullopt;
}

const Op* Machine::Run(const Ops& code, std::size_t& at) {
    while (true) {
        const Op& op = code[at++];
        switch (op.kind) {
            case OpKind::kLiteral:
                stack_[depth_++] = constants_->literals[op.a];
                break;
            case OpKind::kField:
                KESSAI_CHECK(row_[op.a].is_empty() || row_[op.a].type() == Type(op.b),
                             "a value is of its field's type");
                stack_[depth_++] = row_[op.a];
                break;
            case OpKind::kFile:
                stack_[depth_++] = file_[op.a];
                break;
            case OpKind::kSum:
                stack_[depth_++] = sums_[op.a];
                break;
            case OpKind::kJump:
                at = op.a;
                break;
            case OpKind::kJumpUnless:
                if (stack_[--depth_].number() == 0) at = op.a;
                break;
            case OpKind::kJumpIfPresent:
                if (!Top().is_empty()) {
                    at = op.a;
                } else {
                    --depth_;
                }
                break;
            case OpKind::kFilter:
            case OpKind::kCell:
            case OpKind::kAdd:
                --depth_;
                return &op;
            case OpKind::kLineEnd:
            case OpKind::kEnd:
                depth_ = 0;
                return &op;
            default:
                if (!Apply(op)) {
                    depth_ = 0;
                    return nullptr;
                }
        }
    }
}

bool Machine::Apply(const Op& op) {
    switch (op.kind) {
        case OpKind::kToText: {
            if (Top().is_empty()) return true;
            const auto text = constants_->printers[op.a].Print(Top(), arena_);
            if (!text) return false;
            Top() = Value::Text(*text);
            return true;
        }
        case OpKind::kConcat:
            Concat(op.a);
            return true;
        case OpKind::kCompare: {
            const Value& right = stack_[--depth_];
            Top() = Value::Boolean(Compare(Top(), right, op.comparison));
            return true;
        }
        case OpKind::kIn: {
            const auto begin = constants_->literals.begin() + op.a;
            Top() = Value::Boolean(std::any_of(begin, begin + op.b, [this](const Value& literal) {
                return Compare(Top(), literal, Comparison::kEqual);
            }));
            return true;
        }
        case OpKind::kAnd:
        case OpKind::kOr: {
            const bool right = stack_[--depth_].number() != 0;
            const bool left = Top().number() != 0;
            Top() = Value::Boolean(op.kind == OpKind::kAnd ? left && right : left || right);
            return true;
        }
        case OpKind::kNot:
            Top() = Value::Boolean(Top().number() == 0);
            return true;
        case OpKind::kIsEmpty:
            Top() = Value::Boolean(Top().is_empty() || (IsText(Top()) && Top().text().empty()));
            return true;
        case OpKind::kMap: {
            const CompiledMap& map = constants_->maps[op.a];
            if (Top().is_empty()) return true;
            CheckPlace(Top().number(), map.by_place.size());
            Top() = map.by_place[static_cast<std::size_t>(Top().number())];
            return true;
        }
        case OpKind::kMapSet:
            MapSet(constants_->maps[op.a]);
            return true;
        case OpKind::kMapText: {
            const CompiledMap& map = constants_->maps[op.a];
            if (Top().is_empty()) return true;
            const auto found = map.by_text.find(Top().text());
            Top() = found == map.by_text.end() ? Value() : found->second;
            return true;
        }
        case OpKind::kAbs:
            return Top().is_empty() || Top().number() >= 0 || Negate();
        case OpKind::kNegate:
            return Top().is_empty() || Negate();
        case OpKind::kCurrency:
            if (Top().is_empty()) return true;
            {
                const Currency currency = Top().currency();
                const std::string_view code = currency.code();
                Top() = Value::Text(arena_.Take(Append(code, arena_.Reserve(code.size()))));
            }
            return true;
        case OpKind::kSubstring: {
            if (Top().is_empty()) return true;
            std::string_view text = Top().text();
            text.remove_prefix(BytesOfCharacters(text, op.a));
            Top() = Value::Text(text.substr(0, BytesOfCharacters(text, op.b)));
            return true;
        }
        case OpKind::kPadLeft:
        case OpKind::kPadRight:
            Pad(op);
            return true;
        default:
            KESSAI_CHECK(false, "an operation without a meaning");
    }
}

void Machine::Concat(std::size_t count) {
    depth_ -= count;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) bytes += stack_[depth_ + i].text().size();
    char* out = arena_.Reserve(bytes);
    for (std::size_t i = 0; i < count; ++i) out = Append(stack_[depth_ + i].text(), out);
    stack_[depth_++] = Value::Text(arena_.Take(out));
}

void Machine::MapSet(const CompiledMap& map) {
    if (Top().is_empty()) return;
    CheckBits(Top().number(), map.by_place.size());
    const auto text = [&map](std::size_t place) { return map.by_place[place].text(); };
    Top() = Value::Text(
        PrintSet(static_cast<std::uint64_t>(Top().number()), map.by_place.size(), text, arena_));
}

void Machine::Pad(const Op& op) {
    if (Top().is_empty()) return;
    const std::string_view text = Top().text();
    const std::size_t characters = CharactersIn(text);
    if (characters >= op.a) return;
    const std::string_view filler = constants_->literals[op.b].text();
    const std::size_t count = op.a - characters;
    char* out = arena_.Reserve(text.size() + count * filler.size());
    if (op.kind == OpKind::kPadRight) out = Append(text, out);
    for (std::size_t i = 0; i < count; ++i) out = Append(filler, out);
    if (op.kind == OpKind::kPadLeft) out = Append(text, out);
    Top() = Value::Text(arena_.Take(out));
}

bool Machine::Negate() {
    const Value value = Top();
    if (value.number() == std::numeric_limits<std::int64_t>::min()) return false;
    Top() = value.type() == Type::kMoney ? Value::Of(Money(-value.number(), value.currency()))
                                         : Value::Integer(-value.number());
    return true;
}

}  // namespace kessai::filetemplate::internal
