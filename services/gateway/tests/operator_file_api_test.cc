// Goal: what an operator asks of merchants' files reaches reconciliation as it was meant, or is
// refused by name; and a file comes as it is. Method: the real HTTP server and handlers, before a
// real gRPC server that notes what it was asked and answers what the test says.

#include "transport/operator_file_api.h"
#include "tests/served_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "domain/file_links.h"
#include "domain/sha256.h"
#include "kessai/auth/key_ring.h"
#include "kessai/auth/token.h"
#include "kessai/http/server.h"
#include "kessai/http/testing/raw_client.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/rpc/server.h"
#include "kessai/rpc/service.h"
#include "kessai/testing/matchers.h"
#include "transport/piece_stream.h"
#include "transport/routes.h"

namespace kessai::gateway {
namespace {

namespace rc = reconciliation::v1;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kKeys[] =
    "key 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\nsign 1\n";

class OperatorFileApiTest : public ::testing::Test {
 protected:
    using Api = transport::OperatorFileApi;

    OperatorFileApiTest() {
        server_.Add(MakeService());
        EXPECT_OK(server_.Start());
        channel_.emplace(
            rpc::Channel::Create({.target = "127.0.0.1:" + std::to_string(server_.port())},
                                 SystemClock())
                .value());
        auto caller = std::make_shared<auth::Principal>();
        caller->role = auth::Role::kOperator;
        caller->subject = "aiko";
        caller->scopes = {"any"};
        operator_ = std::move(caller);
        AddRoutes();
        loop_.Start();
        http_server_ = std::make_unique<http::Server>(http::Server::Options(), router_,
                                                      std::vector<net::Loop*>{&loop_}, observer_);
        EXPECT_OK(http_server_->Listen("127.0.0.1", 0));
        file_.set_file_id(5);
        file_.set_merchant_id(7);
        file_.set_name("売上.csv");
        file_.set_business_date(20261130);
        file_.set_bytes(content_.size());
        file_.set_sha256(domain::Sha256::Of(content_));
    }
    ~OperatorFileApiTest() override {
        EXPECT_TRUE(http_server_->Drain(std::chrono::seconds(5)));
        loop_.Stop();
        workers_.Stop();
        channel_.reset();
        (void)server_.Stop(std::chrono::seconds(5));
    }

    struct Answer {
        int status = 0;
        std::string head;
        std::string text;
        json body;
        std::string code() const { return body.is_object() ? body.value("code", "") : ""; }
    };
    Answer Send(const std::string& method, const std::string& target, const std::string& body = {},
                const std::string& header = {}) {
        http::testing::RawClient client(http_server_->port());
        client.Send(method + " /operator/v1" + target + " HTTP/1.1\r\nHost: x\r\n" + header +
                    (body.empty() ? "" : "Content-Type: application/json\r\n") +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        const std::string raw = client.Answer();
        Answer answer;
        answer.status = raw.size() > 12 ? std::stoi(raw.substr(9, 3)) : 0;
        const std::size_t end = std::min(raw.find("\r\n\r\n") + 4, raw.size());
        answer.head = raw.substr(0, end);
        answer.text = raw.substr(end);
        answer.body = json::parse(answer.text, nullptr, false);
        return answer;
    }
    /// What reconciliation was asked since the last time.
    std::vector<std::string> Taken() {
        std::lock_guard lock(mutex_);
        return std::exchange(taken_, {});
    }
    void Refuse(Status status) {
        std::lock_guard lock(mutex_);
        refusal_ = std::move(status);
    }

    std::string content_ = std::string(100'000, 'a') + "end";
    rc::File file_;
    const auth::FixedKeyRing keys_{*auth::KeyRing::Parse(kKeys)};
    auth::TokenSigner signer_{keys_, SystemClock()};
    auth::PrincipalPtr operator_;
    std::optional<rpc::Channel> channel_;

 private:
    template <class Request, class Response>
    void Note(rpc::Service& service, const char* method) {
        service.Async<Request, Response>(
            method, [this, method](const rpc::CallContext& context, const Request& request,
                                   rpc::Answer<Response> answer) {
                std::lock_guard lock(mutex_);
                taken_.push_back(std::string(method) + " by " + context.principal().subject + ": " +
                                 request.ShortDebugString());
                if (!refusal_.ok()) return answer(refusal_);
                if constexpr (std::is_same_v<Response, rc::File>) {
                    answer(file_);
                } else {
                    answer(Response());
                }
            });
    }
    rpc::Service MakeService() {
        const auto& contract = *rc::File::descriptor()->file()->service(0);
        std::vector<auth::MethodRule> rules;
        for (int i = 0; i < contract.method_count(); ++i) {
            rules.push_back({contract.method(i)->name(),
                             {auth::Operator("any")},
                             auth::MethodRule::Token::kInMetadata,
                             {}});
        }
        rpc::Service service(contract.full_name(), auth::MethodPolicy(std::move(rules)));
        Note<rc::PutFileTemplateRequest, rc::FileTemplate>(service, "PutFileTemplate");
        Note<rc::ListFileTemplatesRequest, rc::ListFileTemplatesResponse>(service,
                                                                          "ListFileTemplates");
        Note<rc::GetFileTemplateRequest, rc::FileTemplate>(service, "GetFileTemplate");
        Note<rc::PreviewFileTemplateRequest, rc::FilePreview>(service, "PreviewFileTemplate");
        Note<rc::AssignFileTemplateRequest, rc::AssignFileTemplateResponse>(service,
                                                                            "AssignFileTemplate");
        Note<rc::ListFileAssignmentsRequest, rc::ListFileAssignmentsResponse>(
            service, "ListFileAssignments");
        Note<rc::MakeFilesRequest, rc::FileRun>(service, "MakeFiles");
        Note<rc::CancelFileRunRequest, rc::FileRun>(service, "CancelFileRun");
        Note<rc::GetFileRunRequest, rc::FileRun>(service, "GetFileRun");
        Note<rc::ListFileRunsRequest, rc::ListFileRunsResponse>(service, "ListFileRuns");
        Note<rc::ListFilesRequest, rc::ListFilesResponse>(service, "ListFiles");
        Note<rc::GetFileRequest, rc::File>(service, "GetFile");
        Note<rc::AnnounceFileRequest, rc::File>(service, "AnnounceFile");
        service.Streaming<rc::GetFileContentRequest, rc::FilePiece>(
            "GetFileContent", workers_,
            [this](const rpc::CallContext&, const rc::GetFileContentRequest& request,
                   rpc::StreamWriter<rc::FilePiece>& pieces) -> Status {
                rc::FilePiece piece;
                *piece.mutable_file() = file_;
                pieces.Write(piece);
                piece.Clear();
                piece.set_content(content_.substr(request.offset()));
                pieces.Write(piece);
                return OkStatus();
            });
        return service;
    }
    void AddRoutes() {
        const RouteMembers<Api> members{
            {"operator_listFileTemplates", &Api::ListTemplates},
            {"operator_putFileTemplate", &Api::PutTemplate},
            {"operator_getFileTemplate", &Api::GetTemplate},
            {"operator_listFileAssignments", &Api::ListAssignments},
            {"operator_assignFileTemplate", &Api::Assign},
            {"operator_previewFile", &Api::Preview},
            {"operator_makeFiles", &Api::Make},
            {"operator_listFileRuns", &Api::ListRuns},
            {"operator_getFileRun", &Api::GetRun},
            {"operator_cancelFileRun", &Api::CancelRun},
            {"operator_listFiles", &Api::List},
            {"operator_getFile", &Api::Get},
            {"operator_getFileContent", &Api::GetContent},
            {"operator_announceFile", &Api::Announce},
        };
        ServeRoutes(router_, api_, members, operator_);
    }

    const auth::TokenVerifier verifier_{keys_, SystemClock(), {.audience = "reconciliation"}};
    std::mutex mutex_;
    std::vector<std::string> taken_;
    Status refusal_;
    rpc::WorkerPool workers_{{.name = "test", .threads = 4}};
    rpc::Server server_{{.listen_address = "127.0.0.1:0"}, SystemClock(), verifier_, nullptr};
    const transport::ChannelOf channel_of_ = [this](const http::Request&) -> const rpc::Channel& {
        return *channel_;
    };
    const transport::PerLoop<app::AuthenticatePartner> partners_;
    const domain::FileLinks links_{{}, {std::string(32, 'k')}};
    const transport::PartnerFilesApi downloads_{{},       partners_, channel_of_,  signer_,
                                                workers_, links_,    SystemClock()};
    const Api api_{channel_of_, signer_, downloads_, SystemClock()};
    net::Loop loop_{"test"};
    http::Router router_{transport::MakeFamilies()};
    http::ServerObserver observer_;
    std::unique_ptr<http::Server> http_server_;
};

TEST_F(OperatorFileApiTest, WhatIsMeantIsAsked) {
    const struct {
        const char* method;
        const char* target;
        const char* body;
        const char* taken;
    } cases[] = {
        {"PUT", "/file-templates/own", R"({"yaml":"source: x\n","scheduleAt":"02:00"})",
         R"(PutFileTemplate by aiko: name: "own" yaml: "source: x\n" schedule_at: "02:00")"},
        {"PUT", "/file-templates/own", R"({"scheduleAt":"02:00"})",
         R"(PutFileTemplate by aiko: name: "own" schedule_at: "02:00")"},
        {"GET", "/file-templates?pageSize=5&pageToken=a", "",
         R"(ListFileTemplates by aiko: page_size: 5 page_token: "a")"},
        {"GET", "/file-templates/own", "", R"(GetFileTemplate by aiko: name: "own")"},
        {"GET", "/file-templates/own?version=3", "",
         R"(GetFileTemplate by aiko: name: "own" version: 3)"},
        {"PUT", "/file-templates/own/assignments",
         R"({"mode":"SCHEDULED","fromDate":"2026-11-30"})",
         R"(AssignFileTemplate by aiko: name: "own" mode: SCHEDULED from_date: 20261130)"},
        {"PUT", "/file-templates/own/assignments",
         R"({"mode":"NOT_ASSIGNED","merchantIds":["7","8"]})",
         R"(AssignFileTemplate by aiko: name: "own" merchant_ids: 7 merchant_ids: 8 )"
         R"(mode: NOT_ASSIGNED)"},
        {"GET", "/file-templates/own/assignments", "",
         R"(ListFileAssignments by aiko: name: "own")"},
        {"POST", "/file-previews",
         R"({"template":"own","version":2,"merchantId":"7","businessDate":"2026-11-30","rows":3})",
         R"(PreviewFileTemplate by aiko: name: "own" version: 2 merchant_id: 7 )"
         R"(business_date: 20261130 rows_max: 3)"},
        {"POST", "/file-previews",
         R"({"yaml":"source: x","merchantId":"7","businessDate":"2026-11-30"})",
         R"(PreviewFileTemplate by aiko: yaml: "source: x" merchant_id: 7 business_date: 20261130)"},
        {"POST", "/file-runs", R"({"template":"own","businessDate":"2026-11-30"})",
         R"(MakeFiles by aiko: name: "own" business_date: 20261130)"},
        {"POST", "/file-runs",
         R"({"template":"own","businessDate":"2026-11-30","merchantId":"7",)"
         R"("again":{"reason":"why","force":true}})",
         R"(MakeFiles by aiko: name: "own" business_date: 20261130 merchant_id: 7 )"
         R"(again { reason: "why" force: true })"},
        {"GET", "/file-runs?template=own&businessDate=2026-11-30", "",
         R"(ListFileRuns by aiko: name: "own" business_date: 20261130)"},
        {"GET", "/file-runs/9", "", "GetFileRun by aiko: run_id: 9"},
        {"POST", "/file-runs/9/cancel", R"({"reason":"another layout"})",
         R"(CancelFileRun by aiko: run_id: 9 reason: "another layout")"},
        {"GET", "/files?merchantId=7&from=2026-11-01&to=2026-11-30&template=own&latestOnly=true",
         "",
         R"(ListFiles by aiko: merchant_id: 7 from_date: 20261101 to_date: 20261130 )"
         R"(template_name: "own" latest_only: true)"},
        {"GET", "/files/5", "", "GetFile by aiko: file_id: 5"},
        {"POST", "/files/5/announcements", "", "AnnounceFile by aiko: file_id: 5"},
    };
    for (const auto& one : cases) {
        const Answer answer = Send(one.method, one.target, one.body);
        EXPECT_EQ(answer.status, 200) << one.target << answer.text;
        EXPECT_THAT(Taken(), ElementsAre(one.taken)) << one.target;
    }
    const Answer shown = Send("GET", "/files/5");
    EXPECT_EQ(shown.body["fileId"], "5");
    EXPECT_EQ(shown.body["businessDate"], "2026-11-30");
    EXPECT_EQ(shown.body["sha256"].get<std::string>().size(), 64u);
    Refuse(Status(Code::kFailedPrecondition, "DAY_NOT_CLOSED", "not yet"));
    const Answer refused =
        Send("POST", "/file-runs", R"({"template":"own","businessDate":"2026-11-30"})");
    EXPECT_EQ(refused.code(), "DAY_NOT_CLOSED");
    // They can put it right.
    Refuse(Status(Code::kUnavailable, "STORE_GONE", "opening the folder files"));
    const Answer gone = Send("GET", "/files/5");
    EXPECT_EQ(gone.status, 503);
    EXPECT_EQ(gone.code(), "STORE_GONE");
}

TEST_F(OperatorFileApiTest, WhatMakesNoSenseIsRefusedByName) {
    const struct {
        const char* method;
        const char* target;
        const char* body;
        const char* code;
    } cases[] = {
        {"PUT", "/file-templates/own", "{}", "FIELD_MALFORMED"},
        {"PUT", "/file-templates/own", R"({"yamll":"x"})", "FIELD_UNKNOWN"},
        {"GET", "/file-templates/own?version=x", "", "FIELD_MALFORMED"},
        {"PUT", "/file-templates/own/assignments", R"({"mode":"DAILY"})", "FIELD_MALFORMED"},
        {"PUT", "/file-templates/own/assignments", R"({"mode":"SCHEDULED","merchantIds":[]})",
         "FIELD_MALFORMED"},
        {"PUT", "/file-templates/own/assignments", R"({"mode":"SCHEDULED","merchantIds":["x"]})",
         "FIELD_MALFORMED"},
        {"PUT", "/file-templates/own/assignments",
         R"({"mode":"SCHEDULED","fromDate":"30.11.2026"})", "FIELD_MALFORMED"},
        {"POST", "/file-previews",
         R"({"template":"a","yaml":"b","merchantId":"7","businessDate":"2026-11-30"})",
         "FIELD_MALFORMED"},
        {"POST", "/file-previews", R"({"template":"a","merchantId":"7"})", "FIELD_MISSING"},
        {"POST", "/file-previews",
         R"({"template":"a","merchantId":"7","businessDate":"2026-11-30","rows":1001})",
         "FIELD_MALFORMED"},
        {"POST", "/file-runs", R"({"template":"own"})", "FIELD_MISSING"},
        {"POST", "/file-runs", R"({"template":"own","businessDate":"2026-11-31"})",
         "FIELD_MALFORMED"},
        {"POST", "/file-runs", R"({"template":"own","businessDate":"2026-11-30","again":{}})",
         "FIELD_MISSING"},
        {"POST", "/file-runs",
         R"({"template":"own","businessDate":"2026-11-30","again":{"reason":"a","forced":true}})",
         "FIELD_UNKNOWN"},
        {"GET", "/file-runs/x", "", "FILE_RUN_UNKNOWN"},
        {"POST", "/file-runs/9/cancel", "{}", "FIELD_MISSING"},
        {"POST", "/file-runs/x/cancel", R"({"reason":"why"})", "FILE_RUN_UNKNOWN"},
        {"GET", "/file-runs?businessDate=30.11.2026", "", "FIELD_MALFORMED"},
        {"GET", "/files/0", "", "FILE_UNKNOWN"},
        {"GET", "/files?latestOnly=yes", "", "FIELD_MALFORMED"},
        {"GET", "/files?merchantId=x", "", "FIELD_MALFORMED"},
        {"GET", "/files?from=yesterday", "", "FIELD_MALFORMED"},
        {"GET", "/files?from=2026-11-30&to=2026-11-29", "", "FIELD_MALFORMED"},
        {"GET", "/files?pageSize=1001", "", "FIELD_MALFORMED"},
    };
    for (const auto& one : cases) {
        const Answer answer = Send(one.method, one.target, one.body);
        EXPECT_EQ(answer.code(), one.code) << one.target << one.body << answer.text;
        EXPECT_THAT(Taken(), IsEmpty()) << one.target;
    }
}

// Goal: a stream of pieces is read whole or as far as it is wanted, and never taken for whole.
TEST_F(OperatorFileApiTest, PiecesAreReadUpToTheirBound) {
    using transport::PieceEnd;
    const auto read = [&](std::size_t bytes_max, PieceEnd end, std::string& into,
                          const std::function<Status(const rc::FilePiece&)>& check = {}) {
        constexpr rpc::Name kService = "kessai.reconciliation.v1.FileService";
        const auto& method =
            rpc::MethodOf<kService, "GetFileContent", rc::GetFileContentRequest, rc::FilePiece>();
        const std::string token = signer_.Mint(*operator_, "reconciliation").value();
        return transport::ReadPieces(*channel_, method, rc::GetFileContentRequest(),
                                     {.timeout = std::chrono::seconds(10), .token = token},
                                     bytes_max, end, into, check);
    };
    std::string whole;
    EXPECT_OK(read(content_.size(), PieceEnd::kOfStream, whole));
    EXPECT_EQ(whole, content_);
    std::string more;
    EXPECT_THAT(read(content_.size() - 1, PieceEnd::kOfStream, more),
                testing::Refuses(Code::kResourceExhausted, transport::kFileTooLarge));
    std::string some = "before ";
    EXPECT_OK(read(10, PieceEnd::kWhenEnough, some));
    EXPECT_EQ(some, "before aaaaaaaaaa");
    std::string none;
    EXPECT_THAT(
        read(10, PieceEnd::kWhenEnough, none,
             [](const rc::FilePiece&) { return Status(Code::kDataLoss, "ANOTHER_FILE", ""); }),
        testing::Refuses(Code::kDataLoss, "ANOTHER_FILE"));
    EXPECT_EQ(none, "");
}

TEST_F(OperatorFileApiTest, AFileComesAsItIs) {
    const Answer whole = Send("GET", "/files/5/content");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.text, content_);
    EXPECT_THAT(whole.head, HasSubstr("filename*=UTF-8''"));
    EXPECT_THAT(Taken(), ElementsAre("GetFile by aiko: file_id: 5"));
    const Answer part = Send("GET", "/files/5/content", {}, "Range: bytes=100000-\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.text, "end");
    EXPECT_EQ(Send("GET", "/files/x/content").code(), "FILE_UNKNOWN");
    Refuse(Status(Code::kNotFound, "FILE_UNKNOWN", "no file 5"));
    EXPECT_EQ(Send("GET", "/files/5/content").code(), "FILE_UNKNOWN");
}

}  // namespace
}  // namespace kessai::gateway
