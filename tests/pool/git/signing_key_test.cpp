#include "pool/git/signing_key.h"
#include "pool/git/allowed_signers.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/sshsig.h"
#include "pool/storage/segment_log.h"
#include "pool/util/sha256.h"
#include "pool/util/utc_time.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

class KeyTest : public ::testing::Test {
protected:
    KeyTest() : key_(must(Key::load_or_create(folder_.file("key.pem")))) {
        folder_.write("signers", "ann@example.org namespaces=\"git\" " + key_.public_text() + "\n");
    }

    // True if OpenSSH accepts the signature of `bytes`.
    bool openssh_accepts(const std::string& armoured, const std::string& bytes) {
        folder_.write("sig", armoured + "\n");
        folder_.write("bytes", bytes);
        return shell("cd " + folder_.path() +
                     " && ssh-keygen -Y verify -f signers -I ann@example.org -n git -s sig < bytes"
                     " || true")
                   .find("Good \"git\" signature") == 0;
    }
    // A signature by a fresh OpenSSH key "their".
    std::string openssh_signs(const std::string& bytes, const std::string& type, const std::string& space) {
        const std::string in = "cd " + folder_.path() + " && ";
        shell(in + "rm -f their their.pub bytes.sig && ssh-keygen -q -t " + type + " -N '' -C '' -f their");
        folder_.write("bytes", bytes);
        shell(in + "ssh-keygen -Y sign -f their -n " + space + " bytes");
        return folder_.read("bytes.sig");
    }

    TempFolder folder_;
    Key key_;
};

TEST_F(KeyTest, SignsSoThatOpenSshAgrees) {
    for (std::string bytes : {std::string(), std::string("tree 0\n\nmessage\n"), std::string(100'000, '\xfe')}) {
        std::string signature = must(key_.sign(bytes));
        EXPECT_TRUE(openssh_accepts(signature, bytes));
        EXPECT_FALSE(openssh_accepts(signature, bytes + "x"));
        EXPECT_EQ(must(verify_signature(signature, bytes)), key_.fingerprint());
        EXPECT_EQ(trouble(verify_signature(signature, bytes + "x")).code, Code::corrupt);
    }
}

TEST_F(KeyTest, AcceptsWhatOpenSshSigned) {
    std::string signature = openssh_signs("some bytes", "ed25519", "git");
    std::string fingerprint = must(verify_signature(signature, "some bytes"));
    std::string signers = "theirs@example.org " + folder_.read("their.pub");
    EXPECT_EQ(must(parse_allowed_signers(signers)).at(0).fingerprint, fingerprint);
    EXPECT_NE(fingerprint, key_.fingerprint());
    EXPECT_FALSE(verify_signature(signature, "other bytes"));
}

TEST_F(KeyTest, RefusesOtherNamespacesKindsAndBrokenSignatures) {
    EXPECT_THAT(trouble(verify_signature(openssh_signs("b", "ed25519", "file"), "b")).message, HasSubstr("namespace"));
    EXPECT_THAT(trouble(verify_signature(openssh_signs("b", "ecdsa", "git"), "b")).message, HasSubstr("Ed25519"));
    std::string good = must(key_.sign("b"));
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string cut = good.substr(0, i);
        EXPECT_FALSE(verify_signature(cut, "b")) << i;
        std::string bent = good;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        auto verified = verify_signature(bent, "b");
        // Only bits that base64 does not use may change unnoticed.
        EXPECT_TRUE(!verified || *verified == key_.fingerprint()) << i;
    }
    EXPECT_FALSE(verify_signature("-----BEGIN SSH SIGNATURE-----END SSH SIGNATURE-----", "b"));
    EXPECT_FALSE(verify_signature("-----BEGIN SSH SIGNATURE-----\n====\n-----END SSH SIGNATURE-----", "b"));
}

TEST_F(KeyTest, IsMadeOnceAndKeptPrivate) {
    struct stat facts {};
    ASSERT_EQ(::stat(folder_.file("key.pem").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
    EXPECT_EQ(must(Key::load_or_create(folder_.file("key.pem"))).public_text(), key_.public_text());
    EXPECT_EQ(shell("openssl pkey -in " + folder_.file("key.pem") + " -noout -text | head -1"),
              "ED25519 Private-Key:\n");
    EXPECT_EQ(trouble(Key::load_or_create(folder_.write("bad.pem", "nonsense"))).code, Code::corrupt);
    shell("openssl genpkey -algorithm RSA -out " + folder_.file("rsa.pem"));
    EXPECT_EQ(trouble(Key::load_or_create(folder_.file("rsa.pem"))).code, Code::corrupt);
}

TEST_F(KeyTest, SignsCommitsThatGitItselfVerifies) {
    Repo repo = must(Repo::create(folder_.file("r"), false));
    Oid tree = must(repo.write_tree({{"f", must(repo.write_blob("x")), false, true}}));
    Oid commit = must(repo.write_commit({tree, {}, {"Ann", "ann@example.org", 1795232400}, "one\n"}, &key_));
    EXPECT_THAT(git(folder_.file("r"), "-c gpg.format=ssh -c gpg.ssh.allowedSignersFile=" + folder_.file("signers") +
                                           " verify-commit " + commit),
                HasSubstr("Good \"git\" signature for ann@example.org with ED25519 key"));
    auto found = must(repo.signature(commit));
    ASSERT_TRUE(found);
    EXPECT_EQ(must(verify_signature(found->first, found->second)), key_.fingerprint());
    EXPECT_FALSE(must(repo.signature(must(repo.write_commit({tree, {}, {"Ann", "a@example.org", 1}, "two\n"})))));
}

TEST(AllowedSigners, AreReadAsOpenSshWritesThem) {
    const std::string key = "AAAAC3NzaC1lZDI1NTE5AAAAIGyzF6wMmqzrvmKjZ3AGoEnT9tIXOoPn2cGjNPFKOBDA";
    auto signers = must(parse_allowed_signers(
        "# a comment\n\na@b namespaces=\"git\" ssh-ed25519 " + key + " laptop\r\n" + "c@d ssh-ed25519 " + key + "\n" +
        "e@f namespaces=\"file\" ssh-ed25519 " + key + "\n" + "g@h ssh-rsa AAAAB3NzaC1yc2E=\n"));
    ASSERT_EQ(signers.size(), 2u);
    EXPECT_EQ(signers[0].principal, "a@b");
    EXPECT_EQ(signers[0].public_text, "ssh-ed25519 " + key);
    EXPECT_EQ(signers[1].principal, "c@d");
    EXPECT_EQ(signers[0].fingerprint, signers[1].fingerprint);
    // printf '%s' KEY | base64 -d | sha256sum
    EXPECT_EQ(signers[0].fingerprint, "518389f0259b7eebca6c4373dfeb32efe65b8c60185a93b6b1c0658381db045f");
    EXPECT_EQ(trouble(parse_allowed_signers("a@b ssh-ed25519\n")).code, Code::corrupt);
    EXPECT_EQ(trouble(parse_allowed_signers("a@b ssh-ed25519 A*B=\n")).code, Code::corrupt);
    EXPECT_TRUE(must(parse_allowed_signers("\n \r\n")).empty());
}

TEST(AllowedSigners, AreTakenByTheirNamespacesAsOpenSshListsThem) {
    const std::string key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyzF6wMmqzrvmKjZ3AGoEnT9tIXOoPn2cGjNPFKOBDA\n";
    for (const char* options : {"namespaces=\"git\"", "NAMESPACES=\"file,git\"", "namespaces=git", "namespaces=\"*\""})
        EXPECT_EQ(must(parse_allowed_signers(std::string("a ") + options + key)).size(), 1u) << options;
    for (const char* options : {"namespaces=\"file\"", "namespaces=\"digit,gitx\"", "namespaces=\"\""})
        EXPECT_TRUE(must(parse_allowed_signers(std::string("a ") + options + key)).empty()) << options;
}

// A line with any restriction would otherwise count as "this key, always".
TEST(AllowedSigners, AreRefusedWhereTheyMeanMoreThanAPlainKey) {
    const std::string key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyzF6wMmqzrvmKjZ3AGoEnT9tIXOoPn2cGjNPFKOBDA\n";
    const std::pair<const char*, const char*> cases[] = {
        {"cert-authority", "certificates are not honoured"},
        {"cert-authority,namespaces=\"git\"", "certificates are not honoured"},
        {"namespaces=\"git\",cert-authority", "certificates are not honoured"},
        {"Cert-Authority", "certificates are not honoured"},
        {"valid-before=\"20260101\"", "means another one on every machine"},
        {"namespaces=\"git\",valid-after=\"202601Z\"", "is not a time"},
        {"valid-after=\"20261301Z\"", "is not a time"},
        {"verify-required", "'verify-required' is not honoured"},
    };
    for (const auto& [options, why] : cases) {
        Error error = trouble(parse_allowed_signers(std::string("a ") + options + key));
        EXPECT_EQ(error.code, Code::corrupt) << options;
        EXPECT_THAT(error.message, ::testing::HasSubstr(why));
    }
}

TEST(AllowedSigners, HoldForTheTimesThatTheyName) {
    const std::string key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyzF6wMmqzrvmKjZ3AGoEnT9tIXOoPn2cGjNPFKOBDA\n";
    const auto signers =
        must(parse_allowed_signers("a valid-after=\"20260101Z\",valid-before=\"202607011230Z\"" + key));
    const std::string& known = signers.at(0).fingerprint;
    auto why = [&](const std::string& at) { return why_not_allowed(signers, known, must(parse_utc(at))); };
    EXPECT_THAT(why("2025-12-31T23:59:59Z"), HasSubstr("holds from 2026-01-01T00:00:00Z on"));
    EXPECT_EQ(why("2026-01-01T00:00:00Z"), "");
    EXPECT_EQ(why("2026-07-01T12:30:00Z"), "");
    EXPECT_THAT(why("2026-07-01T12:30:01Z"), HasSubstr("expired at 2026-07-01T12:30:00Z"));
    EXPECT_THAT(why_not_allowed(signers, std::string(64, '0'), 0), HasSubstr("not signed by a verifier"));
    // Two lines for one key: either is enough.
    EXPECT_EQ(why_not_allowed(must(parse_allowed_signers("a valid-before=\"20200101Z\"" + key + "a" + key)), known,
                              1795232400),
              "");
}

// As `ssh-keygen -Y verify -Overify-time` reads the same lines.
TEST_F(KeyTest, TakesValidityTimesAsOpenSshDoes) {
    folder_.write("sig", must(key_.sign("bytes")) + "\n");
    folder_.write("bytes", "bytes");
    const std::string times = "valid-after=\"20260101Z\",valid-before=\"20260701Z\" ";
    folder_.write("signers", "ann@example.org " + times + key_.public_text() + "\n");
    const auto signers = must(parse_allowed_signers(folder_.read("signers")));
    for (const char* at : {"20251231235959", "20260101000000", "20260630120000", "20260701000001"}) {
        const std::string said = shell("cd " + folder_.path() +
                                       " && TZ=UTC ssh-keygen -Y verify -f signers -I ann@example.org "
                                       "-n git -s sig -Overify-time=" +
                                       at + "Z < bytes || true");
        const std::string text = at;
        const std::int64_t unix_s =
            must(parse_utc(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2) + "T" +
                           text.substr(8, 2) + ":" + text.substr(10, 2) + ":" + text.substr(12, 2) + "Z"));
        EXPECT_EQ(why_not_allowed(signers, key_.fingerprint(), unix_s).empty(), said.starts_with("Good")) << at << said;
    }
}

class UserKey : public KeyTest {
protected:
    UserKey() { shell("ssh-keygen -q -t ed25519 -N '' -C ann@example.org -f " + folder_.file("id")); }
    Oid commit_by(const Key& key) {
        Repo repo = must(Repo::create(folder_.file("r"), false));
        Oid tree = must(repo.write_tree({{"f", must(repo.write_blob("x")), false, true}}));
        return must(repo.write_commit({tree, {}, {"Ann", "ann@example.org", 1795232400}, "one\n"}, &key));
    }
    std::string verified(const Oid& commit) {
        folder_.write("signers", "ann@example.org " + folder_.read("id.pub"));
        return git(folder_.file("r"), "-c gpg.format=ssh -c gpg.ssh.allowedSignersFile=" + folder_.file("signers") +
                                          " verify-commit " + commit);
    }
};

TEST_F(UserKey, SignsCommitsThatGitAndCultivarVerify) {
    const Key key = must(Key::of_user(folder_.file("id")));
    const Oid commit = commit_by(key);
    EXPECT_THAT(verified(commit), HasSubstr("Good \"git\" signature for ann@example.org"));
    EXPECT_EQ(must(signer_of(must(Repo::discover(folder_.file("r"))), commit)), key.fingerprint());
    EXPECT_EQ(trouble(Key::of_user(folder_.file("none"))).code, Code::not_found);
    shell("ssh-keygen -q -t ecdsa -N '' -C '' -f " + folder_.file("ec"));
    EXPECT_EQ(trouble(Key::of_user(folder_.file("ec"))).code, Code::corrupt);
}

TEST_F(UserKey, ThatDoesNotSignSaysWhatToDo) {
    const Key key = must(Key::of_user(folder_.file("id")));
    shell("rm " + folder_.file("id"));
    ::unsetenv("SSH_AUTH_SOCK");
    const Error error = trouble(key.sign("bytes"));
    EXPECT_EQ(error.code, Code::io);
    EXPECT_EQ(error.hint, "ssh-add " + folder_.file("id"));
}

TEST_F(UserKey, SignsACloneWhoseConfigurationNamesIt) {
    World world;
    Clone before = world.found("ann");
    git(world.path("ann"), "config cultivar.signingKey " + folder_.file("id"));
    Clone ann = world.reopen("ann");
    EXPECT_NE(ann.writer, before.writer);
    EXPECT_EQ(ann.writer, "ann.machine." + ann.key.fingerprint().substr(0, 8));
    const Oid tip = must(append_log(ann.repo, ann.journal_ref(), {"{}"}, ann.identity(), ann.key));
    EXPECT_EQ(must(signer_of(ann.repo, tip)), must(Key::of_user(folder_.file("id"))).fingerprint());
}

// A signature by git counts like one by cultivar.
TEST_F(UserKey, OfACommitThatGitSignedIsKnown) {
    const Oid commit = commit_by(key_);
    git(folder_.file("r"), "update-ref refs/heads/main " + commit);
    git(folder_.file("r"),
        "-c gpg.format=ssh -c user.signingKey=" + folder_.file("id") + " commit -q -S --allow-empty -m signed");
    std::string tip = git(folder_.file("r"), "rev-parse HEAD");
    tip.pop_back();
    EXPECT_EQ(must(signer_of(must(Repo::discover(folder_.file("r"))), tip)),
              must(Key::of_user(folder_.file("id"))).fingerprint());
}

}  // namespace
}  // namespace cultivar
