// Goal: who issues an invoice and to whom is checked before it is on paper.
// Method: published corporate numbers, every other check digit of theirs, and malformed texts.

#include "domain/invoice_parties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/statement_reason.h"

namespace kessai::payout::domain {
namespace {

TEST(RegistrationNumberTest, TheCheckDigitIsThatOfCorporateNumbers) {
    // The National Tax Agency's own, the Bank of Japan's, and the Ministry of Finance's.
    for (const std::string number : {"7000012050002", "3010005002599", "8000012050001"}) {
        EXPECT_TRUE(CheckRegistrationNumber("T" + number).ok()) << number;
        for (char digit = '0'; digit <= '9'; ++digit) {
            std::string other = number;
            other[0] = digit;
            EXPECT_EQ(CheckRegistrationNumber("T" + other).ok(), other == number) << other;
        }
    }
}

TEST(RegistrationNumberTest, MalformedOnesAreRefused) {
    for (const char* number : {"", "T", "7000012050002", "T700001205000", "T70000120500022",
                               "t7000012050002", "T700001205000X", "T 000012050002"}) {
        const Status status = CheckRegistrationNumber(number);
        EXPECT_EQ(status.reason(), reason::kIssuerInvalid) << number;
    }
}

TEST(IssuerTest, AllOrNothingIsGiven) {
    EXPECT_TRUE(CheckIssuer({}).ok());
    EXPECT_TRUE(CheckIssuer({"決済株式会社", "", "T9000000000000"}).ok());
    EXPECT_EQ(CheckIssuer({"決済株式会社", "", ""}).reason(), reason::kIssuerInvalid);
    EXPECT_EQ(CheckIssuer({"", "", "T9000000000000"}).reason(), reason::kIssuerInvalid);
    EXPECT_EQ(CheckIssuer({"", "東京都", ""}).reason(), reason::kIssuerInvalid);
}

TEST(ProfileTest, NamesArePrintedAsTheyAre) {
    const auto check = [](std::string name) {
        return CheckProfile({MerchantId(1), 0, std::move(name), "aiko"});
    };
    EXPECT_TRUE(check("株式会社みせ 本店").ok());
    EXPECT_TRUE(check(std::string(120, 'a')).ok());
    for (const std::string& name :
         {std::string(), std::string(121, 'a'), std::string(" みせ"), std::string("みせ "),
          std::string("み\nせ"), std::string("み\x7Fせ")}) {
        EXPECT_EQ(check(name).reason(), reason::kProfileInvalid) << name;
    }
}

}  // namespace
}  // namespace kessai::payout::domain
