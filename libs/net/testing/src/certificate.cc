#include "kessai/net/testing/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "kessai/result/check.h"

namespace kessai::net::testing {

namespace {

void AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    KESSAI_CHECK(extension != nullptr, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* Make(const char* name, EVP_PKEY* key, long serial, X509* issuer, EVP_PKEY* issuer_key) {
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509* signer = issuer != nullptr ? issuer : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    if (issuer == nullptr) {
        AddExtension(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
        AddExtension(certificate, signer, NID_key_usage, "critical,keyCertSign");
        AddExtension(certificate, signer, NID_subject_key_identifier, "hash");
    } else {
        AddExtension(certificate, signer, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    }
    KESSAI_CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "signing");
    return certificate;
}

void WriteCertificate(const std::string& path, X509* certificate) {
    FILE* file = std::fopen(path.c_str(), "w");
    KESSAI_CHECK(file != nullptr, path);
    PEM_write_X509(file, certificate);
    std::fclose(file);
}

}  // namespace

struct Certificates::Authority {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = Make("Kessai test CA", key, 1, nullptr, key);
    ~Authority() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
};

Certificates::Certificates() : authority_(new Authority) {
    char pattern[] = "/tmp/kessai-certificates-XXXXXX";
    KESSAI_CHECK(::mkdtemp(pattern) != nullptr, "a directory in /tmp");
    directory_ = pattern;
    WriteCertificate(ca_file(), authority_->certificate);
    Renew(2);
}

Certificates::~Certificates() {
    delete authority_;
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Certificates::Renew(long serial) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = Make("localhost", key, serial, authority_->certificate, authority_->key);
    // As a renewed secret volume does it: whole files, put in place by a rename.
    WriteCertificate(cert_file() + ".new", certificate);
    const std::string new_key = key_file() + ".new";
    FILE* file = std::fopen(new_key.c_str(), "w");
    KESSAI_CHECK(file != nullptr, new_key);
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    std::filesystem::rename(new_key, key_file());
    std::filesystem::rename(cert_file() + ".new", cert_file());
    X509_free(certificate);
    EVP_PKEY_free(key);
}

}  // namespace kessai::net::testing
