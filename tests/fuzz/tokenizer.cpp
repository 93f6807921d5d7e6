// Fuzzes a SentencePiece model and text encoded by it.
#include "train/data/tokenizer.h"

#include "tests/fuzz/input.h"

using namespace cultivar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto tokenizer = Tokenizer::sentencepiece(text_of(data, size));
    if (!tokenizer) return 0;
    const auto tokens = tokenizer->encode({"The old river\n runs under 12 stones \xE2\x96\x81\xFF", ""});
    if (!tokens) return 0;
    for (std::uint16_t token : *tokens) demand(token < tokenizer->vocabulary());
    return 0;
}
