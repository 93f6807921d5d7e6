#include "train/data/hold_out_slices.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "eval/formats/bits_per_byte.h"
#include "pool/util/secret_random.h"
#include "train/data/documents.h"
#include "train/data/shard_writer.h"
#include "train/data/text_cleaning.h"
#include "train/data/tokenizer.h"

namespace cultivar {
namespace {

using Tokens = std::span<const std::uint16_t>;

std::size_t hash_of(Tokens document) {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(document.data()), document.size() * sizeof(std::uint16_t)});
}

// Calls `take` with each document of a token stream, including its BOS.
template <typename Take>
void each_document(Tokens stream, const Take& take) {
    auto begin = std::find(stream.begin(), stream.end(), kBos);
    while (begin != stream.end()) {
        const auto end = std::find(begin + 1, stream.end(), kBos);
        take(Tokens(begin, end));
        begin = end;
    }
}

Result<std::unordered_set<std::size_t>> known_documents(const std::vector<std::string>& paths) {
    std::unordered_set<std::size_t> known;
    for (const std::string& path : paths) {
        TRY_ASSIGN(const Shard shard, Shard::open(path));
        each_document(shard.tokens(), [&](Tokens document) { known.insert(hash_of(document)); });
    }
    return known;
}

Result<std::vector<std::string>> read_texts(const std::vector<std::string>& paths) {
    std::vector<std::string> texts;
    TextRepairs repairs;
    for (const std::string& path : paths) {
        TRY_ASSIGN(const std::string bytes, read_text_bytes(path));
        texts.push_back(clean_text(bytes, repairs));
    }
    return texts;
}

Result<Tokenizer> tokenizer_of(const std::string& model) {
    return model.empty() ? Result<Tokenizer>(Tokenizer::bytes()) : Tokenizer::sentencepiece(model);
}

}  // namespace

Result<HoldOutMade> make_hold_out(const HoldOutRequest& request, const std::string& folder,
                                  const ImportProgress& progress) {
    const auto report = [&](const char* phase, double done) {
        if (progress) progress(phase, done);
    };
    if (request.sources.empty()) return fail(Code::usage, "no source files", "cultivar data import --hold-out FILE...");
    report("reading", 0);
    TRY_ASSIGN(const std::vector<std::string> texts, read_texts(request.sources));
    Documents documents = cut_documents(texts, request.separator);
    SecretRandom secret;
    std::shuffle(documents.ordered.begin(), documents.ordered.end(), secret);
    TRY_ASSIGN(const Tokenizer tokenizer, tokenizer_of(request.model));
    report("encoding", 0);
    TRY_ASSIGN(const std::vector<std::uint16_t> stream, tokenizer.encode(documents.ordered));
    report("comparing with the pool's data", 0.5);
    TRY_ASSIGN(const auto known, known_documents(request.known));

    HoldOutMade made;
    made.duplicates = documents.duplicates;
    std::vector<std::vector<std::uint16_t>> slices(1);
    each_document(stream, [&](Tokens document) {
        if (known.contains(hash_of(document))) return void(++made.known);
        ++made.documents;
        if (scored_targets(static_cast<std::int64_t>(slices.back().size())) >= request.targets) slices.emplace_back();
        slices.back().insert(slices.back().end(), document.begin(), document.end());
    });
    if (scored_targets(static_cast<std::int64_t>(slices.back().size())) < request.targets) slices.pop_back();
    if (slices.empty())
        return fail(Code::usage,
                    fmt::format("the text is too short for a slice of {} targets: {} documents are new, {} are "
                                "in the pool's data",
                                request.targets, made.documents, made.known));
    slices.resize(std::min(slices.size(), kMostHoldOutSlices));
    TRY(create_folder(folder));
    if (::chmod(folder.c_str(), S_IRWXU) != 0)
        return fail(Code::io, fmt::format("cannot make '{}' private to its owner", folder));
    for (std::vector<std::uint16_t>& slice : slices) {
        report("writing", static_cast<double>(made.slices.size()) / static_cast<double>(slices.size()));
        slice.resize(static_cast<std::size_t>(request.targets) + 1);
        const std::string name = fmt::format("slice_{:02}.bin", made.slices.size());
        TRY_ASSIGN(const ScoredPart scored, scored_part(slice, tokenizer.byte_table(), "hold-out"));
        TRY(save_shard(folder, name, slice));
        made.slices.push_back({name, scored});
    }
    return made;
}

}  // namespace cultivar
