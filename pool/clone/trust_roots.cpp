#include "pool/clone/trust_roots.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "pool/git/allowed_signers.h"
#include "pool/git/sshsig.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxSigners_bytes = 1 << 20, kMaxSignature_bytes = 8192;
constexpr int kMaxVersions = 1000;
constexpr const char* kFile = "allowed_signers";
constexpr const char* kTitle = "# cultivar trust root, format 1";

std::string path_of(int version) { return fmt::format("trust/{}.{}", version, kFile); }
std::string signature_path(int version, const std::string& key) {
    return fmt::format("trust/{}.{}.sig", version, key.substr(0, 16));
}

std::string header(int version, int threshold, const std::string& created) {
    return fmt::format("{}\n# version {}\n# threshold {}\n# pool {}\n", kTitle, version, threshold, created);
}

// Distinct keys without a validity time: nobody can tell when a root was signed.
Result<std::vector<AllowedSigner>> holders_in(const std::string& text) {
    TRY_ASSIGN(std::vector<AllowedSigner> listed, parse_allowed_signers(text, kRoots));
    std::vector<AllowedSigner> holders;
    for (AllowedSigner& one : listed) {
        const bool known = std::any_of(holders.begin(), holders.end(), [&](const AllowedSigner& other) {
            return other.fingerprint == one.fingerprint;
        });
        if (!known && !one.valid_after_s && !one.valid_before_s) holders.push_back(std::move(one));
    }
    return holders;
}

Result<Root> parse_root(const std::string& text, int version, const std::string& created) {
    std::istringstream lines(text);
    std::string title, numbered, threshold, pool;
    std::getline(lines, title), std::getline(lines, numbered), std::getline(lines, threshold),
        std::getline(lines, pool);
    auto bad = [&](const std::string& why) {
        return fail(Code::corrupt, fmt::format("trust root {}: {}", version, why));
    };
    if (title.starts_with("# cultivar trust root, format ") && title != kTitle)
        return fail(Code::newer, "the pool's trust roots are of a later format and need a newer cultivar");
    Root root{version, 0, text, sha256_hex(text), {}, {}, {}};
    constexpr std::string_view kThreshold = "# threshold ";
    const std::string number = threshold.starts_with(kThreshold) ? threshold.substr(kThreshold.size()) : "";
    if (number.empty() || number.size() > 4 || number.find_first_not_of("0123456789") != std::string::npos)
        return bad("it does not begin with its version, threshold and pool");
    root.threshold = std::stoi(number);
    if (!text.starts_with(header(version, root.threshold, created)))
        return bad("it does not begin with its version, threshold and pool");
    TRY_ASSIGN(root.holders, holders_in(text));
    TRY_ASSIGN(root.verifiers, parse_allowed_signers(text));
    if (root.threshold < 1 || static_cast<std::size_t>(root.threshold) > root.holders.size())
        return bad(fmt::format("its threshold is {} of {} keys", root.threshold, root.holders.size()));
    return root;
}

// The fingerprints of those holders that signed the text.
Result<std::set<std::string>> signers_of(const Repo& repo, const Oid& main, const Root& root,
                                         const std::vector<AllowedSigner>& holders) {
    std::set<std::string> found;
    for (const AllowedSigner& holder : holders) {
        TRY_ASSIGN(std::optional<std::string> signature,
                   repo.file(main, signature_path(root.version, holder.fingerprint), kMaxSignature_bytes));
        if (!signature) continue;
        auto key = verify_signature(*signature, root.text, kRoots);
        if (key && *key == holder.fingerprint) found.insert(*key);
    }
    return found;
}

// The lines of a file without a root's header.
std::string keys_of(const std::string& signers) {
    std::istringstream lines(signers);
    std::string text, line;
    bool in_header = signers.starts_with(kTitle);
    for (int i = 0; std::getline(lines, line); ++i) {
        if (!in_header || i >= 4) text += line + "\n";
    }
    return text;
}

Result<MainFiles> with_signature(const Clone& clone, const Roots& roots, Root next) {
    const std::string own = clone.key.fingerprint();
    const auto& may = roots.now.version > 0 ? roots.now.holders : next.holders;
    const int needed = roots.now.version > 0 ? roots.now.threshold : next.threshold;
    MainFiles files = {{path_of(next.version), next.text}};
    if (std::any_of(may.begin(), may.end(), [&](const AllowedSigner& one) { return one.fingerprint == own; })) {
        TRY_ASSIGN(std::string signature, clone.key.sign_as(kRoots, next.text));
        files.emplace_back(signature_path(next.version, own), signature + "\n");
        next.signed_by.insert(own);
    }
    if (static_cast<int>(next.signed_by.size()) >= needed) files.emplace_back(kFile, next.text);
    return files;
}

}  // namespace

Result<Roots> roots_at(const Repo& repo, const Oid& main) {
    TRY_ASSIGN(std::optional<std::string> listed, repo.file(main, kFile, kMaxSigners_bytes));
    Roots roots;
    roots.now.text = listed.value_or("");
    for (int version = 1; version <= kMaxVersions; ++version) {
        TRY_ASSIGN(std::optional<std::string> text, repo.file(main, path_of(version), kMaxSigners_bytes));
        if (!text) break;
        TRY_ASSIGN(Task task, task_at(repo, main));
        TRY_ASSIGN(Root next, parse_root(*text, version, task.created));
        const bool first = version == 1;
        TRY_ASSIGN(next.signed_by, signers_of(repo, main, next, first ? next.holders : roots.now.holders));
        roots.needed = first ? next.threshold : roots.now.threshold;
        if (static_cast<int>(next.signed_by.size()) < roots.needed) {
            roots.waiting = std::move(next);
            break;
        }
        roots.digests.push_back(next.digest);
        roots.now = std::move(next);
    }
    if (roots.now.version > 0) {
        if (listed.value_or("") == roots.now.text) return roots;
        return fail(Code::corrupt, fmt::format("allowed_signers differs from trust root {}", roots.now.version),
                    "cultivar trust --help");
    }
    TRY_ASSIGN(roots.now.verifiers, parse_allowed_signers(roots.now.text));
    roots.now.digest = sha256_hex(roots.now.text);
    return roots;
}

Result<std::vector<AllowedSigner>> verifiers_at(const Repo& repo, const Oid& main) {
    TRY_ASSIGN(Roots roots, roots_at(repo, main));
    return std::move(roots.now.verifiers);
}

Result<void> roots_follow(const Roots& before, const Roots& after) {
    if (after.now.version < before.now.version)
        return fail(Code::corrupt, fmt::format("its trust roots were rolled back from version {} to {}",
                                               before.now.version, after.now.version));
    if (before.now.version > 0 && after.digests[static_cast<std::size_t>(before.now.version) - 1] != before.now.digest)
        return fail(Code::corrupt, fmt::format("its trust root {} is another one than before", before.now.version));
    return {};
}

Result<Roots> trusted_roots(const Clone& clone) {
    TRY_ASSIGN(Roots roots, roots_at(clone.repo, clone.main));
    const std::string path = clone.seen_dir() + "roots";
    auto seen = read_file(path, 128);
    if (!seen && seen.error().code != Code::not_found) return fail(seen.error());
    Roots before;
    if (seen) std::istringstream(*seen) >> before.now.version >> before.now.digest;
    if (before.now.version < 0) return fail(Code::corrupt, fmt::format("'{}' is damaged", path));
    TRY(roots_follow(before, roots));
    if (roots.now.version == before.now.version) return roots;
    std::error_code ec;
    std::filesystem::create_directories(clone.seen_dir(), ec);
    TRY(write_file_atomically(path, fmt::format("{} {}\n", roots.now.version, roots.now.digest)));
    return roots;
}

Result<MainFiles> change_roots(const Clone& clone, const Roots& roots, const std::string& signers, int threshold) {
    const int version = roots.now.version + 1;
    auto root =
        parse_root(header(version, threshold, clone.task.created) + keys_of(signers), version, clone.task.created);
    if (!root) return fail(Code::usage, root.error().message, "cultivar trust --help");
    if (roots.now.version > 0 && threshold == roots.now.threshold && keys_of(root->text) == keys_of(roots.now.text))
        return fail(Code::usage, "these are the trust roots in force already", "cultivar trust");
    return with_signature(clone, roots, std::move(*root));
}

Result<MainFiles> sign_roots(const Clone& clone, const Roots& roots) {
    if (!roots.waiting) return fail(Code::usage, "no change of the trust roots waits for signatures", "cultivar trust");
    const std::string own = clone.key.fingerprint();
    if (roots.waiting->signed_by.count(own))
        return fail(Code::usage, "this key has signed it already: it waits for others", "cultivar propose");
    TRY_ASSIGN(MainFiles files, with_signature(clone, roots, *roots.waiting));
    if (files.size() == 1)
        return fail(Code::usage, "this clone's key holds no trust root: a holder must sign", "cultivar trust");
    return files;
}

}  // namespace cultivar
