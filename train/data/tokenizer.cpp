#include "train/data/tokenizer.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

namespace cultivar {
namespace {

constexpr std::uint16_t kFirstByteId = 4;
constexpr std::string_view kWordStart = "\xE2\x96\x81";  // U+2581
constexpr std::size_t kMaxEncodedBytes = 64 * 1024;
constexpr std::size_t kTrainingBytes = 10'000'000;
constexpr unsigned kMaxThreads = 16;
constexpr int kMaxPieces = 65'536;

ByteTable table_of_bytes() {
    ByteTable table(kFirstByteId + 256);
    for (std::size_t id = kFirstByteId; id < table.size(); ++id) table[id] = {1, false, false};
    return table;
}

TokenBytes bytes_of_piece(const sentencepiece::SentencePieceProcessor& processor, int id) {
    if (processor.IsControl(id) || processor.IsUnknown(id) || processor.IsUnused(id)) return {0, false, true};
    if (processor.IsByte(id)) return {1, false, false};
    std::string_view piece = processor.IdToPiece(id);
    const bool lead = piece.starts_with(kWordStart);
    if (lead) piece.remove_prefix(kWordStart.size());
    return {static_cast<std::uint16_t>(piece.size()), lead, false};
}

// Takes at most kMaxEncodedBytes off the text, up to the last line feed, or else to the end of a character.
std::string_view take_piece(std::string_view& text) {
    std::size_t size = text.size();
    if (size > kMaxEncodedBytes) {
        size = kMaxEncodedBytes;
        const std::size_t feed = text.rfind('\n', size - 1);
        if (feed != std::string_view::npos)
            size = feed + 1;
        else
            while ((static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    }
    const std::string_view piece = text.substr(0, size);
    text.remove_prefix(size);
    return piece;
}

// Gives the sample's documents line by line: line feeds are byte tokens and never parts of a piece.
class Lines final : public sentencepiece::SentenceIterator {
public:
    explicit Lines(const std::vector<std::string_view>& documents) : documents_(documents) { Next(); }

    bool done() const override { return done_; }
    const std::string& value() const override { return line_; }
    sentencepiece::util::Status status() const override { return {}; }

    void Next() override {
        while (rest_.empty() && at_ < documents_.size() && taken_bytes_ < kTrainingBytes) {
            rest_ = documents_[at_++];
            taken_bytes_ += rest_.size();
        }
        done_ = rest_.empty();
        const std::size_t size = std::min(rest_.find('\n'), rest_.size());
        line_ = rest_.substr(0, size);
        rest_.remove_prefix(std::min(size + 1, rest_.size()));
    }

private:
    const std::vector<std::string_view>& documents_;
    std::size_t at_ = 0;
    std::size_t taken_bytes_ = 0;
    std::string_view rest_;
    std::string line_;
    bool done_ = false;
};

}  // namespace

struct Tokenizer::Model {
    sentencepiece::SentencePieceProcessor processor;
};

Tokenizer Tokenizer::bytes() {
    Tokenizer tokenizer;
    tokenizer.table_ = table_of_bytes();
    return tokenizer;
}

Result<Tokenizer> Tokenizer::sentencepiece(std::string_view bytes) {
    auto model = std::make_shared<Model>();
    try {
        const auto status = model->processor.LoadFromSerializedProto({bytes.data(), bytes.size()});
        if (!status.ok()) return fail(Code::corrupt, "not a SentencePiece model");
    } catch (const std::exception&) {  // a piece that begins with a zero byte
        return fail(Code::corrupt, "the SentencePiece model cannot be used");
    }
    const int pieces = model->processor.GetPieceSize();
    if (pieces > kMaxPieces)
        return fail(Code::corrupt, fmt::format("a tokenizer of {} pieces is over {}", pieces, kMaxPieces));
    if (model->processor.bos_id() != kBos) {
        return fail(Code::corrupt, fmt::format("the tokenizer's BOS is {} instead of 1", model->processor.bos_id()));
    }
    Tokenizer tokenizer;
    for (int id = 0; id < pieces; ++id) tokenizer.table_.push_back(bytes_of_piece(model->processor, id));
    tokenizer.model_ = std::move(model);
    return tokenizer;
}

Result<std::vector<std::uint16_t>> Tokenizer::encode(const std::vector<std::string_view>& documents) const {
    const std::size_t count = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
    std::vector<std::vector<std::uint16_t>> shares(count);
    std::vector<char> good(count, 0);
    const auto work = [&](std::size_t share) {
        try {
            const auto first = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() * share / count);
            const auto last = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() * (share + 1) / count);
            good[share] =
                std::all_of(first, last, [&](std::string_view text) { return encode_one(text, shares[share]); });
        } catch (const std::exception&) {
            good[share] = 0;
        }
    };
    std::vector<std::thread> helpers;
    for (std::size_t share = 1; share < count; ++share) helpers.emplace_back(work, share);
    work(0);
    for (std::thread& helper : helpers) helper.join();
    if (std::count(good.begin(), good.end(), 0) > 0) return fail(Code::corrupt, "the tokenizer cannot encode the text");

    std::vector<std::uint16_t> tokens = std::move(shares[0]);
    for (std::size_t share = 1; share < count; ++share) {
        tokens.insert(tokens.end(), shares[share].begin(), shares[share].end());
        shares[share] = {};
    }
    return tokens;
}

bool Tokenizer::encode_one(std::string_view text, std::vector<std::uint16_t>& tokens) const {
    tokens.push_back(kBos);
    if (!model_) {
        for (char c : text) tokens.push_back(static_cast<std::uint16_t>(kFirstByteId + static_cast<unsigned char>(c)));
        return true;
    }
    std::vector<int> ids;
    while (!text.empty()) {
        if (!model_->processor.Encode(take_piece(text), &ids).ok()) return false;
        for (int id : ids) tokens.push_back(static_cast<std::uint16_t>(id));
    }
    return true;
}

Result<std::string> train_sentencepiece(const std::vector<std::string_view>& documents) {
    Lines lines(documents);
    std::string model;
    try {
        const auto status =
            sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                        {"vocab_size", std::to_string(kTrainedPieces)},
                                                        {"hard_vocab_limit", "false"},
                                                        {"byte_fallback", "true"},
                                                        {"split_digits", "true"},
                                                        {"character_coverage", "0.999"},
                                                        {"normalization_rule_name", "identity"},
                                                        {"add_dummy_prefix", "false"},
                                                        {"remove_extra_whitespaces", "false"},
                                                        {"allow_whitespace_only_pieces", "false"},
                                                        {"max_sentence_length", std::to_string(kTrainingBytes * 2)},
                                                        {"num_threads", "1"},
                                                        {"pad_id", "0"},
                                                        {"bos_id", "1"},
                                                        {"eos_id", "2"},
                                                        {"unk_id", "3"},
                                                        {"minloglevel", "4"}},
                                                       &lines, &model);
        if (!status.ok()) {
            return fail(Code::usage,
                        fmt::format("cannot train a tokenizer of {} pieces on this text: {}", kTrainedPieces,
                                    status.error_message()),
                        "cultivar data import --tokenizer byte FILE...");
        }
    } catch (const std::exception& error) {
        return fail(Code::io, fmt::format("cannot train a tokenizer: {}", error.what()));
    }
    return model;
}

}  // namespace cultivar
