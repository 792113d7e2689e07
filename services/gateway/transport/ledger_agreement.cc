#include "transport/ledger_agreement.h"

#include <algorithm>

namespace kessai::gateway::transport {
namespace {

namespace pa = payment::v1;
namespace po = payout::v1;

constexpr std::string_view kMerchantPayable = "MERCHANT_PAYABLE";
constexpr std::string_view kClearing = "CLEARING";

/// An account that is not there did not move.
template <class Balance>
typename Balance::Line LineOf(const Balance& balance, std::string_view account) {
    for (const auto& line : balance.lines()) {
        if (line.account() == account) return line;
    }
    return {};
}

bool PayoutHasClosed(const po::TrialBalance& payout) {
    return payout.state() != po::PayoutDay::STATE_UNSPECIFIED &&
           payout.state() != po::PayoutDay::OPEN;
}

void NotYet(LedgerAgreement& agreement, std::string_view because) {
    agreement.accord = Accord::kNotYet;
    agreement.because = because;
}
void Differs(LedgerAgreement& agreement, std::string_view because = {}) {
    agreement.accord = Accord::kDiffers;
    agreement.because = because;
}

LedgerAgreement PayableOfTheDay(const pa::TrialBalance& payment, const po::TrialBalance& payout) {
    LedgerAgreement day{.name = "PAYABLE_OF_THE_DAY",
                        .payment = LineOf(payment, kMerchantPayable).amount(),
                        .payout = -LineOf(payout, kClearing).amount()};
    if (!payment.final()) {
        NotYet(day, "PAYMENT_DAY_OPEN");
    } else if (!PayoutHasClosed(payout)) {
        NotYet(day, "PAYOUT_DAY_NOT_CLOSED");
    } else if (day.payment != day.payout) {
        Differs(day, payout.has_holds() ? "MERCHANTS_HELD_BACK" : "");
    }
    return day;
}

LedgerAgreement PayableToDate(const pa::TrialBalance& payment, const po::TrialBalance& payout,
                              const LedgerAgreement& day) {
    LedgerAgreement date{.name = "PAYABLE_TO_DATE",
                         .payment = LineOf(payment, kMerchantPayable).closing(),
                         .payout = -LineOf(payout, kClearing).closing()};
    if (day.accord == Accord::kNotYet) {
        NotYet(date, day.because);
    } else if (date.payment == date.payout) {
        return date;
    } else if (!payout.openings_closed()) {
        NotYet(date, "EARLIER_DAY_NOT_CLOSED");
    } else {
        Differs(date, day.because);
    }
    return date;
}

LedgerAgreement ReleasesOfTheDay(const pa::TrialBalance& payment, const po::TrialBalance& payout) {
    LedgerAgreement releases{.name = "RELEASES_OF_THE_DAY",
                             .payment = payment.cleared_gross(),
                             .payout = payout.released_gross()};
    if (payment.cleared_count() < payout.released_count()) {
        NotYet(releases, "RELEASE_NOT_CLEARED");
    } else if (payment.cleared_count() > payout.released_count() ||
               releases.payment != releases.payout) {
        Differs(releases);
    } else if (payout.state() != po::PayoutDay::RELEASED) {
        NotYet(releases, "PAYOUT_DAY_NOT_RELEASED");
    }
    return releases;
}

}  // namespace

std::string_view AccordName(Accord accord) {
    switch (accord) {
        case Accord::kAgrees:
            return "AGREES";
        case Accord::kNotYet:
            return "NOT_YET";
        case Accord::kDiffers:
            return "DIFFERS";
    }
    return "UNKNOWN";
}

std::vector<LedgerAgreement> CompareLedgers(const pa::TrialBalance& payment,
                                            const po::TrialBalance& payout) {
    const LedgerAgreement day = PayableOfTheDay(payment, payout);
    return {day, PayableToDate(payment, payout, day), ReleasesOfTheDay(payment, payout)};
}

Accord AccordOf(const std::vector<LedgerAgreement>& agreements) {
    Accord worst = Accord::kAgrees;
    for (const LedgerAgreement& one : agreements) worst = std::max(worst, one.accord);
    return worst;
}

}  // namespace kessai::gateway::transport
