#include "transport/csv_statement_format.h"

#include <array>

#include "transport/statement_words.h"

namespace kessai::payout::transport {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kHead =
    "区分,項目,日付,番号,税率,売上件数,返金件数,売上,返金,販促費,手数料,消費税,振込・調整額,増減,"
    "残高,摘要\r\n";

std::string Quoted(std::string text) {
    if (!text.empty() &&
        std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
        text.insert(0, 1, '\'');
    }
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char letter : text) {
        if (letter == '"') quoted.push_back('"');
        quoted.push_back(letter);
    }
    return quoted + "\"";
}

/// A line, by the names of its cells; those that it has not are empty.
struct Line {
    std::string_view part;
    std::string_view item;
    std::string date = {};
    std::string number = {};
    std::string rate = {};
    std::string sale_count = {};
    std::string return_count = {};
    std::string sales = {};
    std::string returns = {};
    std::string benefits = {};
    std::string fee = {};
    std::string tax = {};
    std::string moved = {};
    std::string change = {};
    std::string balance = {};
    std::string note = {};

    void AppendTo(std::string& file) const {
        file += part;
        file += ',';
        file += item;
        for (const std::string* cell :
             std::array{&date, &number, &rate, &sale_count, &return_count, &sales, &returns,
                        &benefits, &fee, &tax, &moved, &change, &balance}) {
            file += ',';
            file += *cell;
        }
        file += ',' + Quoted(note) + "\r\n";
    }
};

Line OfDay(const domain::DayLine& day, std::int64_t balance) {
    return {.part = "日別",
            .item = "売上精算",
            .date = day.business_date.ToString(),
            .rate = RateText(day.tax_class),
            .sale_count = std::to_string(day.sale_count),
            .return_count = std::to_string(day.return_count),
            .sales = std::to_string(day.sales),
            .returns = std::to_string(day.returns),
            .benefits = std::to_string(day.benefits),
            .fee = std::to_string(day.fee),
            .tax = std::to_string(day.tax),
            .change = std::to_string(day.net),
            .balance = std::to_string(balance)};
}

Line OfMove(const domain::StatementMove& move, std::int64_t balance) {
    const domain::MerchantJournal& row = move.row;
    const std::int64_t change = domain::EffectOnAvailable(row);
    Line line{.part = "入出金",
              .item = WordOf(row.kind),
              .date = move.business_date.ToString(),
              .number = MoveNumber(move),
              .moved = std::to_string(change - domain::EffectOfPrice(row)),
              .change = std::to_string(change),
              .balance = std::to_string(balance),
              .note = NoteOf(move)};
    if (row.kind == domain::JournalKind::kTransferCreated) {
        line.fee = std::to_string(-row.fee);
        line.tax = std::to_string(-row.tax);
    } else if (row.kind == domain::JournalKind::kTransferCancelled) {
        line.fee = std::to_string(row.fee);
        line.tax = std::to_string(row.tax);
    }
    return line;
}

/// Days and moves by their date, the day's sales first, each with the balance behind it.
void AppendLedger(const domain::Statement& statement, std::string& file) {
    std::int64_t balance = statement.opening;
    auto move = statement.moves.begin();
    const auto append_moves_before = [&](BusinessDate date, bool all) {
        for (; move != statement.moves.end() && (all || move->business_date < date); ++move) {
            balance += domain::EffectOnAvailable(move->row);
            OfMove(*move, balance).AppendTo(file);
        }
    };
    for (const domain::DayLine& day : statement.days) {
        append_moves_before(day.business_date, false);
        balance += day.net;
        OfDay(day, balance).AppendTo(file);
    }
    append_moves_before({}, true);
}

void AppendInvoice(const domain::StatementPaper& paper, std::string& file) {
    const domain::Statement& statement = paper.statement;
    const std::string_view part = paper.is_draft() ? "請求内容" : "適格請求書";
    const std::string period =
        statement.cycle_start.ToString() + "/" + statement.cycle_end.ToString();
    for (const domain::RateLine& rate : statement.rates) {
        const std::string tax_rate = RateText(rate.tax_class);
        Line{.part = part,
             .item = "決済手数料",
             .number = paper.number,
             .rate = tax_rate,
             .fee = std::to_string(rate.charged),
             .note = "取引期間 " + period}
            .AppendTo(file);
        if (rate.given_back != 0) {
            Line{.part = part,
                 .item = "決済手数料返還",
                 .number = paper.number,
                 .rate = tax_rate,
                 .fee = std::to_string(rate.given_back),
                 .note = "基となる取引 " + rate.payment_first->ToString() + "/" +
                         rate.payment_last->ToString()}
                .AppendTo(file);
        }
        Line{.part = part,
             .item = "税率計",
             .number = paper.number,
             .rate = tax_rate,
             .fee = std::to_string(rate.supplied),
             .tax = std::to_string(rate.tax)}
            .AppendTo(file);
    }
    for (const domain::PriceLine& price : statement.prices) {
        Line{.part = part,
             .item = price.charged_on ? "振込手数料返還" : "振込手数料",
             .date = price.business_date.ToString(),
             .number = price.payout.ToString(),
             .rate = RateText(price.tax_class),
             .fee = std::to_string(price.price - price.tax),
             .tax = std::to_string(price.tax),
             .note = "税込 " + Grouped(price.price) +
                     (price.charged_on ? " 基となる取引 " + price.charged_on->ToString() : "")}
            .AppendTo(file);
    }
}

}  // namespace

Result<std::string> CsvStatementFormat::Write(const domain::StatementPaper& paper) const {
    const domain::Statement& statement = paper.statement;
    std::string file(kByteOrderMark);
    file += kHead;
    const auto say = [&](std::string_view item, std::string note) {
        Line{.part = "文書", .item = item, .note = std::move(note)}.AppendTo(file);
    };
    say("状態", paper.is_draft() ? "下書き（未確定）" : "確定");
    if (!paper.is_draft()) {
        say("番号", paper.number);
        say("発行日", paper.issued_on.ToString());
    }
    if (paper.corrects) {
        say("修正対象",
            paper.corrects->number + "（発行日 " + paper.corrects->issued_on.ToString() + "）");
        say("修正理由", paper.corrects->reason);
    }
    say("対象期間", statement.cycle_start.ToString() + "/" + statement.cycle_end.ToString());
    say("加盟店番号", statement.merchant.ToString());
    say("宛名", paper.recipient);
    say("発行者", paper.issuer.name);
    say("発行者住所", paper.issuer.address);
    say("登録番号", paper.issuer.registration_number);
    Line{.part = "残高",
         .item = "前月繰越",
         .date = statement.cycle_start.ToString(),
         .balance = std::to_string(statement.opening)}
        .AppendTo(file);
    AppendLedger(statement, file);
    Line{.part = "残高",
         .item = "月末残高",
         .date = statement.cycle_end.ToString(),
         .balance = std::to_string(statement.closing)}
        .AppendTo(file);
    Line{.part = "残高",
         .item = "振込処理中",
         .date = statement.cycle_end.ToString(),
         .balance = std::to_string(statement.closing_in_transit)}
        .AppendTo(file);
    AppendInvoice(paper, file);
    return file;
}

}  // namespace kessai::payout::transport
