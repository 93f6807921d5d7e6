#include "cli/commands/data_manifest.h"

namespace cultivar {
namespace {

constexpr const char* kSentencePiece = "sentencepiece";
constexpr const char* kModelFile = "tokenizer.model";

PoolFile pool_file(const DataFile& file) { return {file.name, file.sha256, file.tokens}; }
DataFile data_file(const PoolFile& file) { return {file.name, file.sha256, file.tokens}; }

}  // namespace

Data data_of(const DataManifest& manifest) {
    Data data;
    data.tokenizer = manifest.tokenizer_kind == TokenizerKind::byte ? "byte" : kSentencePiece;
    data.tokenizer_sha256 = manifest.tokenizer.sha256;
    data.vocabulary = manifest.vocabulary;
    data.separator = manifest.separator;
    data.slice_text_bytes = manifest.slice_text_bytes;
    data.full_text_bytes = manifest.full_text_bytes;
    for (const SourceFile& source : manifest.sources) data.sources.push_back({source.name, source.sha256});
    for (const DataFile& file : manifest.train) data.train.push_back(pool_file(file));
    data.slice = pool_file(manifest.slice);
    data.full = pool_file(manifest.full);
    data.byte_table = pool_file(manifest.byte_table);
    data.slice_score = {manifest.slice_scored.tokens, manifest.slice_scored.bytes};
    data.full_score = {manifest.full_scored.tokens, manifest.full_scored.bytes};
    return data;
}

DataManifest manifest_of(const Data& data) {
    DataManifest manifest;
    manifest.tokenizer_kind = data.tokenizer == "byte" ? TokenizerKind::byte : TokenizerKind::sentencepiece;
    if (!data.tokenizer_sha256.empty()) manifest.tokenizer = {kModelFile, data.tokenizer_sha256, 0};
    manifest.vocabulary = data.vocabulary;
    manifest.separator = data.separator;
    manifest.slice_text_bytes = data.slice_text_bytes;
    manifest.full_text_bytes = data.full_text_bytes;
    for (const PoolSource& source : data.sources) manifest.sources.push_back({source.name, source.sha256});
    for (const PoolFile& file : data.train) manifest.train.push_back(data_file(file));
    manifest.slice = data_file(data.slice);
    manifest.full = data_file(data.full);
    manifest.byte_table = data_file(data.byte_table);
    manifest.slice_scored = {data.slice_score.targets, data.slice_score.bytes};
    manifest.full_scored = {data.full_score.targets, data.full_score.bytes};
    return manifest;
}

}  // namespace cultivar
