#include "transport/pdf_statement_format.h"

#include <algorithm>
#include <string>
#include <vector>

#include "kessai/pdf/document.h"
#include "kessai/pdf/flow.h"
#include "transport/statement_words.h"

namespace kessai::payout::transport {
namespace {

using pdf::Align;
using pdf::Row;

constexpr double kTitleSize = 17;
constexpr double kNameSize = 12;
constexpr double kTextSize = 8.5;
constexpr pdf::Gray kFaint{0.45};

std::string Yen(std::int64_t amount) {
    return Grouped(amount) + "円";
}

/// Empty instead of a zero, so that what there is stands out.
std::string OrBlank(std::int64_t amount) {
    return amount == 0 ? std::string() : Grouped(amount);
}

std::string ShortDate(BusinessDate date) {
    return date.ToString();
}

std::string TitleOf(const domain::StatementPaper& paper) {
    return paper.is_draft() ? "取引明細書（下書き）" : "取引明細書 兼 適格請求書";
}

class Setter {
 public:
    Setter(const domain::StatementPaper& paper, pdf::Document& document)
        : paper_(paper),
          statement_(paper.statement),
          document_(document),
          flow_(document, {.text_size = kTextSize}) {}

    void Set() {
        SetHead();
        SetSummary();
        SetFees();
        SetPrices();
        SetDays();
        SetMoves();
        SetFeet();
    }

 private:
    void SetHead() {
        pdf::Page& page = flow_.page();
        const double left = flow_.left();
        const double right = flow_.right();
        double y = flow_.y() + kTitleSize;
        page.Text({(left + right) / 2, y}, kTitleSize, TitleOf(paper_), Align::kCenter);
        y += 10;
        page.Line({left, y}, {right, y}, 1.2);
        y += 26;
        const std::string name = paper_.recipient.empty()
                                     ? "加盟店番号 " + statement_.merchant.ToString()
                                     : paper_.recipient + " 御中";
        const double top = y;
        // Beside the issuer.
        const double half = (right - left) * 0.56;
        for (const std::string& line : document_.font().Wrap(name, kNameSize, half)) {
            page.Text({left, y}, kNameSize, line);
            y += kNameSize * 1.4;
        }
        y += 4;
        const auto say = [&](const std::string& label, const std::string& text) {
            page.Text({left, y}, kTextSize, label, Align::kLeft, kFaint);
            page.Text({left + 58, y}, kTextSize, text);
            y += kTextSize * 1.5;
        };
        say("対象期間", LongDate(statement_.cycle_start) + " ～ " + LongDate(statement_.cycle_end));
        say("加盟店番号", statement_.merchant.ToString());
        if (paper_.is_draft()) {
            say("状態", "未確定（適格請求書ではありません）");
        } else {
            say("番号", paper_.number);
            say("発行日", LongDate(paper_.issued_on));
        }
        if (paper_.corrects) {
            say("修正対象", paper_.corrects->number + "（" + LongDate(paper_.corrects->issued_on) +
                                "発行）の修正");
            std::string label = "修正理由";
            for (const std::string& line :
                 document_.font().Wrap(paper_.corrects->reason, kTextSize, half - 58)) {
                say(std::exchange(label, ""), line);
            }
        }
        double beside = top;
        const auto issue = [&](double size, const std::string& text) {
            if (text.empty()) return;
            for (const std::string& line : document_.font().Wrap(text, size, right - left - half)) {
                page.Text({right, beside}, size, line, Align::kRight);
                beside += size * 1.5;
            }
        };
        issue(10.5, paper_.issuer.name);
        issue(kTextSize, paper_.issuer.address);
        if (!paper_.is_draft()) issue(kTextSize, "登録番号 " + paper_.issuer.registration_number);
        flow_.MoveTo(std::max(y, beside) + 4);
    }

    void SetSummary() {
        flow_.Heading("精算の概要");
        const domain::StatementSums& sums = statement_.sums;
        std::vector<Row> rows;
        const auto add = [&](std::string what, std::int64_t amount, std::string note) {
            rows.push_back({{std::move(what), Yen(amount), std::move(note)}, false});
        };
        rows.push_back({{"前月からの繰越", Yen(statement_.opening), ""}, true});
        add("売上", sums.days.sales, std::to_string(sums.days.sale_count) + "件");
        add("返金・取消", sums.days.returns, std::to_string(sums.days.return_count) + "件");
        if (sums.days.benefits != 0) {
            add("加盟店負担のキャッシュバック・クーポン", sums.days.benefits, "");
        }
        add("決済手数料（税抜・返還後）", sums.days.fee, "内訳は下記");
        add("決済手数料の消費税", sums.days.tax, "");
        add("振込", sums.sent, "");
        if (sums.prices != 0) add("振込手数料（税込）", sums.prices, "内訳は下記");
        if (sums.came_back != 0) add("振込不能・組戻・取消による戻入", sums.came_back, "");
        if (sums.adjusted != 0) add("調整", sums.adjusted, "");
        rows.push_back({{"月末残高（翌月へ繰越）", Yen(statement_.closing),
                         statement_.closing_in_transit == 0
                             ? ""
                             : "ほかに振込処理中 " + Yen(statement_.closing_in_transit)},
                        true});
        flow_.Table(
            {{"項目", 5, Align::kLeft}, {"金額", 3, Align::kRight}, {"摘要", 4, Align::kLeft}},
            rows);
    }

    void SetFees() {
        flow_.Heading("決済手数料（" + MonthText(statement_.cycle_start) + "分）");
        if (statement_.rates.empty()) {
            flow_.Paragraph("この期間の決済手数料はありません。");
            return;
        }
        std::vector<Row> rows;
        std::int64_t supplied = 0;
        std::int64_t tax = 0;
        for (const domain::RateLine& rate : statement_.rates) {
            const std::string percent = RateText(rate.tax_class);
            if (rate.charged != 0) {
                rows.push_back(
                    {{"決済サービス利用料", percent, Grouped(rate.charged), "", ""}, false});
            }
            if (rate.given_back != 0) {
                const std::string days =
                    *rate.payment_first == *rate.payment_last
                        ? ShortDate(*rate.payment_first)
                        : ShortDate(*rate.payment_first) + "～" + ShortDate(*rate.payment_last);
                rows.push_back({{"返金による返還（取引日 " + days + "）", percent,
                                 Grouped(rate.given_back), "", ""},
                                false});
            }
            rows.push_back({{percent + "対象 計", percent, Grouped(rate.supplied),
                             Grouped(rate.tax), Grouped(rate.supplied + rate.tax)},
                            true});
            supplied += rate.supplied;
            tax += rate.tax;
        }
        if (statement_.rates.size() > 1) {
            rows.push_back(
                {{"合計", "", Grouped(supplied), Grouped(tax), Grouped(supplied + tax)}, true});
        }
        flow_.Table({{"内容", 6, Align::kLeft},
                     {"税率", 1.2, Align::kCenter},
                     {"対価（税抜）", 2, Align::kRight},
                     {"消費税額", 1.8, Align::kRight},
                     {"税込", 2, Align::kRight}},
                    rows);
        flow_.Paragraph(
            "消費税額は、税率ごとに、利用料から返還額を差し引いた対価に対して1回計算し、1円未満を"
            "切り捨てています。軽減税率の対象はありません。");
    }

    void SetPrices() {
        if (statement_.prices.empty()) return;
        flow_.Heading("振込手数料");
        std::vector<Row> rows;
        std::int64_t prices = 0;
        std::int64_t tax = 0;
        for (const domain::PriceLine& price : statement_.prices) {
            rows.push_back({{ShortDate(price.business_date), price.payout.ToString(),
                             price.charged_on ? "振込取消による返還（取引日 " +
                                                    ShortDate(*price.charged_on) + "）"
                                              : "振込サービス利用料",
                             RateText(price.tax_class), Grouped(price.price), Grouped(price.tax)},
                            false});
            prices += price.price;
            tax += price.tax;
        }
        rows.push_back({{"合計", "", "", "", Grouped(prices), Grouped(tax)}, true});
        flow_.Table({{"取引日", 2, Align::kLeft},
                     {"番号", 2, Align::kLeft},
                     {"内容", 4, Align::kLeft},
                     {"税率", 1.2, Align::kCenter},
                     {"対価（税込）", 2, Align::kRight},
                     {"うち消費税額", 2, Align::kRight}},
                    rows);
        if (!paper_.is_draft()) {
            flow_.Paragraph(
                "振込手数料は1件ごとに独立した適格請求書です（番号は各行の番号、発行者・登録番号・"
                "宛名は"
                "本書の記載のとおり）。消費税額は1件ごとに計算し、1円未満を切り捨てています。");
        }
    }

    void SetDays() {
        flow_.Heading("日別の売上精算");
        if (statement_.days.empty()) {
            flow_.Paragraph("この期間の取引はありません。");
            return;
        }
        std::vector<Row> rows;
        const bool several = statement_.rates.size() > 1;
        for (const domain::DayLine& day : statement_.days) rows.push_back(DayRow(day, several));
        const domain::DayLine& sum = statement_.sums.days;
        rows.push_back(
            {{"合計", Grouped(sum.sale_count), Grouped(sum.sales), OrBlank(sum.returns),
              OrBlank(sum.benefits), Grouped(sum.fee), Grouped(sum.tax), Grouped(sum.net)},
             true});
        flow_.Table({{several ? "取引日・税率" : "取引日", 2.4, Align::kLeft},
                     {"件数", 1.3, Align::kRight},
                     {"売上", 2.3, Align::kRight},
                     {"返金・取消", 2, Align::kRight},
                     {"販促費", 1.8, Align::kRight},
                     {"手数料", 1.8, Align::kRight},
                     {"消費税", 1.6, Align::kRight},
                     {"精算額", 2.3, Align::kRight}},
                    rows);
    }

    static Row DayRow(const domain::DayLine& day, bool several) {
        std::string date = ShortDate(day.business_date);
        if (several) date += "  " + RateText(day.tax_class);
        return {{std::move(date), OrBlank(day.sale_count), OrBlank(day.sales), OrBlank(day.returns),
                 OrBlank(day.benefits), OrBlank(day.fee), OrBlank(day.tax), Grouped(day.net)},
                false};
    }

    void SetMoves() {
        flow_.Heading("振込・調整");
        if (statement_.moves.empty()) {
            flow_.Paragraph("この期間の振込・調整はありません。");
            return;
        }
        std::vector<Row> rows;
        for (const domain::StatementMove& move : statement_.moves) {
            const domain::MerchantJournal& row = move.row;
            const std::int64_t change = domain::EffectOnAvailable(row);
            rows.push_back({{ShortDate(move.business_date), std::string(WordOf(row.kind)),
                             MoveNumber(move), OrBlank(change - domain::EffectOfPrice(row)),
                             OrBlank(domain::EffectOfPrice(row)), OrBlank(change), NoteOf(move)},
                            false});
        }
        const domain::StatementSums& sums = statement_.sums;
        rows.push_back({{"合計", "", "", Grouped(sums.sent + sums.came_back + sums.adjusted),
                         OrBlank(sums.prices),
                         Grouped(sums.sent + sums.came_back + sums.adjusted + sums.prices), ""},
                        true});
        flow_.Table({{"日付", 2.1, Align::kLeft},
                     {"種別", 1.6, Align::kLeft},
                     {"番号", 1.7, Align::kLeft},
                     {"金額", 2.2, Align::kRight},
                     {"手数料（税込）", 2.1, Align::kRight},
                     {"残高の増減", 2.3, Align::kRight},
                     {"摘要", 4.8, Align::kLeft}},
                    rows);
    }

    void SetFeet() {
        auto& pages = document_.pages();
        std::size_t number = 0;
        for (pdf::Page& page : pages) {
            const double y = pdf::kPageHeight - 30;
            page.Text({flow_.left(), y}, 7.5,
                      paper_.is_draft() ? "未確定の下書きです。内容は変わることがあります。"
                                        : paper_.number,
                      Align::kLeft, kFaint);
            page.Text({flow_.right(), y}, 7.5,
                      std::to_string(++number) + " / " + std::to_string(pages.size()) + " ページ",
                      Align::kRight, kFaint);
        }
    }

    const domain::StatementPaper& paper_;
    const domain::Statement& statement_;
    pdf::Document& document_;
    pdf::Flow flow_;
};

}  // namespace

Result<std::string> PdfStatementFormat::Write(const domain::StatementPaper& paper) const {
    pdf::Document document(
        font_, {.title = TitleOf(paper) + " " + MonthText(paper.statement.cycle_start),
                .author = paper.issuer.name,
                .created = paper.statement.cycle_end.Next().StartsAt() - std::chrono::seconds(1)});
    Setter(paper, document).Set();
    return document.Write();
}

}  // namespace kessai::payout::transport
