#include "benchmarks/synthetic/journal.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::size_t kPushRecords = 25;
constexpr std::size_t kKeyBytes = 32;

Result<Key> derived_key(const std::string& text) {
    using PKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
    const std::string raw = sha256_hex(text).substr(0, kKeyBytes);
    const PKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                reinterpret_cast<const unsigned char*>(raw.data()), raw.size()),
                   EVP_PKEY_free);
    std::string path = (std::filesystem::temp_directory_path() / "synthetic-key-XXXXXX").string();
    const int descriptor = ::mkstemp(path.data());
    std::FILE* file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "w");
    if (!key || !file) return fail(Code::io, "cannot write a key");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    auto loaded = Key::load_or_create(path);
    std::filesystem::remove(path);
    return loaded;
}

// Returns the category of a contributor: three in five have machines of the same speed.
std::string category_of(int number) {
    constexpr std::array kSpeeds = {"e11", "e11", "e11", "e11.5", "e12"};
    return fmt::format("cpu-600s-{}", kSpeeds[static_cast<std::size_t>(number) % kSpeeds.size()]);
}

}  // namespace

Result<SyntheticWriter> synthetic_writer(std::uint64_t seed, int number) {
    TRY_ASSIGN(Key key, derived_key(fmt::format("synthetic pool {} writer {}", seed, number)));
    std::string name = fmt::format("synthetic-{:04}.box.{}", number, key.fingerprint().substr(0, 8));
    return SyntheticWriter{std::move(key), std::move(name), category_of(number)};
}

Result<void> JournalBuilder::append(const std::string& line, std::int64_t unix_s) {
    segment_ += line + "\n";
    open_.unix_s = unix_s;
    ++open_.records;
    if (++segment_records_ == kSegmentRecords) {
        TRY(store_segment());
        segment_.clear();
        stored_.reset();
        segment_records_ = 0;
        ++segment_number_;
    }
    return open_.records == kPushRecords ? push() : Result<void>();
}

Result<void> JournalBuilder::store_segment() {
    TRY_ASSIGN(stored_, pack_->add(segment_, stored_));
    open_.segments.emplace_back(segment_number_, stored_->oid);
    return {};
}

Result<void> JournalBuilder::push() {
    if (open_.records == 0) return {};
    if (!segment_.empty()) TRY(store_segment());
    pushes_.push_back(std::move(open_));
    open_ = {};
    return {};
}

Result<void> JournalBuilder::commit(Repo& repo) const {
    std::vector<TreeEntry> entries;
    std::vector<Oid> parents;
    for (const Push& push : pushes_) {
        for (const auto& [number, blob] : push.segments) {
            entries.resize(std::max(entries.size(), number + 1));
            entries[number] = {fmt::format("{:06}.jsonl", number), blob, false, true};
        }
        TRY_ASSIGN(const Oid folder, repo.write_tree(entries));
        TRY_ASSIGN(const Oid tree, repo.write_tree({{"seg", folder, true, false}}));
        TRY_ASSIGN(const Oid tip, repo.write_commit({tree, parents, writer_.at(push.unix_s),
                                                     fmt::format("{} records\n", push.records)},
                                                    &writer_.key));
        parents = {tip};
    }
    return parents.empty() ? Result<void>() : repo.set_ref(writer_.journal_ref(), parents[0], "");
}

}  // namespace cultivar
