#include "transport/partner_files_api.h"

#include <openssl/evp.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "domain/byte_range.h"
#include "domain/credential.h"
#include "domain/partner_contract.h"
#include "domain/sha256.h"
#include "domain/text_rules.h"
#include "kessai/reconciliation/v1/file_service.pb.h"
#include "kessai/time/business_date.h"
#include "transport/json_writer.h"
#include "transport/operator_forward.h"
#include "transport/page_query.h"
#include "transport/partner_api.h"
#include "transport/piece_stream.h"

namespace kessai::gateway::transport {

namespace {

namespace rc = reconciliation::v1;
using domain::PartnerOperation;

constexpr rpc::Name kFiles = "kessai.reconciliation.v1.FileService";
constexpr auto& ListFilesMethod =
    rpc::MethodOf<kFiles, "ListFiles", rc::ListFilesRequest, rc::ListFilesResponse>;
constexpr auto& GetFileMethod = rpc::MethodOf<kFiles, "GetFile", rc::GetFileRequest, rc::File>;
constexpr auto& GetFileContentMethod =
    rpc::MethodOf<kFiles, "GetFileContent", rc::GetFileContentRequest, rc::FilePiece>;
constexpr std::string_view kAudience = "reconciliation";
constexpr std::uint32_t kPageSizeMax = 1'000;
/// Who a link's request is in logs.
constexpr std::string_view kLinkSubject = "file-link";

Result<std::int64_t> FileIdOf(const http::Request& request) {
    const auto id = domain::ParseId(request.Parameter("fileId"));
    // What can't be an id of ours is no file of ours.
    if (!id) return Status(Code::kNotFound, "FILE_UNKNOWN", "there is no such file");
    return *id;
}

Instant MadeAt(const rc::File& file) {
    return FromMicros(file.made_at_us());
}

/// Without its end, so that more can be said of it.
void BeginFile(JsonWriter& json, const rc::File& file, Instant available_until) {
    const auto date = BusinessDate::FromNumber(file.business_date());
    json.BeginObject();
    json.Key("fileId").Id(file.file_id());
    json.Key("fileName").Text(file.name());
    json.Key("template").Text(file.template_name());
    json.Key("businessDate").TextOrNull(date.ok() ? date->ToString() : "");
    json.Key("version").Number(file.version());
    json.Key("part").Number(file.part());
    json.Key("bytes").Number(static_cast<std::int64_t>(file.bytes()));
    json.Key("sha256").Text(domain::ToHex(file.sha256()));
    json.Key("rows").Number(static_cast<std::int64_t>(file.rows()));
    json.Key("totals").BeginArray();
    for (const rc::File::Total& total : file.totals()) {
        json.BeginObject();
        json.Key("column").Text(total.column());
        json.Key("amount").Number(total.amount());
        json.Key("currency").Text(total.currency());
        json.EndObject();
    }
    json.EndArray();
    json.Key("madeAt").Text(FormatUtc(MadeAt(file)));
    json.Key("availableUntil").Text(FormatUtc(available_until));
}

/// RFC 6266: a name in ASCII for old receivers, and the real one.
std::string Disposition(std::string_view name) {
    std::string plain;
    for (const char byte : name) {
        const bool fits = byte > 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '%';
        // A character of several bytes becomes one '_'.
        if (fits) {
            plain += byte;
        } else if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) {
            plain += '_';
        }
    }
    return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + http::PercentEncode(name);
}

std::string_view ContentTypeOf(std::string_view name) {
    if (name.ends_with(".zip")) return "application/zip";
    if (name.ends_with(".gz")) return "application/gzip";
    if (name.ends_with(".csv")) return "text/csv";
    return "application/octet-stream";
}

std::string Base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

Status Differs(const std::string& how) {
    return {Code::kDataLoss, "FILE_DAMAGED", how};
}

/// A file's bytes, from reconciliation to the network, a piece at a time. Each piece is a call of
/// its own, so that a slow receiver keeps nobody's thread, and its memory is one piece. Of a whole
/// file the last piece is given only when all of it has the SHA-256 that was said: a receiver never
/// has a wrong file that looks whole.
class FileContent final : public http::BodySource {
 public:
    struct Parts {
        const rpc::Channel& channel;
        auth::TokenSigner& signer;
        rpc::WorkerPool& workers;
        const Clock& clock;
        net::Loop& loop;
        auth::PrincipalPtr caller;
        std::string traceparent;
        rc::File file;
        domain::ByteRange range;
        std::size_t piece_bytes;
        Duration piece_timeout;
        std::shared_ptr<void> place;
    };

    explicit FileContent(Parts parts)
        : parts_(std::move(parts)),
          at_(parts_.range.first),
          end_(parts_.file.bytes() == 0 ? 0 : parts_.range.last + 1),
          whole_(at_ == 0 && end_ == parts_.file.bytes()) {}

    std::uint64_t bytes() const override { return end_ - parts_.range.first; }

    /// Reads the first piece, so that a store that is gone or a file that is damaged is an answer
    /// with its reason as long as nothing was sent.
    net::Task<Status> Begin() {
        auto piece = co_await Next();
        if (!piece.ok()) co_return piece.status();
        first_ = std::move(*piece);
        co_return OkStatus();
    }

    net::Task<Result<std::string>> Next() override {
        if (!first_.empty()) co_return std::exchange(first_, {});
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(parts_.piece_bytes, end_ - at_));
        auto token = parts_.signer.Mint(*parts_.caller, kAudience);
        if (!token.ok()) co_return token.status();
        rpc::CallOptions options;
        options.timeout = parts_.piece_timeout;
        options.token = *token;
        options.traceparent = parts_.traceparent;
        options.wait_for_ready = true;
        std::string piece;
        const Status read = co_await app::RunBlocking(
            parts_.workers, parts_.loop, [&]() -> Status { return Read(options, wanted, piece); });
        if (!read.ok()) co_return read;
        at_ += piece.size();
        if (whole_) {
            sum_.Add(piece);
            if (at_ == end_ && sum_.Finish() != parts_.file.sha256()) {
                co_return Differs("what was read of the file has another SHA-256");
            }
        }
        co_return piece;
    }

 private:
    Status Read(const rpc::CallOptions& options, std::size_t wanted, std::string& piece) const {
        rc::GetFileContentRequest request;
        request.set_file_id(parts_.file.file_id());
        request.set_offset(at_);
        piece.reserve(wanted);
        // To the file's end it is good only if the call ends well.
        const bool to_the_end = at_ + wanted == parts_.file.bytes();
        const std::function<Status(const rc::FilePiece&)> is_the_same =
            [this](const rc::FilePiece& part) {
                const bool other =
                    part.has_file() && (part.file().sha256() != parts_.file.sha256() ||
                                        part.file().bytes() != parts_.file.bytes());
                return other ? Differs("the file is not the one that was asked for first")
                             : OkStatus();
            };
        const Status read = ReadPieces(
            parts_.channel, GetFileContentMethod(), request, options, wanted,
            to_the_end ? PieceEnd::kOfStream : PieceEnd::kWhenEnough, piece, is_the_same);
        if (read.reason() == kFileTooLarge) return Differs("the file is longer than was said");
        KESSAI_RETURN_IF_ERROR(read);
        if (piece.size() != wanted) return Differs("the file is shorter than was said");
        return OkStatus();
    }

    const Parts parts_;
    std::uint64_t at_;
    const std::uint64_t end_;
    const bool whole_;
    domain::Sha256 sum_;
    std::string first_;
};

}  // namespace

std::shared_ptr<void> DownloadPlaces::Take(const std::shared_ptr<DownloadPlaces>& places,
                                           std::int64_t merchant_id) {
    const std::lock_guard lock(places->mutex_);
    const auto own = places->by_merchant_.find(merchant_id);
    if (places->taken_ >= places->all_max_ ||
        (own != places->by_merchant_.end() && own->second >= places->per_merchant_max_)) {
        return nullptr;
    }
    ++places->taken_;
    ++places->by_merchant_[merchant_id];
    return {places.get(), [places, merchant_id](DownloadPlaces*) {
                const std::lock_guard giving_back(places->mutex_);
                --places->taken_;
                const auto held = places->by_merchant_.find(merchant_id);
                if (--held->second == 0) places->by_merchant_.erase(held);
            }};
}

std::size_t DownloadPlaces::taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

PartnerFilesApi::PartnerFilesApi(Options options,
                                 const PerLoop<app::AuthenticatePartner>& authenticate,
                                 ChannelOf reconciliation, auth::TokenSigner& signer,
                                 rpc::WorkerPool& workers, const domain::FileLinks& links,
                                 const Clock& clock)
    : options_(options),
      authenticate_(authenticate),
      reconciliation_(std::move(reconciliation)),
      signer_(signer),
      workers_(workers),
      links_(links),
      clock_(clock),
      places_(std::make_shared<DownloadPlaces>(options.downloads_max,
                                               options.downloads_per_merchant_max)) {}

net::Task<http::Response> PartnerFilesApi::List(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kListFiles;
    auto partner =
        co_await AuthenticateRequest(authenticate_, scope, domain::partner_scope::kFiles);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = partner->principal->subject;
        return response;
    };
    const auto dates = ReadDates(scope.request);
    if (!dates.ok()) co_return refuse(dates.status());
    const std::string latest = scope.request.QueryValue("latestOnly");
    if (!latest.empty() && latest != "true" && latest != "false") {
        co_return refuse(Status(Code::kInvalidArgument, domain::reason::kFieldMalformed,
                                "latestOnly is neither true nor false"));
    }
    const auto page = ReadPage(scope.request, kPageSizeMax);
    if (!page.ok()) co_return refuse(page.status());
    rc::ListFilesRequest request;
    request.set_merchant_id(partner->principal->merchant_id);
    request.set_from_date(dates->from);
    request.set_to_date(dates->to);
    request.set_template_name(scope.request.QueryValue("template"));
    request.set_latest_only(latest == "true");
    request.set_page_size(page->size);
    request.set_page_token(page->token);
    if (!domain::IsText(request.template_name(), domain::kPartnerKeyLengthMax)) {
        co_return refuse(
            Status(Code::kInvalidArgument, domain::reason::kFieldMalformed, "template is no name"));
    }
    const RequestScope asked{scope.request, scope.traceparent, partner->principal};
    const rpc::Channel& channel = reconciliation_(scope.request);
    auto answer = co_await AskInOperatorsName(asked, signer_, clock_, channel, kAudience,
                                              ListFilesMethod(), std::move(request));
    if (!answer.ok()) co_return refuse(answer.status());

    http::Response response = BeginPartnerAnswer(domain::kPartnerSuccess);
    response.subject = partner->principal->subject;
    JsonWriter json(response.body);
    json.BeginObject().Key("files").BeginArray();
    for (const rc::File& file : answer->files()) {
        BeginFile(json, file, links_.AvailableUntil(MadeAt(file)));
        json.EndObject();
    }
    json.EndArray();
    json.Key("nextPageToken").TextOrNull(answer->next_page_token());
    json.EndObject();
    response.body.push_back('}');
    co_return response;
}

net::Task<http::Response> PartnerFilesApi::Get(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kGetFile;
    auto partner =
        co_await AuthenticateRequest(authenticate_, scope, domain::partner_scope::kFiles);
    if (!partner.ok()) co_return PartnerRefusal(kOperation, partner.status());
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = partner->principal->subject;
        return response;
    };
    const auto file_id = FileIdOf(scope.request);
    if (!file_id.ok()) co_return refuse(file_id.status());
    rc::GetFileRequest request;
    request.set_file_id(*file_id);
    const RequestScope asked{scope.request, scope.traceparent, partner->principal};
    const rpc::Channel& channel = reconciliation_(scope.request);
    auto file = co_await AskInOperatorsName(asked, signer_, clock_, channel, kAudience,
                                            GetFileMethod(), std::move(request));
    if (!file.ok()) co_return refuse(file.status());

    http::Response response = BeginPartnerAnswer(domain::kPartnerSuccess);
    response.subject = partner->principal->subject;
    const auto link =
        links_.Fresh(file->file_id(), file->merchant_id(), MadeAt(*file), clock_.Now());
    JsonWriter json(response.body);
    BeginFile(json, *file, links_.AvailableUntil(MadeAt(*file)));
    json.Key("path").TextOrNull(link ? links_.Url(*link) : std::string());
    json.Key("expiresAt").TextOrNull(link ? FormatUtc(link->expires_at) : std::string());
    json.EndObject();
    response.body.push_back('}');
    co_return response;
}

net::Task<http::Response> PartnerFilesApi::Content(const RequestScope& scope) const {
    constexpr auto kOperation = PartnerOperation::kGetFileContent;
    const http::Request& request = scope.request;
    const auto refuse = [&](const Status& why) {
        http::Response response = PartnerRefusal(kOperation, why);
        response.subject = kLinkSubject;
        return response;
    };
    const auto file_id = FileIdOf(request);
    if (!file_id.ok()) co_return refuse(file_id.status());
    const auto link =
        links_.Check(*file_id, request.QueryValue("merchant"), request.QueryValue("expires"),
                     request.QueryValue("signature"), clock_.Now());
    if (!link.ok()) co_return refuse(link.status());
    auto caller = std::make_shared<auth::Principal>();
    caller->role = auth::Role::kMerchant;
    caller->subject = kLinkSubject;
    caller->merchant_id = link->merchant_id;
    const RequestScope asked{request, scope.traceparent, std::move(caller)};
    co_return co_await Send(asked, *file_id, refuse);
}

net::Task<http::Response> PartnerFilesApi::Send(const RequestScope& scope, std::int64_t file_id,
                                                const Refuse& refuse) const {
    const http::Request& request = scope.request;
    // Operators are one of them, merchant 0.
    auto place = DownloadPlaces::Take(places_, scope.caller->merchant_id);
    if (place == nullptr) {
        co_return refuse(Status(Code::kResourceExhausted, domain::reason::kRateLimited,
                                "too many files are being sent"));
    }
    const rpc::Channel& channel = reconciliation_(request);
    rc::GetFileRequest wanted;
    wanted.set_file_id(file_id);
    auto file = co_await AskInOperatorsName(scope, signer_, clock_, channel, kAudience,
                                            GetFileMethod(), std::move(wanted));
    if (!file.ok()) co_return refuse(file.status());
    if (file->expires_at_us() != 0 && FromMicros(file->expires_at_us()) <= clock_.Now()) {
        co_return refuse(
            Status(Code::kFailedPrecondition, "FILE_EXPIRED", "the file's content is removed"));
    }

    const std::string etag = "\"" + domain::ToHex(file->sha256()) + "\"";
    const std::string_view if_range = request.Header("If-Range");
    const bool with_range = if_range.empty() || if_range == etag;
    const domain::ByteRange range =
        domain::ReadRange(with_range ? request.Header("Range") : "", file->bytes());
    if (range.kind == domain::ByteRange::Kind::kUnsatisfiable) {
        http::Response response = refuse(
            Status(Code::kOutOfRange, "FILE_OFFSET_OUT_OF_RANGE", "the file has no such bytes"));
        response.fields.emplace_back("Content-Range", "bytes */" + std::to_string(file->bytes()));
        co_return response;
    }
    const std::string digest = Base64(file->sha256());
    http::Response response;
    response.subject = scope.caller->subject;
    response.content_type = ContentTypeOf(file->name());
    response.fields = {{"Content-Disposition", Disposition(file->name())},
                       {"Accept-Ranges", "bytes"},
                       {"ETag", etag},
                       // Of the whole file, whatever part of it is asked for (RFC 9530), and as it
                       // was said before.
                       {"Repr-Digest", "sha-256=:" + digest + ":"},
                       {"Digest", "sha-256=" + digest},
                       {"Cache-Control", "private, no-store"},
                       {"X-Content-Type-Options", "nosniff"}};
    if (range.kind == domain::ByteRange::Kind::kPart) {
        response.status = 206;
        response.fields.emplace_back("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                                          std::to_string(range.last) + "/" +
                                                          std::to_string(file->bytes()));
    }
    FileContent::Parts parts{channel,
                             signer_,
                             workers_,
                             clock_,
                             *request.loop,
                             scope.caller,
                             scope.traceparent,
                             std::move(*file),
                             range,
                             options_.piece_bytes,
                             options_.piece_timeout,
                             std::move(place)};
    auto content = std::make_shared<FileContent>(std::move(parts));
    if (request.method == http::Method::kGet && content->bytes() > 0) {
        const Status begun = co_await content->Begin();
        if (!begun.ok()) co_return refuse(begun);
    }
    response.body_source = std::move(content);
    co_return response;
}

}  // namespace kessai::gateway::transport
