// Written by make_score.py with torch 1.13.0a0 and sentencepiece 0.1.97.
#pragma once

#include <cstdint>

namespace cultivar {

inline constexpr int kGoldenDocuments = 600;  // of sample_text()
inline constexpr std::int64_t kGoldenTokens = 8293;
inline constexpr std::int64_t kGoldenTargets = 8192, kGoldenBytes = 29450;
inline constexpr double kGoldenValLoss = 7.9717489089, kGoldenValBpb = 3.19913667393;

}  // namespace cultivar
