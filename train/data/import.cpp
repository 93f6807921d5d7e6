#include "train/data/import.h"

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "train/data/documents.h"
#include "train/data/shard_writer.h"
#include "train/data/text_cleaning.h"
#include "train/data/tokenizer.h"

namespace cultivar {
namespace {

constexpr std::size_t kEncodedAtOnce = 8 << 20;  // bytes of text between two progress reports

class Import {
public:
    Import(const ImportRequest& request, const std::string& folder, const ImportProgress& progress)
        : request_(request), folder_(folder), progress_(progress) {
        manifest_.separator = request.separator;
        manifest_.slice_text_bytes = request.slice_bytes;
        manifest_.full_text_bytes = request.full_bytes;
        manifest_.tokenizer_kind = request.tokenizer;
    }

    // Computes the sources' digests; their order does not matter.
    Result<std::vector<SourceFile>> digest() {
        if (request_.sources.empty()) return fail(Code::usage, "no source files", "cultivar data import FILE...");
        for (const std::string& path : request_.sources) {
            TRY(check_source(path));
            TRY_ASSIGN(std::string sha256, sha256_file_hex(path));
            manifest_.sources.push_back({std::filesystem::path(path).filename().string(), std::move(sha256)});
        }
        std::sort(manifest_.sources.begin(), manifest_.sources.end(), [](const SourceFile& a, const SourceFile& b) {
            return std::tie(a.sha256, a.name) < std::tie(b.sha256, b.name);
        });
        return manifest_.sources;
    }

    Result<void> read() {
        for (const std::string& path : request_.sources) {
            report("reading", texts_.size(), request_.sources.size());
            TRY_ASSIGN(const std::string bytes, read_text_bytes(path));
            texts_.push_back(clean_text(bytes, manifest_.repairs));
        }
        report("cutting into documents", 0, 1);
        Documents documents = cut_documents(texts_, request_.separator);
        documents_ = std::move(documents.ordered);
        manifest_.duplicates = documents.duplicates;
        manifest_.documents = static_cast<std::int64_t>(documents_.size());
        for (std::string_view document : documents_) manifest_.text_bytes += static_cast<std::int64_t>(document.size());
        TRY_ASSIGN(parts_, part_documents(documents_, request_.slice_bytes, request_.full_bytes));
        return {};
    }

    Result<std::string> train_tokenizer() {
        if (request_.tokenizer == TokenizerKind::byte) return std::string();
        report("training the tokenizer", 0, 1);
        return train_sentencepiece(range(parts_.full, documents_.size()));
    }

    Result<DataManifest> write(const std::string& model) {
        Tokenizer tokenizer = Tokenizer::bytes();
        if (request_.tokenizer == TokenizerKind::sentencepiece) {
            TRY_ASSIGN(tokenizer, Tokenizer::sentencepiece(model));
        }
        TRY(create_folder(folder_));
        TRY_ASSIGN(const auto slice, tokenizer.encode(range(0, parts_.slice)));
        TRY_ASSIGN(const auto full, tokenizer.encode(range(0, parts_.full)));
        TRY(save_validation(folder_, slice, full, tokenizer.byte_table(), model, manifest_));
        TRY_ASSIGN(const auto tokens, encode_training(tokenizer));
        report("writing", 0, 1);
        TRY_ASSIGN(manifest_.train, save_training(folder_, tokens));
        return manifest_;
    }

private:
    void report(const std::string& phase, std::size_t done, std::size_t all) const {
        if (progress_) progress_(phase, static_cast<double>(done) / static_cast<double>(all));
    }

    std::vector<std::string_view> range(std::size_t first, std::size_t last) const {
        return {documents_.begin() + static_cast<std::ptrdiff_t>(first),
                documents_.begin() + static_cast<std::ptrdiff_t>(last)};
    }

    Result<std::vector<std::uint16_t>> encode_training(const Tokenizer& tokenizer) const {
        std::vector<std::uint16_t> tokens;
        for (std::size_t first = parts_.full, last = first; first < documents_.size(); first = last) {
            report("encoding", first, documents_.size());
            for (std::size_t bytes = 0; last < documents_.size() && bytes < kEncodedAtOnce; ++last) {
                bytes += documents_[last].size();
            }
            TRY_ASSIGN(const auto some, tokenizer.encode(range(first, last)));
            tokens.insert(tokens.end(), some.begin(), some.end());
        }
        return tokens;
    }

    const ImportRequest& request_;
    const std::string& folder_;
    const ImportProgress& progress_;
    std::vector<std::string> texts_;
    std::vector<std::string_view> documents_;  // views into texts_
    Parts parts_;
    DataManifest manifest_;
};

}  // namespace

Result<DataManifest> import_text(const ImportRequest& request, const std::string& folder,
                                 const ImportProgress& progress) {
    Import import(request, folder, progress);
    TRY(import.digest());
    TRY(import.read());
    TRY_ASSIGN(const std::string model, import.train_tokenizer());
    return import.write(model);
}

Result<DataManifest> import_text_again(const std::vector<std::string>& sources, const DataManifest& expected,
                                       const std::string& model, const std::string& folder,
                                       const ImportProgress& progress) {
    const ImportRequest request{sources, expected.separator, expected.slice_text_bytes, expected.full_text_bytes,
                                expected.tokenizer_kind};
    Import import(request, folder, progress);
    TRY_ASSIGN(const auto given, import.digest());
    TRY(require_same_sources(given, expected.sources));
    TRY(import.read());
    TRY_ASSIGN(DataManifest made, import.write(model));
    TRY(require_same(made, expected));
    return made;
}

}  // namespace cultivar
