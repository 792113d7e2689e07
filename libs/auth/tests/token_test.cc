// Goal: a service acts for whom the gateway said, and for nobody else: no forged, altered, foreign,
// expired or revoked token passes, and remembering tokens changes nothing but the cost.
// Method: sign and verify with a clock that the test moves; damage every byte; rotate keys; compare
// answers with and without the memory.
#include "kessai/auth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "kessai/auth/v1/internal_token.pb.h"
#include "token_bytes.h"

namespace kessai::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string Hex(char digit) {
    return std::string(64, digit);
}

KeyRing Ring(const std::string& text) {
    return KeyRing::Parse(text).value();
}

/// A ring that the test exchanges.
class SwitchedKeyRing final : public KeyRingSource {
 public:
    explicit SwitchedKeyRing(const std::string& text) { Switch(text); }
    void Switch(const std::string& text) {
        ring_ = std::make_shared<const KeyRing>(Ring(text));
        ++generation_;
    }
    std::shared_ptr<const KeyRing> Current() const override { return ring_; }
    std::uint64_t generation() const override { return generation_; }

 private:
    std::shared_ptr<const KeyRing> ring_;
    std::uint64_t generation_ = 0;
};

class TokenTest : public ::testing::Test {
 protected:
    ManualClock clock_{FromMicros(1'700'000'000'000'000)};
    SwitchedKeyRing keys_{"key 1 " + Hex('a') + "\nsign 1\n"};
    TokenSigner signer_{keys_, clock_, {.life = minutes(2)}};
    TokenVerifier verifier_{keys_, clock_, {.audience = "payment", .clock_skew_max = {}}};
    const Principal operator_{
        .role = Role::kOperator, .subject = "suzuki", .scopes = {"day:close", "merchant:read"}};
    const Principal merchant_{.role = Role::kMerchant, .subject = "api-key", .merchant_id = 42};

    std::string Mint(const Principal& principal, std::string_view audience = "payment") {
        return signer_.Mint(principal, audience).value();
    }
    std::string Reason(std::string_view token) {
        const auto outcome = verifier_.Verify(token);
        return outcome.ok() ? "OK" : std::string(outcome.status().reason());
    }
};

TEST_F(TokenTest, VerifierFindsWhatTheSignerWasTold) {
    for (const Principal& principal :
         {operator_, merchant_, Principal{.role = Role::kUser, .subject = "u", .user_id = 9},
          Principal{.role = Role::kService, .subject = "payout"}}) {
        // Twice: fresh and remembered.
        for (int i = 0; i < 2; ++i) {
            const auto found = verifier_.Verify(Mint(principal));
            ASSERT_TRUE(found.ok()) << found.status().ToString();
            EXPECT_EQ(**found, principal);
        }
    }
    EXPECT_EQ(verifier_.counts().hits, 4U);
    EXPECT_EQ(verifier_.counts().misses, 4U);
}

// The wire format of internal_token.proto, byte for byte.
TEST_F(TokenTest, LooksAsItsContractSays) {
    const std::string token = Mint(merchant_);
    ASSERT_GT(token.size(), 33U);
    EXPECT_EQ(token[0], 1);
    v1::InternalTokenClaims claims;
    ASSERT_TRUE(claims.ParseFromString(token.substr(1, token.size() - 33)));
    EXPECT_EQ(claims.role(), v1::InternalTokenClaims::ROLE_MERCHANT);
    EXPECT_EQ(claims.merchant_id(), 42);
    EXPECT_THAT(claims.audience(), ::testing::ElementsAre("payment"));
    EXPECT_EQ(claims.expires_at_us(), ToMicros(clock_.Now() + minutes(2)));
    unsigned char mac[kMacBytes];
    Hmac(std::string(32, '\xaa'), token.substr(0, token.size() - 32), mac);
    EXPECT_EQ(token.substr(token.size() - 32),
              std::string(reinterpret_cast<const char*>(mac), kMacBytes));
}

// RFC 4231, test case 2.
TEST(HmacTest, IsTheStandardsOne) {
    unsigned char mac[kMacBytes];
    Hmac("Jefe", "what do ya want for nothing?", mac);
    const unsigned char expected[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                      0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                      0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                      0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    EXPECT_TRUE(std::equal(std::begin(mac), std::end(mac), std::begin(expected)));
}

TEST_F(TokenTest, EveryAlteredByteIsNoticed) {
    const std::string token = Mint(operator_);
    ASSERT_EQ(Reason(token), "OK");
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (const int bit : {0, 3, 7}) {
            std::string altered = token;
            altered[i] = static_cast<char>(altered[i] ^ (1 << bit));
            EXPECT_EQ(Reason(altered), reason::kTokenInvalid) << "byte " << i << " bit " << bit;
        }
    }
    for (std::size_t length = 0; length < token.size(); ++length) {
        EXPECT_EQ(Reason(token.substr(0, length)), reason::kTokenInvalid) << length;
    }
    EXPECT_EQ(Reason(token + "x"), reason::kTokenInvalid);
    EXPECT_EQ(Reason(std::string(100'000, 'x')), reason::kTokenInvalid);
    EXPECT_EQ(Reason(token), "OK");
}

TEST_F(TokenTest, RandomBytesNeverPass) {
    const auto seed = std::random_device{}();
    std::mt19937 random(seed);
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes(random() % 200, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        if (!bytes.empty()) bytes[0] = 1;
        ASSERT_EQ(Reason(bytes), reason::kTokenInvalid) << "seed " << seed;
    }
}

TEST_F(TokenTest, OnlyTheAudienceAccepts) {
    EXPECT_EQ(Reason(Mint(merchant_, "payout")), reason::kTokenInvalid);
    const std::string_view both[] = {"payout", "payment"};
    EXPECT_EQ(Reason(signer_.Mint(merchant_, both).value()), "OK");
}

TEST_F(TokenTest, ExpiresAlsoWhenRemembered) {
    const std::string token = Mint(merchant_);
    ASSERT_EQ(Reason(token), "OK");
    clock_.Advance(minutes(2) - std::chrono::microseconds(1));
    EXPECT_EQ(Reason(token), "OK");
    clock_.Advance(std::chrono::microseconds(1));
    EXPECT_EQ(Reason(token), reason::kTokenExpired);
    TokenVerifier forgetful(keys_, clock_,
                            {.audience = "payment", .cache_entries_max = 0, .clock_skew_max = {}});
    EXPECT_EQ(forgetful.Verify(token).status().reason(), reason::kTokenExpired);
    EXPECT_EQ(forgetful.Verify(token).status().code(), Code::kUnauthenticated);
}

TEST_F(TokenTest, ClocksMayDifferByTheSkew) {
    TokenVerifier lenient(keys_, clock_, {.audience = "payment", .clock_skew_max = seconds(2)});
    const std::string token = Mint(merchant_);
    clock_.Advance(minutes(2) + milliseconds(1'999));
    EXPECT_TRUE(lenient.Verify(token).ok());
    EXPECT_TRUE(lenient.Verify(token).ok());
    clock_.Advance(milliseconds(1));
    EXPECT_EQ(lenient.Verify(token).status().reason(), reason::kTokenExpired);
}

// A key that got out must not give tokens for ever; an absurd expiry must not overflow.
TEST_F(TokenTest, RefusesALifeThatIsTooLong) {
    for (const std::int64_t expires_at_us :
         {ToMicros(clock_.Now() + kTokenLifeMax) + 1, std::numeric_limits<std::int64_t>::max()}) {
        v1::InternalTokenClaims claims;
        claims.set_role(v1::InternalTokenClaims::ROLE_USER);
        claims.add_audience("payment");
        claims.set_expires_at_us(expires_at_us);
        std::string token = "\x01" + claims.SerializeAsString();
        unsigned char mac[kMacBytes];
        Hmac(std::string(32, '\xaa'), token, mac);
        token.append(reinterpret_cast<const char*>(mac), kMacBytes);
        EXPECT_EQ(Reason(token), reason::kTokenInvalid);
    }
    const std::string_view audience[] = {"payment"};
    EXPECT_EQ(signer_.MintOnce(merchant_, audience, kTokenLifeMax + seconds(1)).status().reason(),
              reason::kClaimsInvalid);
}

TEST_F(TokenTest, SignerRefusesClaimsThatNobodyWouldAccept) {
    EXPECT_EQ(signer_.Mint(Principal{}, "payment").status().reason(), reason::kClaimsInvalid);
    EXPECT_EQ(signer_.Mint(merchant_, std::span<const std::string_view>()).status().reason(),
              reason::kClaimsInvalid);
    Principal long_one = merchant_;
    long_one.subject = std::string(5'000, 'x');
    EXPECT_EQ(signer_.Mint(long_one, "payment").status().reason(), reason::kClaimsInvalid);
    Principal binary = merchant_;
    binary.subject = "\xff\xfe";
    EXPECT_EQ(signer_.Mint(binary, "payment").status().reason(), reason::kClaimsInvalid);
}

// Rotation, step by step: nobody is refused on the way, and the old key is worth nothing at the
// end.
TEST_F(TokenTest, KeysRotateWithoutARefusal) {
    const std::string first = Mint(merchant_);
    keys_.Switch("key 1 " + Hex('a') + "\nkey 2 " + Hex('b') + "\nsign 1\n");
    EXPECT_EQ(Reason(first), "OK");
    keys_.Switch("key 1 " + Hex('a') + "\nkey 2 " + Hex('b') + "\nsign 2\n");
    const std::string second = Mint(merchant_);
    EXPECT_EQ(second[0], 2);
    EXPECT_EQ(Reason(first), "OK");
    EXPECT_EQ(Reason(second), "OK");
    keys_.Switch("key 2 " + Hex('b') + "\nsign 2\n");
    EXPECT_EQ(Reason(first), reason::kTokenInvalid);
    EXPECT_EQ(Reason(second), "OK");
    keys_.Switch("key 2 " + Hex('c') + "\n");
    EXPECT_EQ(Reason(second), reason::kTokenInvalid);
    EXPECT_EQ(signer_.Mint(merchant_, "payment").status().reason(), reason::kNoSigningKey);
}

TEST_F(TokenTest, SignerGivesATokenAgainUntilHalfOfItsLifeIsOver) {
    const std::string first = Mint(merchant_);
    clock_.Advance(seconds(59));
    EXPECT_EQ(Mint(merchant_), first);
    EXPECT_NE(Mint(operator_), first);
    EXPECT_NE(Mint(merchant_, "payout"), first);
    clock_.Advance(seconds(1));
    EXPECT_NE(Mint(merchant_), first);
    // Same texts, cut differently.
    const Principal one{.role = Role::kOperator, .subject = "a", .scopes = {"b", "cd"}};
    const Principal other{.role = Role::kOperator, .subject = "a", .scopes = {"bc", "d"}};
    EXPECT_NE(Mint(one), Mint(other));
}

// More callers than places: everything stays right, and nothing grows.
TEST_F(TokenTest, MemoriesAreBounded) {
    TokenSigner small_signer(keys_, clock_, {.cache_entries_max = 32});
    TokenVerifier small_verifier(keys_, clock_, {.audience = "payment", .cache_entries_max = 64});
    for (int round = 0; round < 3; ++round) {
        for (int id = 1; id <= 2'000; ++id) {
            const Principal user{.role = Role::kUser, .subject = "u", .user_id = id};
            const auto found = small_verifier.Verify(small_signer.Mint(user, "payment").value());
            ASSERT_TRUE(found.ok());
            ASSERT_EQ((*found)->user_id, id);
        }
    }
}

TEST_F(TokenTest, ManyThreadsGetTheRightPrincipal) {
    std::vector<std::string> tokens;
    for (int id = 1; id <= 200; ++id) {
        tokens.push_back(Mint({.role = Role::kUser, .subject = "u", .user_id = id}));
    }
    TokenVerifier small(keys_, clock_, {.audience = "payment", .cache_entries_max = 128});
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            for (int i = 0; i < 5'000; ++i) {
                const std::size_t index = random() % tokens.size();
                const auto found = small.Verify(tokens[index]);
                if (!found.ok() || (*found)->user_id != static_cast<std::int64_t>(index) + 1) {
                    ++wrong;
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST(KeyRingTest, ReadsItsFormat) {
    const KeyRing ring = Ring("# comment\n\nkey 0 " + Hex('0') + "\n  key 255 " + Hex('F') +
                              Hex('f') + "  # new\nsign 255\n");
    EXPECT_EQ(ring.size(), 2U);
    EXPECT_EQ(*ring.Find(0), std::string(32, '\0'));
    EXPECT_EQ(*ring.Find(255), std::string(64, '\xff'));
    EXPECT_EQ(ring.Find(1), nullptr);
    EXPECT_EQ(ring.signing_key_number(), 255);
}

TEST(KeyRingTest, RefusesWhatItIsNotAndShowsNoKey) {
    const std::string key = "key 1 " + Hex('a');
    const std::vector<std::string> malformed = {
        "",
        "# nothing\n",
        "key 256 " + Hex('a'),
        "key -1 " + Hex('a'),
        "key 1 " + Hex('a').substr(1),
        "key 1 " + Hex('a').substr(2),
        "key 1 " + Hex('g'),
        key + Hex('a') + "aa",
        "key 1",
        key + " more",
        key + "\nkey 1 " + Hex('b'),
        key + "\nsign 2",
        key + "\nsign 1\nsign 1",
        "sign 1",
        "kex 1 " + Hex('a'),
    };
    for (const std::string& text : malformed) {
        const auto ring = KeyRing::Parse(text);
        ASSERT_FALSE(ring.ok()) << text;
        EXPECT_EQ(ring.status().reason(), reason::kKeyRingInvalid);
        EXPECT_THAT(std::string(ring.status().message()),
                    ::testing::Not(::testing::HasSubstr("aaaa")));
    }
}

class KeyRingFileTest : public ::testing::Test {
 protected:
    KeyRingFileTest() {
        std::string folder =
            (std::filesystem::temp_directory_path() / "kessai-keys-XXXXXX").string();
        folder_ = ::mkdtemp(folder.data());
    }
    ~KeyRingFileTest() override { std::filesystem::remove_all(folder_); }

    void Write(const std::string& text) {
        std::ofstream(path() + ".new") << text;
        std::filesystem::rename(path() + ".new", path());
    }
    std::string path() const { return (folder_ / "keys").string(); }
    static bool Eventually(const std::function<bool()>& condition) {
        const auto until = SystemClock().SteadyNow() + seconds(10);
        while (!condition() && SystemClock().SteadyNow() < until) {
            SystemClock().SleepFor(milliseconds(2));
        }
        return condition();
    }

    std::filesystem::path folder_;
};

TEST_F(KeyRingFileTest, TakesUpChangesAndKeepsTheLastGoodRing) {
    Write("key 1 " + Hex('a') + "\nsign 1\n");
    std::mutex mutex;
    std::vector<std::string> reloads;
    const auto seen = [&] {
        const std::lock_guard lock(mutex);
        return reloads;
    };
    auto file =
        KeyRingFile::Open({.path = path(),
                           .check_interval = milliseconds(5),
                           .on_reload =
                               [&](const Status& status) {
                                   const std::lock_guard lock(mutex);
                                   reloads.emplace_back(status.ok() ? "OK" : status.reason());
                               }})
            .value();
    const auto generation = file->generation();
    EXPECT_EQ(file->Current()->size(), 1U);

    Write("key 1 " + Hex('a') + "\nkey 2 " + Hex('b') + "\nsign 2\n");
    ASSERT_TRUE(Eventually([&] { return file->Current()->size() == 2; }));
    EXPECT_GT(file->generation(), generation);

    Write("garbage\n");
    ASSERT_TRUE(Eventually([&] { return seen().size() == 3; }));
    EXPECT_EQ(file->Current()->size(), 2U);
    std::filesystem::remove(path());
    ASSERT_TRUE(Eventually([&] { return seen().size() == 4; }));
    EXPECT_EQ(file->Current()->size(), 2U);

    Write("key 3 " + Hex('c') + "\nsign 3\n");
    ASSERT_TRUE(Eventually([&] { return file->Current()->signing_key_number() == 3; }));
    EXPECT_THAT(seen(), ::testing::ElementsAre("OK", "OK", reason::kKeyRingInvalid,
                                               files::reason::kFileUnreadable, "OK"));
}

TEST_F(KeyRingFileTest, DoesNotOpenWithoutARing) {
    EXPECT_EQ(KeyRingFile::Open({.path = path()}).status().reason(),
              files::reason::kFileUnreadable);
    Write("sign 1\n");
    EXPECT_EQ(KeyRingFile::Open({.path = path()}).status().reason(), reason::kKeyRingInvalid);
}

}  // namespace
}  // namespace kessai::auth
