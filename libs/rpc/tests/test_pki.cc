#include "test_pki.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <memory>

#include "kessai/result/check.h"

namespace kessai::rpc {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long kLife_s = 3'600;

Key MakeKey() {
    return Key(EVP_EC_gen("P-256"), EVP_PKEY_free);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    KESSAI_CHECK(extension != nullptr, "extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

Certificate MakeCertificate(const std::string& name, long serial, EVP_PKEY* key) {
    Certificate certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kLife_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLife_s);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
}

void Sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    KESSAI_CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) != 0, "signing failed");
}

/// Through a rename, so that no reader sees half a file.
template <class Write>
void WriteFile(const std::filesystem::path& path, Write write) {
    const std::string draft = path.string() + ".new";
    std::FILE* file = std::fopen(draft.c_str(), "w");
    KESSAI_CHECK(file != nullptr && write(file) == 1, "cannot write " + draft);
    KESSAI_CHECK(std::fclose(file) == 0, "cannot write " + draft);
    std::filesystem::rename(draft, path);
}

}  // namespace

struct TestPki::Authority {
    Key key = MakeKey();
    Certificate certificate{nullptr, X509_free};
};

TestPki::TestPki(const std::string& ca_name) : authority_(std::make_unique<Authority>()) {
    std::string folder = (std::filesystem::temp_directory_path() / "kessai-pki-XXXXXX").string();
    KESSAI_CHECK(::mkdtemp(folder.data()) != nullptr, "no temporary folder");
    folder_ = folder;
    authority_->certificate = MakeCertificate(ca_name, 1, authority_->key.get());
    X509* ca = authority_->certificate.get();
    AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
    AddExtension(ca, ca, NID_subject_key_identifier, "hash");
    Sign(ca, ca, authority_->key.get());
    WriteFile(folder_ / "ca.pem", [&](std::FILE* file) { return PEM_write_X509(file, ca); });
}

TestPki::~TestPki() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

TlsFiles TestPki::Issue(const std::string& file_stem, const std::vector<std::string>& dns_names) {
    const Key key = MakeKey();
    const Certificate certificate = MakeCertificate(file_stem, next_serial_++, key.get());
    X509* ca = authority_->certificate.get();
    std::string names;
    for (const std::string& name : dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
    AddExtension(certificate.get(), ca, NID_subject_alt_name, names);
    AddExtension(certificate.get(), ca, NID_authority_key_identifier, "keyid");
    Sign(certificate.get(), ca, authority_->key.get());

    TlsFiles files;
    files.certificate_chain_path = folder_ / (file_stem + ".pem");
    files.private_key_path = folder_ / (file_stem + ".key");
    files.ca_path = folder_ / "ca.pem";
    files.check_interval = std::chrono::seconds(1);
    WriteFile(files.private_key_path, [&](std::FILE* file) {
        return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    WriteFile(files.certificate_chain_path,
              [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
    return files;
}

}  // namespace kessai::rpc
