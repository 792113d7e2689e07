#pragma once

#include <utility>  // before Beast 1.74, which forgets it

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "kessai/http/message.h"

namespace kessai::http {

inline std::string_view View(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

/// Beast's parser, keeping views into the bytes that it is given instead of copies: they must stay
/// where they are, and the whole header must be given at once.
template <bool is_request>
class HeaderParser final : public boost::beast::http::basic_parser<is_request> {
 public:
    using Error = boost::beast::http::error;
    using ErrorCode = boost::beast::error_code;
    using StringView = boost::beast::string_view;

    HeaderParser(std::vector<Field>& fields, std::size_t fields_max, std::string_view bytes,
                 std::size_t body_bytes_max)
        : fields_(fields), fields_max_(fields_max), bytes_(bytes), body_bytes_max_(body_bytes_max) {
        this->eager(true);
        this->header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
        // Bounded by us. (Beast 1.74 takes "none" for zero where a length is given.)
        this->body_limit(std::numeric_limits<std::uint64_t>::max());
        fields_.clear();
    }

    /// Parses the header that was given. What it refuses is in `error`.
    void Parse(ErrorCode& error) {
        this->put(boost::asio::const_buffer(bytes_.data(), bytes_.size()), error);
        if (error == Error::need_more && this->is_header_done()) error = {};
        // A header that looked whole and is not: a bare line end inside, or a NUL.
        if (!error && !this->is_header_done()) error = Error::bad_field;
    }

    Method method = Method::kOther;
    std::string_view method_text;
    std::string_view target;
    int version = 0;
    int status = 0;
    /// What chunks have brought.
    std::string chunked_body;
    bool body_too_large = false;

 private:
    void on_request_impl(boost::beast::http::verb known, StringView text, StringView path,
                         int http_version, ErrorCode&) override {
        using boost::beast::http::verb;
        method_text = View(text);
        target = View(path);
        version = http_version;
        switch (known) {
            case verb::get:
                method = Method::kGet;
                break;
            case verb::head:
                method = Method::kHead;
                break;
            case verb::post:
                method = Method::kPost;
                break;
            case verb::put:
                method = Method::kPut;
                break;
            case verb::delete_:
                method = Method::kDelete;
                break;
            case verb::patch:
                method = Method::kPatch;
                break;
            case verb::options:
                method = Method::kOptions;
                break;
            default:
                method = Method::kOther;
        }
    }
    void on_response_impl(int code, StringView, int http_version, ErrorCode&) override {
        status = code;
        version = http_version;
    }
    void on_field_impl(boost::beast::http::field, StringView name, StringView value,
                       ErrorCode& error) override {
        if (header_done_) return;  // a trailer
        if (fields_.size() == fields_max_) {
            error = Error::header_limit;
            return;
        }
        // A folded value is not in our bytes; folding is deprecated, and a way to smuggle.
        if (!value.empty() && (value.data() < bytes_.data() ||
                               value.data() + value.size() > bytes_.data() + bytes_.size())) {
            error = Error::bad_obs_fold;
            return;
        }
        fields_.push_back({View(name), View(value)});
    }
    void on_header_impl(ErrorCode&) override { header_done_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(StringView body, ErrorCode& error) override {
        return Append(body, error);
    }
    void on_chunk_header_impl(std::uint64_t, StringView, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, StringView body, ErrorCode& error) override {
        return Append(body, error);
    }
    void on_finish_impl(ErrorCode&) override {}

    std::size_t Append(StringView body, ErrorCode& error) {
        if (chunked_body.size() + body.size() > body_bytes_max_) {
            body_too_large = true;
            error = Error::body_limit;
            return 0;
        }
        chunked_body.append(body.data(), body.size());
        return body.size();
    }

    std::vector<Field>& fields_;
    const std::size_t fields_max_;
    const std::string_view bytes_;
    const std::size_t body_bytes_max_;
    bool header_done_ = false;
};

}  // namespace kessai::http
