#include "transport/routes.h"

#include <array>
#include <utility>

#include "transport/partner_api.h"
#include "transport/problem.h"

namespace kessai::gateway::transport {

namespace {

using std::chrono::seconds;
using M = http::Method;
using F = RouteFamily;
using U = Upstream;
using A = Authentication;

// Bodies: most requests are below a kilobyte; an order with a hundred items and metadata is not.
constexpr std::size_t kNoBody = 1'024;  // some SDKs send "{}" where nothing is asked for
constexpr std::size_t kSmall = 8 * 1'024;
constexpr std::size_t kOrder = 64 * 1'024;
// A layout of files of 256 KiB, as JSON text.
constexpr std::size_t kTemplate = 600 * 1'024;
// Ten thousand ids.
constexpr std::size_t kItems = 256 * 1'024;
// A bank's result file, as JSON text, unless the configuration says otherwise.
constexpr std::size_t kResults = 4 * 1'024 * 1'024;
// The contract recommends clients 30 s for POST and 15 s for the others: ours end before.
constexpr seconds kWrite{20};
constexpr seconds kRead{10};
// Releasing or comparing a day; its end can be asked for.
constexpr seconds kJob{29};

constexpr RouteSpec kRoutes[] = {
    // The partner interface
    {"v2_createDynamicQRCode", M::kPost, "/v2/codes", 2, F::kPartner, U::kPayment, A::kPartner,
     "codes", kOrder, kWrite},
    {"v2_deleteDynamicQRCode", M::kDelete, "/v2/codes/{codeId}", 2, F::kPartner, U::kPayment,
     A::kPartner, "codes", kNoBody, kRead},
    {"v2_getQRPaymentDetails", M::kGet, "/v2/codes/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "codes", kNoBody, kRead},
    {"v2_getPaymentDetail", M::kGet, "/v2/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "payments", kNoBody, kRead},
    {"v2_cancelPayment", M::kDelete, "/v2/payments/{merchantPaymentId}", 2, F::kPartner,
     U::kPayment, A::kPartner, "payments", kNoBody, kRead},
    {"v2_createRefundPayment", M::kPost, "/v2/refunds", 2, F::kPartner, U::kPayment, A::kPartner,
     "refunds", kSmall, kWrite},
    // The Python SDK asks for, and signs, the slash.
    {"v2_createRefundPaymentSlash", M::kPost, "/v2/refunds/", 2, F::kPartner, U::kPayment,
     A::kPartner, "refunds", kSmall, kWrite},
    {"v2_getRefundDetails", M::kGet, "/v2/refunds/{merchantRefundId}", 2, F::kPartner, U::kPayment,
     A::kPartner, "refunds", kNoBody, kRead},
    {"v2_listFiles", M::kGet, "/v2/files", 2, F::kPartner, U::kReconciliation, A::kPartner, "files",
     kNoBody, kRead},
    {"v2_getFile", M::kGet, "/v2/files/{fileId}", 2, F::kPartner, U::kReconciliation, A::kPartner,
     "files", kNoBody, kRead},
    // By a link, which has a signature of its own.
    {"v2_getFileContent", M::kGet, "/v2/files/{fileId}/content", 2, F::kPartner, U::kReconciliation,
     A::kNone, "", kNoBody, kRead},

    // The app interface
    {"app_signIn", M::kPost, "/app/v1/sign-in", 1, F::kApp, U::kPayment, A::kAppUser, "", kNoBody,
     kWrite},
    {"app_getWallet", M::kGet, "/app/v1/wallet", 1, F::kApp, U::kPayment, A::kAppUser, "", kNoBody,
     kRead},
    {"app_topUp", M::kPost, "/app/v1/top-ups", 1, F::kApp, U::kPayment, A::kAppUser, "", kSmall,
     kWrite},
    {"app_getCode", M::kGet, "/app/v1/codes/{codeId}", 1, F::kApp, U::kPayment, A::kAppUser, "",
     kNoBody, kRead},
    {"app_payCode", M::kPost, "/app/v1/codes/{codeId}/payments", 1, F::kApp, U::kPayment,
     A::kAppUser, "", kSmall, kWrite},
    {"app_listHistory", M::kGet, "/app/v1/history", 1, F::kApp, U::kPayment, A::kAppUser, "",
     kNoBody, kRead},
    {"app_getPayment", M::kGet, "/app/v1/payments/{paymentId}", 1, F::kApp, U::kPayment,
     A::kAppUser, "", kNoBody, kRead},

    // The operator interface: merchants and their access
    {"operator_putMerchant", M::kPut, "/operator/v1/merchants/{merchantId}", 1, F::kOperator,
     U::kPayment, A::kOperator, "merchant:write", kSmall, kWrite},
    {"operator_getMerchant", M::kGet, "/operator/v1/merchants/{merchantId}", 1, F::kOperator,
     U::kPayment, A::kOperator, "merchant:read", kNoBody, kRead},
    {"operator_issueCredential", M::kPost, "/operator/v1/merchants/{merchantId}/credentials", 1,
     F::kOperator, U::kPayment, A::kOperator, "credential:write", kOrder, kWrite},
    {"operator_listCredentials", M::kGet, "/operator/v1/merchants/{merchantId}/credentials", 1,
     F::kOperator, U::kGateway, A::kOperator, "credential:read", kNoBody, kRead},
    {"operator_revokeCredential", M::kDelete,
     "/operator/v1/merchants/{merchantId}/credentials/{apiKey}", 1, F::kOperator, U::kGateway,
     A::kOperator, "credential:write", kNoBody, kWrite},
    {"operator_putWebhookEndpoint", M::kPut,
     "/operator/v1/merchants/{merchantId}/webhook-endpoints/{endpointName}", 1, F::kOperator,
     U::kGateway, A::kOperator, "webhook:write", kSmall, kWrite},
    {"operator_listWebhookEndpoints", M::kGet,
     "/operator/v1/merchants/{merchantId}/webhook-endpoints", 1, F::kOperator, U::kGateway,
     A::kOperator, "webhook:read", kNoBody, kRead},
    {"operator_deleteWebhookEndpoint", M::kDelete,
     "/operator/v1/merchants/{merchantId}/webhook-endpoints/{endpointName}", 1, F::kOperator,
     U::kGateway, A::kOperator, "webhook:write", kNoBody, kWrite},
    {"operator_testWebhookEndpoint", M::kPost,
     "/operator/v1/merchants/{merchantId}/webhook-endpoints/{endpointName}/test", 1, F::kOperator,
     U::kGateway, A::kOperator, "webhook:write", kNoBody, kWrite},
    {"operator_listWebhookDeliveries", M::kGet,
     "/operator/v1/merchants/{merchantId}/webhook-endpoints/{endpointName}/deliveries", 1,
     F::kOperator, U::kGateway, A::kOperator, "webhook:read", kNoBody, kRead},
    {"operator_getWebhookAttempts", M::kGet,
     "/operator/v1/webhook-deliveries/{deliveryId}/attempts", 1, F::kOperator, U::kGateway,
     A::kOperator, "webhook:read", kNoBody, kRead},
    {"operator_redeliver", M::kPost, "/operator/v1/webhook-deliveries/{deliveryId}/redeliver", 1,
     F::kOperator, U::kGateway, A::kOperator, "webhook:write", kNoBody, kWrite},

    // The operator interface: days, fees, releases
    {"operator_getDay", M::kGet, "/operator/v1/days/{date}", 1, F::kOperator, U::kPayment,
     A::kOperator, "day:read", kNoBody, kRead},
    {"operator_closeDay", M::kPost, "/operator/v1/days/{date}/close", 1, F::kOperator, U::kPayment,
     A::kOperator, "day:close", kNoBody, kWrite},
    {"operator_republishEvents", M::kPost, "/operator/v1/events/republish", 1, F::kOperator,
     U::kPayment, A::kOperator, "event:republish", kOrder, kWrite},
    {"operator_releaseDay", M::kPost, "/operator/v1/days/{date}/release", 1, F::kOperator,
     U::kPayout, A::kOperator, "day:release", kNoBody, kJob},
    {"operator_getRelease", M::kGet, "/operator/v1/days/{date}/release", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getReleaseProgress", M::kGet, "/operator/v1/days/{date}/release/progress", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_listHeldBack", M::kGet, "/operator/v1/days/{date}/held-back", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kJob},
    {"operator_putFeePlan", M::kPost, "/operator/v1/fee-plans", 1, F::kOperator, U::kPayout,
     A::kOperator, "plan:write", kOrder, kWrite},
    {"operator_listSharedFeePlans", M::kGet, "/operator/v1/fee-plans", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_listDefaultFeePlan", M::kGet, "/operator/v1/fee-plans/default", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_previewFeePlan", M::kPost, "/operator/v1/fee-plans/preview", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kOrder, kJob},
    {"operator_assignFeePlan", M::kPost, "/operator/v1/fee-plan-assignments", 1, F::kOperator,
     U::kPayout, A::kOperator, "plan:write", kOrder, kWrite},
    {"operator_listFeePlans", M::kGet, "/operator/v1/merchants/{merchantId}/fee-plans", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getMerchantBalance", M::kGet, "/operator/v1/merchants/{merchantId}/balance", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getMerchantDay", M::kGet, "/operator/v1/merchants/{merchantId}/days/{date}", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getAccrual", M::kGet, "/operator/v1/payments/{paymentId}/versions/{version}/accrual",
     1, F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},

    // The operator interface: paying merchants
    {"operator_putBankAccount", M::kPost, "/operator/v1/merchants/{merchantId}/bank-accounts", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_listBankAccounts", M::kGet, "/operator/v1/merchants/{merchantId}/bank-accounts", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_confirmBankAccount", M::kPost,
     "/operator/v1/merchants/{merchantId}/bank-accounts/{version}/confirm", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:approve", kNoBody, kWrite},
    {"operator_verifyBankAccount", M::kPost,
     "/operator/v1/merchants/{merchantId}/bank-accounts/{version}/verify", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kNoBody, kJob},
    {"operator_putPayoutTerms", M::kPost, "/operator/v1/payout-terms", 1, F::kOperator, U::kPayout,
     A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_getPayoutTerms", M::kGet, "/operator/v1/merchants/{merchantId}/payout-terms", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_putPayoutHold", M::kPost, "/operator/v1/merchants/{merchantId}/payout-holds", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_listPayoutHolds", M::kGet, "/operator/v1/payout-holds", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_liftPayoutHold", M::kPost, "/operator/v1/payout-holds/{holdId}/lift", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kNoBody, kWrite},
    {"operator_createTransfers", M::kPost, "/operator/v1/days/{date}/transfers", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kNoBody, kJob},
    {"operator_gatherTransfers", M::kPost, "/operator/v1/days/{date}/transfer-files", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kNoBody, kJob},
    {"operator_getTransferFile", M::kGet, "/operator/v1/transfer-files/{batchId}", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kNoBody, kJob},
    {"operator_importResults", M::kPost, "/operator/v1/transfer-results", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kResults, kJob},
    {"operator_requestPayout", M::kPost, "/operator/v1/merchants/{merchantId}/payouts", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_listPayouts", M::kGet, "/operator/v1/merchants/{merchantId}/payouts", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getPayout", M::kGet, "/operator/v1/payouts/{payoutId}", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_reissuePayout", M::kPost, "/operator/v1/payouts/{payoutId}/attempts", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_cancelTransfer", M::kPost, "/operator/v1/transfers/{transferId}/cancel", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_traceTransfer", M::kGet, "/operator/v1/transfers/{transferId}/trace", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_listDayAccruals", M::kGet,
     "/operator/v1/merchants/{merchantId}/days/{date}/accruals", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_tracePayment", M::kGet, "/operator/v1/payments/{paymentId}/trace", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_republishPayoutEvents", M::kPost, "/operator/v1/payout-events/republish", 1,
     F::kOperator, U::kPayout, A::kOperator, "event:republish", kOrder, kWrite},
    {"operator_requestAdjustment", M::kPost, "/operator/v1/merchants/{merchantId}/adjustments", 1,
     F::kOperator, U::kPayout, A::kOperator, "adjustment:write", kSmall, kWrite},
    {"operator_decideAdjustment", M::kPost, "/operator/v1/adjustments/{adjustmentId}/decision", 1,
     F::kOperator, U::kPayout, A::kOperator, "adjustment:approve", kSmall, kWrite},
    {"operator_listAdjustments", M::kGet, "/operator/v1/adjustments", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_putMerchantProfile", M::kPost, "/operator/v1/merchants/{merchantId}/profile", 1,
     F::kOperator, U::kPayout, A::kOperator, "transfer:write", kSmall, kWrite},
    {"operator_getMerchantProfile", M::kGet, "/operator/v1/merchants/{merchantId}/profile", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kRead},
    {"operator_getStatement", M::kGet, "/operator/v1/merchants/{merchantId}/statements/{month}", 1,
     F::kOperator, U::kPayout, A::kOperator, "payout:read", kNoBody, kJob},
    {"operator_issueStatement", M::kPost,
     "/operator/v1/merchants/{merchantId}/statements/{month}/issue", 1, F::kOperator, U::kPayout,
     A::kOperator, "transfer:write", kNoBody, kJob},
    {"operator_issueStatements", M::kPost, "/operator/v1/statements/{month}/issue", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kSmall, kJob},
    {"operator_correctStatement", M::kPost,
     "/operator/v1/merchants/{merchantId}/statements/{month}/corrections", 1, F::kOperator,
     U::kPayout, A::kOperator, "transfer:write", kSmall, kJob},
    {"operator_getTrialBalance", M::kGet, "/operator/v1/days/{date}/trial-balance", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kJob},
    {"operator_getFeeReport", M::kGet, "/operator/v1/days/{date}/fees", 1, F::kOperator, U::kPayout,
     A::kOperator, "payout:read", kNoBody, kJob},
    {"operator_listJournal", M::kGet, "/operator/v1/days/{date}/journal", 1, F::kOperator,
     U::kPayout, A::kOperator, "payout:read", kNoBody, kJob},

    // The operator interface: the customers' ledger, and both ledgers
    {"operator_getPaymentTrialBalance", M::kGet, "/operator/v1/days/{date}/payment/trial-balance",
     1, F::kOperator, U::kPayment, A::kOperator, "day:read", kNoBody, kJob},
    {"operator_listPaymentJournal", M::kGet, "/operator/v1/days/{date}/payment/journal", 1,
     F::kOperator, U::kPayment, A::kOperator, "day:read", kNoBody, kJob},
    {"operator_getDayBooks", M::kGet, "/operator/v1/days/{date}/books", 1, F::kOperator,
     U::kPayment, A::kOperator, "day:read", kNoBody, kJob},

    // The operator interface: reconciliation
    {"operator_getMatch", M::kGet, "/operator/v1/payments/{paymentId}/versions/{version}/match", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_reconcileDay", M::kPost, "/operator/v1/days/{date}/reconciliation", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:write", kNoBody, kJob},
    {"operator_getReconciliation", M::kGet, "/operator/v1/days/{date}/reconciliation", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_listDiscrepancies", M::kGet, "/operator/v1/discrepancies", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_getDiscrepancy", M::kGet, "/operator/v1/discrepancies/{discrepancyId}", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_changeDiscrepancy", M::kPatch, "/operator/v1/discrepancies/{discrepancyId}", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kSmall, kWrite},
    {"operator_assignDiscrepancy", M::kPut, "/operator/v1/discrepancies/{discrepancyId}/owner", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kSmall, kWrite},
    {"operator_previewRepair", M::kPost,
     "/operator/v1/discrepancies/{discrepancyId}/repairs/preview", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kSmall, kJob},
    {"operator_requestRepair", M::kPost, "/operator/v1/discrepancies/{discrepancyId}/repairs", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kSmall, kJob},
    {"operator_decideRepair", M::kPost,
     "/operator/v1/discrepancies/{discrepancyId}/repairs/{number}/decision", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:approve", kSmall, kWrite},
    {"operator_listRepairs", M::kGet, "/operator/v1/repairs", 1, F::kOperator, U::kReconciliation,
     A::kOperator, "recon:read", kNoBody, kRead},

    // The operator interface: statements of banks and networks
    {"operator_putStatementTemplate", M::kPut, "/operator/v1/outside/templates/{templateName}", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kOrder, kWrite},
    {"operator_getStatementTemplate", M::kGet, "/operator/v1/outside/templates/{templateName}", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_putOutsideRules", M::kPut, "/operator/v1/outside/accounts/{account}/rules", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kOrder, kWrite},
    {"operator_getOutsideRules", M::kGet, "/operator/v1/outside/accounts/{account}/rules", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_runOutside", M::kPost, "/operator/v1/outside/accounts/{account}/run", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kNoBody, kJob},
    {"operator_listUnmatchedOutside", M::kGet, "/operator/v1/outside/accounts/{account}/unmatched",
     1, F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_getOutsideSummary", M::kGet, "/operator/v1/outside/summary", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_importStatement", M::kPost, "/operator/v1/outside/imports", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:write", kResults, kJob},
    {"operator_listStatementImports", M::kGet, "/operator/v1/outside/imports", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_getStatementImport", M::kGet, "/operator/v1/outside/imports/{importId}", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_listOutsideMatches", M::kGet, "/operator/v1/outside/matches", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_matchOutsideItems", M::kPost, "/operator/v1/outside/matches", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:write", kItems, kWrite},
    {"operator_getOutsideMatch", M::kGet, "/operator/v1/outside/matches/{matchId}", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "recon:read", kNoBody, kRead},
    {"operator_decideOutsideMatch", M::kPost, "/operator/v1/outside/matches/{matchId}/decision", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "recon:write", kSmall, kWrite},

    // The operator interface: merchants' files
    {"operator_listFileTemplates", M::kGet, "/operator/v1/file-templates", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_putFileTemplate", M::kPut, "/operator/v1/file-templates/{template}", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:write", kTemplate, kWrite},
    {"operator_getFileTemplate", M::kGet, "/operator/v1/file-templates/{template}", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_listFileAssignments", M::kGet, "/operator/v1/file-templates/{template}/assignments",
     1, F::kOperator, U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_assignFileTemplate", M::kPut, "/operator/v1/file-templates/{template}/assignments",
     1, F::kOperator, U::kReconciliation, A::kOperator, "file:write", kOrder, kWrite},
    {"operator_previewFile", M::kPost, "/operator/v1/file-previews", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kTemplate, kJob},
    {"operator_makeFiles", M::kPost, "/operator/v1/file-runs", 1, F::kOperator, U::kReconciliation,
     A::kOperator, "file:write", kSmall, kJob},
    {"operator_listFileRuns", M::kGet, "/operator/v1/file-runs", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_getFileRun", M::kGet, "/operator/v1/file-runs/{runId}", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_cancelFileRun", M::kPost, "/operator/v1/file-runs/{runId}/cancel", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:write", kSmall, kWrite},
    {"operator_listFiles", M::kGet, "/operator/v1/files", 1, F::kOperator, U::kReconciliation,
     A::kOperator, "file:read", kNoBody, kRead},
    {"operator_getFile", M::kGet, "/operator/v1/files/{fileId}", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_getFileContent", M::kGet, "/operator/v1/files/{fileId}/content", 1, F::kOperator,
     U::kReconciliation, A::kOperator, "file:read", kNoBody, kRead},
    {"operator_announceFile", M::kPost, "/operator/v1/files/{fileId}/announcements", 1,
     F::kOperator, U::kReconciliation, A::kOperator, "file:write", kNoBody, kWrite},

    // The operator interface: events that a service could not apply
    {"operator_listDeadLetters", M::kGet, "/operator/v1/services/{service}/dead-letters", 1,
     F::kOperator, U::kGateway, A::kOperator, "dlq:read", kNoBody, kRead},
    {"operator_getDeadLetter", M::kGet,
     "/operator/v1/services/{service}/dead-letters/{topic}/{partition}/{offset}", 1, F::kOperator,
     U::kGateway, A::kOperator, "dlq:read", kNoBody, kRead},
    {"operator_replayDeadLetter", M::kPost,
     "/operator/v1/services/{service}/dead-letters/{topic}/{partition}/{offset}/replay", 1,
     F::kOperator, U::kGateway, A::kOperator, "dlq:write", kSmall, kJob},
    {"operator_discardDeadLetter", M::kPost,
     "/operator/v1/services/{service}/dead-letters/{topic}/{partition}/{offset}/discard", 1,
     F::kOperator, U::kGateway, A::kOperator, "dlq:write", kSmall, kJob},

    // What anybody may look at
    {"public_qr", M::kGet, "/qr/{code}", 1, F::kPublic, U::kGateway, A::kNone, "", kNoBody, kRead},
    {"public_openapi", M::kGet, "/openapi.json", 1, F::kPublic, U::kGateway, A::kNone, "", kNoBody,
     kRead},
    {"public_docs", M::kGet, "/docs", 1, F::kPublic, U::kGateway, A::kNone, "", kNoBody, kRead},

    // The development issuer
    {"dev_token", M::kPost, "/dev/v1/token", 1, F::kPublic, U::kGateway, A::kNone, "", kSmall,
     kRead, true},
    {"dev_operatorToken", M::kPost, "/dev/v1/operator-token", 1, F::kPublic, U::kGateway, A::kNone,
     "", kSmall, kRead, true},
    {"dev_jwks", M::kGet, "/dev/v1/jwks.json", 1, F::kPublic, U::kGateway, A::kNone, "", kNoBody,
     kRead, true},
};

}  // namespace

std::span<const RouteSpec> AllRoutes() {
    return kRoutes;
}

std::vector<std::string_view> UpstreamContracts() {
    return {"kessai.payment.v1.PaymentService",
            "kessai.payment.v1.BookService",
            "kessai.payout.v1.PayoutService",
            "kessai.payout.v1.TransferService",
            "kessai.payout.v1.StatementService",
            "kessai.reconciliation.v1.ReconciliationService",
            "kessai.reconciliation.v1.StatementService",
            "kessai.reconciliation.v1.RepairService",
            "kessai.reconciliation.v1.FileService",
            "kessai.inbox.v1.DeadLetterService"};
}

std::string_view UpstreamName(Upstream upstream) {
    switch (upstream) {
        case Upstream::kGateway:
            return "gateway";
        case Upstream::kPayment:
            return "payment";
        case Upstream::kPayout:
            return "payout";
        case Upstream::kReconciliation:
            return "reconciliation";
    }
    return "gateway";
}

std::string_view FamilyName(RouteFamily family) {
    switch (family) {
        case RouteFamily::kPublic:
            return "public";
        case RouteFamily::kPartner:
            return "partner";
        case RouteFamily::kApp:
            return "app";
        case RouteFamily::kOperator:
            return "operator";
    }
    return "public";
}

std::vector<std::unique_ptr<http::Family>> MakeFamilies() {
    std::vector<std::unique_ptr<http::Family>> families;
    const auto add = [&](RouteFamily family, const char* prefix, auto refuse) {
        auto made = std::make_unique<http::Family>();
        made->name = FamilyName(family);
        made->prefix = prefix;
        made->refuse = refuse;
        families.push_back(std::move(made));
    };
    add(RouteFamily::kPublic, "", ProblemFault);
    add(RouteFamily::kPartner, "/v2/", PartnerFault);
    add(RouteFamily::kApp, "/app/", ProblemFault);
    add(RouteFamily::kOperator, "/operator/", ProblemFault);
    return families;
}

std::size_t BodyBytesMax(const RouteSpec& route, std::size_t result_bytes_max) {
    if (route.body_bytes_max != kResults) return route.body_bytes_max;
    // A line's end and a quote are two bytes in JSON.
    return result_bytes_max + result_bytes_max / 3 + kOrder;
}

Status AddRoutes(http::Router& router, const ApiHandlers& handlers, bool development,
                 std::size_t result_bytes_max,
                 const std::function<http::Handler(const RouteSpec&, ApiHandler)>& wrap) {
    std::size_t used = 0;
    for (const RouteSpec& spec : AllRoutes()) {
        const auto handler = handlers.find(spec.name);
        if (handler != handlers.end()) ++used;
        if (spec.development_only && !development) continue;
        if (handler == handlers.end()) {
            return {Code::kInternal, "HANDLER_MISSING", std::string(spec.name)};
        }
        http::Route route;
        route.name = spec.name;
        route.method = spec.method;
        route.path = spec.path;
        route.family = router.FindFamily(FamilyName(spec.family));
        route.body_bytes_max = BodyBytesMax(spec, result_bytes_max);
        route.timeout = spec.timeout;
        route.handler = wrap(spec, handler->second);
        KESSAI_RETURN_IF_ERROR(router.Add(std::move(route)));
    }
    if (used != handlers.size()) {
        return {Code::kInternal, "HANDLER_WITHOUT_ROUTE", "a handler has no line in the table"};
    }
    return OkStatus();
}

}  // namespace kessai::gateway::transport
