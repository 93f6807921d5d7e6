// The version of this build. cmake/WriteVersion.cmake writes the values.
#pragma once

namespace cultivar {

extern const char* const kVersion;     // "0.1.0", the project's version in CMakeLists.txt
extern const char* const kCommit;      // the first 12 digits, or "unknown"
extern const char* const kCommitName;  // all 40 digits, or "unknown"
extern const char* const kBuildType;   // "Release"
extern const char* const kCompiler;    // "GNU 12.2.0"

}  // namespace cultivar
