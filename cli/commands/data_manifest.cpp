#include "cli/commands/data_manifest.h"

namespace cultivar {
namespace {

constexpr const char* kSentencePiece = "sentencepiece";
constexpr const char* kModelFile = "tokenizer.model";

PoolFile pool_file(const DataFile& file) { return {file.name, file.sha256, file.tokens}; }
DataFile data_file(const PoolFile& file) { return {file.name, file.sha256, file.tokens}; }

Json json_of(const DataFile& file) { return Json::array({file.name, file.sha256, file.tokens}); }
DataFile file_from(const Json& json) { return {json.at(0), json.at(1), json.at(2)}; }
Json json_of(const ScoredPart& part) { return Json::array({part.tokens, part.bytes}); }
ScoredPart part_from(const Json& json) { return {json.at(0), json.at(1)}; }

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

Json to_json(const DataManifest& manifest) {
    Json sources = Json::array(), train = Json::array();
    for (const SourceFile& source : manifest.sources) sources.push_back(Json::array({source.name, source.sha256}));
    for (const DataFile& file : manifest.train) train.push_back(json_of(file));
    const TextRepairs& repairs = manifest.repairs;
    return {{"sources", sources},
            {"separator", manifest.separator},
            {"slice_text_bytes", manifest.slice_text_bytes},
            {"full_text_bytes", manifest.full_text_bytes},
            {"byte_tokenizer", manifest.tokenizer_kind == TokenizerKind::byte},
            {"train", train},
            {"slice", json_of(manifest.slice)},
            {"full", json_of(manifest.full)},
            {"byte_table", json_of(manifest.byte_table)},
            {"tokenizer", json_of(manifest.tokenizer)},
            {"vocabulary", manifest.vocabulary},
            {"slice_scored", json_of(manifest.slice_scored)},
            {"full_scored", json_of(manifest.full_scored)},
            {"text_bytes", manifest.text_bytes},
            {"documents", manifest.documents},
            {"duplicates", manifest.duplicates},
            {"repairs", Json::array({repairs.invalid_bytes, repairs.replacements, repairs.dropped_controls,
                                     repairs.replaced_marks})}};
}

DataManifest manifest_from(const Json& json) {
    DataManifest manifest;
    for (const Json& source : json.at("sources")) manifest.sources.push_back({source.at(0), source.at(1)});
    manifest.separator = json.at("separator");
    manifest.slice_text_bytes = json.at("slice_text_bytes");
    manifest.full_text_bytes = json.at("full_text_bytes");
    manifest.tokenizer_kind =
        json.at("byte_tokenizer").get<bool>() ? TokenizerKind::byte : TokenizerKind::sentencepiece;
    for (const Json& file : json.at("train")) manifest.train.push_back(file_from(file));
    manifest.slice = file_from(json.at("slice"));
    manifest.full = file_from(json.at("full"));
    manifest.byte_table = file_from(json.at("byte_table"));
    manifest.tokenizer = file_from(json.at("tokenizer"));
    manifest.vocabulary = json.at("vocabulary");
    manifest.slice_scored = part_from(json.at("slice_scored"));
    manifest.full_scored = part_from(json.at("full_scored"));
    manifest.text_bytes = json.at("text_bytes");
    manifest.documents = json.at("documents");
    manifest.duplicates = json.at("duplicates");
    const Json& repairs = json.at("repairs");
    manifest.repairs = {repairs.at(0), repairs.at(1), repairs.at(2), repairs.at(3)};
    return manifest;
}

Json to_json(const HoldOutMade& made) {
    Json slices = Json::array();
    for (const HoldOutSlice& slice : made.slices) slices.push_back(Json::array({slice.name, json_of(slice.scored)}));
    return {{"slices", slices}, {"documents", made.documents}, {"duplicates", made.duplicates}, {"known", made.known}};
}

HoldOutMade hold_out_from(const Json& json) {
    HoldOutMade made;
    for (const Json& slice : json.at("slices")) made.slices.push_back({slice.at(0), part_from(slice.at(1))});
    made.documents = json.at("documents");
    made.duplicates = json.at("duplicates");
    made.known = json.at("known");
    return made;
}

}  // namespace cultivar
