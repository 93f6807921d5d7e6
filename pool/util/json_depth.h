// How deep foreign JSON nests, asked before anything copies or writes it: a library that does so by recursion needs a stack
// as deep as the text is.
#pragma once

#include <string_view>

namespace cultivar {

// Does the text open more than `depth` lists and objects within one another? Reads it once; it need not be JSON.
bool nests_deeper(std::string_view json, int depth);

}  // namespace cultivar
