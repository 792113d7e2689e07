#pragma once

/// What operators put of a bank's account, for tests.
namespace kessai::reconciliation::testing {

inline const char* const kBankTemplate = R"yaml(
name: bank
encoding: utf_8
account: "0001-004-1-7654321"
date: yyyy-MM-dd
columns: {booked: day, amount: amount, text: text, references: [ref]}
)yaml";

inline const char* const kBankRules = R"yaml(
rules:
  - {name: reference, action: match, reference_equal: true, days_before: 1, days_after: 5}
  - {name: amount and day, action: suggest, reference_equal: false, days_before: 1, days_after: 1}
)yaml";

}  // namespace kessai::reconciliation::testing
