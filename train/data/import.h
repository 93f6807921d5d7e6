// Imports text: turns users' files into the shards, byte table and tokenizer of a data folder.
//
//   train_000000.bin ...  10^8 tokens each      val_slice.bin, val_full.bin   the validation part
//   tokens.bytes          the byte table        tokenizer.model               SentencePiece only
// Files are written atomically and replace files of the same name. A stopped import can simply be run again. The text
// and its tokens are held in memory: 40 MB of text take 300 MB and, on two cores, 11 s.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"
#include "train/data/data_manifest.h"

namespace cultivar {

struct ImportRequest {
    std::vector<std::string> sources;  // paths of text, .gz or .dz files
    std::string separator;             // between documents; "" means blank lines
    std::int64_t slice_bytes = 256 * 1024;
    std::int64_t full_bytes = 4 * 1024 * 1024;
    TokenizerKind tokenizer = TokenizerKind::sentencepiece;
};

// Called from time to time on the caller's thread with the current phase and the fraction of it that is done (0 to 1).
using ImportProgress = std::function<void(const std::string& phase, double fraction)>;

// Makes a first import, which trains the tokenizer. Creates the folder. Errors: usage, not_found, io, corrupt.
Result<DataManifest> import_text(const ImportRequest& request, const std::string& folder,
                                 const ImportProgress& progress = {});

// Repeats an import on another machine, with the settings of `expected` and the tokenizer from the bytes of its .model
// file (empty for kind byte). Succeeds only if every file has the expected digest; otherwise the error names the source
// file that differs, is missing or is one too many. Errors: as above; corrupt if equal sources gave other files.
Result<DataManifest> import_text_again(const std::vector<std::string>& sources, const DataManifest& expected,
                                       const std::string& model, const std::string& folder,
                                       const ImportProgress& progress = {});

// Imports Parameter Golf's shards unchanged: `shards` holds fineweb_train_*.bin and fineweb_val_*.bin, `model_path`
// names the tokenizer's .model. Training shards stay in place and are linked to. The validation shards, joined, become
// val_full, and its first whole documents with at least `slice_bytes` bytes become val_slice. On another machine,
// compare the result with require_same(). Errors: as above.
Result<DataManifest> import_shards(const std::string& shards, const std::string& model_path, std::int64_t slice_bytes,
                                   const std::string& folder, const ImportProgress& progress = {});

}  // namespace cultivar
